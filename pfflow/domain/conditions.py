"""Conditions of a playbook: expressions of the Common Expression Language, pure by construction.

CEL has no unbounded loops, no I/O and no clock, so a condition that people write can be run inside a decision. What is
left to bound is bounded before the evaluator sees it: `LONGEST` characters, `MOST_OPERATORS`, `DEEPEST` brackets, loops
(`exists`, `all`, …) at most `DEEPEST_LOOPS` into each other, and the functions in `FUNCTIONS` only. `matches` is linear
in its text. Every number is a double: a whole literal is read as one, so that 100 and 100.0 mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cel import Program

LONGEST = 1000
MOST_OPERATORS = 100
DEEPEST = 20
DEEPEST_LOOPS = 2
LOOPS = frozenset({"exists", "exists_one", "all", "map", "filter"})
FUNCTIONS = LOOPS | {"size", "has", "contains", "startsWith", "endsWith", "matches", "double", "string"}
EXAMPLE = 'party.kind == "investor" && party.capital_size >= 100000000'

_KEYWORDS = frozenset({"true", "false", "null", "in"})
_FOREIGN = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!"}
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*)
    |(?P<string>[rRbB]{0,2}(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark>&&|\|\||[<>=!]=|\S)""",
    re.VERBOSE,
)
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


class ConditionError(ValueError):
    """An expression that cannot be read, or that does not answer true or false on the given facts.

    `line` and `column` count from 1 within the expression; 0 where there is no place to name.
    """

    def __init__(self, what: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(what)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Reference:
    """A fact that an expression asks for: `party.kind` is root and field, a bare `grade` has no field.

    `literals` are the texts it is compared with; `at` counts characters from the start of the expression.
    """

    root: str
    field: str
    literals: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


_NOTHING = _Token("end", "", -1)


@lru_cache(maxsize=1024)
def compiled(source: str) -> Program:
    """Give the compiled expression; raises ConditionError with the place of what is wrong and what would be right."""
    import cel  # noqa: PLC0415 - loading the evaluator takes 0.2 s, which commands that need no condition do not pay

    tokens = _tokens(source)
    _refuse_unbounded(source, tokens)
    try:
        # As written first: in the text with doubles the columns of an error would be others.
        cel.compile(source)
        program = cel.compile(_with_doubles(source, tokens))
    except ValueError as error:
        raise _syntax_error(source, tokens, str(error)) from error
    _refuse_functions(source, tokens)
    return program


def holds(source: str, facts: Mapping[str, object]) -> bool:
    """Whether the condition holds on the facts.

    Numbers reach the expression as doubles (Decimal and int alike), dates as ISO 8601 text, unknown values as null.
    What an unknown value leaves open does not hold, negated or not; `x == null` asks for it. Raises ConditionError
    where a fact is not offered, values of different kinds meet, or the answer is not a truth value.

    >>> holds('party.kind == "investor" && party.capital >= 1e8', {"party": {"kind": "investor", "capital": 2 * 10**8}})
    True
    >>> holds("party.capital >= 1e8", {"party": {"capital": None}})
    False
    >>> holds("party.capital / 2 >= 100", {"party": {"capital": Decimal("200.00")}})
    True
    """
    plain_facts = {name: plain(value) for name, value in facts.items()}
    program = compiled(source)
    try:
        answer = program.execute(plain_facts)
    except KeyError as error:
        raise ConditionError(f"{source}: no fact is called {error.args[0]}") from error
    except TypeError as error:
        if _meets_unknown(source, plain_facts):
            return False
        raise ConditionError(f"{source}: values of different kinds meet, such as a text and a number") from error
    except (ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        raise ConditionError(f"{source}: {error}") from error
    if not isinstance(answer, bool):
        if answer is None:
            return False
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


def references(source: str) -> tuple[Reference, ...]:
    """Give the facts an expression asks for, in order; within a loop the list that is looped over is the root.

    >>> [(one.root, one.field, one.literals) for one in references('needs.exists(n, n.kind == "growth") && grade > 1')]
    [('needs', '', ()), ('needs', 'kind', ('growth',)), ('grade', '', ())]
    """
    tokens = _tokens(source)
    looped = _loop_variables(tokens)
    return tuple(_references(tokens, looped))


def near(word: str, known: Iterable[str]) -> str:
    """Give the known word that is meant, or nothing."""
    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.6)), "")


