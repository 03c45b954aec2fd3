"""Climbing: what becomes of an obligation's ladder at an instant. Announcing, reminding and escalating are one thing.

The rules, in order. What people said of the obligation is heard first; what is fulfilled, waived or cancelled climbs no
further. A held ladder chases nobody until its hold ends; what is ready is still sent, and who is to meet still invited.
A rung fires once. A rung whose content is not there waits, and the ladder climbs past it. A rung reached more than one
business day late does what its late policy says; of a repeated rung's firings that are due together only the last is
taken. A rung that reaches nobody goes to the head of relationship, never into silence. Nobody is told the same of an
obligation twice at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pfflow.domain.audience import audience, names_of
from pfflow.domain.business_days import business_days_between
from pfflow.domain.drafting import Draft
from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.ladder import Action, Firing, Ladder, Late, Rung, Step, action_in, bare_name, steps_of
from pfflow.domain.letter_context import letter_context, template_of
from pfflow.domain.notices import Attendee, Invitation, Method, Notice, notice_key
from pfflow.domain.obligations import ASKED, INVITED, Obligation, ObligationKind, Status
from pfflow.domain.offsets import Offset, offset_instant
from pfflow.domain.parties import Contact, Direction
from pfflow.domain.reports import Report
from pfflow.domain.words import NO_WORDS, Stage, Words


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a report cannot be made yet."""

    what: Words


Content = Callable[[Obligation], Report | Missing]
"""Gives the report an obligation owes, or what is missing for it."""

HOUSE = "pfflow"
"""Who fulfils what the house itself sends."""

_FULFILLED_BY_SENDING = frozenset({ObligationKind.REPORT, ObligationKind.OFFER})
_FULFILLED_BY_HEARING = frozenset({ObligationKind.NOTICE})
_CHASING = frozenset({Action.REQUEST, Action.REMIND, Action.ESCALATE})
"""What an acknowledgement holds."""
_TELLING = frozenset({Action.ANNOUNCE, Action.INVITE, Action.REQUEST, Action.REMIND})
"""What tells people a date that lies ahead."""
_SAID_BY = {Action.REMIND: frozenset({Action.REMIND, Action.REQUEST, Action.INVITE})}
"""What leaves an action nothing to say to whoever hears both at once; for all others it is the action itself."""


def nothing_to_send(obligation: Obligation) -> Missing:
    """Say that the house makes no report for this obligation; its debtor delivers it."""
    if obligation.kind is ObligationKind.NOTICE:
        return Missing(NO_WORDS)
    return Missing(Words(f"尚未收到{obligation.title.zh}", f"{obligation.title.en} has not been received"))


def climb(draft: Draft, content: Content = nothing_to_send) -> None:
    """Hear what was said of a stage's live obligations, then take every step of their ladders that is reached."""
    for obligation in draft.live():
        if obligation.ladder not in draft.dossier.playbook.ladders:
            draft.find(
                "no-ladder",
                obligation.key,
                f"规则手册中已没有阶梯 {obligation.ladder}；该事项无人跟进",
                f"the playbook has no ladder {obligation.ladder} any more, so nobody follows this up",
            )
            continue
        heard = hear(draft, obligation)
        if heard.live:
            _take_steps(draft, heard, content)


def hear(draft: Draft, obligation: Obligation) -> Obligation:
    """Apply what parties said of an obligation until now: fulfilment, waiver, acknowledgement. Each counts once."""
    for touch in answers_to(draft, obligation):
        mark = f"heard-{touch.ext_id}"
        if not obligation.live or draft.fired(obligation.key, mark):
            continue
        by = touch.contact_ref or touch.party_ref
        outcome = _meaning(obligation, touch)
        if outcome is None:
            continue
        if outcome is Status.OPEN:
            obligation = draft.hold(obligation, _held_until(draft, obligation, touch.at), by=by)
        elif outcome is Status.WAIVED and not (by and touch.outcome):
            draft.find(
                "waiver-incomplete", obligation.key, "豁免须写明何人、因何豁免", "a waiver names who waives and why"
            )
            continue
        else:
            because = touch.outcome or str(touch.kind)
            # It counts from when it was said, however late it is heard.
            obligation = draft.move(obligation, outcome, by=by, because=because, touch=touch.ext_id, at=touch.at)
        draft.fire(
            Firing(
                obligation_key=obligation.key,
                rung=mark,
                due_at=touch.at,
                fired_at=draft.as_of,
                outcome="heard",
                because=str(touch.kind),
            ),
            (),
        )
    return obligation


