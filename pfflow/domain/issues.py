"""Problems people report: an answer owed soon, a solution owed later, and the customer's word that it is one.

A report opens two obligations of the house, each with its own clock and ladder by severity: the response (anyone's
acknowledgement is one) and the solution. Where somebody says how it was solved, the customer owes a confirmation, and
the solution's ladder is silent until it comes. Confirmed, the solution counts from when it was given. Rejected, it is
open again and its clock has run on. Only the customer that reported a problem confirms or rejects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from pfflow.domain.audience import party_words, raci_of
from pfflow.domain.business_days import wall_instant
from pfflow.domain.drafting import Draft
from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.hearing import answers_to, heard_firing, heard_mark, moved, party_of
from pfflow.domain.obligations import AWAITING, ISSUE, Obligation, ObligationKind, Status, derived_key
from pfflow.domain.offsets import Offset, offset_date
from pfflow.domain.parties import Direction
from pfflow.domain.playbook import Issues
from pfflow.domain.words import NO_WORDS, Json, Words

REPORTED, SOLVED = "communication/issue", "communication/issue_solved"
"""The letters about a problem: to who must solve it, and to the customer once somebody says that it is solved."""

_SOLVING = frozenset({Touch.RESOLUTION, Touch.FULFILMENT})
_CONFIRMING = frozenset({Touch.CONFIRMATION, Touch.FULFILMENT})


@dataclass(frozen=True, slots=True)
class Reopened:
    """A solution that the customer rejected: the obligation that is open again, and what was said."""

    obligation: Obligation
    touch: Interaction


def follow(draft: Draft) -> tuple[Reopened, ...]:
    """Open what was reported and is not open yet, and hear solutions, confirmations and rejections; once each."""
    rules = draft.dossier.playbook.issues
    for touch in _reports(draft):
        if rules is None:
            draft.find(
                "issue-unruled",
                touch.ext_id,
                f"收到问题 {touch.ext_id}，但规则手册没有 issues 一节；无人跟进",
                f"problem {touch.ext_id} was reported, and the playbook has no issues: nobody follows it up",
            )
        elif not party_of(draft, touch):
            draft.find(
                "issue-by-nobody",
                touch.ext_id,
                f"问题 {touch.ext_id} 未写明由谁提出，无法回复",
                f"problem {touch.ext_id} does not say who reported it, so nobody can be answered",
            )
        else:
            _open(draft, rules, touch)
    solutions = draft.live_of(ObligationKind.ISSUE)
    return tuple(reopened for solution in solutions for reopened in _hear(draft, rules, solution))


def _reports(draft: Draft) -> Iterator[Interaction]:
    """Give the problems reported since the relationship began that nobody has settled in the register."""
    asked = [
        t for t in draft.dossier.held.touches_of(Touch.ISSUE) if t.direction is Direction.INBOUND and not t.outcome
    ]
    for touch in sorted(asked, key=attrgetter("at", "ext_id")):
        on = touch.at.astimezone(draft.dossier.playbook.zone).date()
        if draft.dossier.engaged_on <= on and touch.at <= draft.as_of:
            yield touch


def _key(draft: Draft, ext_id: str, part: str) -> str:
    return derived_key(draft.dossier.project.project_ref, ISSUE, ext_id, part)


def _open(draft: Draft, rules: Issues, touch: Interaction) -> None:
    if draft.obligation(_key(draft, touch.ext_id, "solution")) is not None:
        return
    name = touch.severity if touch.severity in rules.severities else rules.default
    severity = rules.severities[name]
    if touch.severity and touch.severity != name:
        draft.find(
            "issue-severity",
            touch.ext_id,
            f"问题 {touch.ext_id} 的严重程度“{touch.severity}”未在规则手册中定义，按“{severity.title.words.zh}”处理",
            f"the playbook knows no severity {touch.severity!r} of problem {touch.ext_id}; it is handled as {name}",
        )
    customer = party_of(draft, touch)
    parties = {p.party_ref: p for p in draft.dossier.facts.parties}
    named = party_words(parties[customer]) if customer in parties else Words(customer, customer)
    responsible = raci_of(draft.dossier, rules.activity).responsible
    answer_at, solve_at = _due(draft, touch.at, severity.respond), _due(draft, touch.at, severity.solve)
    details: dict[str, Json] = {
        ISSUE: touch.ext_id,
        "severity": severity.title.words.as_json(),
        "text": Words(touch.subject, touch.subject).as_json(),
        "reported_at": touch.at.isoformat(),
        "reported_by": named.as_json(),
        "respond_by": answer_at.isoformat(),
        "solve_by": solve_at.isoformat(),
        "solution": NO_WORDS.as_json(),
    }
    short = touch.subject if len(touch.subject) <= 40 else touch.subject[:39] + "…"
    blank = Obligation(
        key="",
        project_ref=draft.dossier.project.project_ref,
        stage=draft.stage,
        kind=ObligationKind.ISSUE,
        title=Words(f"问题处理：{short}", f"Problem: {short}"),
        due_at=solve_at,
        due_on=draft.today,
        unadjusted_on=draft.today,
        timezone=draft.dossier.playbook.timezone,
        ladder=severity.solving,
        activity=rules.activity,
        debtor=responsible[0] if responsible else "",
        creditor=customer,
        subject=customer,
        template=REPORTED,
        details={**details, "part": "solution"},
    )
    why = f"problem {touch.ext_id}, severity {name}"
    draft.plan(
        replace(
            _on(draft, blank, answer_at),
            key=_key(draft, touch.ext_id, "response"),
            kind=ObligationKind.ACTION,
            title=Words(f"问题响应：{short}", f"Answer to a problem: {short}"),
            ladder=severity.ladder,
            details={**details, "part": "response"},
        ),
        f"{why}: respond within {severity.respond}",
    )
    draft.plan(
        replace(_on(draft, blank, solve_at), key=_key(draft, touch.ext_id, "solution")),
        f"{why}: solve within {severity.solve}",
    )


def _due(draft: Draft, since: datetime, within: Offset) -> datetime:
    """Give when a clock ends: hours are counted on, days end when the house closes."""
    if not within.is_dated:
        return moved(draft, since, within)
    playbook = draft.dossier.playbook
    on = offset_date(since.astimezone(playbook.zone).date(), within, draft.dossier.calendar)
    return wall_instant(on, playbook.hours.closes, playbook.zone)


def _on(draft: Draft, obligation: Obligation, due_at: datetime) -> Obligation:
    on = due_at.astimezone(draft.dossier.playbook.zone).date()
    return replace(
        obligation,
        due_at=due_at,
        due_on=on,
        unadjusted_on=on,
        provisional=draft.dossier.calendar.is_provisional(on),
    )


def _hear(draft: Draft, rules: Issues | None, solution: Obligation) -> Iterator[Reopened]:
    for touch in _said(draft, solution):
        if not solution.live:
            return
        if draft.fired(touch.obligation_key, heard_mark(touch)):
            continue
        awaited = draft.obligation(str(solution.details.get(AWAITING, "")))
        customers = party_of(draft, touch) == solution.creditor
        if touch.kind in _SOLVING and touch.obligation_key == solution.key and not customers:
            if awaited is None and rules is not None:
                solution = _solved(draft, rules, solution, touch)
                draft.fire(heard_firing(draft, solution, touch), ())
            continue
        if touch.kind not in _CONFIRMING | {Touch.REJECTION}:
            continue
        if not customers:
            draft.find(
                "not-the-customer",
                solution.key,
                f"{touch.contact_ref} 不属于提出问题的一方，其答复不计为确认",
                f"{touch.contact_ref} is not of the party that reported it, so the answer confirms nothing",
            )
            continue
        draft.fire(replace(heard_firing(draft, solution, touch), obligation_key=touch.obligation_key), ())
        if awaited is not None and awaited.live:
            _answered(draft, awaited, touch)
        if touch.kind in _CONFIRMING:
            solution = _confirmed(draft, solution, touch)
        else:
            solution = _reopened(draft, solution, touch)
            yield Reopened(solution, touch)


def _said(draft: Draft, solution: Obligation) -> list[Interaction]:
    """Give what was said of a solution and of its confirmations, in order of instant."""
    keys = [solution.key, *(o.key for o in _confirmations(draft, solution))]
    known = (draft.obligation(key) for key in keys)
    return sorted((t for o in known if o for t in answers_to(draft, o)), key=lambda t: (t.at, t.ext_id))


def _confirmations(draft: Draft, solution: Obligation) -> list[Obligation]:
    found: list[Obligation] = []
    while (one := draft.obligation(_confirmation_key(solution, len(found) + 1))) is not None:
        found.append(one)
    return found


def _confirmation_key(solution: Obligation, number: int) -> str:
    return f"{solution.key.removesuffix('solution')}confirmation-{number}"


def _solved(draft: Draft, rules: Issues, solution: Obligation, touch: Interaction) -> Obligation:
    """Put a solution before the customer, who owes a confirmation; whoever has not answered yet has now."""
    response = draft.obligation(f"{solution.key.removesuffix('solution')}response")
    by = touch.contact_ref or touch.party_ref
    if response is not None and response.live:
        draft.move(response, Status.FULFILLED, by=by, because=touch.outcome, touch=touch.ext_id, at=touch.at)
    key = _confirmation_key(solution, len(_confirmations(draft, solution)) + 1)
    said: dict[str, Json] = {
        **{name: value for name, value in solution.details.items() if name not in (AWAITING, "part")},
        "solution": Words(touch.outcome, touch.outcome).as_json(),
        "solved_at": touch.at.isoformat(),
    }
    blank = replace(
        solution,
        key=key,
        kind=ObligationKind.ACTION,
        title=Words(f"确认{solution.title.zh}", f"Confirmation. {solution.title.en}"),
        ladder=rules.confirming,
        debtor=solution.creditor,
        creditor=solution.debtor,
        template=SOLVED,
        status=Status.PLANNED,
        held_until=None,
        sequence=0,
        climbing={},
        details={**said, "part": "confirmation"},
    )
    draft.plan(_on(draft, blank, _due(draft, touch.at, rules.confirm)), f"a solution was given ({touch.ext_id})")
    held = replace(solution, details={**said, "part": "solution", AWAITING: key})
    draft.change(held)
    draft.enter("solved", solution.key, {"by": by, "touch": touch.ext_id})
    return held


def _answered(draft: Draft, awaited: Obligation, touch: Interaction) -> None:
    because = touch.outcome or str(touch.kind)
    by = touch.contact_ref or touch.party_ref
    draft.move(awaited, Status.FULFILLED, by=by, because=because, touch=touch.ext_id, at=touch.at)


def _confirmed(draft: Draft, solution: Obligation, touch: Interaction) -> Obligation:
    solved_at = solution.details.get("solved_at")
    at = datetime.fromisoformat(str(solved_at)) if solved_at else touch.at
    by = touch.contact_ref or touch.party_ref
    because = touch.outcome or "confirmed by the customer"
    return draft.move(solution, Status.FULFILLED, by=by, because=because, touch=touch.ext_id, at=at)


def _reopened(draft: Draft, solution: Obligation, touch: Interaction) -> Obligation:
    details = {name: value for name, value in solution.details.items() if name not in (AWAITING, "solved_at")}
    reopened = replace(solution, details=details)
    draft.change(reopened)
    draft.enter("reopened", solution.key, {"by": touch.contact_ref or touch.party_ref, "touch": touch.ext_id})
    return reopened
