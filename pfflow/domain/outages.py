"""After an outage: what went out late says so, what was left out is listed once, with why, for those who watch.

An outage is when a stage has not decided for more than one business day. Whatever became due in it is taken, skipped or
merged by the late policy of its rung; this module only says so. The summary waits until the other daily stages have
caught up too, one business day at most, so that there is one. Where a plan is applied first after an outage, it notes
the outage, and the next sweep takes what became due in it and sums it up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pfflow.domain.audience import AUDIENCES, audience
from pfflow.domain.business_days import business_days_between
from pfflow.domain.drafting import Draft
from pfflow.domain.ladder import ACTION_WORDS, Action, Firing, Rung, Step, action_in
from pfflow.domain.letter_context import letter_context
from pfflow.domain.notices import Notice, notice_key
from pfflow.domain.obligations import Obligation, ObligationKind, Status, derived_key
from pfflow.domain.offsets import Offset, OffsetUnit
from pfflow.domain.parties import Contact
from pfflow.domain.reports import CellKind, Column, Figure, Report, Table
from pfflow.domain.role_words import role_words
from pfflow.domain.words import Json, Stage, Words

SUMMARY = "communication/outage_summary"
"""The letter that lists what was left out."""

_SUBJECT = "outage"
_NOBODY = "nobody is "
_DAILY = (Stage.IDENTIFICATION, Stage.INFORMATION_GATHERING, Stage.SERVICE_DESIGN)
_BECAME = {
    "fired": Words("补发", "sent late"),
    "skipped": Words("未发", "not sent"),
    "merged": Words("并入其他函件", "merged"),
}
_WHY: Sequence[tuple[re.Pattern[str], Words]] = (
    (
        re.compile(r"into its own repetition, due by now"),
        Words("后一次重复已到期，只发一次", "a later repetition says it"),
    ),
    (re.compile(r"what it announces is over"), Words("所涉事项已过", "what it announces is over")),
    (re.compile(r"the reminder's due date is past"), Words("截止日期已过", "the reminder's due date is past")),
    (
        re.compile(r"reached (\d+) business days late, into a later .*"),
        Words(r"迟到 \1 个工作日，由后一函件说明", r"\1 business days late, a later letter says it"),
    ),
    (re.compile(r"reached (\d+) business days late"), Words(r"迟到 \1 个工作日", r"\1 business days late")),
    (
        re.compile(r"everyone it goes to is told the same already"),
        Words("收件人已收到同样内容", "its readers are told already"),
    ),
    (re.compile(r"nobody is (.+)"), Words(r"“\1”没有联系人，改送关系负责人", r"nobody is \1; it went to the head")),
)


@dataclass(frozen=True, slots=True)
class Outage:
    """When a stage last decided before an outage, and when it decided again."""

    since: datetime
    until: datetime


def outage_before(draft: Draft) -> Outage | None:
    """Give the outage that this decision ends, or that was noted and is not summed up; None where there is none."""
    last = draft.dossier.held.decided_to.get(draft.stage)
    ended = Outage(last, draft.as_of) if last is not None and _days(draft, last, draft.as_of) > 1 else None
    noted = _noted(draft)
    if noted is None or ended is None:
        return ended or noted
    return Outage(min(noted.since, ended.since), ended.until)


def note_outage(draft: Draft) -> Outage | None:
    """Conclude that an outage ended, until it is summed up; gives it, or None where there was none."""
    outage = outage_before(draft)
    if outage is not None and outage != _noted(draft):
        value: dict[str, Json] = {"since": outage.since.isoformat(), "until": outage.until.isoformat(), "told": False}
        draft.conclude(_SUBJECT, value, "no decision for more than one business day")
    return outage


def _noted(draft: Draft) -> Outage | None:
    state = draft.concluded(_SUBJECT)
    if not state or state["told"]:
        return None
    return Outage(datetime.fromisoformat(str(state["since"])), datetime.fromisoformat(str(state["until"])))


def delay_of(draft: Draft, outage: Outage | None, at: datetime) -> Json:
    """Give what a letter says of its delay: the day it should have gone out, and the business days since.

    None where it is not late, or is late for another reason than the outage.
    """
    if outage is None or not outage.since < at <= outage.until or (days := _days(draft, at, draft.as_of)) < 1:
        return None
    return {"on": at.astimezone(draft.dossier.playbook.zone).date().isoformat(), "business_days": days}


def sum_up(draft: Draft) -> None:
    """Tell those who watch, once, what an outage kept back and what was left out of it, and write it down."""
    outage = note_outage(draft)
    if outage is None or not _caught_up(draft, outage):
        return
    state = draft.concluded(_SUBJECT)
    draft.conclude(_SUBJECT, {**state, "told": True}, "the summary of the outage is made")
    kept_back = _kept_back(draft, outage)
    if kept_back:
        _tell(draft, outage, kept_back)


def _caught_up(draft: Draft, outage: Outage) -> bool:
    decided = draft.dossier.held.decided_to
    waiting = [s for s in _DAILY if s in decided and decided[s] < outage.until]
    return not waiting or _days(draft, outage.until, draft.as_of) >= 1


def _kept_back(draft: Draft, outage: Outage) -> list[tuple[Obligation, Firing]]:
    found = []
    for firing in draft.firings():
        obligation = draft.obligation(firing.obligation_key)
        in_time = not outage.since < firing.due_at <= outage.until or firing.fired_at < outage.until
        if obligation is None or in_time or firing.outcome not in _BECAME or not action_in(firing.rung):
            continue
        if firing.outcome != "fired" or _days(draft, firing.due_at, firing.fired_at) >= 1:
            found.append((obligation, firing))
    return sorted(found, key=lambda pair: (pair[1].due_at, pair[1].obligation_key, pair[1].rung))


def _tell(draft: Draft, outage: Outage, kept_back: Sequence[tuple[Obligation, Firing]]) -> None:
    counted = Counter(firing.outcome for _, firing in kept_back)
    since, until = (at.astimezone(draft.dossier.playbook.zone).date() for at in (outage.since, outage.until))
    obligation = Obligation(
        key=derived_key(draft.dossier.project.project_ref, _SUBJECT, until.isoformat()),
        project_ref=draft.dossier.project.project_ref,
        stage=draft.stage,
        kind=ObligationKind.NOTICE,
        title=Words("系统中断期间事项清单", "What an outage kept back"),
        due_at=draft.as_of,
        due_on=draft.today,
        unadjusted_on=draft.today,
        timezone=draft.dossier.playbook.timezone,
        ladder="",
        creditor=draft.dossier.playbook.house.watch or draft.dossier.playbook.house.head,
        template=SUMMARY,
    )
    numbers: dict[str, Json] = {outcome: counted[outcome] for outcome in _BECAME}
    draft.plan(obligation, "an outage ended")
    draft.enter(_SUBJECT, obligation.key, {"since": since.isoformat(), "until": until.isoformat(), **numbers})
    step = Step(Rung(at=Offset(0, OffsetUnit.HOURS), do=Action.SEND, to="head"), "send0h-watch", draft.as_of)
    context = {
        **letter_context(draft, obligation, step, None),
        "outage": {"since": since.isoformat(), "until": until.isoformat(), **numbers},
    }
    report = _report(draft, kept_back, counted)
    notices = [
        Notice(
            key=notice_key(obligation.key, step.name, contact.contact_ref),
            project_ref=obligation.project_ref,
            obligation_key=obligation.key,
            rung=step.name,
            contact_ref=contact.contact_ref,
            template=SUMMARY,
            noticed_at=draft.as_of,
            context=context,
            report=report,
        )
        for contact in _watching(draft, obligation)
    ]
    fired = Firing(
        obligation_key=obligation.key, rung=step.name, due_at=draft.as_of, fired_at=draft.as_of, outcome="fired"
    )
    draft.fire(fired, notices)
    draft.move(obligation, Status.FULFILLED, by="pfflow", because=f"sent by {step.name}")


def _watching(draft: Draft, obligation: Obligation) -> tuple[Contact, ...]:
    """Give those who watch: the role the house names, and the head."""
    roles = (draft.dossier.playbook.house.watch, "head")
    found = [c for role in roles if role for c in audience(draft.dossier, role, obligation, None, draft.today)]
    return tuple({c.email.lower(): c for c in found}.values())


def _report(draft: Draft, kept_back: Sequence[tuple[Obligation, Firing]], counted: Mapping[str, int]) -> Report:
    zone = draft.dossier.playbook.zone
    rows = tuple(
        (
            firing.due_at.astimezone(zone).date().isoformat(),
            obligation.title,
            ACTION_WORDS[Action(action_in(firing.rung))],
            _BECAME[firing.outcome],
            _why(draft, firing.because),
            obligation.key,
        )
        for obligation, firing in kept_back
    )
    return Report(
        name=_SUBJECT,
        title=Words("系统中断期间事项清单", "What an outage kept back"),
        figures=tuple(Figure(words, str(counted.get(name, 0)), CellKind.COUNT) for name, words in _BECAME.items()),
        tables=(
            Table(
                name="kept_back",
                title=Words("逐项说明", "One by one"),
                columns=(
                    Column(Words("应发日期", "Was due"), CellKind.DATE),
                    Column(Words("事项", "Subject")),
                    Column(Words("函件", "Letter")),
                    Column(Words("处理", "What became of it")),
                    Column(Words("原因", "Why")),
                    Column(Words("编号", "Reference")),
                ),
                rows=rows,
            ),
        ),
    )


def _why(draft: Draft, because: str) -> Words:
    """Give a firing's reason in both languages; a role that nobody holds goes by its words."""
    role = because.removeprefix(_NOBODY)
    if role == because or role in AUDIENCES:
        return why(because)
    words = role_words(draft.dossier.playbook, role)
    return Words(why(f"{_NOBODY}{words.zh}").zh, why(f"{_NOBODY}{words.en}").en)


def why(because: str) -> Words:
    """Give a firing's reason in both languages; one this does not know stands as it was written.

    >>> why("reached 6 business days late").zh
    '迟到 6 个工作日'
    """
    for pattern, words in _WHY:
        match = pattern.fullmatch(because)
        if match:
            return Words(match.expand(words.zh), match.expand(words.en))
    return Words(because, because)


def _days(draft: Draft, first: datetime, last: datetime) -> int:
    zone = draft.dossier.playbook.zone
    return business_days_between(first.astimezone(zone).date(), last.astimezone(zone).date(), draft.dossier.calendar)
