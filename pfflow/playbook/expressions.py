"""Conditions against what they may ask about: facts that are offered, fields they have, words those can be.

A condition with a wrong word is never true and nobody is told; so each is held against the types of the facts, and
tried once on facts that are all known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from enum import Enum
from types import MappingProxyType, NoneType
from typing import Any, TypeAlias, get_args, get_type_hints

from pfflow.domain.conditions import ConditionError, Reference, holds, near, place, references
from pfflow.domain.facts import Need
from pfflow.domain.parties import Party
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Project
from pfflow.playbook.problems import Path, PlaybookProblem
from pfflow.playbook.source import Source

Offered: TypeAlias = Mapping[str, type[Any] | None]
"""What an expression may ask about: a record type, or None where only the stage knows its fields."""

SEGMENT_FACTS: Offered = MappingProxyType({"party": Party, "project": Project})
CATALOGUE_FACTS: Offered = MappingProxyType(
    {"project": Project, "grade": None, "needs": Need, "ratios": None, "capacity": None}
)
LISTS = frozenset({"needs"})
GRADES = ("strong", "good", "satisfactory", "weak", "default")
"""The slotting categories of Basel CRE33 as an expression sees them; empty where the project is not yet graded."""


def validate_conditions(playbook: Playbook, source: Source) -> Iterator[PlaybookProblem]:
    """Every condition asks for what is offered and can be answered."""
    for index, segment in enumerate(playbook.segments):
        yield from _checked(segment.when, ("segments", index, "when"), SEGMENT_FACTS, source)
    for index, item in enumerate(playbook.service_design.catalogue):
        yield from _checked(item.when, ("service_design", "catalogue", index, "when"), CATALOGUE_FACTS, source)


def _checked(expression: str, path: Path, offered: Offered, source: Source) -> Iterator[PlaybookProblem]:
    asked = references(expression)
    found = False
    for reference in asked:
        for what, right in _misses(reference, offered):
            found = True
            at = source.within(path, *place(expression, reference.at))
            yield source.finding_at(at, path, what, right)
    if not found and all(_sample(offered.get(one.root)) is not None or one.root == "grade" for one in asked):
        yield from _tried(expression, path, offered, source)


def _misses(reference: Reference, offered: Offered) -> Iterator[tuple[str, str]]:
    root, field = reference.root, reference.field
    if root not in offered:
        meant = near(root, offered)
        owner = next((name for name, record in offered.items() if root in _fields(record)), "")
        right = f"write {owner}.{root}" if owner else f"write {meant}" if meant else _listed(offered)
        yield f"nothing called {root!r} is offered here", right
        return
    record = offered[root]
    known = _fields(record)
    if field and record is not None and field not in known:
        meant = near(field, known)
        right = f"write {meant}" if meant else f"its fields are {', '.join(known)}"
        yield f"{root} has no field {field!r}", right
        return
    words = GRADES if root == "grade" else _words(known.get(field))
    for literal in reference.literals:
        if words and literal and literal not in words:
            name = f"{root}.{field}" if field else root
            meant = near(literal, words)
            right = f"write {meant}" if meant else f"it can be {', '.join(words)}"
            yield f"{name} is never {literal!r}", right


def _tried(expression: str, path: Path, offered: Offered, source: Source) -> Iterator[PlaybookProblem]:
    sample: dict[str, object] = {"grade": GRADES[0]} if "grade" in offered else {}
    for name, record in offered.items():
        facts = _sample(record)
        if facts is not None:
            sample[name] = [facts] if name in LISTS else facts
    try:
        holds(expression, sample)
    except ConditionError as error:
        what = str(error).removeprefix(f"{expression}: ")
        right = 'compare texts with texts and numbers with numbers, as in party.kind == "lender"'
        yield source.finding(path, f"the condition gives no answer: {what}", right)


def _listed(offered: Offered) -> str:
    return f"a condition here may ask about {', '.join(offered)}"


def _fields(record: type[Any] | None) -> dict[str, Any]:
    hints = get_type_hints(record) if record is not None else {}
    return {field.name: hints[field.name] for field in fields(record)} if record is not None else {}


def _bare(hint: object) -> object:
    return next((one for one in get_args(hint) if one is not NoneType), hint)


def _words(hint: object) -> tuple[str, ...]:
    kind = _bare(hint)
    return tuple(str(one.value) for one in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()


def _sample(record: type[Any] | None) -> dict[str, object] | None:
    """Give a record in which all is known: words for words, numbers for numbers."""
    if record is None:
        return None
    return {name: _value(_bare(hint)) for name, hint in _fields(record).items()}


def _value(kind: object) -> object:
    if words := _words(kind):
        return words[0]
    if kind is bool:
        return True
    # Dates reach an expression as text.
    return "2026-01-01" if kind is str or getattr(kind, "__name__", "") in {"date", "datetime"} else 1
