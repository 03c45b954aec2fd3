"""What pydantic found wrong, said with the place in the file and what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pfflow.domain.conditions import ConditionError, near
from pfflow.domain.playbook import Playbook
from pfflow.playbook.problems import Path, PlaybookProblem
from pfflow.playbook.source import Source

KEY_OF_MAPPING = "[key]"
"""What pydantic appends to the path when a mapping's key, not its value, is wrong."""

Sentence: TypeAlias = tuple[str, str]
"""What is wrong, and what would be right."""


def mistakes(error: ValidationError, source: Source, root: type[BaseModel] = Playbook) -> list[PlaybookProblem]:
    """Give each pydantic error as a problem with its line and column; `root` is what the file should have been."""
    return [_mistake(one, source, root) for one in error.errors(include_url=False)]


def _mistake(error: ErrorDetails, source: Source, root: type[BaseModel]) -> PlaybookProblem:
    kind, loc = error["type"], tuple(error["loc"])
    at_key = kind == "extra_forbidden" or loc[-1:] == (KEY_OF_MAPPING,)
    path = written(loc[:-1] if loc[-1:] == (KEY_OF_MAPPING,) else loc, source)
    if kind == "missing":
        return _missing(path, source, root)
    if kind == "extra_forbidden":
        what, right = _unknown_key(path, root)
        return source.finding(path, what, right, at_key=True)
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, ConditionError) and cause.line:
        at = source.within(path, cause.line, cause.column)
        return source.finding_at(at, path, *_split(str(cause)))
    if isinstance(cause, ValueError):
        return source.finding(path, *_split(str(cause)), at_key=at_key)
    # Of a wrong key it is the mapping that says which keys there are.
    what, right = _sentence(error, path[:-1] if at_key else path, root)
    return source.finding(path, what, right, at_key=at_key)


def written(loc: Path, source: Source) -> Path:
    """Give an error's path as the file has it: a ladder that is a bare list has no key `rungs`."""
    path: Path = ()
    for step in loc:
        if step == "rungs" and (*path, 0) in source.places:
            continue
        path = (*path, step)
    return path


def _split(text: str) -> Sentence:
    what, _, right = text.rpartition("; ")
    return (what, right) if what else (right, "")


def _missing(path: Path, source: Source, root: type[BaseModel]) -> PlaybookProblem:
    around, name = path[:-1], str(path[-1])
    info = _fields(_annotation(around, root)).get(name)
    return source.finding(around, f"the key {name!r} is missing", f"add {name}{_meaning(info)}", at_key=True)


def _unknown_key(path: Path, root: type[BaseModel]) -> Sentence:
    known = tuple(_fields(_annotation(path[:-1], root)))
    name = str(path[-1])
    meant = near(name, known) or near(name.lower(), known)
    right = f"write {meant}" if meant else f"the keys here are {', '.join(known)}"
    return f"no key is called {name!r} here", right


def _sentence(error: ErrorDetails, path: Path, root: type[BaseModel]) -> Sentence:
    for say in (_nothing, _not_one_of, _another_kind, _no_keys, _no_list, _out_of_bounds, _no_name):
        sentence = say(error, path, root)
        if sentence is not None:
            return sentence
    return f"{_shown(error['input'])}: {error['msg']}", f"write another{_meaning(_info(path, root))}"


def _nothing(error: ErrorDetails, path: Path, root: type[BaseModel]) -> Sentence | None:
    info = _info(path, root)
    if error["input"] is None:
        optional = info is not None and not info.is_required()
        return "nothing stands here", f"give a value{_meaning(info)}{', or leave the key out' if optional else ''}"
    if error["type"] in {"too_short", "string_too_short"}:
        return "it is empty", f"write at least one{_meaning(info)}"
    return None


def _not_one_of(error: ErrorDetails, path: Path, root: type[BaseModel]) -> Sentence | None:
    if error["type"] not in {"enum", "literal_error"}:
        return None
    given, allowed = error["input"], _choices(_annotation(path, root))
    lowered = {choice.lower(): choice for choice in allowed}
    meant = lowered.get(near(given.lower(), lowered), "") if isinstance(given, str) else ""
    listed = ", ".join(choice or '""' for choice in allowed)
    right = f"write {meant} (of {listed})" if meant else f"write one of {listed}"
    return f"{_shown(given)} is not one of the choices", right


def _another_kind(error: ErrorDetails, path: Path, root: type[BaseModel]) -> Sentence | None:
    del path, root
    kind = error["type"]
    if kind not in _WANTED:
        return None
    wanted, example = _WANTED[kind]
    return f"{_shown(error['input'])} is not {wanted}", f"write {example}"


