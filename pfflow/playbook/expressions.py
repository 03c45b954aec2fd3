"""Conditions against what they may ask about: facts that are offered, fields they have, words those can be.

A condition with a wrong word is never true and nobody is told; so each is held against the types of the facts, and
tried once on facts that are all known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from pfflow.domain.conditions import ConditionError, Reference, holds, near, place, references
from pfflow.domain.facts import Need
from pfflow.domain.parties import Party
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Project
from pfflow.finance.sizing import Binding
from pfflow.playbook.problems import Path, PlaybookProblem
from pfflow.playbook.source import Source

Offered: TypeAlias = Mapping[str, Mapping[str, object]]
"""What an expression may ask about: the fields of each fact with their types; none where the fact is itself a word."""


def _fields(record: type[Any]) -> Mapping[str, object]:
    hints = get_type_hints(record)
    return MappingProxyType({field.name: hints[field.name] for field in fields(record)})


SEGMENT_FACTS: Offered = MappingProxyType(
    {"party": {**_fields(Party), "roles": tuple[str, ...]}, "project": _fields(Project)}
)
"""`party.roles` are the roles the party holds in the project."""

CATALOGUE_FACTS: Offered = MappingProxyType(
    {
        "project": _fields(Project),
        "grade": {},
        "needs": _fields(Need),
        "ratios": {"minimum_dscr": Decimal | None, "llcr": Decimal | None},
        "capacity": {"debt": Decimal, "equity": Decimal, "binding": Binding},
    }
)
LISTS = frozenset({"needs"})
GRADES = ("strong", "good", "satisfactory", "weak", "default")
"""The slotting categories of Basel CRE33 as an expression sees them."""


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
    if not found:
        yield from _tried(expression, path, offered, source)


def _misses(reference: Reference, offered: Offered) -> Iterator[tuple[str, str]]:
    root, field = reference.root, reference.field
    if root not in offered:
        meant = near(root, offered)
        owner = next((name for name, known in offered.items() if root in known), "")
        right = f"write {owner}.{root}" if owner else f"write {meant}" if meant else _listed(offered)
        yield f"nothing called {root!r} is offered here", right
        return
    known = offered[root]
    if field and field not in known:
        meant = near(field, known)
        listed = f"its fields are {', '.join(known)}" if known else f'compare {root} itself, as in {root} == "weak"'
        yield f"{root} has no field {field!r}", f"write {meant}" if meant else listed
        return
    words = _words(known.get(field)) if known else GRADES
    for literal in reference.literals:
        if words and literal and literal not in words:
            name = f"{root}.{field}" if field else root
            meant = near(literal, words)
            right = f"write {meant}" if meant else f"it can be {', '.join(words)}"
            yield f"{name} is never {literal!r}", right


def _tried(expression: str, path: Path, offered: Offered, source: Source) -> Iterator[PlaybookProblem]:
    sample: dict[str, object] = {}
    for name, known in offered.items():
        facts = {field: _value(_bare(hint)) for field, hint in known.items()}
        sample[name] = ([facts] if name in LISTS else facts) if known else GRADES[0]
    try:
        holds(expression, sample)
    except ConditionError as error:
        what = str(error).removeprefix(f"{expression}: ")
        right = 'compare texts with texts and numbers with numbers, as in party.kind == "lender"'
        yield source.finding(path, f"the condition gives no answer: {what}", right)


def _listed(offered: Offered) -> str:
    return f"a condition here may ask about {', '.join(offered)}"


def _bare(hint: object) -> object:
    """Give a type without None."""
    if get_origin(hint) in {Union, UnionType}:
        return next((one for one in get_args(hint) if one is not NoneType), hint)
    return hint


def _words(hint: object) -> tuple[str, ...]:
    kind = _bare(hint)
    return tuple(str(one.value) for one in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()


def _value(kind: object) -> object:
    if words := _words(kind):
        return words[0]
    if kind is bool:
        return True
    if get_origin(kind) is tuple:
        return ["word"]
    # Dates reach an expression as text.
    return "2026-01-01" if kind is str or getattr(kind, "__name__", "") in {"date", "datetime"} else 1
