"""Deciding once more what was decided: the dossier as it stood, the stage as it decides, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from pfflow.bootstrap import NotReadyError, read_stored
from pfflow.cycle import STAGES, dossier_of
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.ledger import Entry, EntryDraft, canonical_json
from pfflow.domain.notices import Invitation, Notice
from pfflow.domain.obligations import Obligation
from pfflow.domain.playbook import Playbook
from pfflow.domain.replanning import replan
from pfflow.domain.reports import Report
from pfflow.domain.words import Json, Words
from pfflow.store import DecisionRecord, SqlStore, StoreError

_INVITATION: TypeAdapter[Invitation | None] = TypeAdapter(Invitation | None)
_REPORT: TypeAdapter[Report | None] = TypeAdapter(Report | None)


@dataclass(frozen=True, slots=True)
class Again:
    """A decision made once more: on what dossier, what it says now, and where that differs from what was recorded.

    `differences` is empty where it says the same; `impossible` says why it could not be made, empty where it was.
    """

    record: DecisionRecord
    dossier: Dossier | None = None
    decision: Decision | None = None
    differences: tuple[Words, ...] = ()
    impossible: Words | None = None

    @property
    def same(self) -> bool:
        """Whether the same was decided."""
        return self.impossible is None and not self.differences

    def as_json(self) -> dict[str, Json]:
        """Give the answer as JSON."""
        return {
            "decision": self.record.number,
            "same": self.same,
            "differences": [one.as_json() for one in self.differences],
            "impossible": self.impossible.as_json() if self.impossible else None,
        }


class Archive:
    """A store with what explaining reads again and again kept: ledgers, decisions, playbooks, decisions made anew."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.entries = lru_cache(maxsize=8)(store.ledger)
        self.decisions = lru_cache(maxsize=8)(store.decisions)
        self.playbook = lru_cache(maxsize=32)(self._playbook)
        self.again = lru_cache(maxsize=256)(self._again_by_number)

    def decided_again(self, record: DecisionRecord) -> Again:
        """Make a decision once more; every decision is made anew only once."""
        return self.again(record.project_ref, record.number)

    def _playbook(self, sha256: str) -> Playbook:
        stored = self.store.adopted(sha256)
        if stored is None:
            raise NotReadyError(f"no playbook with the digest {sha256[:12]} was ever adopted")
        return read_stored(stored)

    def _again_by_number(self, project_ref: str, number: int) -> Again:
        record = next(one for one in self.decisions(project_ref) if one.number == number)
        try:
            dossier = self._dossier(record)
            decision = self._decide(record, dossier)
        except (NotReadyError, StoreError) as error:
            return Again(
                record, impossible=Words(f"无法重建当时的依据：{error}", f"what it was made by is gone: {error}")
            )
        return Again(record, dossier, decision, tuple(self._differences(record, decision)))

    def _dossier(self, record: DecisionRecord) -> Dossier:
        calendar = self.store.calendar_edition(record.calendar)
        return dossier_of(self.store.holdings_before(record), self.playbook(record.playbook), calendar, record.as_of)

    def _decide(self, record: DecisionRecord, dossier: Dossier) -> Decision:
        if record.is_of_a_plan:
            before = self.playbook(record.plan_before)
            return replan(dossier, record.as_of, before=before, until=record.plan_until).decision
        return STAGES[record.stage](dossier, record.as_of)

    def _differences(self, record: DecisionRecord, decision: Decision) -> Iterator[Words]:
        written = self.entries(record.project_ref)[record.first_seq - 1 : record.last_seq]
        yield from _of_entries(written, decision.entries)
        for notice in decision.notices:
            letter = self.store.letter(notice.key)
            if letter is None or _said(letter.notice) != _said(notice):
                yield Words(f"信件 {notice.key} 与当时不同", f"the letter {notice.key} is another than was recorded")
        left = {one.key: one for one in self.store.obligations_after(record)}
        for one in decision.obligations:
            if _stored(left.get(one.key)) != _stored(one):
                yield Words(
                    f"事项 {one.key} 与当时不同", f"the obligation {one.key} is left otherwise than was recorded"
                )


def _of_entries(written: tuple[Entry, ...], drafts: tuple[EntryDraft, ...]) -> Iterator[Words]:
    before = {(one.at, one.stage, one.kind, one.subject, one.data): one.seq for one in written}
    now = {
        (d.at.astimezone(UTC).isoformat(), str(d.stage), d.kind, d.subject, canonical_json(dict(d.data))): None
        for d in drafts
    }
    for line in before.keys() - now.keys():
        yield Words(
            f"台账第 {before[line]} 条（{line[2]} {line[3]}）现在不会再写",
            f"entry {before[line]} ({line[2]} {line[3]}) would not be written now",
        )
    for line in now.keys() - before.keys():
        yield Words(f"现在会写：{line[2]} {line[3]}", f"now there would be: {line[2]} {line[3]}")


def _said(notice: Notice) -> Mapping[str, Any]:
    return {
        "context": canonical_json(dict(notice.context)),
        "invitation": _INVITATION.dump_python(notice.invitation, mode="json"),
        "report": _REPORT.dump_python(notice.report, mode="json"),
        "template": notice.template,
        "contact": notice.contact_ref,
        "at": notice.noticed_at,
    }


def _stored(obligation: Obligation | None) -> Obligation | None:
    """Give an obligation as the store keeps it: its details are JSON."""
    if obligation is None:
        return None
    return replace(obligation, details={"json": canonical_json(dict(obligation.details))})
