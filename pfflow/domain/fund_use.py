"""The fund-use report: what was paid in a period for what, against budget.

Every payment is itemised once. A report leaves on its due day, so a payment of that period may be booked after it; it
is itemised by the next report as booked late. What a report itemised is concluded when it is sent (`itemised`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from pfflow.domain.decision import Dossier, paid_by_line
from pfflow.domain.escalation import Missing
from pfflow.domain.facts import BudgetLine, FundUse
from pfflow.domain.obligations import Obligation
from pfflow.domain.reports import CellKind, Column, Figure, Report, Table
from pfflow.domain.words import Words

_ZERO = Decimal(0)
_NOW = Words("本期支付明细", "Payments of the period")
_LATE = Words("前期补记（上期报告发出后入账）", "Payments of earlier periods, booked after their report")
_YES = Words("是", "yes")
_NO = Words("否", "no")


def fund_use_report(dossier: Dossier, obligation: Obligation, until: date | None = None) -> Report | Missing:
    """Give the report on the payments of the obligation's period, or what is missing: a period without any booking.

    What is paid after the day `until` is not in it: a report that goes out before its period ends cannot know of it.
    A period in which truly nothing was paid is answered by a fulfilment, never by an empty report.
    """
    start, end = _period(obligation)
    seen_to = min(end, until or end)
    paid_now = dossier.held.paid_within(start, seen_to)
    if not paid_now:
        return Missing(
            Words(
                f"{start.isoformat()} 至 {end.isoformat()} 尚无资金使用记录入账",
                f"no use of funds is booked for {start.isoformat()} to {end.isoformat()}",
            )
        )
    currency = dossier.project.currency
    late = _booked_late(dossier, start)
    to_date = dossier.held.paid_up_to(seen_to)
    budget = sorted(dossier.facts.budget, key=lambda line: line.budget_line)
    approved = sum((line.amount for line in budget), _ZERO)
    spent = sum(to_date.values(), _ZERO)
    entrusted = _total(p for p in paid_now if p.entrusted)
    return Report(
        name="fund_use",
        title=Words(
            f"资金使用报告（{start.isoformat()} 至 {end.isoformat()}）",
            f"Fund-use report, {start.isoformat()} to {end.isoformat()}",
        ),
        figures=(
            Figure(Words("本期支付", "Paid in the period"), str(_total(paid_now)), CellKind.AMOUNT, currency),
            Figure(Words("其中受托支付", "Of which entrusted"), str(entrusted), CellKind.AMOUNT, currency),
            Figure(Words("累计支付", "Paid to date"), str(spent), CellKind.AMOUNT, currency),
            Figure(Words("预算总额", "Budget"), str(approved), CellKind.AMOUNT, currency),
            Figure(Words("预算执行率", "Budget used"), _percent(spent, approved), CellKind.PERCENT),
        ),
        tables=(
            _by_line(budget, paid_by_line(paid_now), to_date),
            _payments("payments", _NOW, paid_now),
            *((_payments("booked_late", _LATE, late),) if late else ()),
        ),
        sources=("register: fund_use, budget",),
    )


def itemised(report: Report) -> tuple[str, ...]:
    """Give the vouchers a fund-use report itemises, in order."""
    tables = (table for table in report.tables if table.name in ("payments", "booked_late"))
    return tuple(sorted(str(row[1]) for table in tables for row in table.rows))


def _booked_late(dossier: Dossier, start: date) -> list[FundUse]:
    """Give earlier payments that no report itemised; what was paid before the first report is not asked for."""
    before = dossier.held.itemised()
    since = min(start, before.since or start)
    return [p for p in dossier.held.not_itemised() if since <= p.paid_on < start]


def _period(obligation: Obligation) -> tuple[date, date]:
    end = obligation.period_end or obligation.unadjusted_on
    return obligation.period_start or end.replace(day=1), end


def _total(payments: Iterable[FundUse]) -> Decimal:
    return sum((p.amount for p in payments), _ZERO)


def _percent(part: Decimal, whole: Decimal) -> str:
    return str((100 * part / whole).quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)) if whole else ""


def _by_line(budget: Iterable[BudgetLine], now: Mapping[str, Decimal], to_date: Mapping[str, Decimal]) -> Table:
    rows = []
    for line in budget:
        spent = to_date.get(line.budget_line, _ZERO)
        rows.append(
            (
                Words(line.name_zh or line.name or line.budget_line, line.name or line.budget_line),
                str(line.amount),
                str(now.get(line.budget_line, _ZERO)),
                str(spent),
                str(line.amount - spent),
                _percent(spent, line.amount),
            )
        )
    return Table(
        "by_budget_line",
        Words("按预算科目", "By budget line"),
        (
            Column(Words("科目", "Budget line")),
            Column(Words("预算", "Budget"), CellKind.AMOUNT),
            Column(Words("本期", "Period"), CellKind.AMOUNT),
            Column(Words("累计", "To date"), CellKind.AMOUNT),
            Column(Words("结余", "Remaining"), CellKind.AMOUNT),
            Column(Words("执行率", "Used"), CellKind.PERCENT),
        ),
        tuple(rows),
    )


def _payments(name: str, title: Words, payments: Sequence[FundUse]) -> Table:
    return Table(
        name,
        title,
        (
            Column(Words("日期", "Date"), CellKind.DATE),
            Column(Words("凭证号", "Voucher")),
            Column(Words("收款方", "Payee")),
            Column(Words("用途", "Purpose")),
            Column(Words("金额", "Amount"), CellKind.AMOUNT),
            Column(Words("受托支付", "Entrusted")),
        ),
        tuple(
            (p.paid_on.isoformat(), p.voucher, p.payee, p.purpose, str(p.amount), _YES if p.entrusted else _NO)
            for p in payments
        ),
    )