def answers_to(draft: Draft, obligation: Obligation) -> tuple[Interaction, ...]:
    """Give what was said of an obligation up to `as_of`, in order of instant."""
    said = (
        t
        for t in draft.dossier.facts.interactions
        if t.obligation_key == obligation.key and t.direction is Direction.INBOUND and t.at <= draft.as_of
    )
    return tuple(sorted(said, key=lambda t: (t.at, t.ext_id)))


def _meaning(obligation: Obligation, touch: Interaction) -> Status | None:
    match touch.kind:
        case Touch.FULFILMENT if obligation.kind is not ObligationKind.APPROVAL:
            return Status.FULFILLED
        case Touch.MEETING if obligation.kind is ObligationKind.MEETING:
            return Status.FULFILLED
        case Touch.WAIVER if obligation.kind is not ObligationKind.APPROVAL:
            return Status.WAIVED
        case Touch.ACKNOWLEDGEMENT:
            return Status.FULFILLED if obligation.kind in _FULFILLED_BY_HEARING else Status.OPEN
        case _:
            return None


def _held_until(draft: Draft, obligation: Obligation, at: datetime) -> datetime:
    return _moved(draft, at, draft.dossier.playbook.ladders[obligation.ladder].hold)


def _moved(draft: Draft, instant: datetime, offset: Offset) -> datetime:
    playbook = draft.dossier.playbook
    hours = playbook.hours
    return offset_instant(
        instant,
        offset,
        draft.dossier.calendar,
        zone=playbook.zone,
        at=hours.letters,
        opens=hours.opens,
        closes=hours.closes,
    )


def steps(draft: Draft, obligation: Obligation, ladder: Ladder) -> tuple[Step, ...]:
    """Give the steps of a ladder in the order they are reached: all up to `as_of`, and the first one after it."""
    found: list[Step] = []
    for rung in ladder.rungs:
        first = _moved(draft, obligation.due_at, rung.at) + _grace(obligation, rung)
        for step in steps_of(rung, first, _repeats(draft, rung, first), obligation.sequence):
            found.append(step)
            if step.at > draft.as_of:
                break
    return tuple(sorted(found, key=lambda s: s.at))


def _grace(obligation: Obligation, rung: Rung) -> timedelta:
    """Give how much later escalating begins: the days of grace the documents allow."""
    return timedelta(days=int(str(obligation.details.get("grace_days", 0))) if rung.do is Action.ESCALATE else 0)


def _repeats(draft: Draft, rung: Rung, first: datetime) -> Iterator[datetime]:
    at = first
    while rung.repeat is not None:
        at = _moved(draft, at, rung.repeat)
        yield at


def _take_steps(draft: Draft, obligation: Obligation, content: Content) -> None:
    held = obligation.held_until is not None and obligation.held_until > draft.as_of
    ladder = draft.dossier.playbook.ladders[obligation.ladder]
    ahead = steps(draft, obligation, ladder)
    reached = (s for s in ahead if s.at <= draft.as_of and not (held and s.rung.do in _CHASING))
    pending = [s for s in reached if not draft.fired(obligation.key, s.name)]
    for number, step in enumerate(pending):
        if not obligation.live:
            return
        stale = _said_before(draft, obligation, step, ladder) or _stale(draft, obligation, step, pending[number + 1 :])
        if stale:
            outcome, because = stale
            _mark(draft, obligation, step, outcome, because)
            continue
        following = next((s for s in ahead if s.at > draft.as_of and s.rung.do is not Action.SEND), None)
        obligation = _fire(draft, obligation, step, following, content)


