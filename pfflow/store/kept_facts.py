"""Facts read once for each version: most of a decision's reading, and they change far more seldom than anything else.

Every change of facts raises the version of the projects it concerns, before it can be committed and while nobody holds
them; so facts read under a project's row lock are those of the version read with it, and may be kept by that number.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from pfflow.domain.facts import Facts
from pfflow.store.calendars import KeptLists


class KeptFacts:
    """The facts of the projects last decided for, a version each; safe to share between threads.

    `lists` are the house's holiday lists, kept the same way.
    """

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[int, Facts]] = OrderedDict()
        self._lock = Lock()
        self.lists = KeptLists()

    def of(self, project_ref: str, version: int, read: Callable[[], Facts]) -> Facts:
        """Give the facts of a version, read now unless they are kept."""
        with self._lock:
            kept = self._kept.get(project_ref)
            if kept is not None and kept[0] == version:
                self._kept.move_to_end(project_ref)
                return kept[1]
        facts = read()
        with self._lock:
            self._kept[project_ref] = (version, facts)
            self._kept.move_to_end(project_ref)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return facts
