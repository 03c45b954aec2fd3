"""What a rehearsal keeps in order says the same as a search."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow import cycle
from pfflow.cycle import STAGES, Decide
from pfflow.domain.decision import Conclusion, Decision, Dossier, Holdings
from pfflow.domain.facts import Facts, FundUse, Touch
from pfflow.domain.ladder import Firing
from pfflow.domain.obligations import Status
from pfflow.domain.words import Stage
from pfflow.rehearsal.index import Index, Indexed
from pfflow.rehearsal.payments import Payments
from pfflow.rehearsal.script import Script
from pfflow.rehearsal.stirring import EVER, NEVER, Stirring
from tests.factories import make_obligation, make_payment, make_project, make_touch
from tests.unit.rehearsing import lived
from tests.unit.test_rehearsal_skips import TROUBLED, UNANSWERED

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def test_an_index_says_what_a_search_says() -> None:
    life = lived("expressway", date(2026, 1, 1), date(2026, 4, 20), TROUBLED).life
    indexed = life.holdings
    searched = _searched(indexed)
    assert indexed.itemised() == searched.itemised()
    assert indexed.itemised().vouchers
    for stage in Stage:
        assert indexed.closed(stage) == searched.closed(stage)
        assert indexed.last_due(stage) == searched.last_due(stage)
        for keys in (frozenset(searched.closed(stage)), frozenset(o.key for o in searched.of_stage(stage))):
            assert (
                indexed.all_closed(stage, keys) == searched.all_closed(stage, keys) == (keys <= searched.closed(stage))
            )
    assert indexed.not_itemised() == searched.not_itemised()
    for kind in Touch:
        assert list(indexed.touches_of(kind)) == list(searched.touches_of(kind))
    for month in range(1, 6):
        first, last = date(2026, month, 1), date(2026, month, 28)
        assert indexed.paid_up_to(first) == searched.paid_up_to(first)
        assert indexed.paid_within(first, last) == searched.paid_within(first, last)
        assert indexed.era(first) == searched.era(first)
        at = datetime(2026, month, 1, tzinfo=UTC)
        for party in life.facts.parties:
            said = indexed.last_touch_before(at, party.party_ref)
            assert said == searched.last_touch_before(at, party.party_ref)


@pytest.mark.parametrize("script", [TROUBLED, UNANSWERED], ids=lambda script: str(script.rehearsal))
def test_every_decision_of_a_rehearsal_is_the_one_a_search_comes_to(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is remembered from decision to decision, nothing is remembered too long."""
    otherwise: list[tuple[Stage, datetime]] = []

    def held_to_a_search(stage: Stage) -> Decide:
        def decide(dossier: Dossier, as_of: datetime) -> Decision:
            decision = STAGES[stage](dossier, as_of)
            if STAGES[stage](replace(dossier, held=_searched(dossier.held)), as_of) != decision:
                otherwise.append((stage, as_of))
            return decision

        return decide

    monkeypatch.setattr(cycle, "STAGES", {stage: held_to_a_search(stage) for stage in Stage})
    assert lived("expressway", date(2026, 1, 1), date(2026, 4, 20), script).decisions
    assert otherwise == []


def _searched(held: Holdings) -> Holdings:
    """Give the same holdings without an index, as a live decision has them, with nothing remembered."""
    return Holdings(
        project=held.project,
        facts=held.facts,
        obligations=dict(held.obligations),
        firings=dict(held.firings),
        conclusions=dict(held.conclusions),
        engaged_at=held.engaged_at,
        holiday_lists=held.holiday_lists,
    )


def test_what_is_closed_is_noted_until_it_is_owed_again() -> None:
    index, closed = Index(), make_obligation(key="G1/a/1", status=Status.CANCELLED)
    held = Indexed(project=make_project(), facts=Facts(), index=index)
    index.put(closed)
    assert held.all_closed(closed.stage, frozenset({closed.key}))
    index.put(closed.moved_to(Status.PLANNED, at=BEGUN))
    assert not held.all_closed(closed.stage, frozenset({closed.key}))


