"""Hearing: what people said of an obligation, and what it does to its ladders.

Each answer counts once, from the instant it was said. Who has to see to an obligation (its debtor, its Responsible and
Accountable, whoever its ladder escalates to) acknowledges for a whole ladder: it chases nobody until the hold ends.
Anyone else acknowledges for their own party only, and silences nobody else's ladder. Handing over makes another contact
the one who is written to; the ladder goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from zoneinfo import ZoneInfo

from pfflow.domain.audience import audience, contacts_by_ref, readers_of, stand_in
from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.courses import Course, courses
from pfflow.domain.drafting import Draft
from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.ladder import Action, Firing
from pfflow.domain.obligations import AWAITING, HANDED, Obligation, ObligationKind, Status
from pfflow.domain.offsets import Offset, offset_instant
from pfflow.domain.parties import Contact, Direction
from pfflow.domain.playbook import Hours

CHASING = frozenset({Action.REQUEST, Action.REMIND, Action.ESCALATE})
"""What an acknowledgement holds."""

_FULFILLED_BY_HEARING = frozenset({ObligationKind.NOTICE})
_ANSWERED_OTHERWISE = frozenset({ObligationKind.APPROVAL, ObligationKind.ISSUE})
"""What a word of fulfilment does not fulfil: an approver approves, and the customer confirms a solution."""
_SEES_TO_IT = ("debtor", "responsible", "accountable")


@dataclass(frozen=True, slots=True)
class Holds:
    """What is held at an instant: whole ladders by name, and parties that are chased by none of them."""

    ladders: frozenset[str] = field(default_factory=frozenset)
    parties: frozenset[str] = field(default_factory=frozenset)


def heard_mark(touch: Interaction) -> str:
    """Give the name under which it is written down that an answer was heard."""
    return f"heard-{touch.ext_id}"


def answers_to(draft: Draft, obligation: Obligation) -> tuple[Interaction, ...]:
    """Give what was said of an obligation up to `as_of`, in order of instant."""
    said = draft.dossier.held.answers_to(obligation.key)
    heard = [t for t in said if t.direction is Direction.INBOUND and t.at <= draft.as_of]
    return tuple(sorted(heard, key=attrgetter("at", "ext_id"))) if heard else ()


def hear(draft: Draft, obligation: Obligation) -> tuple[Obligation, tuple[Interaction, ...]]:
    """Apply what parties said of an obligation until now; gives it, and the hand-overs that are news."""
    handovers: list[Interaction] = []
    for touch in answers_to(draft, obligation):
        if not obligation.live or draft.fired(obligation.key, heard_mark(touch)):
            continue
        if touch.kind is Touch.HANDOVER:
            taken = _hand_over(draft, obligation, touch)
            if taken is not None:
                obligation = taken
                handovers.append(touch)
            continue
        outcome = _meaning(obligation, touch)
        if outcome is None:
            continue
        by = touch.contact_ref or touch.party_ref
        if outcome is Status.OPEN:
            obligation = _hold(draft, obligation, touch, by)
        elif outcome is Status.WAIVED and not (by and touch.outcome):
            draft.find(
                "waiver-incomplete", obligation.key, "豁免须写明何人、因何豁免", "a waiver names who waives and why"
            )
            continue
        else:
            because = touch.outcome or str(touch.kind)
            # It counts from when it was said, however late it is heard.
            obligation = draft.move(obligation, outcome, by=by, because=because, touch=touch.ext_id, at=touch.at)
        draft.fire(heard_firing(draft, obligation, touch), ())
    return obligation, tuple(handovers)


def heard_firing(draft: Draft, obligation: Obligation, touch: Interaction) -> Firing:
    """Give what is written down of an answer that was heard."""
    return Firing(
        obligation_key=obligation.key,
        rung=heard_mark(touch),
        due_at=touch.at,
        fired_at=draft.as_of,
        outcome="heard",
        because=str(touch.kind),
    )


def holds(draft: Draft, obligation: Obligation, climbed: Sequence[Course]) -> Holds:
    """Give what acknowledgements hold now, read from what was said, so that two of them do not disturb each other.

    An acknowledgement is for the ladders that chase who gives it, and for all where none does. A solution that waits
    for the customer's confirmation is held until it comes.
    """
    if obligation.details.get(AWAITING):
        return Holds(frozenset(course.name for course in climbed))
    ladders: set[str] = set()
    parties: set[str] = set()
    for touch in answers_to(draft, obligation):
        if touch.kind is not Touch.ACKNOWLEDGEMENT:
            continue
        party = party_of(draft, touch)
        for course in _concerned(draft, obligation, climbed, party):
            if moved(draft, touch.at, course.ladder.hold) <= draft.as_of:
                continue
            if not party or _sees_to(draft, obligation, course, party):
                ladders.add(course.name)
            else:
                parties.add(party)
    return Holds(frozenset(ladders), frozenset(parties))


def party_of(draft: Draft, touch: Interaction) -> str:
    """Give the party that an answer speaks for: its contact's, else the one it names; empty where nobody is named."""
    contact = contacts_by_ref(draft.dossier).get(touch.contact_ref)
    return contact.party_ref if contact else touch.party_ref


def moved(draft: Draft, instant: datetime, offset: Offset) -> datetime:
    """Give an instant moved by an offset, in the calendar and the working hours of the project."""
    playbook = draft.dossier.playbook
    return moved_in(instant, offset, playbook.hours, draft.dossier.calendar, playbook.zone)


