"""The files of a rehearsal: page, workbook, calendar and JSON; equal findings give equal bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from pfflow.delivery.feeds import FeedEntry, feed_of
from pfflow.domain.playbook import Playbook
from pfflow.domain.reports import Cell, CellKind, Figure, Report
from pfflow.domain.words import Json, Words
from pfflow.rehearsal.comparing import Compared, comparison_of
from pfflow.rehearsal.figures import Rehearsed
from pfflow.rehearsal.pages import comparison_html, page_html
from pfflow.rehearsal.saying import sentences
from pfflow.rehearsal.tables import figures_of, report_of
from pfflow.rendering.workbooks import report_xlsx

_WHOLE = frozenset({CellKind.COUNT, CellKind.YEAR})
_NUMBERS = _WHOLE | {CellKind.RATIO, CellKind.PERCENT, CellKind.AMOUNT}


def files_of(found: Rehearsed, playbook: Playbook, language: str) -> Iterator[tuple[str, bytes]]:
    """Give the files by name: rehearsal.html, .xlsx, .ics and .json."""
    yield "rehearsal.html", page_html(found, language).encode()
    yield "rehearsal.xlsx", report_xlsx(report_of(found), language)
    yield "rehearsal.ics", calendar_of_dates(found, playbook, language)
    yield "rehearsal.json", (json.dumps(as_json(found), ensure_ascii=False, indent=2) + "\n").encode()


def calendar_of_dates(found: Rehearsed, playbook: Playbook, language: str) -> bytes:
    """Give every date as one iCalendar file, with the UIDs its invitations would have."""
    entries = [
        FeedEntry(
            obligation=one.obligation,
            project=one.project,
            debtor=one.debtor,
            creditor=one.creditor,
            changed_at=one.changed_at,
        )
        for one in found.dates
    ]
    house = playbook.house.name.words
    return feed_of(
        entries,
        name=Words(f"{house.zh or house.en} · 预演", f"{house.en or house.zh} · rehearsal"),
        language=language,
        domain=playbook.house.email.rpartition("@")[2],
        of_one_project=len(found.projects) == 1,
    )


def as_json(found: Rehearsed) -> dict[str, Json]:
    """Give the findings for machines: the figures, and every table of the workbook by its name."""
    report = report_of(found)
    return {
        "playbook": found.playbook,
        "script": found.script,
        "from": found.first.isoformat(),
        "until": found.last.isoformat(),
        "projects": list(found.projects),
        "sentences": [sentence.as_json() for sentence in sentences(found)],
        "figures": _figures(report.figures),
        "tables": _tables(report),
    }


def files_of_comparison(both: Compared, language: str, number: int = 1) -> Iterator[tuple[str, bytes]]:
    """Give the files of a comparison by name: comparison.html, .xlsx, .json; the second's are called comparison-2."""
    name = "comparison" if number == 1 else f"comparison-{number}"
    yield f"{name}.html", comparison_html(both, language).encode()
    yield f"{name}.xlsx", report_xlsx(comparison_of(both), language)
    yield f"{name}.json", (json.dumps(comparison_json(both), ensure_ascii=False, indent=2) + "\n").encode()


def comparison_json(both: Compared) -> dict[str, Json]:
    """Give a comparison for machines: each rehearsal's figures, and every table by its name."""
    report = comparison_of(both)
    return {
        "now": _figures(figures_of(both.now)),
        "then": _figures(figures_of(both.then)),
        "tables": _tables(report),
    }


def _tables(report: Report) -> Json:
    return {
        table.name: [
            {column.title.en: _plain(cell, column.kind) for column, cell in zip(table.columns, row, strict=True)}
            for row in table.rows
        ]
        for table in report.tables
    }


def _figures(figures: Iterable[Figure]) -> dict[str, Json]:
    return {figure.label.en: _plain(figure.value, figure.kind) for figure in figures}


def _plain(cell: Cell, kind: CellKind) -> Json:
    """Give a cell for machines: what is counted as a number, words in both languages, all else as text."""
    if isinstance(cell, Words):
        return cell.as_json()
    if cell is None or kind not in _NUMBERS:
        return cell
    return int(cell) if kind in _WHOLE else float(cell)
