"""Whom a change is told to, and how: iTIP updates and cancellations (RFC 5546) to exactly those who were invited.

A rung that was fired stays fired. A move that reaches people raises the sequence, and the ladder is armed anew under
names with that number; `rearm` takes out of the new round what the change itself has said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pfflow.domain.courses import courses, rungs_of
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import guests_of, invitation_to, invited_by, location_of, steps
from pfflow.domain.ladder import Action, Firing, Rung, Step, name_at
from pfflow.domain.letter_context import letter_context
from pfflow.domain.notices import Invitation, Method, Notice, notice_key
from pfflow.domain.obligations import ASKED, INVITED, Obligation, ObligationKind
from pfflow.domain.offsets import Offset
from pfflow.domain.parties import Contact
from pfflow.domain.replanning.changes import Told
from pfflow.domain.replanning.reasons import IN_LETTERS, Cause, Reason
from pfflow.domain.words import Json, Words

UPDATE, INVITATION, CANCELLATION = "communication/update", "communication/invitation", "communication/cancellation"
_HOW = {UPDATE: "update", INVITATION: "invitation", CANCELLATION: "cancellation"}
_SAID = Rung(at=Offset.parse("0bd"), do=Action.ANNOUNCE, to="everyone")
"""What a letter about a change is, to those who read letters: an announcement."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """Who of a meeting's guests stay, come new, and leave; `everyone` is whom its ladder invites in the end.

    Whoever has another address leaves with the one they were invited at, and comes with the new one.
    """

    everyone: tuple[Contact, ...] = ()
    staying: tuple[Contact, ...] = ()
    joining: tuple[Contact, ...] = ()
    leaving: tuple[Contact, ...] = ()

    @property
    def stays(self) -> bool:
        """Whether nobody comes and nobody leaves."""
        return not (self.joining or self.leaving)

    @property
    def invited_after(self) -> dict[str, str]:
        """Those who are invited afterwards, by ref, with their addresses."""
        return {contact.contact_ref: contact.email for contact in (*self.staying, *self.joining)}

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why somebody comes or leaves: the roles, or the addresses, in the register and the playbook's activities."""
        coming, going = ({contact.contact_ref for contact in some} for some in (self.joining, self.leaving))
        found = []
        if coming ^ going:
            found.append(Reason(Cause.REGISTER, Words("参会人员有变动", "who takes part changed")))
        if coming & going:
            found.append(Reason(Cause.REGISTER, Words("参会人员的邮箱有变动", "the address of a guest changed")))
        return tuple(found)


def attendance(draft: Draft, obligation: Obligation) -> Attendance:
    """Give who stays, comes and leaves of a meeting that people are invited to; of any other nobody.

    New is whom a rung that has invited already would invite today; a rung that has not will do so itself. Gone is whom
    no rung of the ladder would invite. A calendar belongs to an address, so a guest who has another one since is gone
    at the old, unless somebody else has it now, and new at the other.
    """
    refs = obligation.told(INVITED)
    rungs = rungs_of(draft.dossier.playbook, obligation)
    guests = guests_of(draft, obligation)
    if not refs or obligation.kind is not ObligationKind.MEETING or not rungs:
        return Attendance(everyone=guests, staying=guests)
    fired = {f.rung.partition("#")[0] for f in draft.firings_of(obligation.key) if f.outcome in ("fired", "merged")}
    invited = {contact.email.lower() for contact in guests}
    meant = invited_by(draft, obligation, rungs)
    called = dict(invited_by(draft, obligation, (rung for rung in rungs if rung.name in fired)))
    called |= {address: contact for address, contact in meant.items() if contact.contact_ref in refs}
    now = {contact.contact_ref: contact.email.lower() for contact in _contacts(draft, refs)}
    still = (c if now[c.contact_ref] == c.email.lower() else meant.get(c.email.lower()) for c in guests)
    return Attendance(
        everyone=_in_order(meant.values()),
        staying=tuple(c for c in still if c is not None and c.email.lower() in meant),
        joining=_in_order(contact for address, contact in called.items() if address not in invited),
        leaving=tuple(c for c in guests if c.email.lower() not in meant),
    )


def tell_changed(
    draft: Draft,
    was: Obligation,
    now: Obligation,
    guests: Attendance,
    reasons: Sequence[Reason],
    *,
    visible: bool,
) -> tuple[Told, ...]:
    """Tell a change: an update to who stays, an invitation to who comes, a cancellation to who leaves.

    Who was only asked hears of another date, and of nothing else. What is not `visible` is no news to who stays.
    """
    letters: list[tuple[Contact, str, Invitation | None]] = []
    if guests.staying or guests.joining:
        whole = invitation_to(draft, now, guests.everyone)
        letters += [(contact, UPDATE, whole) for contact in guests.staying if visible and was.told(INVITED)]
        letters += [(contact, INVITATION, whole) for contact in guests.joining]
    if visible and was.due_at != now.due_at:
        known = {contact.email.lower() for contact in (*guests_of(draft, was), *guests.staying, *guests.joining)}
        asked = (c for c in _contacts(draft, was.told(ASKED)) if c.email.lower() not in known)
        letters += [(contact, UPDATE, None) for contact in asked]
    told = _mail(draft, (was, now), f"update-{now.sequence}", letters, reasons)
    if guests.leaving:
        out = replace(invitation_to(draft, now, guests.leaving), method=Method.CANCEL, uninvites=True)
        gone = [(contact, CANCELLATION, out) for contact in guests.leaving]
        told += _mail(draft, (was, now), f"cancel-{now.sequence}", gone, guests.reasons)
    return told


