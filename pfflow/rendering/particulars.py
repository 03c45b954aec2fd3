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

_CHASING = frozenset({"remind", "escalate"})
_ASKING = _CHASING | {"request"}
_OWED_BY_NOBODY = frozenset({"meeting", "survey"})
"""Meetings are held by all and surveys answered by those who get them; their letters name no debtor."""


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
    shape of `pfflow.domain.letter_context.letter_context`.
    """
    obligation, project = _box(context["obligation"]), _box(context["project"])
    lines = [
        Particular(phrase("project", language), f"{said(project['name'], language)}（{project['ref']}）")
        if language == ZH
        else Particular(phrase("project", language), f"{said(project['name'], language)} ({project['ref']})"),
        Particular(phrase("obligation", language), said(obligation["title"], language)),
        *_period(obligation, language),
        *_clause(obligation, language),
        *_when(context, invitation, timezone, language),
        *_place(invitation, language),
        *_parties(context, obligation, language),
        *_overdue(context, language),
        *_history(context, language),
    ]
    if next_step and _action(context) in _ASKING and obligation["kind"] not in _OWED_BY_NOBODY:
        lines.append(Particular(phrase("next", language), next_step))
    lines.append(Particular(phrase("reference", language), str(obligation["key"])))
    return tuple(lines)


def in_short(
    context: Box, invitation: Invitation | None, timezone: str, next_step: str, language: str
) -> tuple[Particular, ...]:
    """Give the lines a chat text has room for: by when, where, whose it is, what happens next.

    Remarks are left out, but that a date is provisional stands beside it.
    """
    obligation = _box(context["obligation"])
    due = _when(context, invitation, timezone, language)[:1]
    if obligation["provisional"]:
        due = [Particular(one.label, phrase("provisional_day", language, one.value)) for one in due]
    lines = [*due, *_place(invitation, language)]
    if _action(context) in _ASKING:
        lines += [one for one in _parties(context, obligation, language) if one.label == phrase("debtor", language)]
        if next_step and obligation["kind"] not in _OWED_BY_NOBODY:
            lines.append(Particular(phrase("next", language), next_step))
    return tuple(lines)


def said(value: Json, language: str) -> str:
    """Give the text of a {zh, en} pair for a language, the other where it is empty; other values as they are."""
    if not isinstance(value, Mapping):
        return "" if value is None else str(value)
    first, second = ("zh", "en") if language == ZH else ("en", "zh")
    return str(value[first] or value[second])


def _when(context: Box, invitation: Invitation | None, timezone: str, language: str) -> list[Particular]:
    if context.get("undated"):
        return []
    obligation = _box(context["obligation"])
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
    if not (start and end) or start == end or obligation["kind"] == "meeting":
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
    """Say who owes and who is owed to those who are asked; what merely informs does not name its other readers."""
    if obligation["kind"] in _OWED_BY_NOBODY:
        return []
    names = ("debtor", "creditor") if _action(context) in _ASKING else ("debtor",)
    both = ((name, said(context[name], language)) for name in names)
    return [Particular(phrase(name, language), value) for name, value in both if value]


def _overdue(context: Box, language: str) -> list[Particular]:
    days = int(str(context["overdue_days"] or 0))
    if days == 0 or context.get("undated") or _action(context) not in _CHASING:
        return []
    value = phrase("overdue_one", language) if days == 1 else phrase("overdue_of", language, days)
    return [Particular(phrase("overdue", language), value)]


def _history(context: Box, language: str) -> list[Particular]:
    """Tell what was sent before, each action and day once, to those who chase or are chased and to nobody else."""
    before = context["said"]
    if _action(context) not in _CHASING or not isinstance(before, Sequence) or isinstance(before, str):
        return []
    told = dict.fromkeys((str(b["on"]), str(b["action"])) for b in map(_box, before))
    shown = [(plain_day(on, language), phrase(action, language)) for on, action in told]
    texts = [f"{on}（{what}）" if language == ZH else f"{on} ({what})" for on, what in shown]
    return [Particular(phrase("said", language), ("；" if language == ZH else "; ").join(texts))] if texts else []


def _action(context: Box) -> str:
    return str(_box(context["rung"])["action"])


def _remark(remarks: Sequence[str], language: str) -> str:
    return ("；" if language == ZH else "; ").join(remarks)


def _box(value: Json) -> Box:
    if not isinstance(value, Mapping):
        raise TypeError(f"a letter's context has {value!r} where a mapping belongs")
    return value
