"""Heat maps of load: who has how many dates in which week or year, laid out for a drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from pfflow.domain.words import NO_WORDS, Words
from pfflow.rehearsal.figures import Load, Rehearsed, week_starts

_SHADES = ("#eef2f6", "#cfe0ee", "#9fc3de", "#6aa2c9", "#3b7fb0", "#205f92")
_OVER = "#c2571a"
_DARK = frozenset(_SHADES[4:])
_MONTHS = range(1, 13)
Column = TypeVar("Column")
_LABELS, _WIDTH, _ROW, _WIDEST = 190, 1040, 14, 48
ROWS_OF_A_MAP = 60
"""Of more people or teams than these a map shows those with the most; the workbook has all."""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One field with something in it: where it is, its colour, what it says when pointed at, and what stands in it."""

    x: float
    fill: str
    says: str
    shown: str = ""
    ink: str = ""


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One person or team."""

    y: int
    label: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True)
class HeatColumn:
    """A label above the fields."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Heat:
    """A heat map ready to be drawn, `width` by `height`; `cell` is how wide a field is, `across` how wide a row.

    A field with nothing in it is left out: the row's ground shows.
    """

    title: str
    note: str
    width: int
    height: int
    cell: float
    across: float
    columns: tuple[HeatColumn, ...]
    rows: tuple[HeatRow, ...]


@dataclass(frozen=True, slots=True)
class Year:
    """The maps of a year by week; one of the years is `chosen` until the reader chooses another."""

    number: int
    chosen: bool
    maps: tuple[Heat, ...]


GROUND = _SHADES[0]
"""The colour of nothing."""


def years(found: Rehearsed, language: str) -> tuple[Year, ...]:
    """Give the maps of people and of teams by week of every year, the busiest chosen; empty where nobody has dates."""
    busiest = _busiest_year(found)
    if busiest is None:
        return ()
    span = range(found.first.year, found.last.year + 1)
    return tuple(Year(number, number == busiest, _of_year(found, number, language)) for number in span)


def _of_year(found: Rehearsed, year: int, language: str) -> tuple[Heat, Heat]:
    weeks = week_starts(max(found.first, date(year, 1, 1)), min(found.last, date(year, 12, 31)))
    of_week = Words(f"{year} 年每人每周的日期", f"Dates by person and week in {year}")
    of_team = Words(f"{year} 年每团队每周的日期", f"Dates by team and week in {year}")
    labels = _month_labels(weeks)
    return (
        _map(of_week, _named(found.people), weeks, labels, language=language, limit=found.limits[0]),
        _map(of_team, _teams(found.teams, language), weeks, labels, language=language, limit=None),
    )


