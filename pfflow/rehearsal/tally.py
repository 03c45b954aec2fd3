"""What is noted while a project is lived: everything the figures need, small enough to hand from process to process."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from pfflow.domain.audience import contacts_at, contacts_by_ref, names_of, parties_in, party_words
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.ladder import Action, action_in, bare_name
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.parties import Level, Realm
from pfflow.domain.words import Words
from pfflow.rehearsal.silence import Silence, silences
from pfflow.rehearsal.world import Life

_ASKING = frozenset({Action.ANNOUNCE, Action.INVITE, Action.REQUEST, Action.REMIND})
"""What puts a date into somebody's week: being invited to it, or asked for it."""
_SHOWN = frozenset({"location", "clause_ref"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """One date of a rehearsal: the obligation as it stood at the end, without its ladders, and what became of it.

    `owner` is who would do it on its day, empty where that is nobody; `changed_at` is the instant of its last change.
    """

    obligation: Obligation
    project: Words
    debtor: Words
    creditor: Words
    owner: str
    mails: int
    escalations: int
    changed_at: datetime

    @property
    def source(self) -> str:
        """The cadence or undertaking it comes from, as its key writes it."""
        return self.obligation.key.split("/")[1]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is written to: the name, and the party the person is at."""

    name: str
    party_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one project adds to a rehearsal. Weeks are Mondays; `heard` has a bit a day, from the first day on.

    `mails` and `asked` count by contact and week; `meetings` are (contact, from, to, key).
    """

    project_ref: str
    dates: tuple[Dated, ...]
    people: Mapping[str, Person]
    parties: Mapping[str, Words]
    external: frozenset[str]
    mails: Mapping[str, Mapping[date, int]]
    asked: Mapping[str, Mapping[date, int]]
    meetings: tuple[tuple[str, datetime, datetime, str], ...]
    heard: Mapping[str, int]
    escalations: Mapping[tuple[str, int], int]
    findings: tuple[tuple[str, str, Words], ...]
    silences: tuple[Silence, ...]
    decisions: int


@lru_cache(maxsize=32768)
def week_of(day: date) -> date:
    """Give the Monday of a day's week: one value for all its days, so that what is kept by week stays small.

    >>> week_of(date(2026, 1, 1)).isoformat()
    '2025-12-29'
    """
    return day - timedelta(days=day.weekday())


@dataclass(slots=True)
class Tally:
    """Notes kept while living; `see` is shown every decision."""

    first: date
    mails: dict[str, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))
    asked: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    heard: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    escalations: Counter[tuple[str, int]] = field(default_factory=Counter)
    changed: dict[str, datetime] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    climbed: Counter[str] = field(default_factory=Counter)
    people: dict[str, Person] = field(default_factory=dict)

    def see(self, decision: Decision, dossier: Dossier) -> None:
        """Note a decision."""
        for one in decision.obligations:
            self.changed[one.key] = decision.as_of
        if not decision.notices and not decision.firings:
            return
        on = decision.as_of.astimezone(dossier.playbook.zone).date()
        week, bit = week_of(on), 1 << (on - self.first).days
        contacts = contacts_by_ref(dossier)
        for notice in decision.notices:
            ref = notice.contact_ref
            contact = contacts[ref]
            if ref not in self.people:
                self.people[ref] = Person(contact.name, contact.party_ref)
            self.mails[ref][week] += 1
            self.heard[contact.party_ref] |= bit
            self.sent[notice.obligation_key] += 1
            if action_in(notice.rung) in _ASKING:
                self.asked[ref].add(notice.obligation_key)
        for firing in decision.firings:
            if firing.outcome == "fired" and action_in(firing.rung) == Action.ESCALATE:
                self.escalations[_to_whom(firing.rung), on.year] += 1
                self.climbed[firing.obligation_key] += 1

    def part(self, life: Life, dossier: Dossier, findings: tuple[tuple[str, str, Words], ...], decisions: int) -> Part:
        """Give what was noted of a project that was lived to the end of the dossier."""
        obligations = life.index.obligations
        project = Words(life.project.name_zh or life.project.name, life.project.name)
        dates = [self._dated(one, dossier, project) for one in obligations.values()]
        dates.sort(key=lambda one: (one.obligation.due_at, one.obligation.key))
        asked: dict[str, Counter[date]] = {}
        meetings = []
        for ref, keys in self.asked.items():
            asked[ref] = Counter(week_of(obligations[key].due_on) for key in keys)
            for key in keys:
                one = obligations[key]
                if one.kind is ObligationKind.MEETING:
                    meetings.append((ref, one.due_at, one.due_at + timedelta(minutes=one.minutes), key))
        return Part(
            project_ref=life.project.project_ref,
            dates=tuple(dates),
            people=dict(self.people),
            parties={p.party_ref: party_words(p) for p in life.facts.parties},
            external=frozenset(
                p.party_ref
                for p in life.facts.parties
                if p.realm is Realm.EXTERNAL and any(t.party_ref == p.party_ref for t in life.facts.participations)
            ),
            mails={ref: dict(weeks) for ref, weeks in self.mails.items()},
            asked={ref: dict(weeks) for ref, weeks in asked.items()},
            meetings=tuple(sorted(meetings)),
            heard=dict(self.heard),
            escalations=dict(self.escalations),
            findings=findings,
            silences=silences(dossier, obligations),
            decisions=decisions,
        )

    def _dated(self, one: Obligation, dossier: Dossier, project: Words) -> Dated:
        held, era = dossier.held, dossier.held.era(one.due_on)
        debtor = held.remembered(("name", one.debtor, era), lambda: _name(dossier, one.debtor, one.due_on))
        return Dated(
            obligation=one.without_ladders({name: one.details[name] for name in _SHOWN & one.details.keys()}),
            project=project,
            debtor=debtor,
            creditor=held.remembered(("name", one.creditor, era), lambda: _name(dossier, one.creditor, one.due_on)),
            owner=held.remembered(("owner", one.debtor, era), lambda: _owner(dossier, one.debtor, one.due_on)),
            mails=self.sent[one.key],
            escalations=self.climbed[one.key],
            changed_at=self.changed[one.key],
        )


def _to_whom(step_name: str) -> str:
    """Give whom a rung is for, read from its name.

    >>> _to_whom("escalate+3bd-joint-command/2")
    'joint-command'
    """
    return bare_name(step_name).removeprefix(Action.ESCALATE).lstrip("+-").partition("-")[2]


def _name(dossier: Dossier, role_or_ref: str, on: date) -> Words:
    return names_of(dossier, (role_or_ref,) if role_or_ref else (), on)


def _owner(dossier: Dossier, role_or_ref: str, on: date) -> str:
    parties = parties_in(dossier, role_or_ref, on) if role_or_ref else ()
    contacts = [c for c in dossier.facts.contacts if c.consent]
    return next((c.name for c in contacts_at(contacts, parties, Level.WORKING)), "")
