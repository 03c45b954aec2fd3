"""Climbing: what becomes of an obligation's ladder at an instant. Announcing, reminding and escalating are one thing.

The rules, in order. What people said of the obligation is heard first; what is fulfilled, waived or cancelled climbs no
further. A held ladder chases nobody until its hold ends; what is ready is still sent, and who is to meet still invited.
A rung fires once. A rung whose content is not there waits, and the ladder climbs past it. A rung reached more than one
business day late does what its late policy says; of a repeated rung's firings that are due together only the last is
taken. A rung that reaches nobody goes to the head of relationship, never into silence. Nobody is told the same of an
obligation twice at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from zoneinfo import ZoneInfo

from pfflow.domain.audience import (
    AUDIENCES,
    Readers,
    absence_of,
    audience,
    contacts_by_ref,
    names_of,
    party_words,
    readers_of,
    who_reads,
)
from pfflow.domain.business_days import BusinessCalendar, business_days_between
from pfflow.domain.channels import by_channel
from pfflow.domain.courses import Course, as_begun, courses, rungs_of, unknown
from pfflow.domain.drafting import Draft
from pfflow.domain.facts import Interaction
from pfflow.domain.hearing import CHASING, hear, heard_firing, heard_mark, holds, moved, moved_in
from pfflow.domain.ladder import Action, Firing, Ladder, Late, Rung, Step, action_in, bare_name, name_at, steps_of
from pfflow.domain.letter_context import HANDOVER, letter_context, template_of
from pfflow.domain.notices import Attendee, Invitation, Method, Notice
from pfflow.domain.obligations import ASKED, INVITED, Obligation, ObligationKind, Status
from pfflow.domain.offsets import Offset, OffsetUnit
from pfflow.domain.outages import Outage, delay_of, outage_before
from pfflow.domain.parties import LEVEL_WORDS, Contact, Level, Party
from pfflow.domain.playbook import Hours
from pfflow.domain.reports import Report
from pfflow.domain.role_words import role_words
from pfflow.domain.words import NO_WORDS, Json, Stage, Words


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a report cannot be made yet."""

    what: Words


Content = Callable[[Obligation], Report | Missing]
"""Gives the report an obligation owes, or what is missing for it."""

HOUSE = "pfflow"
"""Who fulfils what the house itself sends."""

_FULFILLED_BY_SENDING = frozenset({ObligationKind.REPORT, ObligationKind.OFFER})
_TELLING = frozenset({Action.ANNOUNCE, Action.INVITE, Action.REQUEST, Action.REMIND})
"""What tells people a date that lies ahead."""
_SAID_BY = {Action.REMIND: frozenset({Action.REMIND, Action.REQUEST, Action.INVITE})}
"""What leaves an action nothing to say to whoever hears both at once; for all others it is the action itself."""


_at = attrgetter("at")


def nothing_to_send(obligation: Obligation) -> Missing:
    """Say that the house makes no report for this obligation; its debtor delivers it."""
    if obligation.kind is ObligationKind.NOTICE:
        return Missing(NO_WORDS)
    return Missing(Words(f"尚未收到{obligation.title.zh}", f"{obligation.title.en} has not been received"))


def climb(draft: Draft, content: Content = nothing_to_send) -> None:
    """Hear what was said of a stage's live obligations, then take every step of their ladders that is reached."""
    playbook = draft.dossier.playbook
    outage = outage_before(draft)
    for obligation in draft.stirring():
        for lost in unknown(playbook, obligation):
            draft.find(
                "no-ladder",
                obligation.key,
                f"规则手册中已没有阶梯 {lost}；该事项无人跟进",
                f"the playbook has no ladder {lost} any more, so nobody follows this up",
            )
        climbed = courses(playbook, obligation)
        if not climbed:
            continue
        heard, handovers = hear(draft, obligation)
        for handover in handovers:
            _tell_of_handover(draft, heard, handover)
        if heard.live:
            _take_steps(draft, heard, _Climb(climbed, outage, content))


def steps(draft: Draft, obligation: Obligation, climbed: Iterable[Course]) -> tuple[Step, ...]:
    """Give the steps of ladders in the order they are reached: all up to `as_of`, and the first one after it."""
    playbook = draft.dossier.playbook
    firsts, repeat = _first_steps(
        tuple(course.ladder for course in climbed),
        obligation.due_at,
        obligation.sequence,
        grace_days=int(str(obligation.details.get("grace_days", 0))),
        hours=playbook.hours,
        calendar=draft.dossier.calendar,
        zone=playbook.zone,
    )
    if not repeat:
        return firsts
    found: list[Step] = []
    for first in firsts:
        if first.rung.repeat is None or first.at > draft.as_of:
            found.append(first)
            continue
        for step in steps_of(first.rung, first.at, _repeats(draft, first.rung, first.at), obligation.sequence):
            found.append(step)
            if step.at > draft.as_of:
                break
    return tuple(sorted(found, key=_at))