def tell_cancelled(draft: Draft, was: Obligation, reasons: Sequence[Reason]) -> tuple[Told, ...]:
    """Tell a cancellation to those who were invited, as METHOD:CANCEL, and to those who were asked."""
    guests = guests_of(draft, was)
    letters: list[tuple[Contact, str, Invitation | None]] = []
    if guests:
        out = replace(invitation_to(draft, was, guests), method=Method.CANCEL)
        letters = [(contact, CANCELLATION, out) for contact in guests]
    known = {contact.email.lower() for contact in guests}
    asked = (c for c in _contacts(draft, was.told(ASKED)) if c.email.lower() not in known)
    letters += [(contact, CANCELLATION, None) for contact in asked]
    return _mail(draft, (was, was), f"cancel-{was.sequence}", letters, reasons)


def rearm(draft: Draft, was: Obligation, now: Obligation) -> None:
    """Take out of a moved obligation's new round of rungs what needs no saying again.

    Invitations that went out: the update took their place. Rungs that were taken for the old date, and reminders, whose
    instant for the new date is past: the change said it. All others are taken at their instants for the new date.
    """
    taken = {firing.rung for firing in draft.firings_of(was.key)}
    for step in steps(draft, now, courses(draft.dossier.playbook, now)):
        old = step.name.replace(name_at(step.rung, now.sequence), name_at(step.rung, was.sequence), 1)
        before = old in taken
        past = step.at <= draft.as_of
        if (before and (past or step.rung.do is Action.INVITE)) or (past and step.rung.do is Action.REMIND):
            _mark_said(draft, now.key, step)


def _mail(
    draft: Draft,
    was_now: tuple[Obligation, Obligation],
    rung: str,
    letters: Sequence[tuple[Contact, str, Invitation | None]],
    reasons: Sequence[Reason],
) -> tuple[Told, ...]:
    if not letters:
        return ()
    was, now = was_now
    name = _unused(draft, now.key, rung)
    step = Step(_SAID, name, draft.as_of)
    context = letter_context(draft, now, step, None, _in_letter(reasons))
    out = any(invitation is not None and invitation.uninvites for _, _, invitation in letters)
    context["details"] = {**_details(context), "was": _was(was), "uninvited": out}
    notices = [
        Notice(
            key=notice_key(now.key, name, contact.contact_ref),
            project_ref=now.project_ref,
            obligation_key=now.key,
            rung=name,
            contact_ref=contact.contact_ref,
            template=template,
            noticed_at=draft.as_of,
            context=context,
            invitation=invitation,
        )
        for contact, template, invitation in letters
    ]
    firing = Firing(
        obligation_key=now.key, rung=name, due_at=draft.as_of, fired_at=draft.as_of, outcome="told", because=rung
    )
    draft.fire(firing, notices)
    return tuple(
        Told(contact.contact_ref, contact.name, _HOW[template] if invitation else "notice")
        for contact, template, invitation in letters
    )


def _details(context: dict[str, Json]) -> dict[str, Json]:
    details = context["details"]
    return dict(details) if isinstance(details, dict) else {}


def _was(was: Obligation) -> Json:
    return {"due_at": was.due_at.isoformat(), "due_on": was.due_on.isoformat(), "place": location_of(was).as_json()}


def _in_letter(reasons: Sequence[Reason]) -> Words:
    said = list(dict.fromkeys(IN_LETTERS[reason.cause] for reason in reasons))
    return Words("；".join(w.zh for w in said if w.zh), "; ".join(w.en for w in said if w.en))


def _unused(draft: Draft, key: str, rung: str) -> str:
    """Give a name for this mailing that none before it had: who comes and goes raises no sequence."""
    name, number = rung, 1
    while draft.fired(key, name):
        number += 1
        name = f"{rung}/{number}"
    return name


def _mark_said(draft: Draft, key: str, step: Step) -> None:
    if not draft.fired(key, step.name):
        because = "the change itself said it"
        firing = Firing(
            obligation_key=key,
            rung=step.name,
            due_at=step.at,
            fired_at=draft.as_of,
            outcome="merged",
            because=because,
        )
        draft.fire(firing, ())


def _contacts(draft: Draft, refs: Sequence[str]) -> tuple[Contact, ...]:
    return _in_order(contact for contact in draft.dossier.facts.contacts if contact.contact_ref in refs)


def _in_order(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    return tuple(sorted(contacts, key=lambda contact: contact.contact_ref))
