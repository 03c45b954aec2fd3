"""Holding a project while a stage decides for it, and recording what it decided, in one transaction.

The row lock is the whole of it: no lease, no clock, nothing to clean up after a process that died (decision 0002). A
stage decides for a project once for an instant and a version of the facts. Facts raise the version; what stages write
does not, so a stage that runs twice at one instant is `unchanged` the second time, and each stage sees what the others
recorded before it, since its mark is its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update
from sqlalchemy.exc import OperationalError

from pfflow.domain.decision import Basis, Conclusion, Decision, Holdings
from pfflow.domain.facts import Facts
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.ladder import Firing
from pfflow.domain.obligations import Obligation
from pfflow.domain.recording import Mark, mismatch, named, news, why_not_held
from pfflow.domain.words import Stage, Words
from pfflow.ports import NotHeld, Recorded
from pfflow.store import calendars, chain, decisions, opt_outs, outbox, settled_plans
from pfflow.store.engine import gave_up_waiting, uninterrupted
from pfflow.store.errors import DecisionMismatchError, UnknownProjectError
from pfflow.store.fact_reads import facts_of
from pfflow.store.kept_facts import KeptFacts
from pfflow.store.statements import bulk_insert, bulk_upsert, insert_missing, table_of, upsert
from pfflow.store.tables import ConclusionRow, FiringRow, LedgerHeadRow, ObligationRow, ProjectHeadRow, StageMarkRow

_FIRING = tuple(field.name for field in fields(Firing))
_CONCLUSION = tuple(field.name for field in fields(Conclusion))
_TITLES = {"title_zh": "title.zh", "title_en": "title.en"}
_OBLIGATION = tuple(_TITLES.get(column.name, column.name) for column in table_of(ObligationRow).columns)
"""The attribute of an obligation that each column holds."""


@dataclass(slots=True)
class HeldProject:
    """A project held for one stage at one instant. One decision may be recorded under it."""

    connection: Connection = field(repr=False)
    stage: Stage
    as_of: datetime
    version: int
    holdings: Holdings
    _recorded: bool = False

    def record(self, decision: Decision) -> Recorded:
        """Write the decision down, its mark included even when it is quiet; gives what was not there before.

        Raises DecisionMismatchError for a decision of another project, stage or instant, or a second one.
        """
        self._refuse_mismatch(decision)
        self._recorded = True
        ref, held, connection = self.holdings.project.project_ref, self.holdings, self.connection
        new = news(held, decision)
        write_obligations(connection, new.obligations, held.obligations)
        insert_missing(
            connection, table_of(FiringRow), [_columns(_FIRING, one) | {"project_ref": ref} for one in new.firings]
        )
        upsert(
            connection,
            table_of(ConclusionRow),
            [_columns(_CONCLUSION, one) | {"project_ref": ref} for one in new.conclusions],
        )
        if decision.calendar is not None:
            calendars.keep_edition(connection, decision.calendar)
        notices = outbox.post(connection, decision.notices)
        entries = chain.append(connection, {ref: decision.entries})
        if decision.basis is not None and not decision.quiet:
            self._keep(decision.basis, new.obligations, entries)
        if not entries and (new.obligations or new.firings):
            settled_plans.forget(connection, ref)  # the ledger's head does not say that something is owed otherwise
        self._mark(ref)
        return Recorded(obligations=len(new.obligations), firings=len(new.firings), notices=notices, entries=entries)

    def ledger(self) -> str:
        """Give the digest of the head of the project's ledger, with what was recorded under this hold."""
        mine = LedgerHeadRow.project_ref == self.holdings.project.project_ref
        return str(self.connection.execute(select(LedgerHeadRow.digest).where(mine)).scalar_one())

    def _refuse_mismatch(self, decision: Decision) -> None:
        hold = (self.holdings.project.project_ref, self.stage, self.as_of)
        wrong = mismatch(*hold, decision)
        if not wrong and self._recorded:
            wrong = f"a decision of {named(*hold)} is recorded already under this hold"
        if wrong:
            raise DecisionMismatchError(wrong)

    def _keep(self, basis: Basis, written: Sequence[Obligation], entries: int) -> None:
        before = self.holdings.obligations
        calendars.keep_edition(self.connection, basis.calendar)
        decisions.keep(
            self.connection,
            self.holdings.project.project_ref,
            self.stage,
            self.as_of,
            basis,
            version=self.version,
            entries=entries,
            marks=self.holdings.decided_to,
            changed=((before[now.key], now) for now in written if now.key in before),
        )

    def _mark(self, project_ref: str) -> None:
        mark = {
            "project_ref": project_ref,
            "stage": self.stage,
            "decided_to": self.as_of,
            "decided_version": self.version,
        }
        upsert(self.connection, table_of(StageMarkRow), [mark])
        if self.holdings.engaged_at is None:
            this = ProjectHeadRow.project_ref == project_ref
            self.connection.execute(update(table_of(ProjectHeadRow)).where(this).values(engaged_at=self.as_of))