def _said_before(draft: Draft, obligation: Obligation, step: Step, ladder: Ladder) -> tuple[str, str] | None:
    """Give that a step was taken under another name: a change of a rung's offset must not say the same thing twice.

    A fired rung that the ladder no longer has stands for one rung of the same action and audience that it has now.
    """
    current = {rung.name for rung in ladder.rungs}
    same = [rung.name for rung in ladder.rungs if (rung.do, rung.to) == (step.rung.do, step.rung.to)]
    gone = [
        firing.rung
        for firing in draft.firings_of(obligation.key)
        if firing.outcome == "fired"
        and action_in(firing.rung) == step.rung.do
        and bare_name(firing.rung) not in current
        and bare_name(firing.rung).endswith(f"-{step.rung.to}")
    ]
    stood_for = [name for name in same if not draft.fired(obligation.key, name)]
    if step.name == step.rung.name and step.name in stood_for[: len(gone)]:
        return "merged", f"said before, by {gone[0]} of an earlier playbook"
    return None


def _stale(draft: Draft, obligation: Obligation, step: Step, later: Sequence[Step]) -> tuple[str, str] | None:
    """Give what becomes of a step that came too late to be taken, and why; None where it is taken."""
    if any(s.rung is step.rung for s in later):
        return "merged", "into its own repetition, due by now"
    if obligation.due_at <= draft.as_of and (over := _over(draft, obligation, step)):
        return "skipped", over
    late_days = _late_days(draft, step)
    if late_days <= 1:
        return None
    if step.rung.late is Late.SKIP:
        return "skipped", f"reached {late_days} business days late"
    if step.rung.late is Late.MERGE and any(s.rung.do is step.rung.do for s in later):
        return "merged", f"reached {late_days} business days late, into a later {step.rung.do}"
    return None


def _over(draft: Draft, obligation: Obligation, step: Step) -> str:
    """Give why a step that is about what is to come is not taken after the due instant; empty where it still is."""
    reminds = step.rung.do is Action.REMIND and step.at < obligation.due_at
    if step.rung.do in (Action.INVITE, Action.ANNOUNCE) or (reminds and obligation.kind is ObligationKind.MEETING):
        return "what it announces is over"
    if reminds and _late_days(draft, step) > 1:
        return "the reminder's due date is past"
    return ""


def _late_days(draft: Draft, step: Step) -> int:
    on = step.at.astimezone(draft.dossier.playbook.zone).date()
    return business_days_between(on, draft.today, draft.dossier.calendar)


def _mark(draft: Draft, obligation: Obligation, step: Step, outcome: str, because: str) -> None:
    draft.fire(_firing(draft, obligation, step, outcome, because), ())


def _firing(draft: Draft, obligation: Obligation, step: Step, outcome: str, because: str = "") -> Firing:
    return Firing(
        obligation_key=obligation.key,
        rung=step.name,
        due_at=step.at,
        fired_at=draft.as_of,
        outcome=outcome,
        because=because,
    )


def _fire(draft: Draft, obligation: Obligation, step: Step, following: Step | None, content: Content) -> Obligation:
    report: Report | None = None
    because = NO_WORDS
    made = content(obligation)
    if step.rung.do is Action.SEND and obligation.kind is not ObligationKind.NOTICE:
        if isinstance(made, Missing):
            return obligation
        report = made
    elif isinstance(made, Missing):
        because = made.what
    elif obligation.kind is ObligationKind.APPROVAL:
        report = made
    meant, rerouted = _readers(draft, obligation, step)
    if not meant:
        return obligation
    told = _told(draft, obligation, step.rung.do)
    readers = [contact for contact in meant if contact.email.lower() not in told]
    if not readers:
        _mark(draft, obligation, step, "merged", "everyone it goes to is told the same already")
        return obligation
    if step.rung.do is Action.REQUEST and step.at < obligation.due_at:
        because = NO_WORDS
    context = letter_context(draft, obligation, step, following, because)
    invitation = _invitation(draft, obligation, meant) if step.rung.do is Action.INVITE else None
    notices = [
        Notice(
            key=notice_key(obligation.key, step.name, contact.contact_ref),
            project_ref=obligation.project_ref,
            obligation_key=obligation.key,
            rung=step.name,
            contact_ref=contact.contact_ref,
            template=template_of(obligation, step.rung.do),
            noticed_at=draft.as_of,
            context=context,
            invitation=invitation,
            report=report,
        )
        for contact in readers
    ]
    if obligation.status is Status.PLANNED:
        obligation = draft.move(obligation, Status.OPEN)
    obligation = _noted(draft, obligation, step.rung.do, readers)
    draft.fire(_firing(draft, obligation, step, "fired", rerouted), notices)
    if step.rung.do is Action.SEND and obligation.kind in _FULFILLED_BY_SENDING:
        obligation = draft.move(obligation, Status.FULFILLED, by=HOUSE, because=f"sent by {step.name}")
    return obligation


