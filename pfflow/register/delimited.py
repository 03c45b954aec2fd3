"""A folder of CSV files to raw sheets, one file a sheet: the encoding and the separator are found, not asked for."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from pathlib import Path

from pfflow.register.problems import Problem, Severity, UnreadableError
from pfflow.register.source import CELLS, RawSheet, Source

SUFFIXES = frozenset({".csv", ".tsv"})
SIZE = 64 * 2**20
"""The most bytes a file may have."""

_SEPARATORS = ",;\t"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def sheets_of_folder(folder: Path) -> Source:
    """Give a sheet for each CSV file of a folder; what keeps one from being read is a problem, never raised."""
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith((".", "~")))
    except OSError as error:
        return Source(problems=(Problem(file=folder.name, what=f"cannot be opened ({error.strerror or error})"),))
    sheets: list[RawSheet] = []
    problems: list[Problem] = []
    for path in files:
        if path.suffix.casefold() not in SUFFIXES:
            problems.append(_remark(path, "not read: it is no CSV file", "save it as .csv"))
            continue
        try:
            text, encoding = _decoded(path)
            sheets.append(RawSheet(file=path.name, title=path.stem, rows=_rows(text)))
        except UnreadableError as error:
            problems.append(Problem(file=path.name, what=error.what, expected=error.expected))
            continue
        if encoding == "gb18030":
            problems.append(_remark(path, "read as GB18030: it is not UTF-8", "save it as UTF-8 if names look wrong"))
    if not sheets and not problems:
        problems.append(Problem(file=folder.name, what="holds no CSV files", expected="put one .csv a sheet into it"))
    return Source(tuple(sheets), tuple(problems))


def _remark(path: Path, what: str, expected: str) -> Problem:
    return Problem(file=path.name, what=what, expected=expected, severity=Severity.REMARK)


def _decoded(path: Path) -> tuple[str, str]:
    try:
        if path.stat().st_size > SIZE:
            raise UnreadableError(f"has more than {SIZE // 2**20} MB", "split it")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            f"cannot be opened ({error.strerror or error})", "check the path and the rights"
        ) from None
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise UnreadableError("is neither UTF-8 nor GB18030 text", "save it as CSV UTF-8")


def _rows(text: str) -> list[list[str]]:
    separator = _separator(text)
    rows: list[list[str]] = []
    cells = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            cells += len(row) + 1
            if cells > CELLS:
                raise UnreadableError(f"has more than {CELLS:,} rows and cells", "split it, or delete empty lines")
            rows.append(row)
    except csv.Error as error:
        raise UnreadableError(f"is no CSV ({error})", "save it as CSV UTF-8") from None
    return rows


def _separator(text: str) -> str:
    # The separator that gives the most columns over the first lines; a comma inside an amount is quoted or rarer.
    head = text[:20_000].splitlines()[:10]

    def columns(separator: str) -> int:
        return max((len(row) for row in _tried(head, separator)), default=0)

    return max(_SEPARATORS, key=columns)


def _tried(lines: Sequence[str], separator: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=separator))
    except csv.Error:
        return []
