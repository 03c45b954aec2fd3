"""Every bug that is planted on purpose is found by the seed the page names."""

from __future__ import annotations

import pytest

from tests.simulation.planted import BUGS, Bug, simulate_with
from tests.simulation.run import simulate
from tests.simulation.searching import seeds_in_page

MOST = 500


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_the_bug_is_found_by_the_seed_of_the_page(bug: Bug) -> None:
    seed = seeds_in_page()[bug.name]
    assert seed < MOST
    assert simulate_with(bug, seed).violation
    assert simulate(seed).violation == "", "the seed finds something in the house as it is"


def test_the_page_has_every_bug_and_at_least_ten() -> None:
    assert list(seeds_in_page()) == [bug.name for bug in BUGS]
    assert len(BUGS) >= 10
