"""The payments of a rehearsed project in order, and what they come to, without adding up the same again and again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pfflow.domain.decision import paid_by_line, paid_on, paid_on_and_voucher
from pfflow.domain.facts import FundUse


@dataclass(slots=True)
class Payments:
    """Payments in order of day and voucher, with totals by budget line of the days that were asked for.

    A payment that comes in later leaves the totals of the days before it as they are. `not_itemised` are those that no
    report itemised, in the same order; `begun` counts how often all were taken anew.
    """

    in_order: list[FundUse] = field(default_factory=list)
    not_itemised: list[FundUse] = field(default_factory=list)
    begun: int = 0
    _itemised: set[str] = field(default_factory=set)
    _days: list[date] = field(default_factory=list)
    _totals: list[Mapping[str, Decimal]] = field(default_factory=list)

    def begin(self, payments: Iterable[FundUse]) -> None:
        """Take these payments in the place of all."""
        self.begun += 1
        self.in_order = sorted(payments, key=paid_on_and_voucher)
        self._leave_out(self.in_order)
        self._days, self._totals = [], []

    def add(self, payment: FundUse) -> None:
        """Take one more payment."""
        insort(self.in_order, payment, key=paid_on_and_voucher)
        if payment.voucher not in self._itemised:
            insort(self.not_itemised, payment, key=paid_on_and_voucher)
        known = bisect_left(self._days, payment.paid_on)
        del self._days[known:], self._totals[known:]

    def itemise(self, vouchers: AbstractSet[str], *, anew: bool = False) -> None:
        """Take note that reports itemised payments: these beside those before, or `anew` in their place."""
        if anew:
            self._itemised = set()
        self._itemised |= vouchers
        self._leave_out(self.in_order if anew else self.not_itemised)

    def _leave_out(self, payments: Iterable[FundUse]) -> None:
        self.not_itemised = [one for one in payments if one.voucher not in self._itemised]

    def edition(self, last: date) -> tuple[int, int]:
        """Give what tells the payments up to a day from those at another time."""
        return self.begun, bisect_right(self.in_order, last, key=paid_on)

    def up_to(self, last: date) -> Mapping[str, Decimal]:
        """Give what was paid under each budget line up to a day, by their names."""
        place = bisect_right(self._days, last)
        if place and self._days[place - 1] == last:
            return self._totals[place - 1]
        begins = bisect_right(self.in_order, self._days[place - 1], key=paid_on) if place else 0
        ends = bisect_right(self.in_order, last, lo=begins, key=paid_on)
        totals = paid_by_line(self.in_order[begins:ends], self._totals[place - 1] if place else {})
        self._days.insert(place, last)
        self._totals.insert(place, totals)
        return totals