def _noted(draft: Draft, obligation: Obligation, action: Action, readers: Sequence[Contact]) -> Obligation:
    """Keep who was told of a planned date that lies ahead: they hear of it when it moves."""
    if obligation.stage is not Stage.COMMUNICATION or action not in _TELLING or obligation.due_at <= draft.as_of:
        return obligation
    how = INVITED if action is Action.INVITE else ASKED
    refs = {*obligation.told(how), *(contact.contact_ref for contact in readers)}
    if refs == set(obligation.told(how)):
        return obligation
    obligation = obligation.telling(how, refs)
    draft.change(obligation)
    return obligation


def addresses(draft: Draft, contact_refs: Collection[str]) -> frozenset[str]:
    """Give the addresses of contacts, in lower case."""
    return frozenset(c.email.lower() for c in draft.dossier.facts.contacts if c.contact_ref in contact_refs)


def _told(draft: Draft, obligation: Obligation, action: Action) -> frozenset[str]:
    """Give the addresses that are told the same of an obligation in this decision already, or are invited to it."""
    same = _SAID_BY.get(action, frozenset({action}))
    refs = {n.contact_ref for n in draft.notices_of(obligation.key) if action_in(n.rung) in same}
    if action is Action.INVITE:
        refs.update(obligation.told(INVITED))
    return addresses(draft, refs)


def _readers(draft: Draft, obligation: Obligation, step: Step) -> tuple[tuple[Contact, ...], str]:
    """Give whom a step writes to, and why it is others than the rung says where that is so."""
    dossier, rung = draft.dossier, step.rung
    readers = audience(dossier, rung.to, obligation, rung.level, draft.today)
    if readers:
        return readers, ""
    head = dossier.playbook.house.head
    draft.find(
        "nobody",
        f"{obligation.key}/{step.name}",
        f"“{rung.to}”没有联系人；改送{names_of(dossier, (head,), draft.today).zh}",
        f"nobody is {rung.to}; it goes to {names_of(dossier, (head,), draft.today).en}",
    )
    return audience(dossier, "head", obligation, rung.level, draft.today), f"nobody is {rung.to}"


def invited_by(draft: Draft, obligation: Obligation, rungs: Iterable[Rung]) -> Mapping[str, Contact]:
    """Give whom rungs invite, by address in lower case."""
    return {
        contact.email.lower(): contact
        for rung in rungs
        if rung.do is Action.INVITE
        for contact in audience(draft.dossier, rung.to, obligation, rung.level, draft.today)
    }


def _invitation(draft: Draft, obligation: Obligation, readers: Sequence[Contact]) -> Invitation:
    everyone = invited_by(draft, obligation, draft.dossier.playbook.ladders[obligation.ladder].rungs)
    return invitation_to(draft, obligation, list(everyone.values()) or readers)


def invitation_to(draft: Draft, obligation: Obligation, guests: Sequence[Contact]) -> Invitation:
    """Give a meeting as the calendars of its guests see it."""
    house = draft.dossier.playbook.house
    return Invitation(
        uid=f"{obligation.key}@{house.email.rpartition('@')[2]}",
        sequence=obligation.sequence,
        method=Method.REQUEST,
        starts_at=obligation.due_at,
        ends_at=obligation.due_at + timedelta(minutes=obligation.minutes),
        timezone=obligation.timezone,
        summary=obligation.title,
        description=Words(f"编号 {obligation.key}", f"Reference {obligation.key}"),
        organizer_name=house.name.words,
        organizer_email=house.email,
        attendees=tuple(
            Attendee(contact.contact_ref, contact.name, contact.email)
            for contact in sorted(guests, key=lambda c: c.contact_ref)
        ),
        location=location_of(obligation),
    )


def location_of(obligation: Obligation) -> Words:
    """Give where a meeting is held."""
    said = obligation.details.get("location")
    return Words(str(said.get("zh", "")), str(said.get("en", ""))) if isinstance(said, Mapping) else NO_WORDS