@lru_cache(maxsize=32768)
def _first_steps(
    ladders: tuple[Ladder, ...],
    due_at: datetime,
    sequence: int,
    *,
    grace_days: int,
    hours: Hours,
    calendar: BusinessCalendar,
    zone: ZoneInfo,
) -> tuple[tuple[Step, ...], bool]:
    """Give the first step of each rung in the order they are reached, and whether any is repeated.

    Escalating begins later by the days of grace the documents allow.
    """
    found = []
    rungs = [rung for ladder in ladders for rung in ladder.rungs]
    for rung in rungs:
        at = moved_in(due_at, rung.at, hours, calendar, zone)
        grace = timedelta(days=grace_days) if rung.do is Action.ESCALATE else timedelta()
        found.append(Step(rung, name_at(rung, sequence), at + grace))
    return tuple(sorted(found, key=_at)), any(rung.repeat is not None for rung in rungs)


def _repeats(draft: Draft, rung: Rung, first: datetime) -> Iterator[datetime]:
    at = first
    while rung.repeat is not None:
        at = moved(draft, at, rung.repeat)
        yield at


@dataclass(frozen=True, slots=True)
class _Climb:
    """What an obligation climbs, what its reports are made of, and the outage before this decision."""

    courses: Sequence[Course]
    outage: Outage | None
    content: Content


def _take_steps(draft: Draft, obligation: Obligation, climb: _Climb) -> None:
    climbed = climb.courses
    held = holds(draft, obligation, climbed)
    rungs = tuple(rung for course in climbed for rung in course.ladder.rungs)
    ahead = steps(draft, obligation, climbed)
    reached = ahead[: bisect_right(ahead, draft.as_of, key=_at)]
    pending = [step for step in reached if not draft.fired(obligation.key, step.name)]
    if held.ladders:
        waiting = {rung.name for course in climbed if course.name in held.ladders for rung in course.ladder.rungs}
        pending = [step for step in pending if not (step.rung.name in waiting and step.rung.do in CHASING)]
    gone = _gone(draft, obligation, rungs) if pending else ()
    for number, step in enumerate(pending):
        if not obligation.live:
            return
        stale = (gone and _said_before(draft, obligation, step, rungs, gone)) or _stale(
            draft, obligation, step, pending[number + 1 :]
        )
        if stale:
            outcome, because = stale
            _mark(draft, obligation, step, outcome, because)
            continue
        obligation = _fire(
            draft,
            obligation,
            _Reached(step, _following(draft, ahead), held.parties, delay_of(draft, climb.outage, step.at)),
            climb.content,
        )


def _following(draft: Draft, ahead: Sequence[Step]) -> Step | None:
    later = ahead[bisect_right(ahead, draft.as_of, key=_at) :]
    return next((step for step in later if step.rung.do is not Action.SEND), None)


def _gone(draft: Draft, obligation: Obligation, rungs: Iterable[Rung]) -> Sequence[str]:
    """Give what was fired under names that the ladder no longer has, oldest first."""
    current = {rung.name for rung in rungs}
    if all(bare_name(firing.rung) in current for firing in draft.dossier.held.firings_of(obligation.key)):
        return ()
    fired = (firing.rung for firing in draft.firings_of(obligation.key) if firing.outcome == "fired")
    return [rung for rung in fired if bare_name(rung) not in current]


def _said_before(
    draft: Draft, obligation: Obligation, step: Step, rungs: Sequence[Rung], fired: Iterable[str]
) -> tuple[str, str] | None:
    """Give that a step was taken under another name: a change of a rung's offset must not say the same thing twice.

    A fired rung that the ladder no longer has stands for one rung of the same action and audience that it has now.
    """
    if step.name != step.rung.name:
        return None
    gone = [rung for rung in fired if action_in(rung) == step.rung.do and bare_name(rung).endswith(f"-{step.rung.to}")]
    if not gone:
        return None
    same = [rung.name for rung in rungs if (rung.do, rung.to) == (step.rung.do, step.rung.to)]
    stood_for = [name for name in same if not draft.fired(obligation.key, name)]
    if step.name in stood_for[: len(gone)]:
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


