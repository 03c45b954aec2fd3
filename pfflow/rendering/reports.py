"""A report as HTML for people, as plain text for the text part of a letter, and as Markdown for artifacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from pfflow.domain.register_words import source_words
from pfflow.domain.reports import CellKind, Report, Table
from pfflow.rendering.environment import Templates, house_templates
from pfflow.rendering.formats import cell, figure_of, one_line, width
from pfflow.rendering.phrases import phrase

ROWS_IN_A_LETTER = 40
"""More rows than these are left to the attached workbook."""

_MARKDOWN = str.maketrans(
    {"\\": "\\\\", "|": "\\|", "`": "\\`", "*": "\\*", "_": "\\_", "[": "\\[", "]": "\\]", "#": "\\#", "~": "\\~"}
    | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
)


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table in words: column titles with whether they hold numbers, rows of text, and how many rows were left out."""

    title: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int
    note: str


@dataclass(frozen=True, slots=True)
class ShownReport:
    """A report in the words of one language, ready for a template."""

    title: str
    figures: tuple[tuple[str, str], ...]
    tables: tuple[ShownTable, ...]
    paragraphs: tuple[str, ...]
    sources: tuple[str, ...]


@lru_cache(maxsize=16)
def shown(report: Report, language: str, rows: int | None = None) -> ShownReport:
    """Give the report's words in a language, with at most `rows` rows a table; once for all its readers."""
    return ShownReport(
        title=one_line(report.title.in_language(language)),
        figures=tuple((one_line(f.label.in_language(language)), figure_of(f, language)) for f in report.figures),
        tables=tuple(_shown_table(table, language, rows) for table in report.tables),
        paragraphs=tuple(one_line(paragraph.in_language(language)) for paragraph in report.paragraphs),
        sources=tuple(one_line(source_words(source).in_language(language)) for source in report.sources),
    )


def report_html(report: Report, language: str, templates: Templates | None = None) -> str:
    """Give the whole report as one HTML page."""
    environment = (templates or _shipped()).environment
    view = shown(report, language)
    return environment.get_template("layouts/report.html").render(report=view, language=language, subject=view.title)


@lru_cache(maxsize=16)
def report_text(view: ShownReport, language: str) -> str:
    """Give the report as plain text, tables aligned for a fixed-width font (a CJK character is two columns wide)."""
    colon = "：" if language.startswith("zh") else ": "
    parts = [view.title, *view.paragraphs]
    if view.figures:
        parts.append("\n".join(f"{label}{colon}{value}" for label, value in view.figures))
    parts.extend(_text_table(table, language) for table in view.tables)
    if view.sources:
        parts.append("\n".join(f"{phrase('sources', language)}{colon}{source}" for source in view.sources))
    return "\n\n".join(part for part in parts if part)


def report_markdown(report: Report, language: str) -> str:
    """Give the report as GitHub-flavoured Markdown; what a cell says is never markup."""
    view = shown(report, language)
    parts = [f"## {_escaped(view.title)}", *(_escaped(paragraph) for paragraph in view.paragraphs)]
    if view.figures:
        parts.append("\n".join(f"- **{_escaped(label)}**: {_escaped(value)}" for label, value in view.figures))
    for table in view.tables:
        parts.append(f"### {_escaped(table.title)}")
        heads = [_row([title for title, _ in table.columns]), _rule(table)]
        parts.append("\n".join([*heads, *(_row(row) for row in table.rows)]))
        if not table.rows:
            parts.append(phrase("no_rows", language))
        if table.note:
            parts.append(f"{phrase('note', language)}: {_escaped(table.note)}")
    if view.sources:
        parts.append("\n".join(f"- {phrase('sources', language)}: {_escaped(source)}" for source in view.sources))
    return "\n\n".join(parts) + "\n"


@cache
def _shipped() -> Templates:
    return house_templates()


def _shown_table(table: Table, language: str, limit: int | None) -> ShownTable:
    kept = table.rows if limit is None else table.rows[:limit]
    return ShownTable(
        title=one_line(table.title.in_language(language)),
        columns=tuple(
            (one_line(c.title.in_language(language)), c.kind not in {CellKind.TEXT, CellKind.DATE})
            for c in table.columns
        ),
        rows=tuple(
            tuple(cell(value, column.kind, language) for value, column in zip(row, table.columns, strict=True))
            for row in kept
        ),
        left_out=len(table.rows) - len(kept),
        note=one_line(table.note.in_language(language)),
    )


def _text_table(table: ShownTable, language: str) -> str:
    grid = [tuple(title for title, _ in table.columns), *table.rows]
    widths = [max(width(row[index]) for row in grid) for index in range(len(table.columns))]
    lines = [_padded(row, table, widths) for row in grid]
    lines.insert(1, "  ".join("-" * given for given in widths))
    if not table.rows:
        lines.append(phrase("no_rows", language))
    if table.left_out:
        lines.append(phrase("more_rows", language, table.left_out) + phrase("attached", language))
    if table.note:
        lines.append(f"{phrase('note', language)}{'：' if language.startswith('zh') else ': '}{table.note}")
    return "\n".join([table.title, *lines])


def _padded(row: Sequence[str], table: ShownTable, widths: Sequence[int]) -> str:
    padded = []
    for text, (_, numeric), given in zip(row, table.columns, widths, strict=True):
        space = " " * (given - width(text))
        padded.append(space + text if numeric else text + space)
    return "  ".join(padded).rstrip()


def _escaped(text: str) -> str:
    return text.translate(_MARKDOWN)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(text) for text in cells) + " |"


def _rule(table: ShownTable) -> str:
    return "| " + " | ".join("---:" if numeric else "---" for _, numeric in table.columns) + " |"
