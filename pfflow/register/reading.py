"""A register to facts: one file or folder in, everything that could be read and everything that is wrong out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pfflow.domain.facts import Facts, Record, key_of
from pfflow.register.aliases import GUIDE, SHEETS
from pfflow.register.checks import Rows, validated
from pfflow.register.columns import Sheet, named_sheet, plain
from pfflow.register.delimited import sheets_of_folder
from pfflow.register.problems import Problem, Severity
from pfflow.register.rows import Entry, read_rows
from pfflow.register.source import RawSheet, Source
from pfflow.register.workbook import sheets_of_workbook

NOTHING = Facts()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a register says, and what is odd about it; with a problem among them nothing of it may be written."""

    facts: Facts
    problems: tuple[Problem, ...]

    @property
    def can_be_written(self) -> bool:
        """Whether there are remarks at most."""
        return not any(problem.stops_the_import for problem in self.problems)


def read_register(path: Path, known: Facts = NOTHING) -> Reading:
    """Read an .xlsx file, or a folder with one CSV file a sheet; bad content is told, never raised.

    `known` are the facts already held: references may point to them, and a column that the register does not have
    leaves what they say. Rows with problems are not among the facts.
    """
    source = _source(path)
    chosen, problems = _chosen(source)
    entries: dict[str, tuple[Entry, ...]] = {}
    zones = {contact.contact_ref: contact.timezone for contact in known.contacts if contact.timezone}
    for sheet, raw in chosen.items():
        held = {key_of(sheet.name, record): record for record in known.sheets()[sheet.name]}
        reading = read_rows(raw, sheet, held, zones)
        entries[sheet.name] = reading.entries
        problems += reading.problems
        if sheet.name == "contacts":
            zones |= _zones(reading.entries)
    if source.sheets:
        problems += validated(Rows(path.name, entries, known))
    return Reading(_facts(entries), _in_order([*source.problems, *problems], chosen.values()))


def _source(path: Path) -> Source:
    if path.is_dir():
        return sheets_of_folder(path)
    if not path.exists():
        return Source(problems=(Problem(file=path.name, what="is not there", expected="check the path"),))
    if path.suffix.casefold() in (".csv", ".tsv"):
        what = "is one CSV file, which is one sheet"
        return Source(problems=(Problem(file=path.name, what=what, expected="name the folder that holds it"),))
    return sheets_of_workbook(path)


def _chosen(source: Source) -> tuple[dict[Sheet, RawSheet], list[Problem]]:
    found: dict[str, RawSheet] = {}
    problems: list[Problem] = []
    for raw in source.sheets:
        sheet = named_sheet(SHEETS, raw.title)
        if sheet is None:
            if plain(raw.title) not in map(plain, GUIDE):
                titles = ", ".join(f"{one.zh} ({one.en})" for one in SHEETS)
                what, expected = (
                    "this sheet is not read: the register has none of this name",
                    f"its sheets are {titles}",
                )
                problems.append(_about(raw, what, expected, Severity.REMARK))
        elif sheet.name in found:
            what = f"a second sheet for {sheet.en.lower()}; the first is {found[sheet.name].title}"
            problems.append(_about(raw, what, "keep one of them"))
        else:
            found[sheet.name] = raw
    return {sheet: found[sheet.name] for sheet in SHEETS if sheet.name in found}, problems


def _about(raw: RawSheet, what: str, expected: str, severity: Severity = Severity.PROBLEM) -> Problem:
    return Problem(file=raw.file, sheet=raw.title, what=what, expected=expected, severity=severity)


def _zones(entries: Iterable[Entry]) -> Mapping[str, str]:
    return {
        entry.values["contact_ref"]: entry.values["timezone"]
        for entry in entries
        if "contact_ref" in entry.values and "timezone" in entry.values
    }


def _facts(entries: Mapping[str, tuple[Entry, ...]]) -> Facts:
    sheets: dict[str, Any] = {}
    for name, rows in entries.items():
        by_key: dict[tuple[str, ...], Record] = {}
        for entry in rows:
            if entry.record is not None:
                by_key.setdefault(key_of(name, entry.record), entry.record)
        sheets[name] = tuple(by_key.values())
    return replace(NOTHING, **sheets)


def _in_order(problems: Iterable[Problem], sheets: Iterable[RawSheet]) -> tuple[Problem, ...]:
    order = {(raw.file, raw.title): index for index, raw in enumerate(sheets)}
    return tuple(sorted(problems, key=lambda one: (order.get((one.file, one.sheet), -1), one.row)))
