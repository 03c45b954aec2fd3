"""Keeping what is rehearsed: every fact and decision of one project written into a database, as it is lived.

The decisions are those of the rehearsal, recorded by the store's own code on the holdings they were made on; nothing is
decided a second time. Explaining them decides them again, from the tables alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Any

from pfflow.domain.business_days import wall_instant
from pfflow.domain.decision import Decision
from pfflow.domain.facts import Facts, Interaction, key_of
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import TRANSITIONS
from pfflow.ports import Recorded
from pfflow.rehearsal.living import Span
from pfflow.rehearsal.scope import SHARED
from pfflow.rehearsal.script import Script
from pfflow.rehearsal.world import Life, MemoryStore
from pfflow.store import Keeping, Rehearsal, SqlStore

_BESIDE = ("", "-wal", "-shm", "-journal")
"""What the names of SQLite's files end in."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps a rehearsal in a new SQLite file; `report` is told the first day of every year that is kept.

    `text` is the playbook's, word for word: what is decided again is decided by it.
    """

    path: Path
    text: str
    report: Callable[[date], None] = lambda _: None

    @property
    def edition(self) -> str:
        """The SHA-256 of the playbook's text, as adopting it gives it."""
        return sha256(self.text.encode()).hexdigest()

    @contextmanager
    def keeping(self, store: MemoryStore, playbook: Playbook, script: Script, span: Span) -> Iterator[None]:
        """Keep what becomes of a store's one project in the block: all of it, or no file where the block fails.

        Raises FileExistsError.
        """
        ((ref, life),) = store.lives.items()
        begins = wall_instant(span.first, time(0), playbook.zone).astimezone(UTC)
        kept = Rehearsal(
            project_ref=ref,
            playbook=f"{playbook.name}/{playbook.version}",
            script=script.rehearsal,
            first_on=span.first,
            last_on=span.last,
        )
        with _new_file(self.path), SqlStore.open(f"sqlite:///{self.path.resolve()}") as database:
            database.migrate()
            with database.keeping(kept, begins) as book:
                book.learn(life.facts, begins)
                book.adopt(self.text, playbook.name, playbook.version, begins)
                store.lives[ref] = KeptLife(life, book, self.report)
                yield


class KeptLife(Life):
    """A project of a rehearsal that writes down what becomes of it."""

    __slots__ = ("_book", "_lists", "_report", "_year")

    def __init__(self, life: Life, book: Keeping, report: Callable[[date], None]) -> None:
        super().__init__(life.facts, life.index, life.holiday_lists, around=life.around)
        self._book = book
        self._report = report
        self._lists: tuple[HouseList, ...] = ()
        self._year = 0

    def learn(self, **records: tuple[Any, ...]) -> None:
        """Take in records, and write them down as what they are live: a move, lists that are entered, an import."""
        (project,) = records.get("projects", (self.project,))
        was = self.project.phase
        if project.phase is not was:
            self._book.move(next(m for (a, m), b in TRANSITIONS.items() if (a, b) == (was, project.phase)), self.at)
        for one in self.holiday_lists:
            if one not in self._lists:
                self._book.enter(one, self.at)
        self._lists = self.holiday_lists
        before = self.facts
        super().learn(**records)
        self._book.learn(_with_who_came(records, before, self.facts), self.at)

    def hear(self, touch: Interaction) -> None:
        """Take in what somebody said, and write it down."""
        self._book.hear(touch)
        super().hear(touch)

    def record(self, decision: Decision) -> Recorded:
        """Write a decision down; of those that say nothing only the first, with which the relationship begins."""
        if not decision.quiet or self.engaged_at is None:
            self._tell(decision.as_of)
            self._book.record(decision, self.holdings)
        return super().record(decision)

    def _tell(self, at: datetime) -> None:
        if at.year > self._year:
            self._year = at.year
            self._report(at.date())


def _with_who_came(records: Mapping[str, tuple[Any, ...]], before: Facts, after: Facts) -> Facts:
    """Give what was learned with the records of those who came into the project's scope by it."""
    learned: dict[str, tuple[Any, ...]] = {**records}
    for sheet, some in after.sheets().items():
        if sheet in SHARED:
            known = {key_of(sheet, one) for one in (*before.sheets()[sheet], *records.get(sheet, ()))}
            learned[sheet] = (*(one for one in some if key_of(sheet, one) not in known), *records.get(sheet, ()))
    return Facts(**learned)


@contextmanager
def _new_file(path: Path) -> Iterator[None]:
    """Make a file for as long as the block goes well; where it fails, the file is taken away again."""
    path.open("x").close()
    try:
        yield
    except BaseException:
        for end in _BESIDE:
            path.with_name(path.name + end).unlink(missing_ok=True)
        raise
