"""Why a plan changes a date: the holiday list, a line of the playbook, the register, the phase, or time going on.

What can be read off the obligation itself (its time, its place, its title) is. For the rest the playbook in force is
compared with the one that is to be; where no line of it differs, the holiday list or the register does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from pfflow.domain.decision import Dossier
from pfflow.domain.escalation import location_of
from pfflow.domain.obligations import Obligation
from pfflow.domain.planning import CONDITION
from pfflow.domain.playbook import Cadence, Playbook
from pfflow.domain.project import Phase
from pfflow.domain.words import NO_WORDS, Json, Words


class Cause(StrEnum):
    """What kind of thing changed."""

    PLAYBOOK = "playbook"
    HOLIDAYS = "holidays"
    REGISTER = "register"
    PHASE = "phase"
    HORIZON = "horizon"
    MILESTONE = "milestone"


IN_LETTERS: Mapping[Cause, Words] = MappingProxyType(
    {
        Cause.PLAYBOOK: Words("工作安排调整", "the schedule was changed"),
        Cause.HOLIDAYS: Words("节假日安排有更新", "the holiday calendar was updated"),
        Cause.REGISTER: Words("项目登记信息有更新", "the project's records were updated"),
        Cause.PHASE: Words("项目已进入新的阶段", "the project has moved to another phase"),
        Cause.HORIZON: NO_WORDS,
        Cause.MILESTONE: Words("所依据的项目节点日期有变", "the milestone it depends on has another date"),
    }
)
"""Why, as the people who are invited read it: without the names of playbook lines."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something changes: what kind of thing did, and what exactly."""

    cause: Cause
    words: Words

    def as_json(self) -> dict[str, Json]:
        """Give it for machines."""
        return {"cause": str(self.cause), **self.words.as_json()}


Reasons = tuple[Reason, ...]
_NOTHING = Words("（无）", "(none)")
_OF_DATES = ("rule", "milestone", "offset", "roll", "phases", "start", "until", "kind")
"""The lines of a cadence that decide which dates there are."""
_ROLES = ("debtor", "creditor")


def why_added(dossier: Dossier, before: Playbook, source: str, *, again: bool) -> Reasons:
    """Give why an obligation is there that was not; `again` where it was cancelled before."""
    cadence, earlier = dossier.playbook.cadences.get(source), before.cadences.get(source)
    if cadence is None:
        reached = _of_undertaking(dossier, source, again=again)
        return (*_lists(dossier.playbook, before), reached) if again else (reached,)
    if earlier is None:
        return (_playbook(f"cadences.{source}", Words("新增", "new")),)
    found = (*_lines(source, earlier, cadence, _OF_DATES), *_lists(dossier.playbook, before))
    if found:
        return found
    if again:
        return (Reason(Cause.REGISTER, Words("此前取消，现又需要", "it was cancelled, and is wanted again")),)
    return (_horizon(),)


def why_cancelled(dossier: Dossier, before: Playbook, source: str, was: Obligation) -> Reasons:
    """Give why an obligation is wanted no more."""
    phase = dossier.project.phase
    cadence, earlier = dossier.playbook.cadences.get(source), before.cadences.get(source)
    if phase is Phase.EXIT:
        return (_phase(phase),)
    if cadence is not None:
        return _why_no_date(dossier, before, source, was)
    if earlier is not None:
        return (_playbook(f"cadences.{source}", Words("已删除", "removed")),)
    ends, what = was.period_end or was.unadjusted_on, _item(source)
    words = Words(
        f"登记表中的{what.zh} 不再有截至 {ends} 的这一期",
        f"register: {what.en} has no period that ends on {ends} any more",
    )
    if was.details.get("milestone"):
        milestone = was.details["milestone"]
        words = Words(
            f"登记表中的{what.zh} 不再依据节点 {milestone}", f"register: {what.en} hangs on {milestone} no more"
        )
    return (Reason(Cause.REGISTER, words),)


def _why_no_date(dossier: Dossier, before: Playbook, source: str, was: Obligation) -> Reasons:
    phase, cadence, earlier = dossier.project.phase, dossier.playbook.cadences[source], before.cadences.get(source)
    changed = tuple(_lines(source, earlier, cadence, _OF_DATES))
    if cadence.phases and phase not in cadence.phases:
        return changed if any("phases" in reason.words.en for reason in changed) else (_phase(phase),)
    changed = changed or _lists(dossier.playbook, before)
    if changed:
        return changed
    if dossier.calendar.is_business_day(was.unadjusted_on):
        words = Words(
            f"{was.unadjusted_on} 不在现行规则 {cadence.rule or cadence.milestone} 的日期之中",
            f"{was.unadjusted_on} is no date of the rule in force, {cadence.rule or cadence.milestone}",
        )
        return (Reason(Cause.PLAYBOOK, words),)
    words = Words(
        f"按节假日安排与下一次同日（规则日 {was.unadjusted_on}），只开一次",
        f"by the holiday list it falls on the day of the next one (by the rule {was.unadjusted_on}); one is held",
    )
    return (Reason(Cause.HOLIDAYS, words),)