def place(source: str, at: int) -> tuple[int, int]:
    """Give line and column, both from 1, of a character of the expression."""
    before = source[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


def _tokens(source: str) -> list[_Token]:
    found = _TOKEN.finditer(source[: LONGEST + 1])
    return [_Token(str(m.lastgroup), m.group(), m.start()) for m in found if m.lastgroup != "comment"]


def _at(tokens: list[_Token], index: int) -> _Token:
    return tokens[index] if 0 <= index < len(tokens) else _NOTHING


def _refuse_unbounded(source: str, tokens: list[_Token]) -> None:
    if len(source) > LONGEST:
        raise ConditionError(f"longer than {LONGEST} characters; write a shorter condition or split the case in two")
    operators = [token for token in tokens if token.kind == "mark" and token.text not in "()[]{},"]
    if len(operators) > MOST_OPERATORS:
        line, column = place(source, operators[MOST_OPERATORS].at)
        raise ConditionError(f"more than {MOST_OPERATORS} operators; split the case in two", line=line, column=column)
    _refuse_other_texts(source, tokens)
    open_brackets: list[bool] = []
    for index, token in enumerate(tokens):
        if token.kind == "mark" and token.text in "([{":
            open_brackets.append(token.text == "(" and _at(tokens, index - 1).text in LOOPS)
        elif token.kind == "mark" and token.text in ")]}" and open_brackets:
            open_brackets.pop()
        if len(open_brackets) > DEEPEST or sum(open_brackets) > DEEPEST_LOOPS:
            line, column = place(source, token.at)
            raise ConditionError(
                f"nested too deeply; brackets go {DEEPEST} deep and loops {DEEPEST_LOOPS} deep at most",
                line=line,
                column=column,
            )


def _refuse_other_texts(source: str, tokens: list[_Token]) -> None:
    """Refuse raw, byte and triple-quoted texts: nobody needs them, and what they hide would not be counted."""
    for index, token in enumerate(tokens):
        follows = _at(tokens, index - 1)
        doubled = follows.kind == "string" and follows.at + len(follows.text) == token.at
        if token.kind == "string" and (doubled or token.text[0] not in "\"'"):
            line, column = place(source, token.at)
            raise ConditionError('a raw or tripled text; write it between two "', line=line, column=column)


def _refuse_functions(source: str, tokens: list[_Token]) -> None:
    for index, token in enumerate(tokens):
        if token.kind == "name" and _at(tokens, index + 1).text == "(" and token.text not in FUNCTIONS | _KEYWORDS:
            line, column = place(source, token.at)
            meant = near(token.text, FUNCTIONS)
            right = f"write {meant}" if meant else f"the functions are {', '.join(sorted(FUNCTIONS))}"
            raise ConditionError(f"no function is called {token.text!r}; {right}", line=line, column=column)


def _with_doubles(source: str, tokens: list[_Token]) -> str:
    """Give the source with whole numbers as doubles, for CEL adds no int to a double; an index into a list stays."""
    parts: list[str] = []
    end = 0
    for index, token in enumerate(tokens):
        if token.kind == "number" and token.text.isdigit() and not _is_index(tokens, index):
            stop = token.at + len(token.text)
            parts += [source[end:stop], ".0"]
            end = stop
    return "".join([*parts, source[end:]])


def _is_index(tokens: list[_Token], index: int) -> bool:
    opened, before = _at(tokens, index - 1), _at(tokens, index - 2)
    subscripted = (before.kind == "name" and before.text not in _KEYWORDS) or before.text in {")", "]"}
    return opened.text == "[" and subscripted and _at(tokens, index + 1).text == "]"


def _syntax_error(source: str, tokens: list[_Token], message: str) -> ConditionError:
    found = _ERROR.search(message)
    line, column = (int(found[1]), int(found[2])) if found else (1, 1)
    if not tokens:
        return ConditionError(f"it is empty; write a condition such as {EXAMPLE}", line=1, column=1)
    for index, token in enumerate(tokens):
        following = _at(tokens, index + 1)
        here = dict(zip(("line", "column"), place(source, token.at), strict=True))
        if token.text == "=" and token.kind == "mark":
            return ConditionError("a single = compares nothing; write ==", **here)
        if token.kind == "name" and token.text in _FOREIGN and following.text not in {".", "("}:
            return ConditionError(f"{token.text!r} is no operator here; write {_FOREIGN[token.text]}", **here)
        if token.text in {"“", "”", "‘", "’", "＂"}:
            return ConditionError('a typographic quotation mark; write " around a text', **here)
    what = found[3].partition(" expecting")[0] if found else "it cannot be read"
    what = what.replace("mismatched input '<EOF>'", "it ends too early").replace("mismatched input", "unexpected")
    return ConditionError(f"{what}; write a condition such as {EXAMPLE}", line=line, column=column)


def _loop_variables(tokens: list[_Token]) -> dict[str, str]:
    """Give the loops' variables with the name of the list each runs over; empty where that is not a plain name."""
    looped: dict[str, str] = {}
    for index, token in enumerate(tokens):
        variable = _at(tokens, index + 2)
        called = token.text in LOOPS and _at(tokens, index - 1).text == "." and _at(tokens, index + 1).text == "("
        if called and variable.kind == "name" and _at(tokens, index + 3).text == ",":
            source = _at(tokens, index - 2)
            plain_name = source.kind == "name" and _at(tokens, index - 3).text != "."
            looped[variable.text] = looped.get(source.text, source.text) if plain_name else ""
    return looped


def _references(tokens: list[_Token], looped: Mapping[str, str]) -> Iterator[Reference]:
    for index, token in enumerate(tokens):
        following = _at(tokens, index + 1)
        if token.kind != "name" or token.text in _KEYWORDS or following.text == "(":
            continue
        if _at(tokens, index - 1).text == ".":
            continue
        root = looped.get(token.text, token.text)
        field, end = _field(tokens, index)
        declared = token.text in looped and following.text == "," and not field
        if root and not declared:
            yield Reference(root, field, tuple(_literals(tokens, end)), token.at)


def _field(tokens: list[_Token], index: int) -> tuple[str, int]:
    """Give the field after a name and the index of its last token."""
    opened, name, closed = (_at(tokens, index + step) for step in (1, 2, 3))
    if opened.text == "." and name.kind == "name" and closed.text != "(":
        return name.text, index + 2
    if opened.text == "[" and name.kind == "string" and closed.text == "]":
        return name.text[1:-1], index + 3
    return "", index


def _literals(tokens: list[_Token], end: int) -> Iterator[str]:
    """Give the texts compared with what ends here: after ==, != or within the list after `in`."""
    operator, first = _at(tokens, end + 1), _at(tokens, end + 2)
    if operator.text in {"==", "!="} and first.kind == "string":
        yield first.text[1:-1]
    if operator.text == "in" and first.text == "[":
        for token in tokens[end + 3 :]:
            if token.text == "]":
                return
            if token.kind == "string":
                yield token.text[1:-1]


def _meets_unknown(source: str, facts: Mapping[str, Any]) -> bool:
    """Whether a fact the expression asks for is null; in a list, that of any item."""
    for reference in references(source):
        root = facts.get(reference.root)
        if root is None:
            return True
        for item in root if isinstance(root, list) else [root]:
            if item is None or (isinstance(item, dict) and reference.field and item.get(reference.field) is None):
                return True
    return False
