from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.retention import CohortError, CohortMember, referral_rate, retention

START, END = date(2026, 1, 1), date(2026, 12, 31)


def make_member(
    party_ref: str,
    joined_on: date = date(2020, 6, 1),
    *,
    left_on: date | None = None,
    last_touch_on: date | None = None,
    referred_by: str = "",
    has_active_mandate: bool = True,
    has_follow_on_deal: bool = False,
) -> CohortMember:
    return CohortMember(
        party_ref=party_ref,
        joined_on=joined_on,
        left_on=left_on,
        last_touch_on=last_touch_on,
        referred_by=referred_by,
        has_active_mandate=has_active_mandate,
        has_follow_on_deal=has_follow_on_deal,
    )


def test_retention_is_the_end_less_the_new_over_the_start() -> None:
    # S = 4, two join, one leaves: E = 5, N = 2, (5 - 2) / 4 = 75 %
    result = retention(
        [
            make_member("a"),
            make_member("b"),
            make_member("c"),
            make_member("d", left_on=date(2026, 7, 1)),
            make_member("e", date(2026, 2, 1)),
            make_member("f", date(2026, 12, 31)),
        ],
        START,
        END,
    )
    assert result.percent == Decimal(75)
    assert result.opening == ("a", "b", "c", "d")
    assert result.retained == ("a", "b", "c")
    assert result.lost == ("d",)
    assert result.joined == ("e", "f")
    assert result.closing == ("a", "b", "c", "e", "f")


def test_a_repaid_loan_with_a_touch_within_twelve_months_is_retained() -> None:
    repaid = make_member("bank", has_active_mandate=False, last_touch_on=date(2025, 12, 31))
    assert retention([repaid], START, END).retained == ("bank",)


def test_a_last_touch_more_than_twelve_months_ago_is_a_loss() -> None:
    silent = make_member("bank", has_active_mandate=False, last_touch_on=date(2025, 12, 30))
    result = retention([silent], START, END)
    assert (result.percent, result.lost) == (Decimal(0), ("bank",))


def test_a_follow_on_deal_retains_without_mandate_or_touch() -> None:
    repaid = make_member("bank", has_active_mandate=False, has_follow_on_deal=True)
    assert retention([repaid], START, END).retained == ("bank",)


def test_a_party_silent_for_years_is_lost_once_and_not_every_year() -> None:
    silent = make_member("bank", has_active_mandate=False, last_touch_on=date(2023, 3, 1))
    assert retention([silent], START, END).opening == ()


def test_leaving_outweighs_an_active_mandate() -> None:
    assert retention([make_member("a", left_on=END)], START, END).lost == ("a",)


def test_leaving_the_day_after_the_period_is_no_loss_in_it() -> None:
    assert retention([make_member("a", left_on=date(2027, 1, 1))], START, END).percent == 100


def test_joining_on_the_first_day_is_new() -> None:
    result = retention([make_member("a", START)], START, END)
    assert (result.percent, result.opening, result.joined) == (None, (), ("a",))


def test_joining_and_leaving_within_the_period_counts_in_neither() -> None:
    passing = make_member("p", date(2026, 3, 1), left_on=date(2026, 9, 1))
    result = retention([make_member("a"), passing], START, END)
    assert (result.percent, result.joined, result.lost) == (Decimal(100), (), ())


def test_nobody_at_the_start_has_no_retention() -> None:
    assert retention([], START, END).percent is None


def test_twelve_months_before_a_leap_day_is_the_28th() -> None:
    member = make_member("a", has_active_mandate=False, last_touch_on=date(2027, 2, 28))
    assert member.is_customer_on(date(2028, 2, 29))
    assert not member.is_customer_on(date(2028, 3, 1))


dates = st.dates(date(2022, 1, 1), date(2028, 12, 31))
cohorts = st.lists(
    st.builds(
        CohortMember,
        party_ref=st.text("abcdefgh", min_size=1, max_size=3),
        joined_on=dates,
        left_on=st.none() | dates,
        last_touch_on=st.none() | dates,
        has_active_mandate=st.booleans(),
        has_follow_on_deal=st.booleans(),
    ),
    unique_by=lambda member: member.party_ref,
)


@given(cohorts)
def test_the_opening_is_the_retained_and_the_lost_and_the_formula_holds(cohort: list[CohortMember]) -> None:
    result = retention(cohort, START, END)
    assert sorted(result.retained + result.lost) == sorted(result.opening)
    if result.opening:
        ended, new, started = len(result.closing), len(result.joined), len(result.opening)
        assert result.percent == Decimal(100) * (ended - new) / started
        assert 0 <= result.percent <= 100


def test_the_referral_rate_is_the_referred_among_the_new() -> None:
    result = referral_rate(
        [
            make_member("a"),
            make_member("b"),
            make_member("c", date(2026, 2, 1), referred_by="a"),
            make_member("d", date(2026, 3, 1), referred_by="a"),
            make_member("e", date(2026, 4, 1)),
            make_member("f", date(2026, 5, 1)),
            make_member("g", date(2025, 5, 1), referred_by="b"),
        ],
        START,
        END,
    )
    assert result.percent == Decimal(50)  # c and d of c, d, e, f
    assert result.new == ("c", "d", "e", "f")
    assert result.referred == ("c", "d")
    assert result.referrers == ("a",)
    assert result.referrers_percent == Decimal(200) / 7  # a and b of seven customers


def test_a_referrer_outside_the_cohort_is_named_and_not_counted_as_customer() -> None:
    result = referral_rate([make_member("c", date(2026, 2, 1), referred_by="adviser")], START, END)
    assert (result.referrers, result.percent, result.referrers_percent) == (("adviser",), Decimal(100), Decimal(0))


def test_a_period_without_new_customers_has_no_referral_rate() -> None:
    assert referral_rate([make_member("a")], START, END).percent is None


def test_one_who_joins_after_the_period_is_not_new_in_it() -> None:
    assert referral_rate([make_member("a", date(2027, 1, 1), referred_by="b")], START, END).new == ()


def test_a_party_twice_in_a_cohort_is_refused() -> None:
    with pytest.raises(CohortError, match="a is in the cohort twice"):
        retention([make_member("a"), make_member("a")], START, END)


def test_a_party_referred_by_itself_is_refused() -> None:
    with pytest.raises(CohortError, match="a is referred by itself"):
        referral_rate([make_member("a", referred_by="a")], START, END)


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(CohortError, match="ends before it starts"):
        retention([], END, START)
