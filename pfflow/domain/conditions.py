"""Conditions of a playbook: expressions of the Common Expression Language, pure by construction.

CEL has no loops, no I/O and no clock, so a condition that people write can be run inside a decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cel import Program


class ConditionError(ValueError):
    """An expression that cannot be parsed, or that does not answer true or false on the given facts."""


@lru_cache(maxsize=1024)
def compiled(source: str) -> Program:
    """Give the compiled expression; raises ConditionError with the place of a syntax error."""
    import cel  # noqa: PLC0415 - loading the evaluator takes 0.3 s, which commands that need no condition do not pay

    try:
        return cel.compile(source)
    except ValueError as error:
        text = str(error).replace("ERROR: <input>:", "line:column ")
        raise ConditionError(text) from error


def holds(source: str, facts: Mapping[str, object]) -> bool:
    """Whether the condition holds on the facts.

    Numbers reach the expression as doubles (Decimal and int alike), dates as ISO 8601 text, unknown values as null; a
    comparison with an unknown value does not hold. Raises ConditionError where the answer is not a truth value.

    >>> holds('party.kind == "investor" && party.capital >= 1e8', {"party": {"kind": "investor", "capital": 2 * 10**8}})
    True
    >>> holds("party.capital >= 1e8", {"party": {"capital": None}})
    False
    """
    plain_facts = {name: plain(value) for name, value in facts.items()}
    try:
        answer = compiled(source).execute(plain_facts)
    except TypeError as error:
        if "No such overload" in str(error):
            return False
        raise ConditionError(f"{source}: {error}") from error
    except (ValueError, RuntimeError, KeyError) as error:
        raise ConditionError(f"{source}: {error}") from error
    if not isinstance(answer, bool):
        raise ConditionError(f"{source}: gives {answer!r}, not true or false")
    return answer


def plain(value: object) -> Any:  # noqa: ANN401 - what an expression may see is any JSON-like value
    """Give a value as an expression sees it."""
    match value:
        case None | bool() | str() if not isinstance(value, Enum):
            return value
        case Enum():
            return str(value.value)
        case Decimal() | int() | float():
            return float(value)
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | frozenset():
            return [plain(item) for item in value]
        case _:
            raise ConditionError(f"an expression cannot see a {type(value).__name__}")