@dataclass(frozen=True, slots=True)
class _Reached:
    """A step that is to be taken, the next one its letters may announce, the parties that are held, and its delay."""

    step: Step
    following: Step | None
    silent: frozenset[str] = frozenset()
    delayed: Json = None


def _fire(draft: Draft, obligation: Obligation, reached: _Reached, content: Content) -> Obligation:
    step = reached.step
    report: Report | None = None
    because = NO_WORDS
    # Who is asked ahead of the day is not told what is missing, so nothing is made for it.
    ahead = step.rung.do is Action.REQUEST and step.at < obligation.due_at
    made = (
        nothing_to_send(obligation) if ahead and obligation.kind is not ObligationKind.APPROVAL else content(obligation)
    )
    if step.rung.do is Action.SEND and obligation.kind is not ObligationKind.NOTICE:
        if isinstance(made, Missing):
            return obligation
        report = made
    elif isinstance(made, Missing):
        because = made.what
    elif obligation.kind is ObligationKind.APPROVAL:
        report = made
    meant, rerouted = _readers(draft, obligation, reached)
    if not meant.contacts:
        return obligation
    told = _told(draft, obligation, step.rung.do)
    readers = tuple(contact for contact in meant.contacts if contact.email.lower() not in told)
    if not readers:
        _mark(draft, obligation, step, "merged", "everyone it goes to is told the same already")
        return obligation
    if ahead:
        because = NO_WORDS
    context = {**letter_context(draft, obligation, step, reached.following, because), "delayed": reached.delayed}
    notice = Notice(
        key="",
        project_ref=obligation.project_ref,
        obligation_key=obligation.key,
        rung=step.name,
        contact_ref="",
        template=template_of(obligation, step.rung.do),
        noticed_at=draft.as_of,
        context=context,
        invitation=_invitation(draft, obligation, meant.contacts) if step.rung.do is Action.INVITE else None,
        report=report,
        urgent=step.rung.urgent,
        merges_with=_merging(obligation, step.rung),
    )
    if obligation.status is Status.PLANNED:
        obligation = obligation.begun(as_begun(draft.dossier.playbook, obligation))
        draft.change(obligation)
    obligation = _noted(draft, obligation, step.rung.do, readers)
    told_rooms = {n.channel for n in draft.notices_of(obligation.key) if action_in(n.rung) == step.rung.do}
    addressed = _addressed(draft, notice, meant, readers)
    told_by = by_channel(addressed, readers, draft.dossier.playbook, step.rung, told_rooms)
    draft.fire(_firing(draft, obligation, step, "fired", rerouted), told_by)
    if step.rung.do is Action.SEND and obligation.kind in _FULFILLED_BY_SENDING:
        obligation = draft.move(obligation, Status.FULFILLED, by=HOUSE, because=f"sent by {step.name}")
    return obligation


def _merging(obligation: Obligation, rung: Rung) -> str:
    """Give what a letter may be merged with: what people may leave is never in one mail with what they owe."""
    return f"{obligation.kind}s" if rung.merge and obligation.kind is ObligationKind.SURVEY else rung.merges_with


def _addressed(draft: Draft, notice: Notice, readers: Readers, to: Iterable[Contact]) -> list[Notice]:
    """Give a notice to each of its readers; it says for whom a reader gets it."""
    return [notice.told_to(contact.contact_ref, instead_of=_instead_of(draft, readers, contact)) for contact in to]


def _noted(draft: Draft, obligation: Obligation, action: Action, readers: Sequence[Contact]) -> Obligation:
    """Keep who was told of a planned date that lies ahead: they hear of it when it moves."""
    if obligation.stage is not Stage.COMMUNICATION or action not in _TELLING or obligation.due_at <= draft.as_of:
        return obligation
    how = INVITED if action is Action.INVITE else ASKED
    before = obligation.told(how)
    refs = {*before, *(contact.contact_ref for contact in readers)}
    if len(refs) == len(before):
        return obligation
    if how == INVITED:
        invited = {guest.contact_ref: guest.email for guest in guests_of(draft, obligation)}
        obligation = obligation.inviting(invited | {contact.contact_ref: contact.email for contact in readers})
    else:
        obligation = obligation.telling(how, refs)
    draft.change(obligation)
    return obligation


def guests_of(draft: Draft, obligation: Obligation) -> tuple[Contact, ...]:
    """Give whom an obligation's invitations went to, each with the address they went to, in order of ref."""
    at, known = obligation.invited_at, contacts_by_ref(draft.dossier)
    invited = [known[ref] for ref in sorted(obligation.told(INVITED)) if ref in known]
    return tuple(
        replace(c, email=at[c.contact_ref]) if at.get(c.contact_ref, c.email) != c.email else c for c in invited
    )


