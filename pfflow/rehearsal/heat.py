"""Heat maps of load: who has how many dates in which week or year, laid out for a drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from pfflow.domain.words import Words
from pfflow.rehearsal.figures import Load, Rehearsed, week_starts

_SHADES = ("#eef2f6", "#cfe0ee", "#9fc3de", "#6aa2c9", "#3b7fb0", "#205f92")
_OVER = "#c2571a"
Column = TypeVar("Column")
_LABELS, _WIDTH, _ROW, _WIDEST = 190, 1040, 14, 48


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One field: where it is, its colour, and what it says when pointed at."""

    x: float
    fill: str
    says: str


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
    """A heat map ready to be drawn, `width` by `height`; `cell` is how wide a field is."""

    title: str
    note: str
    width: int
    height: int
    cell: float
    columns: tuple[HeatColumn, ...]
    rows: tuple[HeatRow, ...]


def heats(found: Rehearsed, language: str) -> tuple[Heat, ...]:
    """Give the maps of a rehearsal: people and teams by week of the busiest year, and people by year."""
    year = _busiest_year(found)
    if year is None:
        return ()
    weeks = week_starts(max(found.first, date(year, 1, 1)), min(found.last, date(year, 12, 31)))
    limit = found.limits[0]
    of_week = Words(f"{year} 年每人每周的日期", f"Dates by person and week in {year}")
    by_week = _map(of_week, _named(found.people), weeks, _month_labels(weeks), language=language, limit=limit)
    of_team = Words(f"{year} 年每团队每周的日期", f"Dates by team and week in {year}")
    by_team = _map(of_team, _teams(found.teams, language), weeks, _month_labels(weeks), language=language, limit=None)
    if found.last.year == found.first.year:
        return by_week, by_team
    years = range(found.first.year, found.last.year + 1)
    labels = [(number, str(y)) for number, y in enumerate(years) if number % max(1, len(years) // 12) == 0]
    of_years = Words("每人每年的日期", "Dates by person and year")
    rows = [(load.who, Counter(_by_year(load.dates))) for load in found.people]
    return by_week, by_team, _map(of_years, rows, years, labels, language=language, limit=None)


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
    return [(n, f"{week:%m}") for n, week in enumerate(weeks) if n == 0 or week.month != weeks[n - 1].month]


def _map(
    title: Words,
    rows: Sequence[tuple[str, Mapping[Column, int]]],
    columns: Sequence[Column],
    labels: Sequence[tuple[int, str]],
    *,
    language: str,
    limit: int | None,
) -> Heat:
    kept = [(name, counts) for name, counts in rows if any(counts.get(one, 0) for one in columns)]
    kept.sort(key=lambda row: (-sum(row[1].get(one, 0) for one in columns), row[0]))
    most = max((counts.get(one, 0) for _, counts in kept for one in columns), default=0)
    step = min((_WIDTH - _LABELS) / len(columns), _WIDEST)
    shade = _shading(most, limit)

    def cells(counts: Mapping[Column, int]) -> tuple[HeatCell, ...]:
        return tuple(
            HeatCell(round(_LABELS + n * step, 2), shade(counts.get(one, 0)), f"{one}: {counts.get(one, 0)}")
            for n, one in enumerate(columns)
        )

    over = Words(f"；橙色为超过 {limit} 个", f"; orange is more than {limit}") if limit is not None else Words("", "")
    note = Words(f"颜色越深日期越多，最多 {most} 个{over.zh}。", f"The darker the more; at most {most}{over.en}.")
    return Heat(
        title=title.in_language(language),
        note=note.in_language(language),
        width=_WIDTH,
        height=16 + _ROW * len(kept),
        cell=round(max(step - 1, step * 0.8), 2),
        columns=tuple(HeatColumn(round(_LABELS + n * step, 2), label) for n, label in labels),
        rows=tuple(HeatRow(16 + _ROW * n, _short(name), cells(counts)) for n, (name, counts) in enumerate(kept)),
    )


def _shading(most: int, limit: int | None) -> Callable[[int], str]:
    def shade(count: int) -> str:
        if limit is not None and count > limit:
            return _OVER
        if not count:
            return _SHADES[0]
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
