"""What a rehearsal keeps in order says the same as a search."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.decision import Conclusion, Holdings
from pfflow.domain.facts import Touch
from pfflow.domain.words import Stage
from pfflow.rehearsal.index import Index
from pfflow.rehearsal.stirring import EVER, NEVER, Stirring
from tests.unit.rehearsing import lived
from tests.unit.test_rehearsal_skips import TROUBLED

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def test_an_index_says_what_a_search_says() -> None:
    life = lived("expressway", date(2026, 1, 1), date(2026, 4, 20), TROUBLED).life
    indexed, index = life.holdings, life.index
    searched = Holdings(
        project=life.project,
        facts=life.facts,
        obligations=index.obligations,
        firings=index.firings,
        conclusions=index.conclusions,
    )
    assert indexed.itemised() == searched.itemised()
    assert indexed.itemised().vouchers
    for stage in Stage:
        assert indexed.closed(stage) == searched.closed(stage)
        assert indexed.last_due(stage) == searched.last_due(stage)
    for kind in Touch:
        assert list(indexed.touches_of(kind)) == list(searched.touches_of(kind))
    for month in range(1, 6):
        assert indexed.paid_up_to(date(2026, month, 1)) == searched.paid_up_to(date(2026, month, 1))
        at = datetime(2026, month, 1, tzinfo=UTC)
        for party in life.facts.parties:
            said = indexed.last_touch_before(at, party.party_ref)
            assert said == searched.last_touch_before(at, party.party_ref)


def test_what_is_itemised_anew_takes_the_place_of_what_was() -> None:
    index = Index()
    for subject, start, voucher in (("a", "2026-01-01", "V1"), ("b", "2026-01-16", "V2"), ("a", "2026-01-02", "V3")):
        value = {"start": start, "vouchers": [voucher]}
        index.conclude(Conclusion(stage=Stage.COMMUNICATION, subject=f"fund-use/{subject}", value=value))
    assert (index.vouchers, index.itemised_since) == ({"V2", "V3"}, date(2026, 1, 2))


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
