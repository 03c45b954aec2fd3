"""What the loader has to say about a place in a playbook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The way from the top of a playbook to a place: keys, and positions in lists counted from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookProblem:
    """One finding, with its place. A remark does not stop a playbook, a problem does.

    `line` and `column` count from 1; `what` is wrong, `right` is what to write instead.

    >>> print(PlaybookProblem(file="playbook.yaml", line=42, column=7, path=("kickoff", "ladder"),
    ...     what="no ladder is called 'kick-off'", right="write kickoff"))
    playbook.yaml:42:7: kickoff.ladder: no ladder is called 'kick-off'; write kickoff
    """

    file: str
    line: int
    column: int
    path: Path = ()
    what: str
    right: str = ""
    remark: bool = False

    def __str__(self) -> str:
        parts = [f"{self.file}:{self.line}:{self.column}", "remark" if self.remark else "", path_text(self.path)]
        said = ": ".join([part for part in parts if part])
        return f"{said}: {self.what}{'; ' if self.right else ''}{self.right}"


def path_text(path: Path) -> str:
    """Give a path as people write it.

    >>> path_text(("segments", 2, "when"))
    'segments[2].when'
    """
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
