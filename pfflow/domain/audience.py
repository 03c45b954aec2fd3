"""Who is meant: from a word in a rung (responsible, owner, a role …) to the contacts who are written to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pfflow.domain.decision import Dossier
from pfflow.domain.facts import Absence, RaciCode
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.opt_outs import OptionalLetter
from pfflow.domain.parties import Contact, Level, Party
from pfflow.domain.role_words import role_words
from pfflow.domain.words import NO_WORDS, Stage, Words

_LEVELS = tuple(Level)

_NAMED = 3
"""How many of those who are owed something are named before the rest are counted."""

AUDIENCES = frozenset(
    {"responsible", "accountable", "consulted", "informed", "everyone", "owner", "head", "debtor", "creditor"}
)
"""Whom a rung can be for without naming a role."""


@dataclass(frozen=True, slots=True)
class Raci:
    """The roles of one activity as they stand for a project in its phase."""

    accountable: tuple[str, ...] = ()
    responsible: tuple[str, ...] = ()
    consulted: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()

    def meant_by(self, word: str) -> tuple[str, ...]:
        """Give the roles of accountable, responsible, consulted or informed, or of everyone."""
        if word == "everyone":
            return (*self.accountable, *self.responsible, *self.consulted, *self.informed)
        roles: tuple[str, ...] = getattr(self, word)
        return roles


def raci_of(dossier: Dossier, activity: str) -> Raci:
    """Give an activity's roles: the register's RACI rows for the project's phase go before the playbook's."""
    registered = dossier.held.remembered(("raci", activity), lambda: _registered_raci(dossier, activity))
    if registered is not None:
        return registered
    defined = dossier.playbook.activities.get(activity)
    if defined is None:
        return Raci()
    return Raci((defined.accountable,), defined.responsible, defined.consulted, defined.informed)


def _registered_raci(dossier: Dossier, activity: str) -> Raci | None:
    rows = [r for r in dossier.facts.raci if r.phase is dossier.project.phase and r.activity == activity]
    if not rows:
        return None
    by_code = {code: tuple(sorted(r.role for r in rows if r.code is code)) for code in RaciCode}
    return Raci(
        accountable=by_code[RaciCode.ACCOUNTABLE],
        responsible=by_code[RaciCode.RESPONSIBLE],
        consulted=by_code[RaciCode.CONSULTED],
        informed=by_code[RaciCode.INFORMED],
    )


def roles_meant(dossier: Dossier, word: str, obligation: Obligation) -> tuple[str, ...]:
    """Give the roles or party refs a word of a rung stands for; a word that is no keyword is a role itself."""
    match word:
        case "accountable" | "responsible" | "consulted" | "informed" | "everyone":
            return raci_of(dossier, obligation.activity).meant_by(word)
        case "head":
            return (dossier.playbook.house.head,)
        case "debtor":
            return (obligation.debtor,) if obligation.debtor else ()
        case "creditor":
            return (obligation.creditor,) if obligation.creditor else ()
        case _:
            return (word,)


def parties_in(dossier: Dossier, role_or_ref: str, on: date) -> tuple[Party, ...]:
    """Give the parties that hold a role on a day, by ref; a party ref stands for that party until it leaves."""
    era = dossier.held.era(on)
    return dossier.held.remembered(("parties", role_or_ref, era), lambda: _parties_in(dossier, role_or_ref, on))


def _parties_in(dossier: Dossier, role_or_ref: str, on: date) -> tuple[Party, ...]:
    refs = {p.party_ref for p in dossier.facts.participations if p.role == role_or_ref and p.holds_on(on)}
    own = [p for p in dossier.facts.participations if p.party_ref == role_or_ref]
    if not refs and (not own or any(p.holds_on(on) for p in own)):
        refs = {role_or_ref}
    return tuple(party for party in sorted(dossier.facts.parties, key=lambda p: p.party_ref) if party.party_ref in refs)


@dataclass(frozen=True, slots=True)
class Readers:
    """Whom a rung reaches.

    `contacts` are written to, each address once, in order of ref. `instead_of` says for whom a reader stands in or took
    over, by the reader's ref. `elsewhere` are the parties that are reached at another level than the one asked for.
    """

    contacts: tuple[Contact, ...] = ()
    instead_of: Mapping[str, tuple[Contact, ...]] = field(default_factory=dict)
    elsewhere: tuple[tuple[Party, Level], ...] = ()


def audience(dossier: Dossier, word: str, obligation: Obligation, level: Level | None, on: date) -> tuple[Contact, ...]:
    """Give the contacts a rung writes to, each address once, in order of ref; empty where there is nobody."""
    return readers_of(dossier, word, obligation, level, on).contacts


def readers_of(dossier: Dossier, word: str, obligation: Obligation, level: Level | None, on: date) -> Readers:
    """Give whom a rung reaches on a day.

    Who does not consent to be contacted is written nothing. Who unsubscribed is asked no survey; what the documents
    oblige people to hear is no choice of theirs. Who handed the obligation over is told no more of it, and who is away
    is stood in for; where nobody does, others of the party are written to, at the next level up or else down.
    """
    if word == "owner":
        owner = owner_of(dossier, obligation.subject)
        reader = who_reads(dossier, owner, obligation, on) if owner else None
        if owner is None or reader is None:
            return readers_of(dossier, "head", obligation, level, on)
        return Readers((reader,), {reader.contact_ref: (owner,)} if reader != owner else {})
    roles = roles_meant(dossier, word, obligation)
    if obligation.handed:
        return _readers_in(dossier, roles, obligation, level, on)
    day = on if dossier.facts.absences else None
    alike = ("readers", roles, obligation.kind is ObligationKind.SURVEY, level, dossier.held.era(on), day)
    return dossier.held.remembered(alike, lambda: _readers_in(dossier, roles, obligation, level, on))


def _readers_in(
    dossier: Dossier, roles: Iterable[str], obligation: Obligation, level: Level | None, on: date
) -> Readers:
    parties = [p for role in roles for p in parties_in(dossier, role, on)]
    optional = obligation.kind is ObligationKind.SURVEY
    wanted = level or Level.WORKING
    chosen: dict[str, Contact] = {}
    instead: dict[str, list[Contact]] = {}
    elsewhere: list[tuple[Party, Level]] = []
    for party in parties:
        own = [c for c in dossier.facts.contacts if c.party_ref == party.party_ref]
        there = [
            (c, r)
            for c in own
            if (r := who_reads(dossier, c, obligation, on)) and not (optional and _asks_for_none(dossier, r))
        ]
        nearest = _nearest([c.level for c, _ in there], wanted)
        if nearest not in (None, wanted) and (level is not None or any(c.level is wanted for c in own)):
            elsewhere.append((party, nearest or wanted))
        for contact, reader in sorted(there, key=lambda pair: pair[0].contact_ref):
            if contact.level is not nearest:
                continue
            first = chosen.setdefault(reader.email.lower(), reader)
            if reader.contact_ref != contact.contact_ref:
                instead.setdefault(first.contact_ref, []).append(contact)
    own_right = {r.contact_ref for r in chosen.values()}
    return Readers(
        tuple(sorted(chosen.values(), key=lambda c: c.contact_ref)),
        {ref: tuple(dict.fromkeys(some)) for ref, some in instead.items() if ref in own_right},
        tuple(dict.fromkeys(elsewhere)),
    )


def who_reads(dossier: Dossier, contact: Contact, obligation: Obligation, on: date) -> Contact | None:
    """Give who reads what is for a contact on a day: whom it was handed over to, or who stands in; None if nobody."""
    handed = obligation.handed
    if not handed and not dossier.facts.absences:
        return contact if _can_read(contact) else None
    by_ref = contacts_by_ref(dossier)
    reader = by_ref.get(handed.get(contact.contact_ref, ""), contact)
    standing = stand_in(dossier, reader, on)
    if standing is not None and standing.contact_ref in handed:
        # Who stands in may hand over as well.
        standing = stand_in(dossier, by_ref.get(handed[standing.contact_ref], standing), on)
    return standing


def stand_in(dossier: Dossier, contact: Contact, on: date) -> Contact | None:
    """Give who stands in for a contact on a day: the contact, if not away; None where everyone of the chain is away."""
    by_ref = contacts_by_ref(dossier)
    seen: set[str] = set()
    while (absence := absence_of(dossier, contact.contact_ref, on)) is not None:
        seen.add(contact.contact_ref)
        other = by_ref.get(absence.substitute_ref)
        if other is None or other.contact_ref in seen:
            return None
        contact = other
    return contact if _can_read(contact) else None


def absence_of(dossier: Dossier, contact_ref: str, on: date) -> Absence | None:
    """Give the absence of a contact that covers a day, the one that lasts longest; None where the contact is there."""
    own = (a for a in dossier.facts.absences if a.contact_ref == contact_ref and a.covers(on))
    return max(own, key=lambda a: (a.until, a.since), default=None)


def _asks_for_none(dossier: Dossier, contact: Contact) -> bool:
    """Whether a contact wants no surveys, by the register or by a click."""
    return contact.unsubscribed or (contact.contact_ref, OptionalLetter.SURVEY) in dossier.held.opt_outs


def _can_read(contact: Contact) -> bool:
    return contact.consent and bool(contact.email)


def participants(dossier: Dossier, on: date) -> tuple[Party, ...]:
    """Give the parties of the playbook's realms that take part in the project on a day, in order of ref."""
    refs = {p.party_ref for p in dossier.facts.participations if p.holds_on(on)}
    found = (p for p in dossier.facts.parties if p.party_ref in refs and p.realm in dossier.playbook.realms)
    return tuple(sorted(found, key=lambda p: p.party_ref))


