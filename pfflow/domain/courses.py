"""Which ladders an obligation climbs: those it began with, else the playbook's.

An obligation may climb two ladders at once, written with a + between their names. Each is held by itself; a rung that
stands in both is one rung. When its first letter goes out its ladders are kept with it as they are then, so that a
change of the playbook changes nobody's ladder half way up (docs/decisions/0014). Moving an obligation to another date
begins its ladders anew, by the playbook in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pfflow.domain.ladder import Ladder, Rung
from pfflow.domain.ledger import canonical_json
from pfflow.domain.obligations import Obligation
from pfflow.domain.playbook import Playbook
from pfflow.domain.words import Json

AND = "+"
"""What stands between the names of two ladders."""


@dataclass(frozen=True, slots=True)
class Course:
    """One ladder that an obligation climbs, by name."""

    name: str
    ladder: Ladder


def named(*names: str) -> str:
    """Give what an obligation that climbs these ladders says under `ladder`.

    >>> named("report", "lenders")
    'report+lenders'
    """
    return AND.join(dict.fromkeys(filter(None, names)))


def unknown(playbook: Playbook, obligation: Obligation) -> tuple[str, ...]:
    """Give the ladders it should climb that neither it nor the playbook has."""
    return tuple(n for n in _names(obligation) if n not in obligation.climbing and n not in playbook.ladders)


def courses(playbook: Playbook, obligation: Obligation) -> tuple[Course, ...]:
    """Give the ladders an obligation climbs, in the order it names them; those it began with go before the playbook's.

    A rung that an earlier one of them has is left out of the later.
    """
    names = _names(obligation)
    if len(names) == 1:
        ladder = _ladder(playbook, obligation, names[0])
        return (Course(names[0], ladder),) if ladder else ()
    found: list[Course] = []
    taken: set[str] = set()
    for name in names:
        ladder = _ladder(playbook, obligation, name)
        if ladder is None:
            continue
        own = tuple(rung for rung in ladder.rungs if rung.name not in taken)
        taken.update(rung.name for rung in own)
        if own:
            found.append(Course(name, ladder if len(own) == len(ladder.rungs) else _with(ladder, own)))
    return tuple(found)


def rungs_of(playbook: Playbook, obligation: Obligation) -> tuple[Rung, ...]:
    """Give every rung of the ladders an obligation climbs."""
    return tuple(rung for course in courses(playbook, obligation) for rung in course.ladder.rungs)


def as_begun(playbook: Playbook, obligation: Obligation) -> dict[str, Json]:
    """Give the playbook's ladders of an obligation as they are kept with it."""
    return {name: playbook.ladders[name].dumped for name in _names(obligation) if name in playbook.ladders}


def keeps_another(playbook: Playbook, obligation: Obligation) -> bool:
    """Whether a live obligation climbs other rungs than the playbook now has for it."""
    return obligation.live and bool(obligation.climbing) and dict(obligation.climbing) != as_begun(playbook, obligation)


def _names(obligation: Obligation) -> tuple[str, ...]:
    if obligation.climbing:
        return tuple(obligation.climbing)
    return _split(obligation.ladder)


@lru_cache(maxsize=512)
def _split(ladder: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, ladder.split(AND))))


def _ladder(playbook: Playbook, obligation: Obligation, name: str) -> Ladder | None:
    kept, ladder = obligation.climbing.get(name), playbook.ladders.get(name)
    if kept is None or (ladder is not None and kept == ladder.dumped) or not isinstance(kept, Mapping):
        return ladder
    return _read(canonical_json(kept))


@lru_cache(maxsize=512)
def _read(text: str) -> Ladder:
    return Ladder.model_validate_json(text)


@lru_cache(maxsize=512)
def _with(ladder: Ladder, rungs: tuple[Rung, ...]) -> Ladder:
    return ladder.model_copy(update={"rungs": rungs})