def test_what_is_remembered_of_some_days_is_made_anew_once_something_of_them_changed() -> None:
    index, number = Index(), count()
    held = Indexed(project=make_project(), facts=Facts(), index=index)

    def made() -> int:
        return held.remembered_between("number", date(2026, 1, 1), date(2026, 1, 31), lambda: next(number))

    assert (made(), made()) == (0, 0)
    owed = make_obligation(key="G1/a/1", due_on=date(2026, 1, 31))
    index.put(owed)
    assert made() == 1
    later = make_obligation(key="G1/a/2", due_on=date(2026, 2, 1))
    index.put(later)
    index.fire(_fired(later.key, datetime(2026, 2, 2, tzinfo=UTC)))
    assert made() == 1
    # In New York it is still January.
    index.fire(_fired(later.key, datetime(2026, 2, 1, 3, tzinfo=UTC)))
    assert made() == 2
    index.put(replace(owed, due_on=date(2026, 3, 1)))
    assert made() == 3
    index.payments.add(make_payment("V1", "2026-02-01"))
    assert made() == 3
    index.payments.add(make_payment("V2", "2026-01-31"))
    assert made() == 4
    index.put(replace(owed, due_on=date(2026, 3, 1), debtor="OTHER"))
    assert made() == 5
    index.put(make_obligation(key="G1/a/3", due_on=date(2026, 1, 30)))
    assert made() == 6
    index.fire(_fired("G1/a/3", datetime(2026, 2, 3, tzinfo=UTC)))
    assert made() == 7


def test_what_is_remembered_of_what_was_said_is_made_anew_once_more_was_said_by_then() -> None:
    index, number = Index(), count()
    held = Indexed(project=make_project(), facts=Facts(), index=index)

    def made() -> int:
        return held.remembered_before("number", BEGUN, lambda: next(number))

    index.hear([make_touch(Touch.MEETING, ext_id="T1", at=BEGUN - timedelta(days=1))])
    assert (made(), made()) == (0, 0)
    index.hear([make_touch(Touch.MEETING, ext_id="T2", at=BEGUN)])
    assert made() == 0
    index.hear([make_touch(Touch.MEETING, ext_id="T3", at=BEGUN - timedelta(seconds=1))])
    assert made() == 1


def _fired(key: str, at: datetime) -> Firing:
    return Firing(obligation_key=key, rung="escalate+1bd-head", due_at=at, fired_at=at, outcome="fired")


@given(st.lists(st.tuples(st.integers(1, 28), st.integers(1, 28), st.sampled_from("ab"), st.booleans()), max_size=12))
def test_payments_come_to_the_same_whenever_they_come_in(lines: list[tuple[int, int, str, bool]]) -> None:
    kept = Payments()
    kept.begin(())
    known: list[FundUse] = []
    vouchers: set[str] = set()
    for number, (paid, asked, line, itemised) in enumerate(lines):
        payment = make_payment(f"V{number}", f"2026-01-{paid:02}", str(number + 1), budget_line=line)
        known.append(payment)
        kept.add(payment)
        if itemised:
            vouchers.add(payment.voucher)
            kept.itemise({payment.voucher})
        searched = Holdings(project=make_project(), facts=Facts(fund_use=tuple(known)))
        assert kept.in_order == searched.payments()
        assert kept.up_to(date(2026, 1, asked)) == searched.paid_up_to(date(2026, 1, asked))
        assert kept.not_itemised == [one for one in kept.in_order if one.voucher not in vouchers]


def test_what_is_itemised_anew_takes_the_place_of_what_was() -> None:
    index = Index()
    for subject, start, voucher in (("a", "2026-01-01", "V1"), ("b", "2026-01-16", "V2"), ("a", "2026-01-02", "V3")):
        value = {"start": start, "vouchers": [voucher]}
        index.conclude(Conclusion(stage=Stage.COMMUNICATION, subject=f"fund-use/{subject}", value=value))
    assert (index.vouchers, index.itemised_since) == ({"V2", "V3"}, date(2026, 1, 2))
    for voucher in ("V1", "V2", "V3"):
        index.payments.add(make_payment(voucher, "2026-01-02"))
    assert [one.voucher for one in index.payments.not_itemised] == ["V1"]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.one_of(st.none(), st.integers(0, 5)))), st.integers(0, 6))
def test_what_stirs_is_what_is_kept_up_to_an_instant(steps: list[tuple[str, int | None]], hours: int) -> None:
    stirring, plain = Stirring(), dict[str, datetime]()
    for key, hour in steps:
        if hour is None:
            stirring.drop(key)
            plain.pop(key, None)
        else:
            plain[key] = BEGUN + timedelta(hours=hour)
            stirring.put(key, plain[key])
    as_of = BEGUN + timedelta(hours=hours)
    assert sorted(stirring.up_to(as_of)) == sorted(key for key, at in plain.items() if at <= as_of)
    assert stirring.first_at == min(plain.values(), default=NEVER)
    stirring.wake()
    assert sorted(stirring.up_to(EVER)) == sorted(plain)