def accountable_for(dossier: Dossier, obligation: Obligation, on: date) -> tuple[Contact, ...]:
    """Give every contact of the parties Accountable for an obligation's activity on a day, the leading ones first.

    Who stands in for one of them that is away may answer for them.
    """
    roles = raci_of(dossier, obligation.activity).accountable
    refs = {party.party_ref for role in roles for party in parties_in(dossier, role, on)}
    theirs = [contact for contact in dossier.facts.contacts if contact.party_ref in refs]
    standing = (stand_in(dossier, c, on) for c in theirs if absence_of(dossier, c.contact_ref, on))
    everyone = dict.fromkeys((*theirs, *(c for c in standing if c is not None)))
    return tuple(sorted(everyone, key=lambda c: (c.level is Level.WORKING, c.contact_ref)))


def owner_of(dossier: Dossier, party_ref: str) -> Contact | None:
    """Give the contact who owns the relationship with a party, as identification concluded; None where nobody does."""
    owner_ref = dossier.concluded(Stage.IDENTIFICATION, f"party/{party_ref}").get("owner")
    return contacts_by_ref(dossier).get(str(owner_ref or ""))


def contacts_at(contacts: Sequence[Contact], parties: Iterable[Party], level: Level) -> tuple[Contact, ...]:
    """Give the parties' contacts at a level, or at the nearest level a party has; no address twice."""
    chosen: dict[str, Contact] = {}
    for party in parties:
        own = sorted((c for c in contacts if c.party_ref == party.party_ref and c.email), key=lambda c: c.contact_ref)
        nearest = _nearest([c.level for c in own], level)
        for contact in own:
            if contact.level is nearest:
                chosen.setdefault(contact.email.lower(), contact)
    return tuple(sorted(chosen.values(), key=lambda c: c.contact_ref))


