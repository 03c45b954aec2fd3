"""When something may next be said of what is owed, in order, so that asking what stirs costs what does."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter

EVER = datetime(1, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)

_instant = itemgetter(0)


@dataclass(slots=True)
class Stirring:
    """Keys, each with the instant from which something may be said of it; EVER is at once."""

    _at: dict[str, datetime] = field(default_factory=dict)
    _order: list[tuple[datetime, str]] = field(default_factory=list)

    def __contains__(self, key: str) -> bool:
        return key in self._at

    def put(self, key: str, at: datetime) -> None:
        """Keep a key with an instant, in the place of the one it had."""
        before = self._at.get(key)
        if before == at:
            return
        if before is not None:
            del self._order[bisect_left(self._order, (before, key))]
        self._at[key] = at
        insort(self._order, (at, key))

    def drop(self, key: str) -> None:
        """Forget a key, if it is there."""
        before = self._at.pop(key, None)
        if before is not None:
            del self._order[bisect_left(self._order, (before, key))]

    def wake(self) -> None:
        """Let something be said of every key at once."""
        self._at = dict.fromkeys(self._at, EVER)
        self._order = sorted((EVER, key) for key in self._at)

    def up_to(self, as_of: datetime) -> Iterable[str]:
        """Give the keys of which something may be said at an instant."""
        return [key for _, key in self._order[: bisect_right(self._order, as_of, key=_instant)]]

    @property
    def first_at(self) -> datetime:
        """The first instant at which something may be said of any; NEVER where there is none."""
        return self._order[0][0] if self._order else NEVER
