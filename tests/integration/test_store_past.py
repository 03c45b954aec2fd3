"""What a decision was made on can be had again, whatever was written since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random  # noqa: TID251 - changes drawn with a seed

import pytest

from pfflow.cycle import STAGES, dossier_of
from pfflow.domain.decision import Basis, Holdings
from pfflow.domain.facts import Absence, Facts, RaciCode, RaciRow, Touch
from pfflow.domain.project import Move, Phase
from pfflow.domain.replanning import replan
from pfflow.domain.trouble import Trouble
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld, Receipt
from pfflow.store import SqlStore
from tests.factories import (
    at,
    china,
    make_contact,
    make_facts,
    make_financial,
    make_milestone,
    make_participation,
    make_party,
    make_project,
    make_touch,
    make_undertaking,
    small_playbook,
)

BASIS = Basis(playbook="0" * 64, calendar=china())


def _changes(random: Random, day: int) -> Facts:
    """Give some facts that are new or other than before, drawn anew each day."""
    ref = random.choice(["FIN", "OPS", "BANK"])
    drawn: list[Callable[[], Facts]] = [
        lambda: Facts(contacts=(make_contact(f"C-{ref}", name=f"Person of day {day}"),)),
        lambda: Facts(parties=(make_party(f"NEW{day}"),), contacts=(make_contact(f"C-NEW{day}"),)),
        lambda: Facts(participations=(make_participation("lender", f"NEW{day}"),), parties=(make_party(f"NEW{day}"),)),
        lambda: Facts(participations=(make_participation("investor", "FUND", until=date(2026, 1, 5 + day)),)),
        lambda: Facts(parties=(make_party("SPV", parent_ref=random.choice(["SPON", "FUND", f"NEW{day}"])),)),
        lambda: Facts(milestones=(make_milestone(forecast_on=date(2026, 9, 1) + timedelta(days=day)),)),
        lambda: Facts(obligations=(make_undertaking(threshold=None, metric="", first=date(2026, 1, 31)),)),
        lambda: Facts(financials=(make_financial("cfads", str(day)), make_financial("cfads", "1", subject_ref="SPON"))),
        lambda: Facts(raci=(_accountable(random.choice(["finance", "legal"])),)),
        lambda: Facts(absences=(_away(ref, random.choice(["C-LAW", f"C-NEW{day}"]), day),)),
        lambda: Facts(projects=(make_project(sector=f"day {day}"),)),
    ]
    return random.choice(drawn)()


def _away(ref: str, substitute: str, day: int) -> Absence:
    return Absence(
        contact_ref=f"C-{ref}", since=date(2026, 1, 5), until=date(2026, 1, 5 + day), substitute_ref=substitute
    )


def _accountable(role: str) -> RaciRow:
    return RaciRow(phase=Phase.IMPLEMENTATION, activity="fund-use-report", role=role, code=RaciCode.ACCOUNTABLE)


def _send(store: SqlStore, random: Random, at: datetime) -> None:
    """Send some letters, of which some fail, and let some that failed go again."""
    if random.random() < 0.2:
        store.release("failed", "C-REL", at)
    for letter in store.claim("w", at, 4, 60):
        failed = random.random() < 0.5
        outcome, trouble = ("failed", random.choice([Trouble.RECIPIENT, None])) if failed else ("sent", None)
        store.settle("w", [Receipt(message_id=letter.message_id, outcome=outcome, at=at, trouble=trouble)])


@pytest.mark.parametrize("seed", range(2))
def test_what_each_decision_was_made_on_is_had_again_after_all_that_came_later(store: SqlStore, seed: int) -> None:
    random, playbook = Random(seed), small_playbook()  # noqa: S311 - a seeded draw
    other = make_project(project_ref="G2")
    store.import_facts(replace(make_facts(), projects=(make_project(), other)), at("2026-01-04"), "test")
    stood: list[Holdings] = []
    for day in range(1, 12):
        as_of = at(f"2026-01-{5 + day:02}")
        for stage in (*STAGES, Stage.COMMUNICATION):
            if random.random() < 0.4:
                store.import_facts(_changes(random, day), as_of, "test")
            owed = [one.key for one in store.obligations("G1") if one.live]
            if owed and random.random() < 0.3:
                touch = make_touch(Touch.ACKNOWLEDGEMENT, random.choice(owed), ext_id=f"T{day}{stage}", at=as_of)
                store.report_touch(touch, "test", as_of)
            plan = day == 6 and stage is Stage.COMMUNICATION
            with store.deciding("G1", stage, as_of, again=plan) as held:
                if isinstance(held, NotHeld):
                    continue
                dossier = dossier_of(held.holdings, playbook, china(), as_of)
                decision = replan(dossier, as_of).decision if plan else STAGES[stage](dossier, as_of)
                held.record(replace(decision, basis=BASIS))
                if not decision.quiet:
                    stood.append(held.holdings)
        _send(store, random, as_of)
        if day == 8:
            store.move_phase("G1", Move.ADVANCE, "C-REL", "signed", as_of)
    records = store.decisions("G1")
    assert [record.number for record in records] == list(range(1, len(stood) + 1))
    assert len(stood) > 10
    for record, before in zip(records, stood, strict=True):
        # The first decision is the one that says when the relationship began; its own instant means the same to it.
        began = before.engaged_at or record.as_of
        assert store.holdings_before(record) == replace(before, engaged_at=began), record


def test_what_a_decision_left_is_what_the_next_began_with(store: SqlStore) -> None:
    store.import_facts(make_facts(), at("2026-01-04"), "test")
    for day in ("2026-01-05", "2026-01-12", "2026-01-16"):
        for stage, decide in STAGES.items():
            with store.deciding("G1", stage, at(day)) as held:
                assert not isinstance(held, NotHeld)
                dossier = dossier_of(held.holdings, small_playbook(), china(), at(day))
                held.record(replace(decide(dossier, at(day)), basis=BASIS))
    records = store.decisions("G1")
    for record, following in pairwise(records):
        assert store.obligations_after(record) == tuple(store.holdings_before(following).obligations.values())
    assert store.obligations_after(records[-1]) == store.obligations("G1")


def test_a_decision_that_does_not_say_by_what_it_was_made_is_not_kept(store: SqlStore) -> None:
    store.import_facts(make_facts(), at("2026-01-04"), "test")
    with store.deciding("G1", Stage.IDENTIFICATION, at("2026-01-05")) as held:
        assert not isinstance(held, NotHeld)
        dossier = dossier_of(held.holdings, small_playbook(), china(), at("2026-01-05"))
        held.record(STAGES[Stage.IDENTIFICATION](dossier, at("2026-01-05")))
    assert store.decisions("G1") == ()