def addresses(draft: Draft, contact_refs: Collection[str]) -> frozenset[str]:
    """Give the addresses of contacts, in lower case."""
    known = contacts_by_ref(draft.dossier)
    return frozenset(known[ref].email.lower() for ref in contact_refs if ref in known)


def _told(draft: Draft, obligation: Obligation, action: Action) -> frozenset[str]:
    """Give the addresses that are told the same of an obligation in this decision already, or are invited to it."""
    same = _SAID_BY.get(action, frozenset({action}))
    refs = {n.contact_ref for n in draft.notices_of(obligation.key) if action_in(n.rung) in same}
    if action is not Action.INVITE:
        return addresses(draft, refs)
    return addresses(draft, refs) | {guest.email.lower() for guest in guests_of(draft, obligation)}


def _readers(draft: Draft, obligation: Obligation, reached: _Reached) -> tuple[Readers, str]:
    """Give whom a step writes to, and why it is others than the rung says where that is so.

    Parties that are held are left out; where there are only such, the step waits for one of them.
    """
    found, rerouted = _meant(draft, obligation, reached.step)
    if reached.step.rung.do not in CHASING or not reached.silent:
        return found, rerouted
    return replace(found, contacts=tuple(c for c in found.contacts if c.party_ref not in reached.silent)), rerouted


def _meant(draft: Draft, obligation: Obligation, step: Step) -> tuple[Readers, str]:
    dossier, rung = draft.dossier, step.rung
    readers = readers_of(dossier, rung.to, obligation, rung.level, draft.today)
    for party, level in readers.elsewhere:
        if rung.do is not Action.ESCALATE and not _missed(draft, party, rung.level or Level.WORKING):
            continue
        name, wanted = party_words(party), rung.level or Level.WORKING
        draft.find(
            "other-level",
            f"{obligation.key}/{step.name}",
            f"{name.zh}没有{LEVEL_WORDS[wanted].zh}联系人可收；改送{LEVEL_WORDS[level].zh}",
            f"{name.en} has nobody to write to at {wanted} level; it goes to {level} level",
        )
    if readers.contacts:
        return readers, ""
    head = dossier.playbook.house.head
    called = rung.to if rung.to in AUDIENCES else role_words(dossier.playbook, rung.to).zh
    draft.find(
        "nobody",
        f"{obligation.key}/{step.name}",
        f"“{called}”没有联系人；改送{names_of(dossier, (head,), draft.today).zh}",
        f"nobody is {rung.to}; it goes to {names_of(dossier, (head,), draft.today).en}",
    )
    return readers_of(dossier, "head", obligation, rung.level, draft.today), f"nobody is {rung.to}"


def _missed(draft: Draft, party: Party, level: Level) -> bool:
    """Whether a party has contacts at a level, all of whom are away or cannot be written to."""
    return any(c.party_ref == party.party_ref and c.level is level for c in draft.dossier.facts.contacts)


def _instead_of(draft: Draft, readers: Readers, reader: Contact) -> list[Json]:
    """Give for whom a reader gets a letter: those who are away, until when, and those who handed it over."""
    said: list[Json] = []
    for contact in readers.instead_of.get(reader.contact_ref, ()):
        away = absence_of(draft.dossier, contact.contact_ref, draft.today)
        said.append({"name": contact.name, "until": away.until.isoformat() if away else None})
    return said


def _tell_of_handover(draft: Draft, obligation: Obligation, touch: Interaction) -> None:
    """Tell whom an obligation was handed over to, or who stands in for them, by whom and why."""
    contacts = contacts_by_ref(draft.dossier)
    by, to = contacts[touch.contact_ref], contacts[touch.to_ref]
    reader = who_reads(draft.dossier, by, obligation, draft.today)
    readers = (reader,) if reader else audience(draft.dossier, "head", obligation, None, draft.today)
    if reader is None:
        draft.find(
            "nobody",
            obligation.key,
            f"{to.contact_ref} 不在岗且无人代理，移交事项改送关系负责人",
            f"{to.contact_ref} is away and nobody stands in; what was handed over goes to the head",
        )
    more: dict[str, Json] = {"handed_over": {"by": by.name, "to": to.name}}
    notice = _answering(draft, obligation, touch, HANDOVER, more)
    instead = Readers(readers, {c.contact_ref: (to,) for c in readers if c != to})
    draft.fire(heard_firing(draft, obligation, touch), _addressed(draft, notice, instead, readers))


