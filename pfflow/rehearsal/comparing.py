"""Two rehearsals side by side: outcome measures, the load of people, dates that differ, and what silence costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pfflow.domain.reports import Cell, CellKind, Column, Report, Table
from pfflow.domain.role_words import audience_words
from pfflow.domain.words import Words
from pfflow.rehearsal.figures import Rehearsed
from pfflow.rehearsal.silence import Silence
from pfflow.rehearsal.tables import UNSURE, figures_of, unsure
from pfflow.rehearsal.tally import Dated

_COUNT, _DATE = CellKind.COUNT, CellKind.DATE
_NEVER = Words("从不", "never")
_NONE = Words("无", "none")


@dataclass(frozen=True, slots=True)
class Compared:
    """Two rehearsals of the same days: as it is, and as it would be."""

    now: Rehearsed
    then: Rehearsed

    @property
    def only_now(self) -> tuple[Dated, ...]:
        """The dates that the other does not have."""
        others = {one.obligation.key for one in self.then.dates}
        return tuple(one for one in self.now.dates if one.obligation.key not in others)

    @property
    def only_then(self) -> tuple[Dated, ...]:
        """The dates that only the other has."""
        own = {one.obligation.key for one in self.now.dates}
        return tuple(one for one in self.then.dates if one.obligation.key not in own)

    @property
    def moved(self) -> tuple[tuple[Dated, Dated], ...]:
        """The dates that both have, on another day or hour."""
        others = {one.obligation.key: one for one in self.then.dates}
        pairs = ((one, others[one.obligation.key]) for one in self.now.dates if one.obligation.key in others)
        return tuple((one, other) for one, other in pairs if one.obligation.due_at != other.obligation.due_at)


def comparison_of(both: Compared) -> Report:
    """Give the comparison as a report; equal rehearsals give equal reports."""
    now, then = both.now, both.then
    names = (now.playbook, then.playbook)
    if now.playbook == then.playbook:
        names = (f"{now.playbook} · {now.script}", f"{then.playbook} · {then.script}")
    tables = (_outcomes(both, names), _load(both, names), _silence(both, names), *_dates(both, names))
    return Report(
        name="comparison",
        title=Words(f"预演对比：{names[0]} 与 {names[1]}", f"Rehearsals compared: {names[0]} and {names[1]}"),
        tables=tuple(table for table in tables if table.rows),
        sources=("pfflow rehearse --against",),
    )


def _side_by_side(names: tuple[str, str]) -> tuple[Column, Column, Column]:
    return (
        Column(Words(names[0], names[0]), _COUNT),
        Column(Words(names[1], names[1]), _COUNT),
        Column(Words("差", "Difference"), _COUNT),
    )


def _outcomes(both: Compared, names: tuple[str, str]) -> Table:
    now = {figure.label: figure for figure in figures_of(both.now)}
    then = {figure.label: figure for figure in figures_of(both.then)}
    rows: list[tuple[Cell, ...]] = [
        (label, now[label].value, then[label].value, str(int(str(then[label].value)) - int(str(now[label].value))))
        for label in now
        if now[label].kind is _COUNT
    ]
    days = [_days_late(both.now), _days_late(both.then)]
    rows.append((Words("逾期总天数", "Days late in all"), *map(str, days), str(days[1] - days[0])))
    return Table(
        "outcomes", Words("结果指标", "Outcome measures"), (Column(Words("指标", "Measure")), *_side_by_side(names)),
        tuple(rows),
    )  # fmt: skip


def _days_late(found: Rehearsed) -> int:
    return sum(found.late_by(one) for one in found.late)


def _load(both: Compared, names: tuple[str, str]) -> Table:
    now = {(load.who, load.team): load.busiest[1] for load in both.now.people}
    then = {(load.who, load.team): load.busiest[1] for load in both.then.people}
    people = sorted({*now, *then}, key=lambda one: (one[0], one[1].en))
    pairs = [(who, team, now.get((who, team), 0), then.get((who, team), 0)) for who, team in people]
    rows = [(who, team, str(a), str(b), str(b - a)) for who, team, a, b in pairs if a != b]
    first = (Column(Words("姓名", "Person")), Column(Words("团队", "Team")))
    title = Words("最忙一周的日期（有变化的人）", "Dates in the busiest week, where they differ")
    return Table("load", title, (*first, *_side_by_side(names)), tuple(rows))


def _silence(both: Compared, names: tuple[str, str]) -> Table:
    now = {one.source: one for one in both.now.silences}
    then = {one.source: one for one in both.then.silences}
    return Table(
        "silence",
        Words("沉默的代价（责任方一直不答复）", "What silence costs: the debtor never answers"),
        (
            Column(Words("事项", "What")),
            Column(Words("手册", "Playbook")),
            Column(Words("提前几天告知", "Told, days before"), _COUNT),
            Column(Words("余地：逾期几天升级", "Slack: days until it escalates"), _COUNT),
            Column(Words("还能升级几次", "Escalations left"), _COUNT),
            Column(Words("最后一次在逾期几天", "The last, days after"), _COUNT),
            Column(Words("升级到", "Up to")),
        ),
        tuple(_silence_rows(now, then, names)),
    )


def _silence_rows(
    now: Mapping[str, Silence], then: Mapping[str, Silence], names: tuple[str, str]
) -> Iterator[tuple[Cell, ...]]:
    for source in sorted({*now, *then}):
        if now.get(source) == then.get(source):
            one = now[source]
            yield _silence_row(one, Words("两者相同", "both"))
            continue
        for some, name in ((now, names[0]), (then, names[1])):
            if source in some:
                yield _silence_row(some[source], Words(name, name))


def _silence_row(one: Silence, playbook: Words) -> tuple[Cell, ...]:
    slack, ends = (_NEVER if days is None else str(days) for days in (one.slack, one.ends))
    return (
        one.title,
        playbook,
        str(one.told_before),
        slack,
        str(one.climbs),
        ends,
        audience_words(one.top) if one.top else _NONE,
    )


def _dates(both: Compared, names: tuple[str, str]) -> Iterator[Table]:
    columns = (
        Column(Words("到期", "Due"), _DATE),
        UNSURE,
        Column(Words("事项", "What")),
        Column(Words("编号", "Reference")),
    )
    for name, of, dates in (("only-now", names[0], both.only_now), ("only-then", names[1], both.only_then)):
        rows = tuple(
            (d.obligation.due_on.isoformat(), unsure(d.obligation), d.obligation.title, d.obligation.key) for d in dates
        )
        yield Table(name, Words(f"仅在 {of} 中的日期", f"Dates only in {of}"), columns, rows)
    moved = tuple(
        (
            f"{one.obligation.due_at:%Y-%m-%d %H:%M}",
            f"{other.obligation.due_at:%Y-%m-%d %H:%M}",
            unsure(other.obligation),
            one.obligation.title,
            one.obligation.key,
        )
        for one, other in both.moved
    )
    before, after = (Column(Words(f"{n}（UTC）", f"{n} (UTC)")) for n in names)
    yield Table("moved", Words("移动的日期", "Dates that move"), (before, after, *columns[1:]), moved)