def _nearest(levels: Iterable[Level], wanted: Level) -> Level | None:
    """Give the level nearest to the one wanted; of two as near the upper one, since what climbs climbs up."""
    rank = _LEVELS.index(wanted)
    return min(levels, key=lambda one: (abs(_LEVELS.index(one) - rank), -_LEVELS.index(one)), default=None)


def contacts_by_ref(dossier: Dossier) -> Mapping[str, Contact]:
    """Give everyone the project knows by contact_ref."""
    return dossier.held.remembered("contacts by ref", lambda: {c.contact_ref: c for c in dossier.facts.contacts})


def party_words(party: Party) -> Words:
    """Give a party's name in both languages."""
    return Words(party.name_zh or party.name, party.name or party.name_zh)


def names_of(dossier: Dossier, roles_or_refs: Iterable[str], on: date, most: int | None = None) -> Words:
    """Give the names of the parties meant, joined; a role that nobody holds is named by its own words.

    Of more than `most` the first are named, and the rest counted.
    """
    refs, era = tuple(roles_or_refs), dossier.held.era(on)
    return dossier.held.remembered(("names", refs, most, era), lambda: _names_of(dossier, refs, on, most))


def _names_of(dossier: Dossier, refs: Iterable[str], on: date, most: int | None) -> Words:
    names: dict[Words, None] = {}
    for role in refs:
        found = parties_in(dossier, role, on)
        names.update(dict.fromkeys(map(party_words, found) if found else (role_words(dossier.playbook, role),)))
    if not names:
        return NO_WORDS
    shown = list(names) if most is None or len(names) <= most + 1 else list(names)[:most]
    zh, en = "、".join(n.zh for n in shown), ", ".join(n.en for n in shown)
    rest = len(names) - len(shown)
    return Words(f"{zh}等{len(names)}方", f"{en} and {rest} others") if rest else Words(zh, en)


def creditors(dossier: Dossier, obligation: Obligation, on: date) -> Words:
    """Give the names of those to whom something is owed: its creditor, or all who are informed where that is the first.

    Of many the first are named, and the rest counted.
    """
    informed = raci_of(dossier, obligation.activity).informed if obligation.activity else ()
    own = (obligation.creditor,) if obligation.creditor else ()
    return names_of(dossier, informed if obligation.creditor in informed else own, on, _NAMED)
