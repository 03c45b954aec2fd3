"""A rehearsal as one page of HTML: it needs no network and no script, and is fit for paper."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from pfflow.domain.words import ZH
from pfflow.rehearsal.comparing import Compared, comparison_of
from pfflow.rehearsal.figures import Rehearsed
from pfflow.rehearsal.heat import GROUND, Heat, Year, heats, years
from pfflow.rehearsal.saying import sentences
from pfflow.rehearsal.tables import ONLY_IN_WORKBOOK, report_of
from pfflow.rendering.environment import Templates, house_templates
from pfflow.rendering.reports import ShownTable, shown

ROWS_ON_A_PAGE = 30
"""More rows of a table than these are left to the workbook."""

_WARNS = frozenset(
    {"People overloaded", "Meetings that clash", "Without an owner", "Late", "Silent gaps", "Collide with holidays"}
)
_HAN = "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Source Han Sans SC'"
_LATIN = "'Segoe UI','Helvetica Neue',Arial,'Noto Sans'"


@dataclass(frozen=True, slots=True)
class PageFigure:
    """One number at the head; `warns` where it is one to look at."""

    label: str
    value: str
    warns: bool


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table as far as the page shows it."""

    title: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int
    more: str


@dataclass(frozen=True, slots=True)
class Page:
    """The words of the page in one language."""

    title: str
    lead: tuple[str, ...]
    figures: tuple[PageFigure, ...]
    years: tuple[Year, ...]
    heats: tuple[Heat, ...]
    tables: tuple[PageTable, ...]
    source: str


def page_html(found: Rehearsed, language: str, templates: Templates | None = None) -> str:
    """Give the page; equal findings give equal text."""
    return _rendered(page_of(found, language), language, templates)


def _rendered(page: Page, language: str, templates: Templates | None) -> str:
    environment = (templates or _shipped()).environment
    first, second = (_HAN, _LATIN) if language == ZH else (_LATIN, _HAN)
    fonts = Markup(f"{first},{second},sans-serif")  # noqa: S704 - these two constants
    return environment.get_template("layouts/rehearsal.html").render(
        page=page, language=language, fonts=fonts, ground=GROUND
    )


def comparison_html(both: Compared, language: str, templates: Templates | None = None) -> str:
    """Give the page of two rehearsals side by side."""
    report = comparison_of(both)
    view = shown(report, language, ROWS_ON_A_PAGE)
    lead = (sentence.in_language(language) for found in (both.now, both.then) for sentence in (*sentences(found),)[:1])
    page = Page(
        title=view.title,
        lead=tuple(lead),
        figures=(),
        years=(),
        heats=(),
        tables=tuple(_table(table, language) for table in view.tables),
        source=" · ".join(view.sources),
    )
    return _rendered(page, language, templates)


def page_of(found: Rehearsed, language: str) -> Page:
    """Give what stands on the page."""
    report = report_of(found)
    view = shown(report, language, ROWS_ON_A_PAGE)
    figures = [
        PageFigure(label, value, given.label.en in _WARNS and str(given.value) != "0")
        for given, (label, value) in zip(report.figures, view.figures, strict=True)
    ]
    named = zip(report.tables, view.tables, strict=True)
    return Page(
        title=view.title,
        lead=tuple(sentence.in_language(language) for sentence in sentences(found)),
        figures=tuple(figures),
        years=years(found, language),
        heats=heats(found, language),
        tables=tuple(_table(table, language) for given, table in named if given.name not in ONLY_IN_WORKBOOK),
        source=" · ".join(view.sources),
    )


def _table(table: ShownTable, language: str) -> PageTable:
    more = (
        f"另有 {table.left_out:,} 行，见工作簿。"
        if language == ZH
        else f"{table.left_out:,} more rows are in the workbook."
    )
    return PageTable(table.title, table.columns, table.rows, table.left_out, more)


@cache
def _shipped() -> Templates:
    return house_templates()
