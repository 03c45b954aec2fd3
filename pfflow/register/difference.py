"""What an import would change: per sheet the records added, changed field by field, unchanged, absent and replaced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from pfflow.domain.facts import Facts, RaciRow, Record, key_of

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a record, as it was and as it becomes."""

    field: str
    old: object
    new: object

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.old)} → {_shown(self.new)}"


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record whose fields change."""

    key: Key
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class SheetChanges:
    """The changes of one sheet.

    `absent` are held and not in the file: they are kept. `replaced` are held and go, because the file states their
    activity anew: only of raci, where a former Accountable beside the new one would make two.
    """

    sheet: str
    added: tuple[Key, ...] = ()
    changed: tuple[RecordChange, ...] = ()
    unchanged: tuple[Key, ...] = ()
    absent: tuple[Key, ...] = ()
    replaced: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of all sheets, in reading order."""

    sheets: tuple[SheetChanges, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the database would stay as it is."""
        return not any(sheet.added or sheet.changed or sheet.replaced for sheet in self.sheets)

    def lines(self) -> Iterator[str]:
        """Give one line for each record that is added, changed, replaced or absent."""
        for sheet in self.sheets:
            for key in sheet.added:
                yield f"+ {sheet.sheet} {' / '.join(key)}"
            for record in sheet.changed:
                yield f"~ {sheet.sheet} {' / '.join(record.key)}: {', '.join(map(str, record.fields))}"
            for key in sheet.replaced:
                yield f"- {sheet.sheet} {' / '.join(key)}: its activity is stated anew"
            for key in sheet.absent:
                yield f"= {sheet.sheet} {' / '.join(key)}: not in the file, kept"


def changes(before: Facts, after: Facts) -> Changes:
    """Compare what is held with what a register says."""
    return Changes(tuple(_sheet_changes(name, before, after) for name in before.sheets()))


def merged(before: Facts, after: Facts) -> Facts:
    """Give what is held once a register is imported: its records over those held, the rest kept but for `replaced`."""
    sheets: dict[str, Any] = {}
    for found in changes(before, after).sheets:
        kept = _by_key(found.sheet, before)
        for key in found.replaced:
            del kept[key]
        sheets[found.sheet] = tuple((kept | _by_key(found.sheet, after)).values())
    return replace(before, **sheets)


def _sheet_changes(sheet: str, before: Facts, after: Facts) -> SheetChanges:
    old, new = _by_key(sheet, before), _by_key(sheet, after)
    differences = {key: _differences(old[key], record) for key, record in new.items() if key in old}
    stated = {(record.phase, record.activity) for record in new.values() if isinstance(record, RaciRow)}
    missing = [(key, record) for key, record in old.items() if key not in new]
    replaced = {key for key, one in missing if isinstance(one, RaciRow) and (one.phase, one.activity) in stated}
    return SheetChanges(
        sheet,
        added=tuple(key for key in new if key not in old),
        changed=tuple(RecordChange(key, found) for key, found in differences.items() if found),
        unchanged=tuple(key for key, found in differences.items() if not found),
        absent=tuple(key for key, _ in missing if key not in replaced),
        replaced=tuple(key for key, _ in missing if key in replaced),
    )


def _by_key(sheet: str, facts: Facts) -> dict[Key, Record]:
    return {key_of(sheet, record): record for record in facts.sheets()[sheet]}


def _differences(old: Record, new: Record) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(one.name, getattr(old, one.name), getattr(new, one.name))
        for one in fields(new)
        if getattr(old, one.name) != getattr(new, one.name)
    )


def _shown(value: object) -> str:
    return "(empty)" if value is None or value == "" else str(value)
