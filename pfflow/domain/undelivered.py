"""What cannot be delivered becomes an escalation: whom it is told, once a letter, in one notice a project and day.

The owner of the relationship hears of it; the head where the owner is the one who cannot be reached, and besides the
owner where the letter was itself an escalation. A notice of this kind that fails is told to the head, and then to
nobody, so it cannot go round in a circle. Whatever is told to nobody stays a finding of every sweep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pfflow.domain.audience import contacts_at, owner_of, parties_in, party_words
from pfflow.domain.business_days import add_business_days, wall_instant
from pfflow.domain.channels import ROOM
from pfflow.domain.drafting import Draft
from pfflow.domain.ladder import Action, Rung, Step, action_in
from pfflow.domain.letter_context import letter_context
from pfflow.domain.notices import Notice, notice_key
from pfflow.domain.obligations import Obligation, ObligationKind, derived_key
from pfflow.domain.parties import Contact, Level
from pfflow.domain.trouble import WHY, Undelivered, summary, too_long, unreachable
from pfflow.domain.words import NO_WORDS, Json, Words

SUBJECT = "undelivered"
"""The subject of the conclusion that says which letters were told of, since when each had failed, and to whom."""
TEMPLATE = "communication/undeliverable"
RUNG = "escalate-undelivered"
_A_ROOM = Words("群聊", "chat room")
LISTED = 20
"""How many letters one notice names; it says how many more there are."""


def tell_undelivered(draft: Draft) -> None:
    """Tell people of the letters that failed, and of those our own fault keeps back for too long."""
    known = too_long(draft.dossier.held.undelivered, draft.as_of)
    if not known:
        return
    said = summary(known)
    draft.find("undelivered", draft.dossier.project.project_ref, said.zh, said.en)
    before = draft.concluded(SUBJECT)
    told = _told(before)
    news = [one for one in known if told.get(one.key, {}).get("since") != one.since.isoformat()]
    on = draft.today.isoformat()
    if not news or before.get("on") == on:
        return
    readers = {one.key: _readers(draft, one) for one in news}
    _tell(draft, news, readers)
    still = {one.key: told[one.key] for one in known if one.key in told}
    letters = still | {one.key: _entry(one, readers[one.key]) for one in news}
    draft.conclude(SUBJECT, {"on": on, "letters": letters}, "letters that did not arrive")


def _told(before: Mapping[str, Json]) -> Mapping[str, Mapping[str, Json]]:
    letters = before.get("letters")
    return {k: v for k, v in letters.items() if isinstance(v, Mapping)} if isinstance(letters, Mapping) else {}


def _entry(one: Undelivered, readers: Sequence[Contact]) -> dict[str, Json]:
    return {
        "since": one.since.isoformat(),
        "trouble": str(one.trouble),
        "contact_ref": one.contact_ref,
        "to": [contact.contact_ref for contact in readers],
    }


def _readers(draft: Draft, one: Undelivered) -> tuple[Contact, ...]:
    """Give whom one letter is told, in order of ref."""
    dossier = draft.dossier
    lost = unreachable(dossier.held.undelivered)
    heads = {c.contact_ref: c for c in _heads(draft) if c.contact_ref not in lost}
    own_notice = one.template == TEMPLATE
    if own_notice and (one.kept or one.contact_ref in heads):
        return ()
    contact = next((c for c in dossier.facts.contacts if c.contact_ref == one.contact_ref), None)
    obligation = draft.obligation(one.obligation_key)
    owner = owner_of(dossier, contact.party_ref if contact else "") or (
        owner_of(dossier, obligation.subject) if obligation else None
    )
    found = dict(heads) if own_notice or action_in(one.rung) == Action.ESCALATE else {}
    if owner is not None and owner.consent and owner.contact_ref not in lost and not own_notice:
        found[owner.contact_ref] = owner
    return tuple(sorted((found or heads).values(), key=lambda c: c.contact_ref))


def _heads(draft: Draft) -> tuple[Contact, ...]:
    dossier = draft.dossier
    parties = parties_in(dossier, dossier.playbook.house.head, draft.today)
    return contacts_at([c for c in dossier.facts.contacts if c.consent], parties, Level.WORKING)


def _tell(draft: Draft, news: Sequence[Undelivered], readers: Mapping[str, Sequence[Contact]]) -> None:
    obligation = _obligation(draft)
    step = Step(Rung.model_validate({"at": "0bd", "do": "escalate", "to": "owner"}), RUNG, draft.as_of)
    for ref in sorted({contact.contact_ref for some in readers.values() for contact in some}):
        theirs = [one for one in news if ref in {contact.contact_ref for contact in readers[one.key]}]
        context = letter_context(draft, obligation, step, None) | {"details": _details(draft, theirs)}
        draft.post(
            Notice(
                key=notice_key(obligation.key, RUNG, ref),
                project_ref=obligation.project_ref,
                obligation_key=obligation.key,
                rung=RUNG,
                contact_ref=ref,
                template=TEMPLATE,
                noticed_at=draft.as_of,
                context=context,
            )
        )


def _obligation(draft: Draft) -> Obligation:
    """Give what the notice is about, as its templates read it; it is owed by the end of the next business day.

    It is kept nowhere: what is owed stays owed under the obligations whose letters failed.
    """
    playbook = draft.dossier.playbook
    due_on = add_business_days(draft.today, 1, draft.dossier.calendar)
    return Obligation(
        key=derived_key(draft.dossier.project.project_ref, SUBJECT, draft.today.isoformat()),
        project_ref=draft.dossier.project.project_ref,
        stage=draft.stage,
        kind=ObligationKind.ACTION,
        title=Words("未送达的函件", "Letters that did not arrive"),
        due_at=wall_instant(due_on, playbook.hours.closes, playbook.zone),
        due_on=due_on,
        unadjusted_on=due_on,
        timezone=playbook.timezone,
        ladder="",
    )


def _details(draft: Draft, theirs: Sequence[Undelivered]) -> dict[str, Json]:
    failed, kept = [one for one in theirs if not one.kept], [one for one in theirs if one.kept]
    shown = (failed + kept)[:LISTED]
    return {
        "failed": len(failed),
        "kept": len(kept),
        "more": len(theirs) - len(shown),
        "letters": [_letter(draft, one) for one in shown],
    }


def _letter(draft: Draft, one: Undelivered) -> dict[str, Json]:
    dossier = draft.dossier
    contact = next((c for c in dossier.facts.contacts if c.contact_ref == one.contact_ref), None)
    party = next((p for p in dossier.facts.parties if contact and p.party_ref == contact.party_ref), None)
    obligation = draft.obligation(one.obligation_key)
    room = one.contact_ref.partition(".")[2] if one.contact_ref.startswith(f"{ROOM}.") else ""
    return {
        "what": (obligation.title if obligation else Words(one.obligation_key, one.obligation_key)).as_json(),
        "action": action_in(one.rung),
        "to": _room_words(draft, room).as_json() if room else contact.name if contact else one.contact_ref,
        "ref": room or one.contact_ref,
        "party": (_A_ROOM if room else party_words(party) if party else NO_WORDS).as_json(),
        "why": WHY[one.trouble].as_json(),
        "kept": one.kept,
        "since": one.since.astimezone(draft.dossier.playbook.zone).date().isoformat(),
        "reference": one.obligation_key,
    }


def _room_words(draft: Draft, room: str) -> Words:
    """Give what a chat room is called; one that has left the playbook goes by its name."""
    known = draft.dossier.playbook.rooms.get(room)
    return known.title.words if known else Words(room, room)