def tell_of_reopening(draft: Draft, obligation: Obligation, touch: Interaction) -> None:
    """Tell who is Responsible that a solution was rejected, and what was said of it."""
    readers = readers_of(draft.dossier, "responsible", obligation, None, draft.today)
    if not readers.contacts:
        readers = readers_of(draft.dossier, "head", obligation, None, draft.today)
    notice = _answering(draft, obligation, touch, obligation.template, {"rejected": True})
    mark = f"reopened-{touch.ext_id}"
    firing = replace(heard_firing(draft, obligation, touch), rung=mark)
    draft.fire(firing, _addressed(draft, replace(notice, rung=mark), readers, readers.contacts))


def _answering(
    draft: Draft, obligation: Obligation, touch: Interaction, template: str, more: Mapping[str, Json]
) -> Notice:
    """Give the notice that passes on what somebody said of an obligation, to be addressed."""
    mark = heard_mark(touch)
    step = Step(Rung(at=Offset(0, OffsetUnit.HOURS), do=Action.REQUEST, to="responsible"), mark, touch.at)
    ahead = steps(draft, obligation, courses(draft.dossier.playbook, obligation))
    said = Words(touch.outcome, touch.outcome)
    return Notice(
        key="",
        project_ref=obligation.project_ref,
        obligation_key=obligation.key,
        rung=mark,
        contact_ref="",
        template=template,
        noticed_at=draft.as_of,
        context={**letter_context(draft, obligation, step, _following(draft, ahead), said), **more},
    )


def invited_by(draft: Draft, obligation: Obligation, rungs: Iterable[Rung]) -> Mapping[str, Contact]:
    """Give whom rungs invite, by address in lower case."""
    return {contact.email.lower(): contact for contact in _meant_by(draft, obligation, rungs)}


def _meant_by(draft: Draft, obligation: Obligation, rungs: Iterable[Rung]) -> list[Contact]:
    return [
        contact
        for rung in rungs
        if rung.do is Action.INVITE
        for contact in audience(draft.dossier, rung.to, obligation, rung.level, draft.today)
    ]


def _invitation(draft: Draft, obligation: Obligation, readers: Sequence[Contact]) -> Invitation:
    for told in draft.notices_of(obligation.key):
        invited = told.invitation
        if invited is not None and (invited.sequence, invited.method) == (obligation.sequence, Method.REQUEST):
            return invited  # one meeting looks the same to all its guests
    everyone = _meant_by(draft, obligation, rungs_of(draft.dossier.playbook, obligation)) or readers
    attendees = draft.dossier.held.remembered(
        ("attendees", tuple(contact.contact_ref for contact in everyone)),
        lambda: _attendees({contact.email.lower(): contact for contact in everyone}.values()),
    )
    return _invited(draft, obligation, attendees)


def invitation_to(draft: Draft, obligation: Obligation, guests: Sequence[Contact]) -> Invitation:
    """Give a meeting as the calendars of its guests see it."""
    return _invited(draft, obligation, _attendees(guests))


def _attendees(guests: Iterable[Contact]) -> tuple[Attendee, ...]:
    in_order = sorted(guests, key=attrgetter("contact_ref"))
    return tuple(Attendee(contact.contact_ref, contact.name, contact.email) for contact in in_order)


def _invited(draft: Draft, obligation: Obligation, attendees: tuple[Attendee, ...]) -> Invitation:
    house = draft.dossier.playbook.house
    return Invitation(
        uid=f"{obligation.key}@{house.email.rpartition('@')[2]}",
        sequence=obligation.sequence,
        method=Method.REQUEST,
        starts_at=obligation.due_at,
        ends_at=obligation.due_at + timedelta(minutes=obligation.minutes),
        timezone=obligation.timezone,
        summary=obligation.title,
        description=_described(obligation),
        organizer_name=house.name.words,
        organizer_email=house.email,
        attendees=attendees,
        location=location_of(obligation),
    )


def _described(obligation: Obligation) -> Words:
    """Give what an entry in a calendar says beside its title.

    A provisional date is confirmed all the same (STATUS), since nobody is told when its list leaves it where it is.
    """
    zh, en = f"编号 {obligation.key}", f"Reference {obligation.key}"
    if not obligation.provisional:
        return Words(zh, en)
    return Words(
        f"{zh}\n日期暂定：节假日安排尚未公布，日期如有变动将另行通知",
        f"{en}\nThe date is provisional: the holiday list is not yet published, and we write if the date changes",
    )


def location_of(obligation: Obligation) -> Words:
    """Give where a meeting is held."""
    said = obligation.details.get("location")
    return Words(str(said.get("zh", "")), str(said.get("en", ""))) if isinstance(said, Mapping) else NO_WORDS
