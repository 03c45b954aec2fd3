"""A few hundred lives with faults at every boundary; `make simulate SEEDS=20000` lives more of them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.simulation.run import simulate
from tests.simulation.searching import difference, empty_database, lived, memory_folder, on_sqlite

SEEDS, CHUNKS = 240, 8
ON_BOTH = (1, 2, 7, 11)
HAPPENS = ("decisions", "fired", "skipped", "merged", "accepted", "deaths", "bundles")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_invariant_holds_whatever_happens(chunk: int) -> None:
    size = SEEDS // CHUNKS
    tally = lived(chunk * size, size, real=0)
    assert tally.broken == [], "replay: python -m tests.simulation --replay SEED"
    assert min(tally.count[what] for what in HAPPENS) > 10


def test_a_seed_replays_exactly() -> None:
    one, two = simulate(11), simulate(11)
    assert one.trace == two.trace
    assert len(one.trace) > 20


@pytest.mark.parametrize("seed", ON_BOTH)
def test_the_model_of_the_store_does_what_the_store_on_sqlite_does(seed: int) -> None:
    model = simulate(seed)
    with TemporaryDirectory(dir=memory_folder()) as name:
        real = on_sqlite(seed, Path(name), empty_database(Path(name)))
    assert real.trace == model.trace, difference(model, real)
    assert (real.violation, model.violation) == ("", "")
