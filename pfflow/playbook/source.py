"""YAML 1.2 as values that remember their places.

The nodes are walked here rather than by the YAML library's own constructor, so that every mistake is listed and not
only the first, and so that aliases that multiply cannot fill the memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pfflow.playbook.problems import Path, PlaybookProblem

LARGEST = 1_000_000
"""The most characters a playbook may have."""
MOST_NODES = 50_000
"""The most keys and values a playbook may have, aliases counted each time."""

MOST_BITS = 64
"""The largest whole number a playbook may write, for Python neither shows nor divides one of any size quickly."""
SHOWN = 60
"""How many characters of a value a problem repeats."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, from 1; `key_line` and `key_column` are its key's. `text` says how a scalar's text lies."""

    line: int
    column: int
    key_line: int
    key_column: int
    style: str = ""
    text: str = ""


@dataclass(slots=True)
class Source:
    """A YAML text that was read: its values, and the place of each path."""

    file: str
    data: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[PlaybookProblem] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """Give the place of a path, or of the nearest thing around it that is written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1, 1, 1))

    def finding(
        self, path: Path, what: str, right: str = "", *, at_key: bool = False, remark: bool = False
    ) -> PlaybookProblem:
        """Give a problem at a value, or at its key."""
        place = self.place(path)
        line, column = (place.key_line, place.key_column) if at_key else (place.line, place.column)
        return self.finding_at((line, column), path, what, right, remark=remark)

    def finding_at(
        self, at: tuple[int, int], path: Path, what: str, right: str = "", *, remark: bool = False
    ) -> PlaybookProblem:
        """Give a problem at a line and column."""
        line, column = at
        return PlaybookProblem(
            file=self.file, line=line, column=column, path=path, what=what, right=right, remark=remark
        )

    def within(self, path: Path, line: int, column: int) -> tuple[int, int]:
        """Give the line and column in the file of a line and column within a text.

        Folded texts and texts with escapes keep no places within; their beginning is given.
        """
        place = self.place(path)
        if place.style == "|":
            row = place.line + line
            content = self.lines[place.line] if place.line < len(self.lines) else ""
            indent = len(content) - len(content.lstrip(" "))
            return row, indent + column
        first = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        start = place.column + (1 if place.style in {"'", '"'} else 0)
        if line == 1 and first[start - 1 :].startswith(place.text):
            return place.line, start + column - 1
        return place.line, place.column


class _TooMuchError(Exception):
    """Ends the walk; never leaves this module."""


def read_source(text: str, file: str, *, begin: str = "begin with the keys playbook, version and effective") -> Source:
    """Read YAML; what is wrong with it is in the source's problems, and its data is None if it cannot be read.

    `begin` says to whoever saved an empty file what stands first in such a file.
    """
    source = Source(file, lines=text.splitlines())
    if len(text) > LARGEST:
        what = f"the file has {len(text)} characters"
        source.problems.append(source.finding((), what, f"a playbook has at most {LARGEST}"))
        return source
    try:
        yaml = YAML(typ="safe", pure=True)
        node = yaml.compose(text)
        if node is None:
            source.problems.append(source.finding((), "the file is empty", begin))
        else:
            source.data = _Walk(source, yaml.constructor).value(node, (), node, ())
    except MarkedYAMLError as error:
        source.problems.append(_not_yaml(source, error))
    except YAMLError as error:
        what = f"this is not YAML: {' '.join(str(error).split())}"
        source.problems.append(source.finding((), what, "save the file as UTF-8 text"))
    except RecursionError:
        what = "lists or keys lie too deeply within each other"
        source.problems.append(source.finding((), what, "a playbook needs no more than eight levels"))
    except _TooMuchError:
        what = f"more than {MOST_NODES} keys and values, aliases counted each time"
        source.problems.append(source.finding((), what, "write fewer, or use no aliases"))
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError) as error:
        # What the scanner itself stumbles over, such as an impossible version in a %YAML line.
        source.problems.append(source.finding((), f"this is not YAML: {error}", "see the example in docs/playbook.md"))
    return source


def _not_yaml(source: Source, error: MarkedYAMLError) -> PlaybookProblem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    what = " ".join(f"{error.context or ''} {error.problem or ''}".split())
    shown = source.lines[line - 1] if line <= len(source.lines) else ""
    right = "indent with spaces, close what is opened, put a text with a colon in quotation marks"
    if "\t" in shown:
        right = "indent with spaces, never with tabs"
    return source.finding_at((line, column), (), f"this is not YAML: {what}", right)


class _Walk:
    """One walk over the nodes of a document."""

    def __init__(self, source: Source, constructor: SafeConstructor) -> None:
        self._source = source
        self._constructor = constructor
        self._nodes = 0

    def value(self, node: Node, path: Path, key: Node, within: tuple[int, ...]) -> Any:  # noqa: ANN401 - YAML holds any value
        """Give a node's value and note its place; `within` are the nodes it lies in."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _TooMuchError
        self._source.places[path] = _place(node, key)
        if id(node) in within:
            self._note(self._source.finding(path, "an alias that holds itself", "write the values out"))
            return None
        inner = (*within, id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path, inner)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index), item, inner) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _note(self, problem: PlaybookProblem) -> None:
        self._source.problems.append(problem)

    def _mapping(self, node: MappingNode, path: Path, within: tuple[int, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            at = (key.start_mark.line + 1, key.start_mark.column + 1)
            if not isinstance(key, ScalarNode):
                what, right = "a list or mapping stands as a key", "write a plain word before the colon"
                self._note(self._source.finding_at(at, path, what, right))
                continue
            name = str(key.value)
            if name == "<<":
                what, right = "<< merges keys, which YAML 1.2 does not have", "write the keys out"
                self._note(self._source.finding_at(at, path, what, right))
            elif name in values:
                first = self._source.place((*path, name)).key_line
                what, right = f"the key {name!r} stands in line {first} already", "keep one of the two"
                self._note(self._source.finding_at(at, (*path, name), what, right))
            else:
                values[name] = self.value(value, (*path, name), key, within)
        return values

    def _scalar(self, node: Node, path: Path) -> Any:  # noqa: ANN401 - a text, number, date, truth value or nothing
        shown = node.value if len(node.value) <= SHOWN else f"{node.value[: SHOWN - 1]}…"
        try:
            value = self._constructor.construct_object(node)
        except (YAMLError, ValueError, LookupError, TypeError, AttributeError):
            what, right = f"{shown!r} is not what its tag {node.tag} says", "leave the tag out"
            if str(node.tag).endswith("timestamp"):
                what, right = f"{shown!r} is no date", "write a day that exists, such as 2026-01-31"
            elif str(node.tag).endswith(":int"):
                what, right = f"{shown!r} is no number", "write digits"
        else:
            if not (isinstance(value, int) and value.bit_length() > MOST_BITS):
                return value
            what, right = f"{shown!r} is too large a number", "write fewer digits"
        self._note(self._source.finding(path, what, right))
        return None


def _place(node: Node, key: Node) -> Place:
    at = key.start_mark
    # What is left out has its mark wherever the next thing stands.
    start = at if isinstance(node, ScalarNode) and not node.value and not node.style else node.start_mark
    style = str(getattr(node, "style", "") or "")
    text = str(node.value) if isinstance(node, ScalarNode) else ""
    return Place(start.line + 1, start.column + 1, at.line + 1, at.column + 1, style, text)
