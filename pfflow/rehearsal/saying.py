"""A rehearsal in a few sentences: what the terminal says, and what the page begins with."""

from __future__ import annotations

from collections.abc import Iterator

from pfflow.domain.words import Words
from pfflow.rehearsal.figures import Rehearsed, is_spring_festival


def sentences(found: Rehearsed) -> Iterator[Words]:
    """Give what matters, one sentence each: dates and feasts, people, duties, parties, money's sake."""
    spring = sum(n for name, n in found.by_holiday if is_spring_festival(name))
    yield Words(
        f"共 {len(found.dates):,} 个日期，{len(found.collisions):,} 个落在节假日，其中春节 {spring:,} 个；"
        f"{sum(found.provisional.values()):,} 个为暂定。",
        f"{len(found.dates):,} dates: {len(found.collisions):,} fall on holidays, {spring:,} of them on Spring "
        f"Festival; {sum(found.provisional.values()):,} are provisional.",
    )
    month, people = found.worst_month
    a_week = found.limits[0]
    if people:
        yield Words(
            f"{month} 最紧：{people} 人一周超过 {a_week} 个日期。",
            f"{_people(people)} overloaded in {month}, the worst month: more than {a_week} dates in a week.",
        )
    else:
        yield Words(f"没有人一周超过 {a_week} 个日期。", f"Nobody has more than {a_week} dates in a week.")
    undertakings = {(one.obligation.project_ref, one.source) for one in found.without_owner}
    yield Words(
        f"{len(undertakings)} 项义务无人负责（{len(found.without_owner):,} 个日期）；"
        f"{len(found.clashes):,} 处会议冲突。",
        f"{_counted(len(undertakings), 'undertaking has', 'undertakings have')} no owner "
        f"({_counted(len(found.without_owner), 'date', 'dates')}); "
        f"{_counted(len(found.clashes), 'meeting clashes', 'meetings clash')}.",
    )
    parties = {gap.party_ref for gap in found.gaps}
    yield Words(
        f"{len(found.late):,} 个日期逾期，升级 {found.escalated:,} 次；{found.mails:,} 封邮件；"
        f"{len(parties)} 个参与方有超过 {found.limits[2]} 天听不到任何消息。",
        f"{_counted(len(found.late), 'date was', 'dates were')} late, with "
        f"{_counted(found.escalated, 'escalation', 'escalations')}; {_counted(found.mails, 'mail', 'mails')}; "
        f"{_counted(len(parties), 'party hears', 'parties hear')} nothing for more than {found.limits[2]} days.",
    )


def _counted(number: int, singular: str, plural: str) -> str:
    return f"{number:,} {singular if number == 1 else plural}"


def _people(number: int) -> str:
    return "1 person is" if number == 1 else f"{number} people are"
