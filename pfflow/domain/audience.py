"""Who is meant: from a word in a rung (responsible, owner, a role …) to the contacts who are written to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pfflow.domain.decision import Dossier
from pfflow.domain.facts import RaciCode
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.parties import Contact, Level, Party
from pfflow.domain.words import NO_WORDS, Stage, Words

_LEVELS = tuple(Level)

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


def raci_of(dossier: Dossier, activity: str) -> Raci:
    """Give an activity's roles: the register's RACI rows for the project's phase go before the playbook's."""
    rows = [r for r in dossier.facts.raci if r.phase is dossier.project.phase and r.activity == activity]
    if rows:
        by_code = {code: tuple(sorted(r.role for r in rows if r.code is code)) for code in RaciCode}
        return Raci(
            accountable=by_code[RaciCode.ACCOUNTABLE],
            responsible=by_code[RaciCode.RESPONSIBLE],
            consulted=by_code[RaciCode.CONSULTED],
            informed=by_code[RaciCode.INFORMED],
        )
    defined = dossier.playbook.activities.get(activity)
    if defined is None:
        return Raci()
    return Raci((defined.accountable,), defined.responsible, defined.consulted, defined.informed)


def roles_meant(dossier: Dossier, word: str, obligation: Obligation) -> tuple[str, ...]:
    """Give the roles or party refs a word of a rung stands for; a word that is no keyword is a role itself."""
    raci = raci_of(dossier, obligation.activity)
    keywords: dict[str, tuple[str, ...]] = {
        "accountable": raci.accountable,
        "responsible": raci.responsible,
        "consulted": raci.consulted,
        "informed": raci.informed,
        "everyone": (*raci.accountable, *raci.responsible, *raci.consulted, *raci.informed),
        "head": (dossier.playbook.house.head,),
        "debtor": (obligation.debtor,) if obligation.debtor else (),
        "creditor": (obligation.creditor,) if obligation.creditor else (),
    }
    return keywords.get(word, (word,))


def parties_in(dossier: Dossier, role_or_ref: str, on: date) -> tuple[Party, ...]:
    """Give the parties that hold a role on a day, by ref; a party ref stands for that party until it leaves."""
    refs = {p.party_ref for p in dossier.facts.participations if p.role == role_or_ref and p.holds_on(on)}
    own = [p for p in dossier.facts.participations if p.party_ref == role_or_ref]
    if not refs and (not own or any(p.holds_on(on) for p in own)):
        refs = {role_or_ref}
    return tuple(party for party in sorted(dossier.facts.parties, key=lambda p: p.party_ref) if party.party_ref in refs)


def audience(dossier: Dossier, word: str, obligation: Obligation, level: Level | None, on: date) -> tuple[Contact, ...]:
    """Give the contacts a rung writes to, each address once, in order of ref; empty where there is nobody.

    Who does not consent to be contacted is written nothing. Who unsubscribed is asked no survey; what the documents
    oblige people to hear is no choice of theirs.
    """
    if word == "owner":
        owner = owner_of(dossier, obligation.subject)
        return (owner,) if owner and owner.consent else audience(dossier, "head", obligation, level, on)
    parties = [p for role in roles_meant(dossier, word, obligation) for p in parties_in(dossier, role, on)]
    optional = obligation.kind is ObligationKind.SURVEY
    contacts = tuple(c for c in dossier.facts.contacts if c.consent and not (optional and c.unsubscribed))
    return contacts_at(contacts, parties, level or Level.WORKING)


def participants(dossier: Dossier, on: date) -> tuple[Party, ...]:
    """Give the parties of the playbook's realms that take part in the project on a day, in order of ref."""
    refs = {p.party_ref for p in dossier.facts.participations if p.holds_on(on)}
    found = (p for p in dossier.facts.parties if p.party_ref in refs and p.realm in dossier.playbook.realms)
    return tuple(sorted(found, key=lambda p: p.party_ref))


def accountable_for(dossier: Dossier, obligation: Obligation, on: date) -> tuple[Contact, ...]:
    """Give every contact of the parties Accountable for an obligation's activity on a day, the leading ones first."""
    roles = raci_of(dossier, obligation.activity).accountable
    refs = {party.party_ref for role in roles for party in parties_in(dossier, role, on)}
    theirs = (contact for contact in dossier.facts.contacts if contact.party_ref in refs)
    return tuple(sorted(theirs, key=lambda c: (c.level is Level.WORKING, c.contact_ref)))


def owner_of(dossier: Dossier, party_ref: str) -> Contact | None:
    """Give the contact who owns the relationship with a party, as identification concluded; None where nobody does."""
    owner_ref = dossier.concluded(Stage.IDENTIFICATION, f"party/{party_ref}").get("owner")
    return next((c for c in dossier.facts.contacts if c.contact_ref == owner_ref), None)


def contacts_at(contacts: Sequence[Contact], parties: Iterable[Party], level: Level) -> tuple[Contact, ...]:
    """Give the parties' contacts at a level, or at the nearest level a party has; no address twice."""
    chosen: dict[str, Contact] = {}
    for party in parties:
        own = sorted((c for c in contacts if c.party_ref == party.party_ref and c.email), key=lambda c: c.contact_ref)
        wanted = _LEVELS.index(level)
        distance = min((abs(_LEVELS.index(c.level) - wanted) for c in own), default=0)
        for contact in own:
            if abs(_LEVELS.index(contact.level) - wanted) == distance:
                chosen.setdefault(contact.email.lower(), contact)
    return tuple(sorted(chosen.values(), key=lambda c: c.contact_ref))


def party_words(party: Party) -> Words:
    """Give a party's name in both languages."""
    return Words(party.name_zh or party.name, party.name or party.name_zh)


def names_of(dossier: Dossier, roles_or_refs: Iterable[str], on: date) -> Words:
    """Give the names of the parties meant, joined; a role that nobody holds is named itself."""
    names: dict[Words, None] = {}
    for role in roles_or_refs:
        found = parties_in(dossier, role, on)
        names.update(dict.fromkeys(map(party_words, found) if found else (Words(role, role),)))
    if not names:
        return NO_WORDS
    return Words("、".join(n.zh for n in names), ", ".join(n.en for n in names))
