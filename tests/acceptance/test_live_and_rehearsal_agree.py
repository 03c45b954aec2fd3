"""A year of the motorway, rehearsed and lived: the same obligations, rungs and letters, on both databases.

Live is the engine over a database, swept whenever the rehearsal decided, and every stage each tenth day besides, when
nothing should be due. What people said in the rehearsal is reported to the database when they said it.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pfflow.bootstrap import calendar_of, opened_store
from pfflow.cycle import Cycle
from pfflow.domain.facts import Facts
from pfflow.domain.words import Stage
from pfflow.rehearsal.clock import SWEEPS, sweeps_on
from pfflow.rehearsal.running import NoMailer
from pfflow.settings import Settings
from tests.acceptance.test_letters_of_a_month import _postgres_database
from tests.unit.rehearsing import EXAMPLES, Lived, example, lived

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
IMPORTED_AT = datetime(2025, 12, 31, tzinfo=UTC)

pytestmark = pytest.mark.xdist_group("live-and-rehearsal")


@pytest.fixture(scope="module")
def rehearsed() -> Lived:
    return lived("expressway", FIRST, LAST)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_a_year_lived_is_the_year_that_was_rehearsed(database: str, rehearsed: Lived, tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = ""
        if database == "postgresql":
            url = stack.enter_context(_postgres_database(f"pfflow_rehearsed_{os.getpid()}"))
        store = stack.enter_context(opened_store(Settings(home=tmp_path, db=url)))
        facts, playbook = example("expressway")
        store.import_facts(facts, IMPORTED_AT, "test")
        text = (EXAMPLES / "expressway" / "playbook.yaml").read_text(encoding="utf-8")
        store.adopt_playbook(text, playbook.name, playbook.version, IMPORTED_AT, "test")
        ref = rehearsed.life.project.project_ref
        cycle = Cycle(
            store=store, playbook=playbook, calendar_of=calendar_of, mailer=NoMailer(), clock=lambda: IMPORTED_AT,
            worker="test",
        )  # fmt: skip
        replies = list(rehearsed.living.said)
        for at, stage in sweeps(rehearsed):
            while replies and replies[0][0] <= at:
                said_at, reply = replies.pop(0)
                if reply.touch is not None:
                    assert store.report_touch(reply.touch, "test", said_at)
                else:
                    assert store.import_facts(Facts(**reply.records), said_at, "test")
            outcome = cycle.decide(stage, ref, at)
            assert outcome.error == ""
        held, letters = store.holdings(ref), store.letters(ref)
    index = rehearsed.life.index
    assert dict(held.obligations) == index.obligations
    assert dict(held.firings) == index.firings
    assert dict(held.conclusions) == index.conclusions
    assert {
        n.key: (n.contact_ref, n.noticed_at, n.template, n.context, n.invitation, n.report)
        for n in (letter.notice for letter in letters)
    } == rehearsed.letters
    assert len(letters) > 800
    assert len(rehearsed.living.said) > 50


def sweeps(rehearsed: Lived) -> list[tuple[datetime, Stage]]:
    """Give when what is swept: whenever the rehearsal decided, and each day, so that no stage has an outage."""
    zone = example("expressway")[1].zone
    days = (FIRST + timedelta(days=number) for number in range(365))
    besides = {(sweeps_on(stage, day, zone)[-1], stage) for day in days for stage in SWEEPS}
    return sorted({*rehearsed.living.looked, *besides}, key=lambda one: (one[0], list(SWEEPS).index(one[1])))
