"""A plan as people read it, in Chinese or English: by project and by cadence, each date with its weekday, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from pfflow.cli.console import counted
from pfflow.domain.replanning import Change, Conflict, HousePlan, Kind, ProjectPlan, Slot
from pfflow.domain.words import Words

_SHOWN = 5
"""How many lines of a kind are listed before the rest are counted."""
_SIGN = {
    Kind.ADDED: "+",
    Kind.MOVED: "~",
    Kind.CANCELLED: "-",
    Kind.CONFIRMED: "!",
    Kind.RESTATED: "=",
    Kind.ATTENDEES: "@",
}
_KINDS = {
    Kind.ADDED: Words("新增", "added"),
    Kind.MOVED: Words("移动", "moved"),
    Kind.CANCELLED: Words("取消", "cancelled"),
    Kind.CONFIRMED: Words("日期确定", "no longer provisional"),
    Kind.RESTATED: Words("日期不变，内容变更", "restated"),
    Kind.ATTENDEES: Words("参会人员变动", "attendees changed"),
}
_SHORT = {Kind.RESTATED: Words("内容变更", "restated")}
_ALWAYS_COUNTED = (Kind.ADDED, Kind.MOVED, Kind.CANCELLED)
_CONFLICTS = {
    "double-booked": Words("同时有两个会议", "is in two meetings at once"),
    "out-of-hours": Words("会议在当地工作时间之外", "has a meeting outside working hours there"),
    "crowded-day": Words("一天内会议过多", "has too many meetings in a day"),
}
_WEEKDAYS = (
    Words("周一", "Mon"),
    Words("周二", "Tue"),
    Words("周三", "Wed"),
    Words("周四", "Thu"),
    Words("周五", "Fri"),
    Words("周六", "Sat"),
    Words("周日", "Sun"),
)


def plan_text(plan: HousePlan, language: str, zone: ZoneInfo, *, every: bool = False) -> Iterator[str]:
    """Give the lines of a plan. Long lists are folded unless `every`; times are wall time of what they are of."""
    page = _Page(language, every=every)
    said = page.said
    other = said("（尚未生效）", ", not in force yet") if plan.sha256 != plan.in_force else ""
    made = plan.as_of.astimezone(zone)
    yield said(
        f"计划：{made:%Y-%m-%d %H:%M} 起至 {plan.until}，规则手册 {plan.playbook}{other}",
        f"Plan from {made:%Y-%m-%d %H:%M} to {plan.until}, playbook {plan.playbook}{other}",
    )
    for project in plan.projects:
        if project.changes:
            yield ""
            yield f"{project.project_ref} {project.name.in_language(language)}"
            yield from page.project(project)
    if not plan.changes:
        yield said("没有日期需要变更", "no date would change")
    letters = plan.letters()
    if letters:
        yield ""
        yield said("收信人：", "Letters to:")
        yield from page.folded([f"{who}  {number}" for who, number in letters.items()], "  ")
    if plan.conflicts:
        yield ""
        yield said("冲突：", "Conflicts:")
        yield from page.folded(page.conflicts(plan.conflicts), "  ")
    yield ""
    if plan.ladders_kept:
        yield page.kept(plan.ladders_kept)
    yield page.summary(plan)
    if not plan.is_empty:
        yield said(f"计划编号 {plan.digest[:12]}", f"digest {plan.digest[:12]}")


class _Page:
    """The words and the folding of one language."""

    def __init__(self, language: str, *, every: bool) -> None:
        self._language = language
        self._every = every

    def said(self, zh: str, en: str) -> str:
        return Words(zh, en).in_language(self._language)

    def words(self, words: Words) -> str:
        return words.in_language(self._language)

    def folded(self, lines: Sequence[str], indent: str) -> Iterator[str]:
        """Give the lines, the first five and how many more there are."""
        shown = lines if self._every else lines[:_SHOWN]
        yield from (f"{indent}{line}" for line in shown)
        more = len(lines) - len(shown)
        if more:
            yield indent + self.said(f"… 另有 {more} 项", f"… {more} more")

    def project(self, project: ProjectPlan) -> Iterator[str]:
        """Give a project's changes by cadence and kind, in order of date."""
        by_source = attrgetter("source")
        for source, of_source in groupby(sorted(project.changes, key=by_source), key=by_source):
            some = list(of_source)
            title = self.words(some[0].slot.title)
            yield self.said(f"  {title}（{source}）", f"  {title} ({source})")
            shared = {self._why(change) for change in some}
            if len(shared) == 1:
                yield self.said(f"    原因：{self._why(some[0])}", f"    why: {self._why(some[0])}")
            for kind in _SIGN:
                mine = [change for change in some if change.kind is kind]
                in_order = sorted(mine, key=lambda change: (change.slot.at, change.obligation_key))
                yield from self._kind(kind, in_order, say_why=len(shared) > 1)

    def _kind(self, kind: Kind, changes: Sequence[Change], *, say_why: bool) -> Iterator[str]:
        because: dict[str, list[Change]] = {}
        for change in changes:
            because.setdefault(self._why(change), []).append(change)
        for why, some in because.items():
            yield self.said(f"    {_KINDS[kind].zh} {len(some)}", f"    {len(some)} {_KINDS[kind].en}") + (
                self.said(f"。原因：{why}", f", why: {why}") if say_why else ""
            )
            yield from self.folded([f"{_SIGN[kind]} {self._line(change)}" for change in some], "      ")

    def _why(self, change: Change) -> str:
        return self.said("；", "; ").join(self.words(reason.words) for reason in change.reasons)

    def _line(self, change: Change) -> str:
        was, now = change.was, change.now
        if change.kind is Kind.MOVED and was and now:
            text = self._moved(was, now)
        elif change.kind is Kind.RESTATED and was and now:
            text = self._when(now) + self._period(was, now)
        else:
            text = self._when(change.slot)
        return text + self._told(change)

    def _moved(self, was: Slot, now: Slot) -> str:
        text = self._when(was)
        if was.on == now.on and was.at != now.at and was.timezone == now.timezone:
            text += f" → {now.at.astimezone(ZoneInfo(now.timezone)):%H:%M}"
        elif (was.at, was.on) != (now.at, now.on):
            text += f" → {self._when(now)}"
        if was.minutes != now.minutes:
            text += self.said(f"，时长 {was.minutes} → {now.minutes} 分钟", f", {was.minutes} → {now.minutes} minutes")
        if was.place != now.place:
            text += self.said(
                f"，地点改为 {self.words(now.place) or '（无）'}", f", now at {self.words(now.place) or '(none)'}"
            )
        if was.title != now.title:
            text += self.said(f"，名称改为 {self.words(now.title)}", f", now called {self.words(now.title)}")
        return text

    def _period(self, was: Slot, now: Slot) -> str:
        before, after = _span(was.period_start, was.period_end), _span(now.period_start, now.period_end)
        return self.said(f"，期间 {before} → {after}", f", period {before} → {after}") if before != after else ""

    def _told(self, change: Change) -> str:
        if not change.told:
            return ""
        number = len(change.told)
        return self.said(f"  [{number} 封信]", f"  [{counted(number, 'letter')}]")

    def _when(self, slot: Slot) -> str:
        at = slot.at.astimezone(ZoneInfo(slot.timezone))
        rule = ""
        if slot.unadjusted_on != slot.on:
            day = self._day(slot.unadjusted_on)
            rule = self.said(f"（规则日 {day}）", f" (by the rule {day})")
        provisional = self._unsure() if slot.provisional else ""
        return f"{self._day(slot.on)} {at:%H:%M}{rule}{provisional}"

    def _unsure(self) -> str:
        return self.said("（暂定）", " (provisional)")

    def _day(self, day: date) -> str:
        return f"{day} {self.words(_WEEKDAYS[day.weekday()])}"

    def conflicts(self, some: Sequence[Conflict]) -> list[str]:
        """Give a line for each person and kind of clash, with the first time and how often."""
        groups: dict[tuple[str, str, tuple[Words, ...]], list[Conflict]] = {}
        for one in some:
            titles = tuple(sorted(set(one.titles), key=str))
            groups.setdefault((one.kind, one.name, titles), []).append(one)
        return [self._conflict(*group, times) for group, times in groups.items()]

    def _conflict(self, kind: str, name: str, titles: Sequence[Words], times: Sequence[Conflict]) -> str:
        first = times[0]
        at = self._at(first.at, first.timezone) + (self._unsure() if first.provisional else "")
        what = self.said("、", ", ").join(self.words(title) for title in titles)
        often = len(times)
        again = self.said(f"，共 {often} 次", f", {often} times") if often > 1 else ""
        return self.said(
            f"{name}：{self.words(_CONFLICTS[kind])}：{what}，{at}{again}",
            f"{name} {self.words(_CONFLICTS[kind])}: {what}, {at}{again}",
        )

    def _at(self, instant: datetime, zone: str) -> str:
        at = instant.astimezone(ZoneInfo(zone))
        return f"{self._day(at.date())} {at:%H:%M} {zone}"

    def kept(self, number: int) -> str:
        """Give the line on ladders that a plan leaves as they were begun, though the playbook has others."""
        what = counted(number, "obligation keeps the ladder it", "obligations keep the ladders they")
        return self.said(
            f"{number} 项已开始的事项沿用其开始时的阶梯，不按此规则手册的阶梯",
            f"{what} began with, not those of this playbook",
        )

    def summary(self, plan: HousePlan) -> str:
        """Give the line that ends a plan: how many of each kind, how many letters to how many people."""
        counts = plan.counts()
        shown = [kind for kind in _SIGN if counts[kind] or kind in _ALWAYS_COUNTED]
        letters = plan.letters()
        number, people = sum(letters.values()), len(letters)
        return self.said(
            "，".join(f"{_SHORT.get(kind, _KINDS[kind]).zh} {counts[kind]}" for kind in shown)
            + f"；{number} 封信，致 {people} 人",
            ", ".join(f"{counts[kind]} {_KINDS[kind].en}" for kind in shown)
            + f"; {counted(number, 'letter')} to {counted(people, 'person', 'people')}",
        )


def _span(start: date | None, end: date | None) -> str:
    return f"{start or '…'}–{end or '…'}"
