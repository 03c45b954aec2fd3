"""The command that writes a calendar file of what a person, a party or a project owes and attends."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pfflow.cli.console import WRONG_CALL, counted, known_projects, refuse

if TYPE_CHECKING:
    from pfflow.delivery.feeds import FeedEntry
    from pfflow.domain.facts import Facts
    from pfflow.domain.parties import Contact, Party
    from pfflow.domain.words import Words

_SUFFIX = ".ics"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("feed")(feed)


def feed(
    file: Annotated[Path, typer.Argument(help="The .ics file to write; one that is there is replaced.")],
    project: Annotated[list[str] | None, typer.Option("--project", help="Only this project; may be repeated.")] = None,
    party: Annotated[str, typer.Option("--party", help="Only what this party owes and attends (party_ref).")] = "",
    contact: Annotated[str, typer.Option("--contact", help="Only what concerns this person (contact_ref).")] = "",
    language: Annotated[
        str, typer.Option("--language", help="zh-CN or en; if not given the contact's own, otherwise zh-CN.")
    ] = "",
) -> None:
    """Write an .ics file of everything a person, a party or a project owes and attends."""
    from pfflow.bootstrap import opened_store, playbook_in_force
    from pfflow.delivery.feeds import feed_entries, feed_of
    from pfflow.domain.business_days import WEEKENDS_ONLY
    from pfflow.domain.decision import Dossier
    from pfflow.domain.parties import Contact
    from pfflow.domain.words import LANGUAGES, ZH
    from pfflow.settings import Settings

    if party and contact:
        raise refuse("a feed is of one reader: write --party or --contact", WRONG_CALL)
    if language and language not in LANGUAGES:
        raise refuse(f"{language!r} is no language of a feed; write {' or '.join(LANGUAGES)}", WRONG_CALL)
    if file.suffix != _SUFFIX:
        raise refuse(f"{file}: calendars open files that end in {_SUFFIX}; name it so", WRONG_CALL)
    with opened_store(Settings()) as store:
        playbook = playbook_in_force(store)
        refs = known_projects(store.project_refs(), project)
        facts = store.facts()
        reader = _reader(facts, party, contact)
        entries: list[FeedEntry] = []
        for ref in refs:
            held = store.holdings(ref)
            # Nothing is rolled here: the dates are those in the store, so no holiday list is asked.
            dossier = Dossier(held=held, playbook=playbook, calendar=WEEKENDS_ONLY, engaged_on=playbook.effective)
            entries += feed_entries(dossier, store.ledger(ref), reader)
    entries.sort(key=lambda entry: (entry.obligation.due_at, entry.obligation.key))
    of_contact = reader.language if isinstance(reader, Contact) else ZH
    written = feed_of(
        entries,
        name=_name(facts, refs if project else (), reader, playbook.house.name.words),
        language=language or (of_contact if of_contact in LANGUAGES else ZH),
        domain=playbook.house.email.rpartition("@")[2],
        of_one_project=len(project or ()) == 1,
    )
    file.write_bytes(written)
    typer.echo(f"{counted(len(entries), 'date')} in {file}")


def _reader(facts: Facts, party: str, contact: str) -> Party | Contact | None:
    if contact:
        contacts = {one.contact_ref: one for one in facts.contacts}
        if contact not in contacts:
            raise _unknown("contact", contact, contacts)
        return contacts[contact]
    if party:
        parties = {one.party_ref: one for one in facts.parties}
        if party not in parties:
            raise _unknown("party", party, parties)
        return parties[party]
    return None


def _unknown(what: str, ref: str, known: Iterable[str]) -> typer.Exit:
    near = difflib.get_close_matches(ref, list(known), n=3)
    said = f"; did you mean {', '.join(near)}?" if near else ""
    return refuse(f"no {what} {ref!r} is registered{said}")


def _name(facts: Facts, refs: Iterable[str], reader: Party | Contact | None, house: Words) -> Words:
    """Give what a calendar program calls the feed: its reader or the house, then the projects asked for."""
    from pfflow.domain.audience import party_words
    from pfflow.domain.parties import Contact
    from pfflow.domain.words import Words

    asked = set(refs)
    projects = [Words(p.name_zh or p.name, p.name) for p in facts.projects if p.project_ref in asked]
    if isinstance(reader, Contact):
        first = Words(reader.name, reader.name)
    else:
        first = house if reader is None else party_words(reader)
    parts = [*([first] if reader or not projects else []), *projects]
    return Words(" · ".join(w.zh or w.en for w in parts), " · ".join(w.en or w.zh for w in parts))
