"""Who stayed and who came by recommendation: retention and referral on a cohort that is named.

In project finance a repaid loan is no lost customer. A party is a customer on a day when it has joined, has not left,
and has an active mandate, a follow-on deal, or a touch within the twelve months before. Every rate carries the names
it is made of.

A period is from `start` to `end`, both days in it; the opening cohort is that of the close of the day before `start`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

PERCENT = Decimal(100)


class CohortError(ValueError):
    """A cohort that does not add up: a party twice, a party referred by itself, a period that ends before it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortMember:
    """A customer, as known at the end of the period.

    `left_on` is the first day it is no customer: it said goodbye, or the house did; a repaid loan is not that.
    `has_follow_on_deal` is a further deal under negotiation, which an active mandate is not yet.
    """

    party_ref: str
    joined_on: date
    left_on: date | None = None
    last_touch_on: date | None = None
    referred_by: str = ""
    has_active_mandate: bool = False
    has_follow_on_deal: bool = False

    def is_customer_on(self, day: date) -> bool:
        """Whether the party is a customer at the close of the day."""
        if self.joined_on > day or (self.left_on is not None and self.left_on <= day):
            return False
        touched = self.last_touch_on is not None and self.last_touch_on >= _a_year_before(day)
        return self.has_active_mandate or self.has_follow_on_deal or touched


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The percentage of the opening customers who are still customers, with the names; None where there were none.

    `opening` is retained and lost together; `joined` are new in the period and customers at its end.
    """

    percent: Decimal | None
    opening: tuple[str, ...]
    retained: tuple[str, ...]
    lost: tuple[str, ...]
    joined: tuple[str, ...]

    @property
    def closing(self) -> tuple[str, ...]:
        """Who is a customer at the end of the period."""
        return tuple(sorted(self.retained + self.joined))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralRate:
    """Which part of the new customers was recommended, and which part of the customers recommends; with the names.

    `percent` is referred over new; `referrers_percent` is the customers at the end who ever referred one, over all
    customers at the end. Either is None where there is nobody to count. `referrers` may name people outside the cohort.
    """

    percent: Decimal | None
    new: tuple[str, ...]
    referred: tuple[str, ...]
    referrers: tuple[str, ...]
    referrers_percent: Decimal | None


def retention(members: Iterable[CohortMember], start: date, end: date) -> Retention:
    """Give the retention of a period: (customers at the end less new ones) / customers at the start, in percent.

    Raises CohortError.

    >>> stays = CohortMember(party_ref="fund", joined_on=date(2024, 5, 1), has_active_mandate=True)
    >>> retention([stays], date(2026, 1, 1), date(2026, 12, 31)).percent
    Decimal('100')
    """
    cohort = _checked(members, start, end)
    eve = start - timedelta(days=1)
    opening = {member.party_ref for member in cohort if member.is_customer_on(eve)}
    closing = {member.party_ref for member in cohort if member.is_customer_on(end)}
    joined = {member.party_ref for member in cohort if member.joined_on >= start} & closing
    # Whoever is a customer at the end and joined before the start was one at the start: touches are the latest.
    retained = closing - joined
    return Retention(
        percent=_percent(len(retained), len(opening)),
        opening=tuple(sorted(opening)),
        retained=tuple(sorted(retained)),
        lost=tuple(sorted(opening - retained)),
        joined=tuple(sorted(joined)),
    )


def referral_rate(members: Iterable[CohortMember], start: date, end: date) -> ReferralRate:
    """Give the referral rate of a period: new customers with a referral over all new ones, in percent.

    Whoever joined in the period is new, even if gone again by its end. Raises CohortError.
    """
    cohort = _checked(members, start, end)
    new = [member for member in cohort if start <= member.joined_on <= end]
    referred = [member for member in new if member.referred_by]
    customers = {member.party_ref for member in cohort if member.is_customer_on(end)}
    ever = {member.referred_by for member in cohort if member.referred_by and member.joined_on <= end}
    return ReferralRate(
        percent=_percent(len(referred), len(new)),
        new=tuple(sorted(member.party_ref for member in new)),
        referred=tuple(sorted(member.party_ref for member in referred)),
        referrers=tuple(sorted({member.referred_by for member in referred})),
        referrers_percent=_percent(len(ever & customers), len(customers)),
    )


def _checked(members: Iterable[CohortMember], start: date, end: date) -> tuple[CohortMember, ...]:
    if end < start:
        raise CohortError(f"a period from {start} to {end} ends before it starts")
    cohort = tuple(members)
    seen: set[str] = set()
    for member in cohort:
        if member.party_ref in seen:
            raise CohortError(f"{member.party_ref} is in the cohort twice")
        if member.referred_by == member.party_ref:
            raise CohortError(f"{member.party_ref} is referred by itself")
        seen.add(member.party_ref)
    return cohort


def _percent(part: int, whole: int) -> Decimal | None:
    return PERCENT * part / whole if whole else None


def _a_year_before(day: date) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)
