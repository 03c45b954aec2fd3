"""The store as a model in memory: the same protocol, one dictionary a table, a transaction applied when it ends.

A test holds it equal to the store on SQLite: what a seed does on one it does on the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pfflow.domain.decision import Conclusion, Decision, Holdings
from pfflow.domain.facts import Facts, Interaction, key_of
from pfflow.domain.ladder import Firing
from pfflow.domain.ledger import GENESIS, Entry, EntryDraft, chained
from pfflow.domain.notices import Notice
from pfflow.domain.obligations import Obligation
from pfflow.domain.parties import Contact
from pfflow.domain.trouble import Undelivered
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld, Recorded
from tests.simulation.model_outbox import ModelLetter, ModelOutbox


@dataclass(slots=True)
class _Project:
    facts: Facts
    version: int = 1
    engaged_at: datetime | None = None
    obligations: dict[str, Obligation] = field(default_factory=dict)
    firings: dict[tuple[str, str], Firing] = field(default_factory=dict)
    conclusions: dict[tuple[Stage, str], Conclusion] = field(default_factory=dict)
    marks: dict[Stage, tuple[datetime, int]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)


class ModelHeld:
    """A project held for one decision."""

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self.decision: Decision | None = None

    def record(self, decision: Decision) -> Recorded:
        """Keep the decision until the hold ends."""
        self.decision = decision
        return Recorded(entries=len(decision.entries), notices=len(decision.notices))


class ModelStore(ModelOutbox):
    """The book of record as dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self._projects: dict[str, _Project] = {}

    def import_facts(self, facts: Facts, at: datetime, by: str) -> int:
        """Put records in place of those with their keys; every project is touched."""
        for project in facts.projects:
            if project.project_ref not in self._projects:
                self._projects[project.project_ref] = _Project(Facts(), version=0)
        for ref, project_state in self._projects.items():
            project_state.facts = _merged(project_state.facts, _concerning(facts, ref))
            project_state.version += 1
            self._append(ref, [EntryDraft(at=at, stage="register", kind="imported", subject="facts", data={"by": by})])
        return 1

    def report_touch(self, interaction: Interaction, by: str, at: datetime) -> bool:
        """Write an interaction down once."""
        project = self._projects[interaction.project_ref]
        if any(one.ext_id == interaction.ext_id for one in project.facts.interactions):
            return False
        told = tuple(sorted((*project.facts.interactions, interaction), key=lambda one: one.ext_id))
        project.facts = replace(project.facts, interactions=told)
        project.version += 1
        subject = interaction.obligation_key or f"interaction/{interaction.ext_id}"
        data = {"ext_id": interaction.ext_id, "by": by}
        draft = EntryDraft(at=at, stage="register", kind="reported", subject=subject, data=data)
        self._append(interaction.project_ref, [draft])
        return True

    def adopt_playbook(self, _text: str, name: str, version: int, at: datetime, by: str) -> None:
        """Note in every ledger that a playbook is in force."""
        for ref, project in self._projects.items():
            project.version += 1
            draft = EntryDraft(at=at, stage="playbook", kind="adopted", subject=f"{name}/{version}", data={"by": by})
            self._append(ref, [draft])

    def project_refs(self) -> tuple[str, ...]:
        """Give all project refs in order."""
        return tuple(sorted(self._projects))

    @contextmanager
    def deciding(
        self, project_ref: str, stage: Stage, as_of: datetime, *, again: bool = False
    ) -> Iterator[ModelHeld | NotHeld]:
        """Hold a project; what is recorded is applied when the block ends without an exception."""
        project = self._projects[project_ref]
        mark = project.marks.get(stage)
        if mark is not None:
            if as_of < mark[0]:
                yield NotHeld("past")
                return
            if as_of == mark[0] and project.version == mark[1] and not again:
                yield NotHeld("unchanged")
                return
        held = ModelHeld(self.holdings(project_ref))
        yield held
        if held.decision is not None:
            self._apply(project, held.decision)

    def _apply(self, project: _Project, decision: Decision) -> None:
        project.obligations.update((one.key, one) for one in decision.obligations)
        for firing in decision.firings:
            project.firings.setdefault((firing.obligation_key, firing.rung), firing)
        project.conclusions.update(((one.stage, one.subject), one) for one in decision.conclusions)
        for notice in decision.notices:
            self._letters.setdefault(notice.key, ModelLetter(notice))
        self._append(decision.project_ref, decision.entries)
        project.marks[decision.stage] = (decision.as_of, project.version)
        project.engaged_at = project.engaged_at or decision.as_of

    def _append(self, ref: str, drafts: Iterable[EntryDraft]) -> None:
        entries = self._projects[ref].entries
        last = entries[-1].digest if entries else GENESIS
        entries += chained(ref, len(entries), last, [replace(d, at=d.at.astimezone(UTC)) for d in drafts])

    def holdings(self, project_ref: str) -> Holdings:
        """Give all that is held on a project, in the order the store gives it."""
        project = self._projects[project_ref]
        owed = sorted(project.obligations.values(), key=lambda one: (one.due_at, one.key))
        fired = sorted(project.firings.values(), key=lambda one: (one.fired_at, one.obligation_key, one.rung))
        return Holdings(
            project=project.facts.projects[0],
            facts=project.facts,
            obligations={one.key: one for one in owed},
            firings={(one.obligation_key, one.rung): one for one in fired},
            conclusions=dict(sorted(project.conclusions.items())),
            engaged_at=project.engaged_at,
            decided_to={stage: mark[0] for stage, mark in project.marks.items()},
            undelivered=self._undelivered(project_ref),
        )

    def _undelivered(self, project_ref: str) -> tuple[Undelivered, ...]:
        found = []
        for one in self._letters.values():
            if one.notice.project_ref == project_ref and one.trouble and one.troubled_at:
                names = ("key", "project_ref", "obligation_key", "rung", "contact_ref", "template")
                said = {name: getattr(one.notice, name) for name in names}
                found.append(Undelivered(**said, trouble=one.trouble, since=one.troubled_at))
        return tuple(sorted(found, key=lambda one: (one.since, one.key)))

    def _owed(self, notice: Notice) -> Obligation | None:
        return self._projects[notice.project_ref].obligations.get(notice.obligation_key)

    def _contact(self, notice: Notice) -> Contact:
        contacts = self._projects[notice.project_ref].facts.contacts
        return next(one for one in contacts if one.contact_ref == notice.contact_ref)

    def ledger(self, project_ref: str) -> tuple[Entry, ...]:
        """Give a project's entries in order."""
        return tuple(self._projects[project_ref].entries)


def _concerning(facts: Facts, ref: str) -> Facts:
    own: Mapping[str, Any] = {
        sheet: tuple(one for one in some if getattr(one, "project_ref", ref) == ref)
        for sheet, some in facts.sheets().items()
    }
    return Facts(**own)


def _merged(held: Facts, more: Facts) -> Facts:
    sheets: dict[str, Any] = {}
    for sheet, some in held.sheets().items():
        by_key = {key_of(sheet, one): one for one in (*some, *more.sheets()[sheet])}
        sheets[sheet] = tuple(by_key[key] for key in sorted(by_key))
    return Facts(**sheets)
