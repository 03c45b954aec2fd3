"""Reads a playbook: YAML, then the models, then what no model sees. Bad content gives problems, never an error."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pfflow.domain.playbook import Playbook
from pfflow.playbook.expressions import validate_conditions
from pfflow.playbook.mistakes import mistakes
from pfflow.playbook.problems import PlaybookProblem
from pfflow.playbook.source import Source, read_source
from pfflow.playbook.validation import VALIDATIONS


@dataclass(frozen=True, slots=True)
class PlaybookReading:
    """What became of a playbook: it, unless a problem stands; and all findings in the order of their lines."""

    playbook: Playbook | None
    problems: tuple[PlaybookProblem, ...]

    @property
    def refused(self) -> bool:
        """Whether the playbook cannot be used."""
        return self.playbook is None


def read_playbook(path: Path) -> PlaybookReading:
    """Read a playbook's file; a file that cannot be opened or is not UTF-8 is a problem too."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return _unreadable(path.name, f"the file cannot be read: {error.strerror or error}", "check its name")
    try:
        return parse_playbook(raw.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        return _unreadable(path.name, "the file is not UTF-8", "save it as UTF-8", line, column)


def parse_playbook(text: str, name: str = "playbook.yaml") -> PlaybookReading:
    r"""Read a playbook's text; `name` is the file's name in problems.

    >>> print(parse_playbook("playbook: a\nplaybook: b").problems[-1])
    playbook.yaml:2:1: playbook: the key 'playbook' stands in line 1 already; keep one of the two
    """
    source = read_source(text, name)
    playbook: Playbook | None = None
    problems = source.problems
    if isinstance(source.data, dict):
        try:
            playbook = Playbook.model_validate(source.data)
        except ValidationError as error:
            problems = [*problems, *_unsaid(mistakes(error, source), problems)]
    elif not problems:
        right = "begin with the keys playbook, version and effective"
        problems = [source.finding((), "the file holds no keys", right)]
    if playbook is not None:
        problems = [*problems, *_cross_checked(playbook, source)]
    stopped = any(not problem.remark for problem in problems)
    ordered = sorted(problems, key=lambda one: (one.line, one.column, one.remark, one.what))
    return PlaybookReading(None if stopped else playbook, tuple(ordered))


def digest(text: str) -> str:
    """Give the SHA-256 of a playbook's text, in hexadecimal: which edition a decision was made by."""
    return hashlib.sha256(text.encode()).hexdigest()


def _cross_checked(playbook: Playbook, source: Source) -> list[PlaybookProblem]:
    return [problem for validate in (*VALIDATIONS, validate_conditions) for problem in validate(playbook, source)]


def _unsaid(found: list[PlaybookProblem], said: list[PlaybookProblem]) -> list[PlaybookProblem]:
    """Leave out what was said of the same place before: a value that could not be read is missing only to pydantic."""
    places = {(problem.line, problem.column) for problem in said}
    return [problem for problem in found if (problem.line, problem.column) not in places]


def _unreadable(name: str, what: str, right: str, line: int = 1, column: int = 1) -> PlaybookReading:
    return PlaybookReading(None, (PlaybookProblem(file=name, line=line, column=column, what=what, right=right),))