def _no_keys(error: ErrorDetails, path: Path, root: type[BaseModel]) -> Sentence | None:
    if error["type"] not in {"model_type", "dict_type", "model_attributes_type"}:
        return None
    keys = ", ".join(_fields(_annotation(path, root)))
    right = f"write the keys {keys}" if keys else "write a name, a colon, and what it means below it"
    return f"{_shown(error['input'])} stands where keys should", right


def _no_list(error: ErrorDetails, path: Path, root: type[BaseModel]) -> Sentence | None:
    del path, root
    given = error["input"]
    if error["type"] not in {"tuple_type", "list_type"}:
        return None
    right = f"write it in brackets, [{given}]" if isinstance(given, str) else "write a list, a hyphen before each item"
    return f"{_shown(given)} is not a list", right


def _out_of_bounds(error: ErrorDetails, path: Path, root: type[BaseModel]) -> Sentence | None:
    del path, root
    limit = _LIMITS.get(error["type"])
    if limit is None:
        return None
    key, words = limit
    return f"{_shown(error['input'])} is out of bounds", f"write a number {words} {error.get('ctx', {}).get(key)}"


def _no_name(error: ErrorDetails, path: Path, root: type[BaseModel]) -> Sentence | None:
    del path, root
    if error["type"] != "string_pattern_mismatch":
        return None
    right = "write lower case letters, digits, - and _, such as weekly-progress"
    return f"{_shown(error['input'])} is no name", right


_WHOLE = ("a whole number", "digits without quotation marks")
_NUMBER = ("a number", "digits, such as 1.30")
_TRUTH = ("true or false", "true or false")
_WANTED: Mapping[str, Sentence] = MappingProxyType(
    {
        "string_type": ("a text", "a text, in quotation marks if need be"),
        "int_type": _WHOLE,
        "int_parsing": _WHOLE,
        "int_from_float": _WHOLE,
        "decimal_type": _NUMBER,
        "decimal_parsing": _NUMBER,
        "finite_number": _NUMBER,
        "bool_type": _TRUTH,
        "bool_parsing": _TRUTH,
    }
)
_LIMITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "greater_than": ("gt", "above"),
        "greater_than_equal": ("ge", "of at least"),
        "less_than": ("lt", "below"),
        "less_than_equal": ("le", "of at most"),
    }
)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping of keys"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _meaning(info: FieldInfo | None) -> str:
    """Give what a key means, in brackets."""
    return f" ({info.description.rstrip('.')})" if info is not None and info.description else ""


def _info(path: Path, root: type[BaseModel]) -> FieldInfo | None:
    return _fields(_annotation(path[:-1], root)).get(str(path[-1])) if path else None


def _annotation(path: Path, root: type[BaseModel]) -> object:
    """Give the type that belongs at a path of a file, None where nothing does."""
    at: object = root
    for step in path:
        at = _stepped(_bare(at), step)
    return _bare(at)


def _stepped(at: object, step: str | int) -> object:
    if isinstance(at, type) and issubclass(at, BaseModel):
        fields = _fields(at)
        if isinstance(step, int) and "rungs" in fields:
            return _stepped(_bare(fields["rungs"].annotation), step)
        info = fields.get(str(step)) or at.model_fields.get(str(step))
        return info.annotation if info is not None else None
    arguments = get_args(at)
    if get_origin(at) is dict and len(arguments) == 2:
        return arguments[1]
    if get_origin(at) is tuple and arguments:
        return arguments[0]
    return None


def _bare(at: object) -> object:
    """Give a type without its annotations and without None."""
    if get_origin(at) is Annotated:
        return _bare(get_args(at)[0])
    if get_origin(at) in {Union, UnionType}:
        kept = [one for one in get_args(at) if one is not NoneType]
        return _bare(kept[0]) if kept else None
    return at


def _fields(at: object) -> dict[str, FieldInfo]:
    """Give a model's fields by the names a playbook writes."""
    if not (isinstance(at, type) and issubclass(at, BaseModel)):
        return {}
    return {info.alias or name: info for name, info in at.model_fields.items()}


def _choices(at: object) -> tuple[str, ...]:
    """Give the words that a type allows, or that a mapping's keys do."""
    if get_origin(at) is dict:
        return _choices(_bare(get_args(at)[0]))
    members: Iterable[Any] = get_args(at) if get_origin(at) is Literal else ()
    if isinstance(at, type) and issubclass(at, Enum):
        members = at
    return tuple(str(one.value) if isinstance(one, Enum) else str(one) for one in members)
