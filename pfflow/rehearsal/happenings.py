"""What happens on its day: records that change, a list that arrives, a phase that is entered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time
from typing import Any

from pfflow.domain.business_days import DAY, wall_instant
from pfflow.domain.facts import Financial, Undertaking
from pfflow.domain.holiday_lists import HouseList, OwnHoliday
from pfflow.domain.parties import Participation
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import next_phase
from pfflow.domain.words import Stage
from pfflow.rehearsal.script import Handover, Happening, Missed, NewList, Slip
from pfflow.rehearsal.world import Life

_AT = time(8)
_SOURCE = "rehearsal"


def happens_at(happening: Happening, playbook: Playbook) -> datetime:
    """Give the instant of a happening."""
    return wall_instant(happening.on, _AT, playbook.zone)


def concerns(happening: Happening, life: Life) -> bool:
    """Whether a happening is one of this project's."""
    if happening.project:
        return happening.project == life.project.project_ref
    facts = life.facts
    if happening.milestone is not None:
        return any(m.milestone == happening.milestone.milestone for m in facts.milestones)
    if happening.missed_payment is not None:
        return any(p.party_ref == happening.missed_payment.debtor for p in facts.participations)
    if happening.figure is not None:
        subjects = {life.project.project_ref, *(p.party_ref for p in facts.parties)}
        return happening.figure.subject in subjects
    return True


def happen(happening: Happening, life: Life) -> bool:
    """Let it happen to a project; gives whether dates ahead are to be planned anew."""
    if happening.hands_over is not None:
        life.learn(**_handed_over(happening.hands_over, life, happening))
    if happening.milestone is not None:
        life.learn(milestones=_slipped(happening.milestone, life))
    if happening.missed_payment is not None:
        life.learn(obligations=(_payment(happening.missed_payment, life),))
    if happening.figure is not None:
        said = happening.figure
        figure = Financial(
            subject_ref=said.subject,
            period_end=said.period_end,
            metric=said.metric,
            value=said.value,
            currency=life.project.currency,
            basis=said.basis,
            source=_SOURCE,
        )
        life.learn(financials=(figure,))
    if happening.phase is not None:
        life.learn(projects=(replace(life.project, phase=next_phase(life.project.phase, happening.phase)),))
    if happening.holidays is not None:
        life.holiday_lists = with_list(life.holiday_lists, happening.holidays)
        life.learn()
    return happening.holidays is not None or (happening.milestone is not None and _holds_up(happening.milestone, life))


def _holds_up(said: Slip, life: Life) -> bool:
    """Whether something that is owed hangs on the milestone, and so moves with it."""
    owed = life.index.live[Stage.COMMUNICATION].values()
    return any(one.details.get("milestone") == said.milestone for one in owed)


def with_list(lists: tuple[HouseList, ...], arrived: NewList) -> tuple[HouseList, ...]:
    """Give the house's lists with one that arrived laid over the one for its calendar, in order of code."""
    by_code = {one.calendar: one for one in lists}
    before = by_code.get(arrived.calendar, HouseList(arrived.calendar))
    days = tuple(OwnHoliday(one.on, one.name, one.kind) for one in arrived.days)
    by_code[arrived.calendar] = before.with_years(days, arrived.published_until)
    return tuple(by_code[code] for code in sorted(by_code))


def _handed_over(said: Handover, life: Life, happening: Happening) -> dict[str, tuple[Any, ...]]:
    if said.role:
        held = [p for p in life.facts.participations if p.role == said.role and p.holds_on(happening.on)]
        new = Participation(project_ref=life.project.project_ref, party_ref=said.to, role=said.role, since=happening.on)
        return {"participations": (*(replace(p, until=happening.on - DAY) for p in held), new)}
    contacts = {c.contact_ref: c for c in (*life.around.contacts, *life.facts.contacts)}
    leaves, comes = contacts.get(said.contact), contacts.get(said.to)
    if leaves is None or comes is None or leaves not in life.facts.contacts:
        return {}
    taken = replace(comes, party_ref=leaves.party_ref, level=leaves.level, role_title=leaves.role_title)
    owned = tuple(replace(p, owner_ref=said.to) for p in life.facts.parties if p.owner_ref == said.contact)
    # Who left is written nothing, and stays on record.
    return {"contacts": (replace(leaves, consent=False), taken), "parties": owned}


def _slipped(said: Slip, life: Life) -> tuple[Any, ...]:
    return tuple(
        replace(
            one,
            forecast_on=said.forecast or one.forecast_on,
            actual_on=said.actual or one.actual_on,
            reason=said.reason or one.reason,
        )
        for one in life.facts.milestones
        if one.milestone == said.milestone
    )


def _payment(said: Missed, life: Life) -> Undertaking:
    return Undertaking(
        obligation_ref=said.ref,
        project_ref=life.project.project_ref,
        kind="payment",
        description=said.title.en or said.title.zh,
        description_zh=said.title.zh,
        debtor_ref=said.debtor,
        creditor_ref=said.creditor,
        first=said.due,
        last=said.due,
        convention="modified-following",
    )
