"""Obligations are written in bulk: what is kept to do it fast changes no value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pfflow.domain.decision import Decision
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.words import Stage, Words
from pfflow.ports import NotHeld
from pfflow.store import SqlStore
from tests.integration.samples import AT, FACTS, make_obligation


def kept(store: SqlStore, *obligations: Obligation) -> dict[str, Obligation]:
    store.import_facts(FACTS, AT, "test")
    with store.deciding("G1", Stage.COMMUNICATION, AT) as held:
        assert not isinstance(held, NotHeld)
        held.record(Decision(project_ref="G1", stage=Stage.COMMUNICATION, as_of=AT, obligations=obligations))
    return {one.key: one for one in store.obligations("G1")}


def test_every_field_comes_back_as_it_was_written(store: SqlStore) -> None:
    full = make_obligation(
        key="G1/full/2026",
        kind=ObligationKind.MEETING,
        title=Words("例会", "Meeting"),
        status=Status.WAIVED,
        minutes=90,
        sequence=3,
        provisional=True,
        held_until=AT + timedelta(days=1),
        closed_at=AT + timedelta(microseconds=1),
        closed_by="C-BANK",
        closed_because="“agreed”, 已同意",
        details={"location": {"zh": "会议室", "en": 'Room "3"'}, "invited": ["C-BANK", "C-OPS"]},
    )
    bare = make_obligation(key="G1/bare/2026")
    assert kept(store, full, bare) == {"G1/full/2026": full, "G1/bare/2026": bare}


def test_the_two_hours_that_clocks_show_twice_stay_two_instants(store: SqlStore) -> None:
    shown_twice = datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("Europe/London"))
    first = make_obligation(key="G1/first/2026", due_at=shown_twice)
    second = make_obligation(key="G1/second/2026", due_at=shown_twice.replace(fold=1))
    found = kept(store, first, second)
    assert found["G1/first/2026"].due_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert found["G1/second/2026"].due_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
