"""The page that describes the register, made from the same data the reader reads by; docs/register.md is its copy."""

from __future__ import annotations

from collections.abc import Iterator

from pfflow.domain.facts import KEYS
from pfflow.register.aliases import REQUIRED_SHEETS, SHEETS
from pfflow.register.columns import Column, Kind, Sheet, Vocabulary, required_fields

_OPENING = """# The register

The register is the workbook a team keeps: one `.xlsx` file with the sheets below, or a folder with one CSV file
a sheet. Sheets and headers may be in Chinese or English, in any order, case and width. This page is generated
from the data the reader reads by (`pfflow/register/aliases.py`); a test compares the two.

## How it is read

- The header is looked for in the first ten rows; titles and merged group headers above it are passed over.
  A header may be in both languages at once (`注册资本 Registered capital`). A row of totals is left out, and remarked.
- An amount's header may carry its unit: `注册资本(万元)`, `总投资(亿元)`, `Capex (USD m)`. A unit that is not
  known is a problem.
- **Dates** are `2026-03-15`, `2026.3.15`, `2026/3/15`, `2026年3月15日`, `20260315` or Excel's own. `3/4/2026`
  is refused: it can be two days. A month (`2026年3月`) stands for its last day where the end of a period is
  meant, and is refused elsewhere; so is the first of a month as the end of a period, which is what Excel makes
  of a month.
- **Amounts** are `1.2亿`, `12,000万`, `1,200.50`, `人民币1.2亿元`, `500万美元`, `USD 1.5bn`. The point is the
  decimal mark and the comma the thousands mark; `1.200,50`, `约1亿` and `1.2E+08` are refused. Capital, total
  investment, debt, equity and budget are not negative; a payment may be (a refund, which is remarked) and so
  may a figure of the accounts.
- **Percentages** are `25%`, 25, or a cell that Excel shows as a percentage. A bare number above 0 and up to 1
  can mean two things and is refused, unless the header says `(%)`. A **rate** is `4.5%` or the fraction 0.045;
  a bare 1 or more is refused.
- **Times** carry their offset (`2026-03-15T10:00+08:00`), or the header names a zone (`时间(Asia/Shanghai)`),
  or the row's contact has a time zone; a time without any of these is refused.
- A formula counts by its calculated value. A formula that was never calculated, and an error such as `#REF!`,
  is a problem.
- `-`, `—`, `/`, `无`, `暂无`, `待定` and `n/a` mean nothing outside free text, and are remarked.
- Merged cells among the data, a key that appears twice and a reference to nothing are problems. A sheet or
  column that the register does not have is not kept, and is remarked.
- CSV may be UTF-8, UTF-16 with its mark, or GB18030 (remarked), separated by comma, semicolon or tab.
- A workbook may have 64 MB, unpack to 256 MB, and span 2,000,000 cells a sheet; a cell holds at most 32,767
  characters.

With one problem nothing is written; remarks stop nothing. A column that the file lacks leaves what is held; an
empty cell empties it. A record that is held and not in the file is kept and listed, except in RACI: an activity
that the file states replaces what was held of that activity, because a former Accountable beside the new one
would make two.

The sheets parties, contacts, projects and participations must be there, unless what they hold is already known.
"""

_TYPES = {
    Kind.REF: "reference",
    Kind.TEXT: "text, one line",
    Kind.NOTE: "text",
    Kind.WORD: "name, see below",
    Kind.CHOICE: "one of a list, see below",
}


def described() -> str:
    """Give the page in Markdown."""
    return "\n".join((_OPENING, *(line for sheet in SHEETS for line in _sheet(sheet))))


def _sheet(sheet: Sheet) -> Iterator[str]:
    must = ", required" if sheet.name in REQUIRED_SHEETS else ""
    yield f"## {sheet.zh} · {sheet.en} (`{sheet.name}`{must})"
    yield ""
    yield f"{sheet.purpose_en} {sheet.purpose_zh}"
    yield f"Key: {', '.join(f'`{field}`' for field in KEYS[sheet.name])}. Also titled: {', '.join(sheet.aliases)}."
    yield ""
    yield "| column | 中文 | English | also | type | required | example |"
    yield "|---|---|---|---|---|---|---|"
    for column in sheet.columns:
        yield _column(sheet, column)
    yield ""
    for column in sheet.columns:
        if column.words:
            others = "" if column.kind is Kind.CHOICE else "; other names are kept as written"
            yield f"- `{column.field}`: {_words(column.words)}{others}."
    if any(column.words for column in sheet.columns):
        yield ""


def _column(sheet: Sheet, column: Column) -> str:
    required = "yes" if column.field in required_fields(sheet.name) else ""
    kind = _TYPES.get(column.kind, column.kind)
    cells = (f"`{column.field}`", column.zh, column.en, ", ".join(column.aliases), kind, required, column.example)
    return f"| {' | '.join(cells)} |"


def _words(words: Vocabulary) -> str:
    return ", ".join(f"`{word}` ({', '.join(others)})" for word, others in words.items())