def why_changed(dossier: Dossier, before: Playbook, source: str, was: Obligation, now: Obligation) -> Reasons:
    """Give why an obligation's date, time, length, place, title or terms differ."""
    found = tuple(_differences(dossier, before, source, was, now))
    return found or (Reason(Cause.REGISTER, Words("登记表或规则手册有更新", "the register or the playbook changed")),)


def date_lines(before: Playbook, after: Playbook) -> tuple[str, ...]:
    """Give the lines of a playbook that bear on dates and differ, in English, in the order of their names."""
    found = [reason.words.en for reason in _lists(after, before)]
    if before.timezone != after.timezone:
        found.append(_playbook("timezone", _from_to(before.timezone, after.timezone)).words.en)
    if before.undertakings.at != after.undertakings.at:
        times = [f"{one.undertakings.at:%H:%M}" for one in (before, after)]
        found.append(_playbook("undertakings.at", _from_to(*times)).words.en)
    for name in sorted(before.cadences.keys() | after.cadences.keys()):
        old, new = before.cadences.get(name), after.cadences.get(name)
        if old is None or new is None:
            found.append(f"playbook cadences.{name}: {'new' if old is None else 'removed'}")
        else:
            found += [reason.words.en for reason in _lines(name, old, new, (*_OF_DATES, "at", "minutes"))]
    return tuple(found)


def _differences(dossier: Dossier, before: Playbook, source: str, was: Obligation, now: Obligation) -> Iterator[Reason]:
    of_cadence = source in dossier.playbook.cadences
    line = f"cadences.{source}" if of_cadence else "undertakings"
    if was.due_on != now.due_on or was.unadjusted_on != now.unadjusted_on or was.provisional != now.provisional:
        yield from _why_another_day(dossier, before, source, was, now)
    yield from _why_another_hour(line, was, now)
    if location_of(was) != location_of(now):
        yield _playbook(f"{line}.location", _words_from_to(location_of(was), location_of(now)))
    if was.title != now.title:
        changed = _words_from_to(was.title, now.title)
        column = "text" if source.startswith(CONDITION) else "description"
        yield _playbook(f"{line}.title", changed) if of_cadence else _register(source, column, changed)
    if of_cadence and (was.period_start, was.period_end) != (now.period_start, now.period_end):
        yield from _lines(source, before.cadences.get(source), dossier.playbook.cadences[source], ("rule",))
    for name in ("kind", "content", "ladder", "activity", "debtor", "creditor"):
        old, new = str(getattr(was, name)), str(getattr(now, name))
        if old != new:
            by_register = name in _ROLES
            yield (
                _register(source, name, _from_to(old, new))
                if by_register
                else _playbook(f"{line}.{name}", _from_to(old, new))
            )


def _why_another_hour(line: str, was: Obligation, now: Obligation) -> Iterator[Reason]:
    before, after = (o.due_at.astimezone(ZoneInfo(o.timezone)).strftime("%H:%M") for o in (was, now))
    if was.timezone != now.timezone:
        yield _playbook("timezone", _from_to(was.timezone, now.timezone))
    if before != after:
        yield _playbook(f"{line}.at", _from_to(before, after))
    if was.minutes != now.minutes:
        yield _playbook(f"{line}.minutes", _from_to(str(was.minutes), str(now.minutes)))


def _why_another_day(
    dossier: Dossier, before: Playbook, source: str, was: Obligation, now: Obligation
) -> Iterator[Reason]:
    slipped = _slipped(was, now)
    cadence, earlier = dossier.playbook.cadences.get(source), before.cadences.get(source)
    lines = tuple(_lines(source, earlier, cadence, ("milestone", "offset"))) if cadence else ()
    if slipped or lines:
        yield from (*lines, *slipped)
    elif was.unadjusted_on != now.unadjusted_on:
        what = _item(source)
        words = Words(
            f"登记表：{what.zh} 的期限由 {was.unadjusted_on} 改为 {now.unadjusted_on}",
            f"register: {what.en} is due {now.unadjusted_on} instead of {was.unadjusted_on}",
        )
        yield Reason(Cause.REGISTER, words)
    elif was.due_on != now.due_on:
        yield from _why_rolled(dossier, before, source, was, now)
    elif was.provisional and not now.provisional:
        yield _published(was.due_on)
    else:
        yield Reason(Cause.HOLIDAYS, Words("所用节假日安排有更新", "the holiday list it is rolled by changed"))