def heats(found: Rehearsed, language: str) -> tuple[Heat, ...]:
    """Give the maps of all years: dates by year and month, and by person and year; empty for a span within a year."""
    if found.last.year == found.first.year or _busiest_year(found) is None:
        return ()
    span = range(found.first.year, found.last.year + 1)
    due = Counter((one.obligation.due_on.year, one.obligation.due_on.month) for one in found.dates)
    months = [(str(year), {month: due[year, month] for month in _MONTHS}) for year in span]
    of_months = Words("每年每月到期的日期", "Dates that fall due, by year and month")
    by_month = _map(
        of_months, months, _MONTHS, [(m - 1, f"{m:02}") for m in _MONTHS], language=language, limit=None, ranked=False
    )
    labels = [(number, str(y)) for number, y in enumerate(span) if number % max(1, len(span) // 12) == 0]
    of_years = Words("每人每年的日期", "Dates by person and year")
    rows = [(load.who, Counter(_by_year(load.dates))) for load in found.people]
    return _with_numbers(by_month), _map(of_years, rows, span, labels, language=language, limit=None)


def _with_numbers(heat: Heat) -> Heat:
    """Give a map with its numbers in its fields, so that paper says them too."""
    rows = tuple(
        replace(
            row,
            cells=tuple(
                replace(cell, shown=cell.says.rpartition(" ")[2], ink="#fff" if cell.fill in _DARK else "#1d232a")
                for cell in row.cells
            ),
        )
        for row in heat.rows
    )
    return replace(heat, rows=rows)


def _busiest_year(found: Rehearsed) -> int | None:
    counted = Counter[int]()
    for load in found.people:
        for week, count in load.dates.items():
            if found.first <= week <= found.last:
                counted[week.year] += count
    return min(counted, key=lambda one: (-counted[one], one)) if counted else None


def _by_year(dates: Mapping[date, int]) -> Counter[int]:
    counted: Counter[int] = Counter()
    for week, count in dates.items():
        counted[week.year] += count
    return counted


def _named(loads: Iterable[Load]) -> list[tuple[str, Mapping[date, int]]]:
    return [(load.who, load.dates) for load in loads]


def _teams(loads: Iterable[Load], language: str) -> list[tuple[str, Mapping[date, int]]]:
    return [(load.team.in_language(language), load.dates) for load in loads]


def _month_labels(weeks: Sequence[date]) -> list[tuple[int, str]]:
    begins = [n for n, week in enumerate(weeks) if n == 0 or week.month != weeks[n - 1].month]
    # The last days of the month before leave no room for its name.
    return [(n, f"{weeks[n]:%m}") for n in begins if n > 0 or begins[1:2] != [1]]


def _map(
    title: Words,
    rows: Sequence[tuple[str, Mapping[Column, int]]],
    columns: Sequence[Column],
    labels: Sequence[tuple[int, str]],
    *,
    language: str,
    limit: int | None,
    ranked: bool = True,
) -> Heat:
    kept = [(name, counts) for name, counts in rows if any(counts.get(one, 0) for one in columns)]
    left_out = 0
    if ranked:
        kept.sort(key=lambda row: (-sum(row[1].get(one, 0) for one in columns), row[0]))
        left_out = max(0, len(kept) - ROWS_OF_A_MAP)
        kept = kept[:ROWS_OF_A_MAP]
    most = max((counts.get(one, 0) for _, counts in kept for one in columns), default=0)
    step = min((_WIDTH - _LABELS) / len(columns), _WIDEST)
    shade = _shading(most, limit)

    def cells(counts: Mapping[Column, int]) -> tuple[HeatCell, ...]:
        return tuple(
            HeatCell(round(_LABELS + n * step, 2), shade(count), f"{one}: {count}")
            for n, one in enumerate(columns)
            if (count := counts.get(one, 0))
        )

    over = Words(f"；橙色为超过 {limit} 个", f"; orange is more than {limit}") if limit is not None else Words("", "")
    rest = (
        Words(f"另有 {left_out} 行见工作簿。", f" {left_out} more rows are in the workbook.") if left_out else NO_WORDS
    )
    note = Words(
        f"颜色越深日期越多，最多 {most} 个{over.zh}。{rest.zh}",
        f"The darker the more; at most {most}{over.en}.{rest.en}",
    )
    return Heat(
        title=title.in_language(language),
        note=note.in_language(language),
        width=_WIDTH,
        height=16 + _ROW * len(kept),
        cell=round(max(step - 1, step * 0.8), 2),
        across=round(step * len(columns), 2),
        columns=tuple(HeatColumn(round(_LABELS + n * step, 2), label) for n, label in labels),
        rows=tuple(HeatRow(16 + _ROW * n, _short(name), cells(counts)) for n, (name, counts) in enumerate(kept)),
    )


def _shading(most: int, limit: int | None) -> Callable[[int], str]:
    def shade(count: int) -> str:
        if limit is not None and count > limit:
            return _OVER
        return _SHADES[-(-count * 5 // most)]

    return shade


def _short(name: str) -> str:
    """Give a name cut to what the column holds; a Chinese character is as wide as two others."""
    room, kept = 32, ""
    for character in name:
        room -= 2 if ord(character) > 0x2E7F else 1
        if room < 0:
            return kept + "…"
        kept += character
    return kept
