"""The facts box of a letter: which project, what, by when, who owes whom, what happens next, under which reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pfflow.domain.notices import Invitation
from pfflow.domain.words import ZH, Json
from pfflow.rendering.formats import moment, plain_day
from pfflow.rendering.phrases import phrase

Box = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Particular:
    """One line of the box: what it is, what it says, and a remark under it."""

    label: str
    value: str
    remark: str = ""


def particulars(
    context: Box, invitation: Invitation | None, timezone: str, next_step: str, language: str
) -> tuple[Particular, ...]:
    """Give the lines of a letter's facts box, in order.

    Times are the reader's wall time, and the obligation's too where its clock shows another time. `context` has the
    shape of `pfflow.domain.escalation.letter_context`.
    """
    obligation, project = _box(context["obligation"]), _box(context["project"])
    lines = [
        Particular(phrase("project", language), f"{said(project['name'], language)}（{project['ref']}）")
        if language == ZH
        else Particular(phrase("project", language), f"{said(project['name'], language)} ({project['ref']})"),
        Particular(phrase("obligation", language), said(obligation["title"], language)),
        *_period(obligation, language),
        *_clause(obligation, language),
        *_when(obligation, invitation, timezone, language),
        *_place(invitation, language),
        *_parties(context, obligation, language),
        *_history(context, language),
    ]
    if next_step:
        lines.append(Particular(phrase("next", language), next_step))
    lines.append(Particular(phrase("reference", language), str(obligation["key"])))
    return tuple(lines)


def said(value: Json, language: str) -> str:
    """Give the text of a {zh, en} pair for a language, the other where it is empty; other values as they are."""
    if not isinstance(value, Mapping):
        return "" if value is None else str(value)
    first, second = ("zh", "en") if language == ZH else ("en", "zh")
    return str(value[first] or value[second])


def _when(obligation: Box, invitation: Invitation | None, timezone: str, language: str) -> list[Particular]:
    at = invitation.starts_at if invitation else datetime.fromisoformat(str(obligation["due_at"]))
    own = str(obligation["timezone"])
    name = "starts" if obligation["kind"] == "meeting" or invitation else "due"
    remarks = []
    if obligation["unadjusted_on"] != obligation["due_on"]:
        remarks.append(phrase("rolled", language, plain_day(str(obligation["unadjusted_on"]), language)))
    if obligation["provisional"]:
        remarks.append(phrase("provisional", language))
    lines = [Particular(phrase(name, language), moment(at, timezone, language), _remark(remarks, language))]
    if at.astimezone(ZoneInfo(own)).utcoffset() != at.astimezone(ZoneInfo(timezone)).utcoffset():
        lines.append(Particular(phrase(f"{name}_there", language), moment(at, own, language)))
    if name == "starts":
        lasts = (invitation.ends_at - invitation.starts_at) // timedelta(minutes=1) if invitation else None
        minutes = lasts or obligation["minutes"]
        if minutes:
            lines.append(Particular(phrase("minutes", language), phrase("minutes_of", language, minutes)))
    return lines


def _period(obligation: Box, language: str) -> list[Particular]:
    start, end = obligation["period_start"], obligation["period_end"]
    if not (start and end) or start == end:
        return []
    first, last = (plain_day(date.fromisoformat(str(day)), language) for day in (start, end))
    return [Particular(phrase("period", language), f"{first}至{last}" if language == ZH else f"{first} to {last}")]


def _clause(obligation: Box, language: str) -> list[Particular]:
    clause = obligation.get("clause_ref")
    return [Particular(phrase("clause", language), str(clause))] if clause else []


def _place(invitation: Invitation | None, language: str) -> list[Particular]:
    place = invitation.location.in_language(language) if invitation else ""
    return [Particular(phrase("place", language), place)] if place else []


def _parties(context: Box, obligation: Box, language: str) -> list[Particular]:
    """Who owes and who is owed; a meeting is owed by all to all, so its letters do not say it."""
    if obligation["kind"] == "meeting":
        return []
    both = ((name, said(context[name], language)) for name in ("debtor", "creditor"))
    return [Particular(phrase(name, language), value) for name, value in both if value]


def _history(context: Box, language: str) -> list[Particular]:
    lines = []
    days = int(str(context["overdue_days"] or 0))
    if days == 1:
        lines.append(Particular(phrase("overdue", language), phrase("overdue_one", language)))
    elif days > 1:
        lines.append(Particular(phrase("overdue", language), phrase("overdue_of", language, days)))
    before = context["said"]
    if isinstance(before, Sequence) and not isinstance(before, str) and before:
        told = [(plain_day(str(b["on"]), language), phrase(str(b["action"]), language)) for b in map(_box, before)]
        texts = [f"{on}（{what}）" if language == ZH else f"{on} ({what})" for on, what in told]
        lines.append(Particular(phrase("said", language), ("；" if language == ZH else "; ").join(texts)))
    return lines


def _remark(remarks: Sequence[str], language: str) -> str:
    return ("；" if language == ZH else "; ").join(remarks)


def _box(value: Json) -> Box:
    if not isinstance(value, Mapping):
        raise TypeError(f"a letter's context has {value!r} where a mapping belongs")
    return value