def _slipped(was: Obligation, now: Obligation) -> Reasons:
    """Give that the milestone an obligation is owed for has another date, where it has."""
    name, old, new = now.details.get("milestone"), was.details.get("milestone_on"), now.details.get("milestone_on")
    if not name or was.details.get("milestone") != name or old == new:
        return ()
    later = str(old) < str(new)
    zh, en = ("顺延", "slipped") if later else ("提前", "brought forward")
    return (
        Reason(
            Cause.MILESTONE, Words(f"日期{zh}：{name} 由 {old} 改为 {new}", f"date {en}: {name} from {old} to {new}")
        ),
    )


def _why_rolled(dossier: Dossier, before: Playbook, source: str, was: Obligation, now: Obligation) -> Iterator[Reason]:
    cadence, earlier = dossier.playbook.cadences.get(source), before.cadences.get(source)
    rolls = tuple(_lines(source, earlier, cadence, ("roll",))) if cadence and earlier else ()
    lists = _lists(dossier.playbook, before)
    if rolls or lists:
        yield from (*rolls, *lists)
    elif not dossier.calendar.is_business_day(was.due_on):
        day = was.due_on
        yield Reason(Cause.HOLIDAYS, Words(f"节假日安排：{day} 休息", f"holiday list: {day} is a day off"))
    elif abs(now.due_on - now.unadjusted_on) < abs(was.due_on - was.unadjusted_on):
        # It lies nearer to the rule's date than before, so the list has made a working day of where it is now.
        day = now.due_on
        yield Reason(Cause.HOLIDAYS, Words(f"节假日安排：{day} 上班", f"holiday list: {day} is a working day"))
    elif cadence is None:
        yield _register(source, "convention", _from_to(str(was.due_on), str(now.due_on)))
    else:
        yield Reason(Cause.HOLIDAYS, Words("节假日安排有更新", "the holiday list changed"))


def _published(on: date) -> Reason:
    words = Words(f"{on.year} 年节假日安排已公布，日期不变", f"the holiday list of {on.year} is out; the date stays")
    return Reason(Cause.HOLIDAYS, words)


def _lines(source: str, before: Cadence | None, now: Cadence, names: tuple[str, ...]) -> Iterator[Reason]:
    """Give the lines of a cadence that differ."""
    for name in names:
        old, new = getattr(before, name, None), getattr(now, name)
        if before is not None and old != new:
            yield _playbook(f"cadences.{source}.{name}", _words_from_to(_shown(old), _shown(new)))


def _lists(playbook: Playbook, before: Playbook) -> Reasons:
    """Give the playbook's calendars, where other ones are named."""
    if playbook.calendars == before.calendars:
        return ()
    return (_playbook("calendars", _from_to("+".join(before.calendars), "+".join(playbook.calendars))),)


def _of_undertaking(dossier: Dossier, source: str, *, again: bool) -> Reason:
    clause = next((u.clause_ref for u in dossier.facts.obligations if u.obligation_ref == source), "")
    what = _item(f"{source} {clause}".rstrip())
    if again:
        return Reason(Cause.REGISTER, Words(f"登记表：{what.zh} 又需要", f"register: {what.en} is owed again"))
    return Reason(Cause.REGISTER, Words(f"登记表：{what.zh}", f"register: {what.en}"))


def _item(source: str) -> Words:
    """Give what a source of the register is called: an undertaking, or a condition."""
    ref = source.removeprefix(CONDITION)
    return (
        Words(f"义务 {source}", f"undertaking {source}") if ref == source else Words(f"条件 {ref}", f"condition {ref}")
    )


def _phase(phase: Phase) -> Reason:
    return Reason(Cause.PHASE, Words(f"项目现处于 {phase} 阶段", f"the project is in the phase {phase}"))


def _horizon() -> Reason:
    return Reason(Cause.HORIZON, Words("进入计划期", "it comes within the planning horizon"))


def _playbook(line: str, what: Words) -> Reason:
    return Reason(Cause.PLAYBOOK, Words(f"规则手册 {line}：{what.zh}", f"playbook {line}: {what.en}"))


def _register(source: str, column: str, what: Words) -> Reason:
    source = source.removeprefix(CONDITION)
    return Reason(
        Cause.REGISTER, Words(f"登记表：{source} 的 {column}：{what.zh}", f"register: {column} of {source}: {what.en}")
    )


def _shown(value: object) -> Words:
    if value is None or value == ():
        return _NOTHING
    if isinstance(value, tuple):
        text = ", ".join(map(str, value))
        return Words(text, text)
    if isinstance(value, time):
        return Words(f"{value:%H:%M}", f"{value:%H:%M}")
    return Words(str(value), str(value))


def _from_to(old: str, new: str) -> Words:
    return _words_from_to(Words(old, old), Words(new, new))


def _words_from_to(old: Words, new: Words) -> Words:
    old, new = old if old != NO_WORDS else _NOTHING, new if new != NO_WORDS else _NOTHING
    return Words(
        f"{old.in_language('zh')} → {new.in_language('zh')}", f"{old.in_language('en')} → {new.in_language('en')}"
    )
