"""Standing again where a decision stood: what was held on a project just before it, from tables and ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from pfflow.domain.decision import Conclusion, Holdings
from pfflow.domain.ladder import Firing
from pfflow.domain.ledger import Entry
from pfflow.domain.obligations import Obligation
from pfflow.domain.trouble import Trouble, Undelivered
from pfflow.domain.words import Stage
from pfflow.store import chain, outbox
from pfflow.store.decisions import MARKS, DecisionRecord, as_before, decisions_of
from pfflow.store.fact_history import facts_before
from pfflow.store.holding import firings_where, obligations_where
from pfflow.store.statements import batches, table_of
from pfflow.store.tables import FiringRow, LetterRow, ObligationRow, ProjectHeadRow

_FIRED = frozenset({"fired", "skipped", "merged", "heard", "told"})


def holdings_before(connection: Connection, decision: DecisionRecord) -> Holdings:
    """Give what was held on a project just before a decision; a calendar's own lists are left out, its edition is kept.

    Raises UnknownProjectError.
    """
    ref = decision.project_ref
    entries = chain.entries_of(connection, ref)
    earlier, later = entries[: decision.first_seq - 1], entries[decision.first_seq - 1 :]
    facts = facts_before(connection, ref, later)
    of_project = FiringRow.project_ref == ref
    engaged_at = connection.execute(select(ProjectHeadRow.engaged_at).where(ProjectHeadRow.project_ref == ref)).scalar()
    return Holdings(
        project=facts.projects[0],
        facts=facts,
        obligations={one.key: one for one in obligations_before(connection, decision, later)},
        firings={(one.obligation_key, one.rung): one for one in _before(firings_where(connection, of_project), later)},
        conclusions={(one.stage, one.subject): one for one in _concluded(earlier)},
        decided_to={
            Stage(stage): datetime.fromisoformat(str(to)) for stage, to in decision.before.get(MARKS, {}).items()
        },
        engaged_at=engaged_at if engaged_at is not None and engaged_at <= decision.as_of else None,
        undelivered=_undelivered(connection, earlier),
    )


def obligations_before(
    connection: Connection, decision: DecisionRecord, later: Sequence[Entry]
) -> tuple[Obligation, ...]:
    """Give a project's obligations just before a decision, in order of due instant and key."""
    new = {entry.subject for entry in later if entry.kind == "planned"}
    held = obligations_where(connection, ObligationRow.project_ref == decision.project_ref)
    stood = {one.key: one for one in held if one.key not in new}
    for one in reversed(decisions_of(connection, decision.project_ref, after=decision.number - 1)):
        for key, before in one.before.items():
            if key in stood:
                stood[key] = as_before(stood[key], before)
    return tuple(sorted(stood.values(), key=lambda one: (one.due_at, one.key)))


def obligations_after(connection: Connection, decision: DecisionRecord) -> tuple[Obligation, ...]:
    """Give a project's obligations as a decision left them."""
    later = decisions_of(connection, decision.project_ref, after=decision.number)
    if not later:
        return obligations_where(connection, ObligationRow.project_ref == decision.project_ref)
    since = chain.entries_of(connection, decision.project_ref)[later[0].first_seq - 1 :]
    return obligations_before(connection, later[0], since)


def _undelivered(connection: Connection, entries: Iterable[Entry]) -> tuple[Undelivered, ...]:
    """Give the letters that stood failed; what our own fault kept back meanwhile has no entry, and is not known."""
    failed: dict[str, Entry] = {}
    for entry in entries:
        if entry.stage == outbox.DELIVERY:
            failed.pop(entry.subject, None)
            if entry.kind == outbox.FAILED:
                failed[entry.subject] = entry
    names = ("key", "project_ref", "obligation_key", "rung", "contact_ref", "template")
    found = []
    for batch in batches(sorted(failed)):
        columns = (table_of(LetterRow).c[name] for name in names)
        for row in connection.execute(select(*columns).where(LetterRow.key.in_(batch))):
            entry = failed[row.key]
            trouble = Trouble(json.loads(entry.data).get("trouble", Trouble.UNKNOWN))
            since = datetime.fromisoformat(entry.at)
            found.append(Undelivered(**dict(zip(names, row, strict=True)), trouble=trouble, since=since))
    return tuple(sorted(found, key=lambda one: (one.since, one.key)))


def _before(firings: Iterable[Firing], later: Sequence[Entry]) -> list[Firing]:
    since = {entry.subject for entry in later if entry.kind in _FIRED}
    return [one for one in firings if f"{one.obligation_key}/{one.rung}" not in since]


def _concluded(entries: Iterable[Entry]) -> list[Conclusion]:
    last = {(Stage(entry.stage), entry.subject): entry for entry in entries if entry.kind == "concluded"}
    found = []
    for (stage, subject), entry in last.items():
        said = json.loads(entry.data)
        found.append(
            Conclusion(
                stage=stage,
                subject=subject,
                value=said["value"],
                because=said["because"],
                concluded_at=datetime.fromisoformat(entry.at),
            )
        )
    return sorted(found, key=lambda one: (one.stage, one.subject))
