"""What the reader has to say about a place in a register."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SHOWN = 60
"""How many characters of a value a message repeats."""


class Severity(StrEnum):
    """A problem stops the import; a remark does not, and is said so that nothing is left out in silence."""

    PROBLEM = "problem"
    REMARK = "remark"


class UnreadableError(ValueError):
    """A value that cannot be read: `what` is wrong with it and what is `expected` in its place."""

    def __init__(self, what: str, expected: str = "") -> None:
        super().__init__(f"{what}; {expected}" if expected else what)
        self.what = what
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding, with its place.

    `sheet` is the sheet's title in the file, `row` counts from 1 as Excel does (0: no row), `column` is the column's
    letters and `field` the canonical name of what it holds.

    >>> print(Problem(file="register.xlsx", sheet="参与方", row=7, column="F", field="registered_capital",
    ...     value="1.2亿元左右", what="not an amount", expected="write 1.2亿, 12,000万 or 120000000"))
    register.xlsx · 参与方 · row 7 · column F (registered_capital) · "1.2亿元左右": not an amount; write 1.2亿, 12,000万 or 120000000
    """  # noqa: E501  # the line a person sees is one line

    file: str
    what: str
    expected: str = ""
    sheet: str = ""
    row: int = 0
    column: str = ""
    field: str = ""
    value: str = ""
    severity: Severity = Severity.PROBLEM

    @property
    def stops_the_import(self) -> bool:
        """Whether nothing may be written while it stands."""
        return self.severity is Severity.PROBLEM

    def __str__(self) -> str:
        column = f"column {self.column}" if self.column else ""
        if self.field:
            column = f"{column} ({self.field})" if column else self.field
        place = (self.file, self.sheet, f"row {self.row}" if self.row else "", column)
        shown = [part for part in place if part]
        if self.value:
            shown.append(f'"{shortened(self.value)}"')
        return f"{' · '.join(shown)}: {self.what}{'; ' if self.expected else ''}{self.expected}"


def shortened(text: str, length: int = SHOWN) -> str:
    """Give a text on one line, cut to a length.

    >>> shortened("a" * 70, 10)
    'aaaaaaaaa…'
    """
    line = " ".join(text[: length * 4].split())
    return line if len(line) <= length and len(text) <= length * 4 else f"{line[: length - 1]}…"
