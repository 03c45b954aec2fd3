"""By what each decision was made and what it changed: enough to stand again where it stood.

A row is kept for every decision that said anything and named its basis. It holds what is written nowhere else: the
editions of playbook and calendar, which entries of the ledger are its own, and, of the obligations it changed, the
fields as they were before. Firings and conclusions are in the ledger, new obligations too, so they are not repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from functools import cache, partial
from typing import Any, get_args, get_type_hints

from sqlalchemy import Connection, func, insert, select

from pfflow.domain.decision import Basis
from pfflow.domain.obligations import Obligation
from pfflow.domain.words import Stage, Words
from pfflow.store.statements import table_of
from pfflow.store.tables import DecisionRow, LedgerHeadRow

_DECISIONS = table_of(DecisionRow)
MARKS = ""
"""The key of `before`, no obligation's, under which the stages' marks stand as they were: quiet decisions move them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """A decision that was recorded: when, of which stage, by what, and where it stands in the ledger.

    `number` counts the project's decisions, `version` is of its facts. The entries `first_seq` to `last_seq` are the
    decision's; where it wrote none, `first_seq` is one more than `last_seq`. `before` has the changed obligations by
    key, with the fields that changed as they were. `plan_before` and `plan_until` are an applied plan's.
    """

    project_ref: str
    number: int
    stage: Stage
    as_of: datetime
    version: int
    playbook: str
    calendar: str
    first_seq: int
    last_seq: int
    before: Mapping[str, Mapping[str, Any]]
    plan_before: str
    plan_until: date | None

    @property
    def is_of_a_plan(self) -> bool:
        """Whether a plan that people approved was applied, rather than a stage deciding by itself."""
        return self.plan_until is not None


_NAMES = tuple(field.name for field in fields(DecisionRecord))


def keep(
    connection: Connection,
    project_ref: str,
    stage: Stage,
    as_of: datetime,
    basis: Basis,
    *,
    version: int,
    entries: int,
    marks: Mapping[Stage, datetime],
    changed: Iterable[tuple[Obligation, Obligation]],
) -> None:
    """Keep a decision that has just been recorded: it wrote the last `entries` entries of the project's chain.

    `changed` are the obligations as they were and as they are now; `marks` say to which instant each stage had decided.
    """
    mine = DecisionRow.project_ref == project_ref
    last = select(func.coalesce(func.max(DecisionRow.number), 0) + 1).where(mine)
    head = select(LedgerHeadRow.seq).where(LedgerHeadRow.project_ref == project_ref)
    seq = connection.execute(head).scalar_one()
    row = {
        "project_ref": project_ref,
        "number": connection.execute(last).scalar_one(),
        "stage": stage,
        "as_of": as_of,
        "version": version,
        "playbook": basis.playbook,
        "calendar": basis.calendar.version,
        "first_seq": seq - entries + 1,
        "last_seq": seq,
        "before": {was.key: _difference(was, now) for was, now in changed}
        | {MARKS: {stage.value: to.isoformat() for stage, to in marks.items()}},
        "plan_before": basis.before,
        "plan_until": basis.until,
    }
    connection.execute(insert(_DECISIONS), row)


def decisions_of(connection: Connection, project_ref: str, *, after: int = 0) -> tuple[DecisionRecord, ...]:
    """Give a project's decisions from the one after a number on, oldest first."""
    chosen = select(_DECISIONS).where(DecisionRow.project_ref == project_ref, DecisionRow.number > after)
    rows = connection.execute(chosen.order_by(DecisionRow.number))
    return tuple(DecisionRecord(**{name: row._mapping[name] for name in _NAMES}) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


def as_before(obligation: Obligation, before: Mapping[str, Any]) -> Obligation:
    """Give an obligation with the fields of a decision's `before` as they were."""
    readers = _readers()
    values = {field.name: getattr(obligation, field.name) for field in fields(Obligation)}
    return Obligation(**(values | {name: readers[name](value) for name, value in before.items() if name in readers}))


def _difference(was: Obligation, now: Obligation) -> dict[str, Any]:
    names = (field.name for field in fields(Obligation))
    return {name: _plain(getattr(was, name)) for name in names if getattr(was, name) != getattr(now, name)}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of an obligation
    if isinstance(value, Words):
        return value.as_json()
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


@cache
def _readers() -> Mapping[str, Callable[[Any], Any]]:
    """Give for each field of an obligation what makes its value of the JSON that is kept."""
    hints = get_type_hints(Obligation)
    return {field.name: _reader(hints[field.name]) for field in fields(Obligation)}


def _reader(hint: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - an annotation is any form of type
    kinds = [kind for kind in (get_args(hint) or (hint,)) if isinstance(kind, type)]
    for kind in kinds:
        if issubclass(kind, date):
            return partial(_read, kind.fromisoformat)
        if issubclass(kind, StrEnum):
            return partial(_read, kind)
    return partial(_read, _words) if Words in kinds else _as_it_is


def _read(read: Callable[[Any], Any], value: Any) -> Any:  # noqa: ANN401 - JSON to a field
    return None if value is None else read(value)


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - as above
    return value


def _words(value: Mapping[str, str]) -> Words:
    return Words(value["zh"], value["en"])
