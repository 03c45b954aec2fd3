"""A house's own list of holidays, read from CSV or YAML."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from pfflow.calendars.codes import CalendarError
from pfflow.domain.holiday_lists import OwnHoliday

_KINDS: Mapping[str, Literal["holiday", "workday"]] = MappingProxyType({"holiday": "holiday", "workday": "workday"})


def read_own_holidays(path: Path) -> tuple[OwnHoliday, ...]:
    """Read a house's own list from a .csv, .yaml or .yml file, in the order of its dates.

    Rows of date (YYYY-MM-DD), name and kind (holiday or workday; holiday where it is left out). CalendarError lists
    every problem with its line, not only the first.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CalendarError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    rows = _yaml_rows if path.suffix.lower() in {".yaml", ".yml"} else _csv_rows
    problems: list[str] = []
    seen: dict[date, int] = {}
    found: list[OwnHoliday] = []
    for line, row in rows(path, text):
        try:
            one = _own(row)
        except CalendarError as error:
            problems.append(f"{path}:{line}: {error}")
            continue
        if one.on in seen:
            problems.append(f"{path}:{line}: {one.on} is there already, in line {seen[one.on]}")
        seen.setdefault(one.on, line)
        found.append(one)
    if problems:
        raise CalendarError("\n".join(problems))
    return tuple(sorted(found, key=lambda one: one.on))


def _own(row: Mapping[str, object]) -> OwnHoliday:
    unknown = sorted(set(row) - {"date", "name", "kind"})
    if unknown:
        raise CalendarError(f"{', '.join(unknown)} is no column: there are date, name and kind")
    value, name = row.get("date"), str(row.get("name") or "").strip()
    kind = _KINDS.get(str(row.get("kind") or "holiday").strip().lower())
    try:
        on = value if type(value) is date else date.fromisoformat(str(value or "").strip())
    except ValueError:
        raise CalendarError(f"date {value!r} is no day: write YYYY-MM-DD, such as 2027-02-05") from None
    if not name:
        raise CalendarError(f"{on} has no name: say which holiday or workday it is")
    if kind is None:
        raise CalendarError(f"kind {row.get('kind')!r} is neither holiday nor workday")
    return OwnHoliday(on, name, kind)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if "date" not in header or "name" not in header or len(set(header)) < len(header):
            raise CalendarError(f"{path}:1: the first line must name the columns: date,name,kind")
        for row in reader:
            if any(cell.strip() for cell in row):
                # a cell without a column is a row with one comma too many
                surplus = {"more cells than columns": ""} if len(row) > len(header) else {}
                yield reader.line_num, dict(zip(header, row, strict=False)) | surplus
    except csv.Error as error:
        raise CalendarError(f"{path}:{reader.line_num}: {error}") from error


def _yaml_rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        rows = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CalendarError(f"{path}:{line}: {error.problem}") from error
    if not isinstance(rows, CommentedSeq):
        raise CalendarError(f"{path}:1: the file must be a list of rows with date, name and kind")
    for index, row in enumerate(rows):
        line = rows.lc.data[index][0] + 1
        if not isinstance(row, dict):
            raise CalendarError(f"{path}:{line}: {row!r} is no row with date, name and kind")
        yield line, {str(key): value for key, value in row.items()}