@contextmanager
def deciding(
    engine: Engine, kept: KeptFacts, project_ref: str, stage: Stage, as_of: datetime, *, again: bool = False
) -> Iterator[HeldProject | NotHeld]:
    """Hold a project for a stage at an instant; the transaction ends with the hold, rolled back on an exception.

    Raises UnknownProjectError. Waits for nobody on PostgreSQL; on SQLite for the one writer, up to the busy timeout.
    """
    with engine.connect() as connection:
        try:
            transaction = connection.begin()
        except OperationalError as error:
            if not gave_up_waiting(error):
                raise
            yield NotHeld("busy")
            return
        with uninterrupted(), transaction:
            yield _held(connection, kept, project_ref, stage, as_of, again=again)


def holdings_of(
    connection: Connection, facts: Facts, engaged_at: datetime | None, holiday_lists: tuple[HouseList, ...]
) -> Holdings:
    """Give all that is held on the project that the facts are of, with the house's holiday lists."""
    project_ref = facts.projects[0].project_ref
    of_conclusions = select(ConclusionRow.__table__).where(ConclusionRow.project_ref == project_ref)
    conclusions = [_value(Conclusion, _CONCLUSION, row) for row in connection.execute(of_conclusions)]
    conclusions.sort(key=lambda one: (one.stage, one.subject))
    firings = firings_where(connection, FiringRow.project_ref == project_ref)
    return Holdings(
        project=facts.projects[0],
        facts=facts,
        obligations={one.key: one for one in obligations_where(connection, ObligationRow.project_ref == project_ref)},
        firings={(one.obligation_key, one.rung): one for one in firings},
        conclusions={(one.stage, one.subject): one for one in conclusions},
        engaged_at=engaged_at,
        decided_to=_decided_to(connection, project_ref),
        holiday_lists=holiday_lists,
        undelivered=outbox.undelivered(connection, project_ref),
        opt_outs=opt_outs.opt_outs(connection, (contact.contact_ref for contact in facts.contacts)),
    )


def _decided_to(connection: Connection, project_ref: str) -> dict[Stage, datetime]:
    of_project = select(StageMarkRow.stage, StageMarkRow.decided_to).where(StageMarkRow.project_ref == project_ref)
    return dict(connection.execute(of_project).tuples().all())


def write_obligations(connection: Connection, obligations: Sequence[Obligation], there: Collection[str] = ()) -> None:
    """Insert obligations, or put them in the place of those with their keys, which are `there`."""
    table = table_of(ObligationRow)
    new = [one for one in obligations if one.key not in there] if there else obligations
    bulk_insert(connection, table, _OBLIGATION).execute(connection, new)
    if len(new) < len(obligations):
        changed = [one for one in obligations if one.key in there]
        bulk_upsert(connection, table, _OBLIGATION).execute(connection, changed)


def obligations_where(connection: Connection, *conditions: Any) -> tuple[Obligation, ...]:  # noqa: ANN401 - SQL conditions
    """Give the obligations that meet the conditions, in order of due instant and key."""
    rows = connection.execute(select(ObligationRow.__table__).where(*conditions))
    return tuple(sorted((_obligation(row) for row in rows), key=lambda one: (one.due_at, one.key)))


def firings_where(connection: Connection, *conditions: Any) -> tuple[Firing, ...]:  # noqa: ANN401 - SQL conditions
    """Give the firings that meet the conditions, in order of instant, obligation and rung."""
    rows = connection.execute(select(FiringRow.__table__).where(*conditions))
    found = (_value(Firing, _FIRING, row) for row in rows)
    return tuple(sorted(found, key=lambda one: (one.fired_at, one.obligation_key, one.rung)))


def _held(
    connection: Connection, kept: KeptFacts, project_ref: str, stage: Stage, as_of: datetime, *, again: bool
) -> HeldProject | NotHeld:
    head = select(ProjectHeadRow.version, ProjectHeadRow.engaged_at).where(ProjectHeadRow.project_ref == project_ref)
    row = connection.execute(head.with_for_update(skip_locked=True)).first()
    if row is None:
        if connection.execute(head).first() is None:
            raise UnknownProjectError(project_ref)
        return NotHeld("busy")
    version, engaged_at = row
    of_stage = select(StageMarkRow.decided_to, StageMarkRow.decided_version).where(
        StageMarkRow.project_ref == project_ref, StageMarkRow.stage == stage
    )
    mark = connection.execute(of_stage).first()
    not_held = why_not_held(Mark(*mark) if mark else None, as_of, version, again=again)
    if not_held:
        return NotHeld(not_held, mark.decided_to if mark is not None and not_held == "past" else None)
    facts = kept.of(project_ref, version, lambda: facts_of(connection, project_ref))
    return HeldProject(
        connection, stage, as_of, version, holdings_of(connection, facts, engaged_at, kept.lists.of(connection))
    )


def _obligation(row: Row[Any]) -> Obligation:
    columns = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    columns["climbing"] = columns["climbing"] or {}  # what was open before ladders were kept has none
    return Obligation(title=Words(columns.pop("title_zh"), columns.pop("title_en")), **columns)


def _columns(names: Iterable[str], value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}


def _value(kind: type[Any], names: Iterable[str], row: Row[Any]) -> Any:  # noqa: ANN401 - gives one of `kind`
    return kind(**{name: row._mapping[name] for name in names})  # noqa: SLF001 - as above