def moved_in(instant: datetime, offset: Offset, hours: Hours, calendar: BusinessCalendar, zone: ZoneInfo) -> datetime:
    """Give an instant moved by an offset in a calendar and working hours; what counts days ends when letters go out."""
    return offset_instant(
        instant, offset, calendar, zone=zone, at=hours.letters, opens=hours.opens, closes=hours.closes
    )


def written_to(draft: Draft, obligation: Obligation) -> tuple[Contact, ...]:
    """Give everyone the ladders of an obligation write to today, in order of ref."""
    found = {
        contact.contact_ref: contact
        for course in courses(draft.dossier.playbook, obligation)
        for rung in course.ladder.rungs
        for contact in audience(draft.dossier, rung.to, obligation, rung.level, draft.today)
    }
    return tuple(contact for _, contact in sorted(found.items()))


def _hold(draft: Draft, obligation: Obligation, touch: Interaction, by: str) -> Obligation:
    party = party_of(draft, touch)
    whole: list[datetime] = []
    own: list[datetime] = []
    climbed = courses(draft.dossier.playbook, obligation)
    for course in _concerned(draft, obligation, climbed, party):
        wide = not party or _sees_to(draft, obligation, course, party)
        (whole if wide else own).append(moved(draft, touch.at, course.ladder.hold))
    if whole:
        return draft.hold(obligation, max(whole), by=by)
    if own:
        draft.enter("held", obligation.key, {"by": by, "until": max(own).isoformat(), "only": party})
    return obligation


def _concerned(draft: Draft, obligation: Obligation, climbed: Sequence[Course], party: str) -> Sequence[Course]:
    if len(climbed) < 2 or not party:
        return climbed
    return [course for course in climbed if party in _parties(draft, obligation, course, CHASING)] or climbed


def _sees_to(draft: Draft, obligation: Obligation, course: Course, party: str) -> bool:
    """Whether a party answers for an obligation, or is whom its ladder escalates to."""
    readers = (audience(draft.dossier, word, obligation, None, draft.today) for word in _SEES_TO_IT)
    if any(contact.party_ref == party for some in readers for contact in some):
        return True
    return party in _parties(draft, obligation, course, frozenset({Action.ESCALATE}))


def _parties(draft: Draft, obligation: Obligation, course: Course, actions: frozenset[Action]) -> set[str]:
    found: set[str] = set()
    for rung in course.ladder.rungs:
        if rung.do in actions:
            readers = readers_of(draft.dossier, rung.to, obligation, rung.level, draft.today)
            found.update(c.party_ref for c in readers.contacts)
            # Whose stand-in is written to is chased as well.
            found.update(c.party_ref for some in readers.instead_of.values() for c in some)
    return found


def _meaning(obligation: Obligation, touch: Interaction) -> Status | None:
    match touch.kind:
        case Touch.FULFILMENT if obligation.kind not in _ANSWERED_OTHERWISE and not _confirms(obligation):
            return Status.FULFILLED
        case Touch.MEETING if obligation.kind is ObligationKind.MEETING:
            return Status.FULFILLED
        case Touch.WAIVER if obligation.kind is not ObligationKind.APPROVAL:
            return Status.WAIVED
        case Touch.ACKNOWLEDGEMENT:
            heard = obligation.kind in _FULFILLED_BY_HEARING or obligation.details.get("part") == "response"
            return Status.FULFILLED if heard else Status.OPEN
        case _:
            return None


def _confirms(obligation: Obligation) -> bool:
    """Whether it is a customer's confirmation, which `pfflow.domain.issues` hears."""
    return obligation.details.get("part") == "confirmation"


def _hand_over(draft: Draft, obligation: Obligation, touch: Interaction) -> Obligation | None:
    """Give an obligation with another contact in the place of one; None, with a finding, where that cannot be."""
    contacts = contacts_by_ref(draft.dossier)
    by, to = contacts.get(touch.contact_ref), contacts.get(touch.to_ref)
    if by is None or to is None or by == to:
        draft.find(
            "handover-incomplete",
            obligation.key,
            f"移交须写明由谁移交给谁（{touch.contact_ref or '—'} → {touch.to_ref or '—'}），双方均须在联系人表中",
            f"a hand-over names two contacts of the register ({touch.contact_ref or '—'} → {touch.to_ref or '—'})",
        )
        return None
    if by.contact_ref not in {c.contact_ref for c in written_to(draft, obligation)} | obligation.handed.keys():
        draft.find(
            "handover-of-nothing",
            obligation.key,
            f"该事项的函件不发给 {by.contact_ref}，无可移交",
            f"{by.contact_ref} is written nothing of this, so there is nothing to hand over",
        )
        return None
    handed = {one: to.contact_ref if other == by.contact_ref else other for one, other in obligation.handed.items()}
    handed = {one: other for one, other in {**handed, by.contact_ref: to.contact_ref}.items() if one != other}
    taken = replace(obligation, details={**obligation.details, HANDED: handed})
    draft.change(taken)
    standing = stand_in(draft.dossier, to, draft.today)
    draft.enter(
        "handed-over",
        obligation.key,
        {
            "by": by.contact_ref,
            "to": to.contact_ref,
            "read_by": standing.contact_ref if standing else "",
            "touch": touch.ext_id,
        },
    )
    return taken
