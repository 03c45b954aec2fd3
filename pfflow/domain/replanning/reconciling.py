"""Reconciling a project: what should be, by playbook, register and calendar, against what is and lies ahead.

The rules. Only what is live, comes from a cadence or an undertaking and lies ahead is changed; what is overdue stays
owed, as do problems that people reported, and nothing is moved into the past. A date keeps its key: another place in
the calendar is a move, a key that is wanted no more is cancelled, a wanted key that is not there is added, or put back
where it was cancelled. Nobody is told of what they were not told before: an invitation is updated for exactly those who
have it, and a report's debtor hears of a new date only where the debtor was asked for the old one.
`docs/decisions/0010` says what becomes of a ladder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from pfflow.domain.business_days import DAY, wall_instant
from pfflow.domain.courses import keeps_another
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import HOUSE, location_of
from pfflow.domain.obligations import INVITED, INVITED_AT, ISSUE, KEPT, Obligation, ObligationKind, Status
from pfflow.domain.outages import note_outage
from pfflow.domain.planning import Wanted, Window, source_of, wanted
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Phase
from pfflow.domain.replanning.changes import Change, Kind, Told, slot_of
from pfflow.domain.replanning.reasons import Reason, why_added, why_cancelled, why_changed
from pfflow.domain.replanning.telling import Attendance, attendance, rearm, tell_cancelled, tell_changed
from pfflow.domain.words import Stage

_TERMS = ("kind", "ladder", "activity", "debtor", "creditor", "subject", "content", "period_start", "period_end")
_PLACE_IN_TIME = ("due_at", "due_on", "unadjusted_on", "timezone", "provisional", "minutes")
_FOLLOWED = (*_PLACE_IN_TIME, *_TERMS, "title")
_SLACK = timedelta(days=31)
"""How far a date is looked for beyond the days in question: the longest roll, and a month to spare."""


@dataclass(frozen=True, slots=True)
class Replan:
    """What a plan says of one project: the changes to show, and the decision that makes exactly them.

    A plan of the same dossier says the same until `holds_until`: the end of the day, or the instant at which something
    that lies ahead no longer does. `kept` counts the obligations that go on climbing the ladders they began with where
    the playbook has others for them (docs/decisions/0014).
    """

    changes: tuple[Change, ...]
    decision: Decision
    holds_until: datetime
    kept: int = 0


def horizon_on(playbook: Playbook, as_of: datetime) -> date:
    """Give the last day a plan made at an instant adds dates for."""
    return as_of.astimezone(playbook.zone).date() + timedelta(days=playbook.horizon_days)


def replan(dossier: Dossier, as_of: datetime, *, before: Playbook | None = None, until: date | None = None) -> Replan:
    """Reconcile what should be with what is from `as_of` on; pure, and independent of the order of rows.

    The dossier carries the playbook that is to be; `before` is the one in force, the same if left out: it is read for
    the reasons only. Dates are added up to `until`, the playbook's horizon if left out.
    """
    draft = Draft(dossier, Stage.COMMUNICATION, as_of)
    note_outage(draft)  # once this is recorded, no sweep sees that nothing was decided for so long
    desk = _Desk(draft, before or dossier.playbook, Window(draft.today, until or horizon_on(dossier.playbook, as_of)))
    ahead = {o.key: o for o in draft.live() if o.due_at > as_of and ISSUE not in o.details}
    asked_for, unreadable = _asked_for(desk, ahead)
    asked_for = {**asked_for, **_first_periods(desk, ahead, asked_for)}
    changes = []
    for key in sorted(ahead.keys() | asked_for.keys()):
        held, one = ahead.get(key), asked_for.get(key)
        change = None
        if one is not None and held is not None:
            change = _changed(desk, held, one) if one.obligation.due_at > as_of else None
        elif one is not None:
            change = _added(desk, one)
        elif held is not None and source_of(key) not in unreadable:
            change = _cancelled(desk, held)
        if change is not None:
            changes.append(change)
    midnight = wall_instant(draft.today + DAY, time(), dossier.playbook.zone)
    coming = [o.due_at for o in (*ahead.values(), *(one.obligation for one in asked_for.values())) if o.due_at > as_of]
    return Replan(tuple(changes), draft.decision(), min([midnight, *coming]), _ladders_kept(draft))


def _ladders_kept(draft: Draft) -> int:
    playbook, held = draft.dossier.playbook, draft.dossier.held.obligations
    return sum(keeps_another(playbook, draft.obligation(key) or one) for key, one in held.items() if one.climbing)


def recorded(dossier: Dossier, decision: Decision) -> Dossier:
    """Give the dossier as it is once a decision is recorded."""
    held = dossier.held
    after = replace(
        held,
        obligations={**held.obligations, **{one.key: one for one in decision.obligations}},
        firings={**held.firings, **{(one.obligation_key, one.rung): one for one in decision.firings}},
        conclusions={**held.conclusions, **{(one.stage, one.subject): one for one in decision.conclusions}},
        engaged_at=held.engaged_at or decision.as_of,
    )
    return replace(dossier, held=after)


@dataclass(frozen=True, slots=True)
class _Desk:
    draft: Draft
    before: Playbook
    days: Window


def _asked_for(desk: _Desk, ahead: Mapping[str, Obligation]) -> tuple[dict[str, Wanted], frozenset[str]]:
    """Give what should be by key, and the sources that cannot be read: what is there of them is left alone."""
    dossier = desk.draft.dossier
    if dossier.project.phase is Phase.EXIT:
        return {}, frozenset()
    seen = [day for o in ahead.values() for day in (o.unadjusted_on, o.due_on)]
    wide = Window(min([desk.days.first, *seen]) - _SLACK, max([desk.days.last, *seen]) + _SLACK)
    unreadable: set[str] = set()

    def find(kind: str, subject: str, zh: str, en: str) -> None:
        unreadable.add(subject)
        desk.draft.find(kind, subject, zh, en)

    return {one.obligation.key: one for one in wanted(dossier, wide, find)}, frozenset(unreadable)


def _first_periods(desk: _Desk, ahead: Mapping[str, Obligation], asked_for: Mapping[str, Wanted]) -> dict[str, Wanted]:
    """Let the first report of each cadence that lies ahead begin where the first one that is owed now begins.

    So a change of rule in the middle of a period leaves no day that nobody reports on, and none that is reported twice.
    """
    as_of = desk.draft.as_of
    owed: dict[str, date] = {}
    first: dict[str, Wanted] = {}
    for key, one in asked_for.items():
        if one.source not in desk.draft.dossier.playbook.cadences or one.obligation.kind is ObligationKind.MEETING:
            continue
        if one.obligation.due_at > as_of and (key in ahead or _can_be_added(desk, one)):
            first[one.source] = min(first.get(one.source, one), one, key=_period_end)
    for key, held in ahead.items():
        kept = key in asked_for and asked_for[key].obligation.due_at <= as_of
        start = held.period_start
        if start is not None and not kept:
            owed[source_of(key)] = min(owed.get(source_of(key), start), start)
    return {
        one.obligation.key: replace(one, obligation=replace(one.obligation, period_start=owed[source]))
        for source, one in first.items()
        if source in owed and owed[source] <= _period_end(one)
    }


def _period_end(one: Wanted) -> date:
    return one.obligation.period_end or one.obligation.unadjusted_on


def _can_be_added(desk: _Desk, one: Wanted) -> bool:
    new, held = one.obligation, desk.draft.obligation(one.obligation.key)
    ahead = new.due_at > desk.draft.as_of and new.due_on >= desk.draft.dossier.engaged_on and new.due_on in desk.days
    return ahead and (held is None or held.status is Status.CANCELLED)


def _added(desk: _Desk, one: Wanted) -> Change | None:
    draft, new = desk.draft, one.obligation
    held = draft.obligation(new.key)
    if not _can_be_added(desk, one):
        return None
    reasons = why_added(draft.dossier, desk.before, one.source, again=held is not None)
    if held is None:
        draft.plan(new, one.because)
    else:
        # Rungs that fired for the cancelled date keep their names, so the ladder begins anew under the next number.
        step = 1 if draft.firings_of(new.key) else 0
        new = replace(new, status=held.status, sequence=held.sequence + step)
        draft.plan_again(new, _said(reasons))
    return _change(Kind.ADDED, one.source, (None, new), reasons)


def _cancelled(desk: _Desk, held: Obligation) -> Change:
    draft = desk.draft
    source = source_of(held.key)
    reasons = why_cancelled(draft.dossier, desk.before, source, held)
    last = replace(held, sequence=held.sequence + (1 if held.told(INVITED) else 0))
    # Who was invited stays with it: it is they whose calendars show it as cancelled.
    stays = {n: value for n, value in held.details.items() if n not in KEPT or n in (INVITED, INVITED_AT)}
    bare = replace(last, details=stays)
    draft.move(bare, Status.CANCELLED, by=HOUSE, because=_said(reasons))
    return _change(Kind.CANCELLED, source, (last, None), reasons, tell_cancelled(draft, last, reasons))


def _changed(desk: _Desk, held: Obligation, one: Wanted) -> Change | None:
    draft = desk.draft
    if not held.told(INVITED) and _follows(held, one.obligation):
        return None
    new = _following(held, one.obligation)
    guests = attendance(draft, new)
    kind = _kind(held, new, guests)
    if kind is None:
        return None
    if kind is Kind.MOVED and _reaches_people(draft, held, new):
        # A new date begins a new climb, by the ladders of the playbook that is to be, and they say who is invited.
        new = replace(new, sequence=held.sequence + 1, climbing={})
        guests = attendance(draft, new)
    reasons = guests.reasons
    if kind is not Kind.ATTENDEES:
        reasons = (*why_changed(draft.dossier, desk.before, one.source, held, new), *reasons)
    new = new.inviting(guests.invited_after)
    draft.shift(new, str(kind), _said(reasons))
    told = tell_changed(draft, held, new, guests, reasons, visible=kind is Kind.MOVED)
    if new.sequence != held.sequence:
        rearm(draft, held, new)
    return _change(kind, one.source, (held, new), reasons, told)


def _follows(held: Obligation, one: Obligation) -> bool:
    """Whether what is held has the terms of what should be already."""
    if held.due_at != one.due_at or any(getattr(held, name) != getattr(one, name) for name in _FOLLOWED):
        return False
    return {name: value for name, value in held.details.items() if name not in KEPT} == one.details


def _following(held: Obligation, one: Obligation) -> Obligation:
    """Give what is held with the terms of what should be; its life, its sequence and who was told of it stay."""
    changes = {name: getattr(one, name) for name in _FOLLOWED}
    return replace(held, **changes, details={**one.details, **held.kept_details})


def _kind(held: Obligation, new: Obligation, guests: Attendance) -> Kind | None:
    if _shown(held) != _shown(new):
        return Kind.MOVED
    if held.provisional and not new.provisional and replace(new, provisional=True) == held:
        return Kind.CONFIRMED
    if held != new:
        return Kind.RESTATED
    return None if guests.stays else Kind.ATTENDEES


def _shown(obligation: Obligation) -> tuple[object, ...]:
    """Give what people see of an obligation in their calendars."""
    return (
        obligation.due_at,
        obligation.due_on,
        obligation.timezone,
        obligation.minutes,
        obligation.title,
        location_of(obligation),
    )


def _reaches_people(draft: Draft, held: Obligation, new: Obligation) -> bool:
    """Whether a move is a new revision: it is in calendars, or its time changes after its ladder has begun.

    RFC 5546 section 2.1.4 asks for a higher SEQUENCE when the time changes, RFC 5545 section 3.8.7.4 when the organiser
    holds a change to be significant; whatever an invited person is mailed about counts as that.
    """
    if held.told(INVITED):
        return True
    begun = any(firing.outcome != "heard" for firing in draft.firings_of(held.key))
    return begun and held.due_at != new.due_at


def _change(
    kind: Kind,
    source: str,
    was_now: tuple[Obligation | None, Obligation | None],
    reasons: tuple[Reason, ...],
    told: tuple[Told, ...] = (),
) -> Change:
    was, now = was_now
    either = now or was
    if either is None:
        raise ValueError("a change is of something that was or will be")
    return Change(
        kind=kind,
        source=source,
        obligation_key=either.key,
        meeting=either.kind is ObligationKind.MEETING,
        was=slot_of(was) if was else None,
        now=slot_of(now) if now else None,
        reasons=reasons,
        told=told,
        sequence=either.sequence,
    )


def _said(reasons: tuple[Reason, ...]) -> str:
    return "; ".join(reason.words.en for reason in reasons)
