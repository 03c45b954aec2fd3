"""A rehearsal as a report: the figures and tables that the workbook and the page both show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from pfflow.domain.obligations import STATUS_WORDS, Obligation
from pfflow.domain.reports import Cell, CellKind, Column, Figure, Report, Table
from pfflow.domain.role_words import audience_words
from pfflow.domain.words import NO_WORDS, Words
from pfflow.rehearsal.figures import Load, Rehearsed, days_late, is_spring_festival
from pfflow.rehearsal.tally import Dated

ONLY_IN_WORKBOOK = frozenset({"dates", "weeks"})
"""The tables too long for a page; the page draws the weeks as heat maps."""

_KINDS = {
    "meeting": Words("会议", "meeting"),
    "report": Words("报告", "report"),
    "fact": Words("资料", "information"),
    "approval": Words("审批", "approval"),
    "survey": Words("调查", "survey"),
    "covenant": Words("约定", "covenant"),
    "action": Words("事项", "action"),
    "offer": Words("方案", "offer"),
    "notice": Words("预警", "notice"),
}
_YES = Words("是", "yes")
_CLASHES = {
    "double-booked": Words("同时两会", "two at once"),
    "crowded-day": Words("一天多会", "too many in a day"),
}
_COUNT, _DATE, _YEAR = CellKind.COUNT, CellKind.DATE, CellKind.YEAR
UNSURE = Column(Words("暂定", "Provisional"))
"""The column that says yes of a provisional date."""


def report_of(found: Rehearsed) -> Report:
    """Give everything a rehearsal found as one report; equal findings give equal reports."""
    week, a_day, silent = found.limits
    return Report(
        name="rehearsal",
        title=Words(
            f"预演：{found.playbook}，{found.first} 至 {found.last}",
            f"Rehearsal of {found.playbook}, {found.first} to {found.last}",
        ),
        figures=figures_of(found),
        tables=tuple(
            table
            for table in (
                _people(found),
                _teams(found),
                _overload(found, week),
                _holidays(found),
                _collisions(found),
                _crowds(found),
                _clashes(found, a_day),
                _gaps(found, silent),
                _without_owner(found),
                _escalations(found),
                _late(found),
                _provisional(found),
                _findings(found),
                _dates(found),
                _weeks(found),
            )
            if table.rows
        ),
        sources=(f"pfflow rehearse · {found.playbook} · {found.script}",),
    )


def figures_of(found: Rehearsed) -> tuple[Figure, ...]:
    """Give the figures at the head: what is counted, and how much of it."""
    month, people = found.worst_month
    spring = sum(n for holiday, n in found.by_holiday if is_spring_festival(holiday))
    figures = [
        Figure(Words("项目", "Projects"), str(len(found.projects)), _COUNT),
        Figure(Words("日期", "Dates"), str(len(found.dates)), _COUNT),
        Figure(Words("邮件", "Mails"), str(found.mails), _COUNT),
        Figure(Words("与节假日冲突", "Collide with holidays"), str(len(found.collisions)), _COUNT),
        Figure(Words("其中春节", "of them Spring Festival"), str(spring), _COUNT),
        Figure(Words("超负荷的人", "People overloaded"), str(len({who for who, _, _ in found.overloaded})), _COUNT),
        Figure(Words("最忙月份", "Worst month"), month or Words("无", "none")),
        Figure(Words("该月超负荷的人", "People overloaded in it"), str(people), _COUNT),
        Figure(Words("会议冲突", "Meetings that clash"), str(len(found.clashes)), _COUNT),
        Figure(Words("无人负责", "Without an owner"), str(len(found.without_owner)), _COUNT),
        Figure(Words("逾期", "Late"), str(len(found.late)), _COUNT),
        Figure(Words("升级", "Escalations"), str(found.escalated), _COUNT),
        Figure(Words("冷落", "Silent gaps"), str(len(found.gaps)), _COUNT),
        Figure(Words("暂定日期", "Provisional dates"), str(sum(found.provisional.values())), _COUNT),
    ]
    return tuple(figures)


def _loads(name: str, title: Words, loads: Iterable[Load], found: Rehearsed, first: Sequence[Column]) -> Table:
    weeks = Decimal(((found.last - found.first).days + 1) or 1) / 7
    rows: list[tuple[Cell, ...]] = []
    for load in loads:
        week, most = load.busiest
        dates, mails = sum(load.dates.values()), sum(load.mails.values())
        over = sum(count > found.limits[0] for count in load.dates.values())
        who: tuple[Cell, ...] = (load.who, load.team) if load.who else (load.team,)
        rows.append(
            (
                *who,
                str(dates),
                week.isoformat() if week else None,
                str(most),
                *((str(over),) if load.who else ()),
                str(mails),
                str((mails / weeks).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)),
                str(max(load.mails.values(), default=0)),
            )
        )
    rows.sort(key=lambda row: (-int(str(row[len(first)])), str(row[0])))
    columns = (
        *first,
        Column(Words("日期", "Dates"), _COUNT),
        Column(Words("最忙一周（周一）", "Busiest week (Monday)"), _DATE),
        Column(Words("该周日期", "Dates in it"), _COUNT),
        *((Column(Words("超限周数", "Weeks over the limit"), _COUNT),) if len(first) > 1 else ()),
        Column(Words("邮件", "Mails"), _COUNT),
        Column(Words("每周邮件", "Mails a week"), CellKind.RATIO),
        Column(Words("一周最多邮件", "Most mails in a week"), _COUNT),
    )
    return Table(name, title, columns, tuple(rows))


def _people(found: Rehearsed) -> Table:
    first = (Column(Words("姓名", "Person")), Column(Words("团队", "Team")))
    return _loads("people", Words("每人负荷", "Load by person"), found.people, found, first)


def _teams(found: Rehearsed) -> Table:
    return _loads("teams", Words("每团队负荷", "Load by team"), found.teams, found, (Column(Words("团队", "Team")),))


def _overload(found: Rehearsed, limit: int) -> Table:
    return Table(
        "overload",
        Words(f"超负荷（一周超过 {limit} 个日期）", f"Overload, more than {limit} dates in a week"),
        (
            Column(Words("姓名", "Person")),
            Column(Words("周（周一）", "Week (Monday)"), _DATE),
            Column(Words("日期", "Dates"), _COUNT),
        ),
        tuple((who, week.isoformat(), str(count)) for who, week, count in found.overloaded),
    )


def _holidays(found: Rehearsed) -> Table:
    return Table(
        "holidays",
        Words("与哪些节假日冲突", "Holidays that dates collide with"),
        (Column(Words("节假日", "Holiday")), Column(Words("日期", "Dates"), _COUNT)),
        tuple((holiday, str(count)) for holiday, count in found.by_holiday),
    )


def _collisions(found: Rehearsed) -> Table:
    return Table(
        "collisions",
        Words("冲突的日期", "Dates that collide"),
        (
            Column(Words("规则日期", "Date by rule"), _DATE),
            Column(Words("节假日", "Holiday")),
            Column(Words("改到", "Moved to"), _DATE),
            UNSURE,
            Column(Words("事项", "What")),
            Column(Words("项目", "Project")),
        ),
        tuple(
            (
                one.dated.obligation.unadjusted_on.isoformat(),
                one.holiday,
                one.dated.obligation.due_on.isoformat(),
                unsure(one.dated.obligation),
                one.dated.obligation.title,
                one.dated.project,
            )
            for one in found.collisions
        ),
    )


def _crowds(found: Rehearsed) -> Table:
    return Table(
        "crowds",
        Words("春节与年末的拥挤", "Crowding at Spring Festival and year-end"),
        (
            Column(Words("时节", "Season")),
            Column(Words("年", "Year"), _YEAR),
            Column(Words("自", "From"), _DATE),
            Column(Words("至", "To"), _DATE),
            Column(Words("前两周到期", "Due in the two weeks before"), _COUNT),
            Column(Words("期内（按规则）", "Within, by rule"), _COUNT),
            Column(Words("后两周到期", "Due in the two weeks after"), _COUNT),
        ),
        tuple(
            (
                one.feast,
                str(one.year),
                one.first.isoformat(),
                one.last.isoformat(),
                str(one.before),
                str(one.moved),
                str(one.after),
            )
            for one in found.crowds
        ),
    )


def _clashes(found: Rehearsed, a_day: int) -> Table:
    counted = Counter((one.person, one.kind) for one in found.clashes)
    first: dict[tuple[str, str], date] = {}
    for one in found.clashes:
        first.setdefault((one.person, one.kind), one.on)
    return Table(
        "clashes",
        Words(
            f"会议冲突（同时两会，或一天超过 {a_day} 会）",
            f"Meetings that clash: two at once, or more than {a_day} in a day",
        ),
        (
            Column(Words("姓名", "Person")),
            Column(Words("冲突", "Clash")),
            Column(Words("次数", "Times"), _COUNT),
            Column(Words("首次", "First on"), _DATE),
        ),
        tuple(
            (person, _CLASHES[kind], str(count), first[person, kind].isoformat())
            for (person, kind), count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        ),
    )


def _gaps(found: Rehearsed, silent: int) -> Table:
    return Table(
        "gaps",
        Words(f"冷落（超过 {silent} 天没有任何信函）", f"Silent gaps: nothing told for more than {silent} days"),
        (
            Column(Words("参与方", "Party")),
            Column(Words("自", "From"), _DATE),
            Column(Words("至", "To"), _DATE),
            Column(Words("天数", "Days"), _COUNT),
        ),
        tuple(
            (one.party, one.first.isoformat(), one.last.isoformat(), str(one.days))
            for one in sorted(found.gaps, key=lambda gap: (-gap.days, gap.first, gap.party_ref))
        ),
    )


def _without_owner(found: Rehearsed) -> Table:
    counted: Counter[tuple[str, str, Words, str]] = Counter()
    for one in found.without_owner:
        counted[one.obligation.project_ref, one.source, one.obligation.title, one.obligation.debtor] += 1
    return Table(
        "without-owner",
        Words("无人负责的事项", "Obligations without an owner"),
        (
            Column(Words("项目", "Project")),
            Column(Words("来源", "From")),
            Column(Words("事项", "What")),
            Column(Words("责任角色", "Owed by the role")),
            Column(Words("日期", "Dates"), _COUNT),
        ),
        tuple(
            (project, source, title, audience_words(role) if role else Words("未写明", "nobody named"), str(count))
            for (project, source, title, role), count in sorted(counted.items(), key=lambda item: item[0][:2])
        ),
    )


def _escalations(found: Rehearsed) -> Table:
    by_level: dict[str, Counter[int]] = {}
    for (to, year), count in found.escalations.items():
        by_level.setdefault(to, Counter())[year] += count
    return Table(
        "escalations",
        Words("逐级升级", "Escalations by level"),
        (
            Column(Words("升级到", "To")),
            Column(Words("次数", "Times"), _COUNT),
            Column(Words("最多的一年", "Most in a year"), _COUNT),
            Column(Words("那一年", "That year"), _YEAR),
        ),
        tuple(
            (audience_words(to), str(sum(years.values())), str(max(years.values())), str(_most(years)))
            for to, years in sorted(by_level.items(), key=lambda item: (-sum(item[1].values()), item[0]))
        ),
    )


def _late(found: Rehearsed) -> Table:
    return Table(
        "late",
        Words("逾期的日期", "Dates that were late"),
        (
            Column(Words("到期", "Due"), _DATE),
            UNSURE,
            Column(Words("逾期天数", "Days late"), _COUNT),
            Column(Words("升级", "Escalations"), _COUNT),
            Column(Words("事项", "What")),
            Column(Words("责任方", "Owed by")),
            Column(Words("状态", "Status")),
        ),
        tuple(
            (
                one.obligation.due_on.isoformat(),
                unsure(one.obligation),
                str(days_late(one.obligation, found.last)),
                str(one.escalations),
                one.obligation.title,
                one.debtor,
                STATUS_WORDS[one.obligation.status],
            )
            for one in found.late
        ),
    )


def _provisional(found: Rehearsed) -> Table:
    return Table(
        "provisional",
        Words("暂定日期（官方放假安排未公布）", "Provisional dates: the official list is not published"),
        (Column(Words("年", "Year"), _YEAR), Column(Words("日期", "Dates"), _COUNT)),
        tuple((str(year), str(count)) for year, count in found.provisional.items()),
    )


def _findings(found: Rehearsed) -> Table:
    return Table(
        "findings",
        Words("须人处理的发现", "Findings for people to settle"),
        (Column(Words("项目", "Project")), Column(Words("对象", "About")), Column(Words("发现", "Finding"))),
        tuple((project, subject, text) for project, _, subject, text in found.findings),
    )


def _dates(found: Rehearsed) -> Table:
    return Table(
        "dates",
        Words("所有日期", "Every date"),
        (
            Column(Words("到期", "Due"), _DATE),
            Column(Words("规则日期", "Date by rule"), _DATE),
            Column(Words("项目", "Project")),
            Column(Words("类别", "Kind")),
            Column(Words("事项", "What")),
            Column(Words("责任方", "Owed by")),
            Column(Words("经办人", "Done by")),
            Column(Words("接收方", "Owed to")),
            UNSURE,
            Column(Words("状态", "Status")),
            Column(Words("逾期天数", "Days late"), _COUNT),
            Column(Words("信函", "Mails"), _COUNT),
            Column(Words("升级", "Escalations"), _COUNT),
            Column(Words("编号", "Reference")),
        ),
        tuple(_date_row(one, found.last) for one in found.dates),
    )


def _date_row(dated: Dated, last: date) -> tuple[Cell, ...]:
    one = dated.obligation
    return (
        one.due_on.isoformat(),
        one.unadjusted_on.isoformat(),
        dated.project,
        _KINDS.get(str(one.kind), Words(one.kind, one.kind)),
        one.title,
        dated.debtor,
        dated.owner,
        dated.creditor,
        unsure(one),
        STATUS_WORDS[one.status],
        str(days_late(one, last)),
        str(dated.mails),
        str(dated.escalations),
        one.key,
    )


def unsure(one: Obligation) -> Words:
    """Give what stands under UNSURE for an obligation."""
    return _YES if one.provisional else NO_WORDS


def _weeks(found: Rehearsed) -> Table:
    rows = [
        (load.who, load.team, week.isoformat(), str(load.dates.get(week, 0)), str(load.mails.get(week, 0)))
        for load in found.people
        for week in sorted(load.dates.keys() | load.mails.keys())
    ]
    return Table(
        "weeks",
        Words("每人每周", "By person and week"),
        (
            Column(Words("姓名", "Person")),
            Column(Words("团队", "Team")),
            Column(Words("周（周一）", "Week (Monday)"), _DATE),
            Column(Words("日期", "Dates"), _COUNT),
            Column(Words("邮件", "Mails"), _COUNT),
        ),
        tuple(rows),
    )


def _most(years: Mapping[int, int]) -> int:
    """Give the year with the most, the first of several."""
    return min(years, key=lambda year: (-years[year], year))
