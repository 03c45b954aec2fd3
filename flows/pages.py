"""What people read of a project in Prefect's UI: one living page in Markdown, made from the dossier alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flows.reader import PACKAGE, Reader, lacking, measures_of, relationship_line, table, text
from pfflow.domain.audience import creditors, roles_meant
from pfflow.domain.courses import rungs_of
from pfflow.domain.decision import Dossier
from pfflow.domain.kept_letters import STATUS
from pfflow.domain.ladder import Action
from pfflow.domain.notices import EMAIL
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.project import Phase
from pfflow.domain.reports import CellKind
from pfflow.domain.words import Stage, Words
from pfflow.rendering.formats import figure
from pfflow.store import Deliveries

_SHOWN = ("sent", "waiting", "held", "failed")
LONGEST_LIST = 20
"""Rows of a list on a page; what is left out is counted below it."""

_PHASES = {
    Phase.IDENTIFICATION: Words("识别", "identification"),
    Phase.ASSESSMENT: Words("评估", "assessment"),
    Phase.FUNDRAISING: Words("募资", "fundraising"),
    Phase.IMPLEMENTATION: Words("实施", "implementation"),
    Phase.EXIT: Words("退出", "exit"),
}
_STATUS = {
    Status.PLANNED: Words("已计划", "planned"),
    Status.OPEN: Words("进行中", "open"),
    Status.FULFILLED: Words("已完成", "fulfilled"),
    Status.WAIVED: Words("已豁免", "waived"),
    Status.CANCELLED: Words("已取消", "cancelled"),
}


def project_page(dossier: Dossier, as_of: datetime, went: Sequence[Deliveries] = ()) -> str:
    """Give a project's living page as Markdown; `went` is how many of its letters went by which channel."""
    reader = Reader(dossier, as_of)
    sections = (
        _head(reader),
        _next_meeting(reader),
        _overdue(reader),
        _owed(reader),
        _warnings(reader),
        _package(reader),
        _gaps(reader),
        _scores(reader),
        _delivered(reader, went),
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _head(reader: Reader) -> list[str]:
    project = reader.dossier.project
    live = [o for o in reader.dossier.held.obligations.values() if o.live]
    late = [o for o in live if o.overdue(reader.as_of)]
    zone = reader.dossier.playbook.zone
    name = reader.say(Words(project.name_zh, project.name))
    return [
        f"# {text(project.project_ref)} · {text(name)}",
        "",
        *table(
            (
                reader.label("阶段", "Phase"),
                reader.label("欠办", "Owed"),
                reader.label("其中逾期", "Overdue"),
                reader.label("截至", "As of"),
            ),
            [
                (
                    reader.say(_PHASES[project.phase]),
                    len(live),
                    len(late),
                    f"{reader.as_of.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})",
                )
            ],
        ),
    ]


def _next_meeting(reader: Reader) -> list[str]:
    ahead = [
        o
        for o in reader.dossier.held.obligations.values()
        if o.kind is ObligationKind.MEETING and o.live and o.due_at >= reader.as_of
    ]
    lines = [f"## {reader.label('下次会议', 'Next meeting')}", ""]
    if not ahead:
        return [*lines, reader.label("没有已安排的会议", "no meeting is planned")]
    meeting = min(ahead, key=lambda o: (o.due_at, o.key))
    starts = meeting.due_at.astimezone(reader.dossier.playbook.zone)
    roles = [
        role
        for rung in rungs_of(reader.dossier.playbook, meeting)
        if rung.do is Action.INVITE
        for role in roles_meant(reader.dossier, rung.to, meeting)
    ]
    provisional = f" ({reader.label('日期暂定', 'provisional')})" if meeting.provisional else ""
    return [
        *lines,
        f"**{text(reader.say(meeting.title))}** · {starts:%Y-%m-%d %H:%M}{provisional}",
        "",
        f"{reader.label('与会', 'Invited')}: {text(reader.name(*dict.fromkeys(roles)))}",
    ]


def _overdue(reader: Reader) -> list[str]:
    late = sorted(
        (o for o in reader.dossier.held.obligations.values() if o.overdue(reader.as_of)),
        key=lambda o: (o.due_at, o.key),
    )
    if not late:
        return []
    return [
        f"## {reader.label('逾期', 'Overdue')} ({len(late)})",
        "",
        *table(
            (
                reader.label("到期", "Due"),
                reader.label("逾期工作日", "Days late"),
                reader.label("事项", "What"),
                reader.label("责任方", "Owed by"),
                reader.label("已升级至", "Climbed to"),
            ),
            (
                (reader.due(o), reader.days_late(o), reader.say(o.title), reader.name(o.debtor), reader.climbed_to(o))
                for o in late[:LONGEST_LIST]
            ),
        ),
        *_more(reader, len(late)),
        *_legend(reader, late[:LONGEST_LIST]),
    ]


def _owed(reader: Reader) -> list[str]:
    ahead = sorted(
        (o for o in reader.dossier.held.obligations.values() if o.live and not o.overdue(reader.as_of)),
        key=lambda o: (o.due_at, o.key),
    )
    shown = ahead[:LONGEST_LIST]
    return [
        f"## {reader.label('欠办事项', 'Owed')} ({len(ahead)})",
        "",
        *(
            table(
                (
                    reader.label("到期", "Due"),
                    reader.label("事项", "What"),
                    reader.label("责任方", "Owed by"),
                    reader.label("接收方", "Owed to"),
                    reader.label("状态", "Status"),
                ),
                (
                    (
                        reader.due(o),
                        reader.say(o.title),
                        reader.name(o.debtor),
                        reader.say(creditors(reader.dossier, o, reader.today)) or "—",
                        reader.say(_STATUS[o.status]),
                    )
                    for o in shown
                ),
            )
            if shown
            else [reader.label("没有", "nothing")]
        ),
        *_more(reader, len(ahead)),
        *_legend(reader, shown),
    ]


def _legend(reader: Reader, shown: Iterable[Obligation]) -> list[str]:
    """Give what the star beside a due date means, where one of them has it."""
    if not any(o.provisional for o in shown):
        return []
    return ["", f"\\* {reader.label('日期暂定，节假日安排尚未公布', 'provisional: the holiday list is not out yet')}"]


def _more(reader: Reader, count: int) -> list[str]:
    rest = count - LONGEST_LIST
    return ["", reader.label(f"另有 {rest} 项", f"and {rest} more")] if rest > 0 else []


def _warnings(reader: Reader) -> list[str]:
    warnings = sorted(
        (
            o
            for o in reader.dossier.of_stage(Stage.INFORMATION_GATHERING)
            if o.kind is ObligationKind.NOTICE and o.status is not Status.CANCELLED
        ),
        key=lambda o: (not o.live, -o.due_on.toordinal(), o.key),
    )
    if not warnings:
        return []
    return [
        f"## {reader.label('预警', 'Warnings')} ({len(warnings)})",
        "",
        *(
            f"- **{text(reader.due(o))} {text(reader.say(o.title))}** ({reader.say(_STATUS[o.status])}): "
            f"{text(_numbers(reader, o))}"
            for o in warnings[:LONGEST_LIST]
        ),
        *_more(reader, len(warnings)),
        *_legend(reader, warnings[:LONGEST_LIST]),
    ]


def _numbers(reader: Reader, warning: Obligation) -> str:
    details: Mapping[str, Any] = warning.details
    if "slip_days" in details:
        planned, forecast = reader.label("计划", "planned"), reader.label("预计", "forecast")
        return f"{planned} {details['planned_on']}; {forecast} {details['forecast_on']}; {details.get('why', '')}"
    parts = [
        f"{reader.said(n['label'])} {figure(str(n['value']), CellKind(n['kind']), n['unit'], reader.language)}"
        for n in details.get("numbers", ())
    ]
    if details.get("clause_ref"):
        parts.append(str(details["clause_ref"]))
    return "; ".join(parts)


def _package(reader: Reader) -> list[str]:
    package = reader.concluded(Stage.SERVICE_DESIGN, "package")
    problems = reader.concluded(Stage.SERVICE_DESIGN, "shortfall").get("problems") or ()
    if not package and not problems:
        return []
    lines = [f"## {reader.label('服务方案', 'Service package')}", ""]
    if package:
        status = reader.say(PACKAGE.get(str(package["status"]), Words(str(package["status"]), "")))
        lines += [f"**{text(package['digest'])}** · {text(status)}", ""]
        lines += [f"- {text(title)}" for title in measures_of(reader, str(package["digest"]))]
    lines += [f"- ⚠ {text(reader.said(problem))}" for problem in problems]
    return lines


def _gaps(reader: Reader) -> list[str]:
    unclassified: Any = reader.concluded(Stage.IDENTIFICATION, "unclassified").get("parties") or ()
    lines = []
    if unclassified:
        lines.append(
            f"- {reader.label('未归类', 'Unclassified')}: {text(', '.join(reader.name(r) for r in unclassified))}"
        )
    for ref in reader.subjects(Stage.INFORMATION_GATHERING, "completeness/"):
        found = reader.concluded(Stage.INFORMATION_GATHERING, f"completeness/{ref}")
        if found["lacking"]:
            lines.append(f"- {text(reader.name(ref))} {found['percent']}%: {text(lacking(reader, ref, found))}")
    return [f"## {reader.label('资料缺口', 'What is not known')}", "", *lines] if lines else []


def _delivered(reader: Reader, went: Sequence[Deliveries]) -> list[str]:
    if not went:
        return []
    headers = (("渠道", "Channel"), *((STATUS[name].zh, STATUS[name].en) for name in _SHOWN))
    return [
        f"## {reader.label('函件', 'Letters')}",
        "",
        *table(
            [reader.label(*header) for header in headers],
            [(_channel(reader, one.channel), *(getattr(one, name) for name in _SHOWN)) for one in went],
        ),
    ]


def _channel(reader: Reader, name: str) -> str:
    """Give what a channel is called: e-mail, a room's title, or the chat service."""
    room = reader.dossier.playbook.rooms.get(name)
    if room is not None:
        return f"{reader.say(room.title.words)} ({reader.label('群聊', 'chat room')})"
    return reader.label("邮件", "e-mail") if name == EMAIL else name


def _scores(reader: Reader) -> list[str]:
    cards = reader.scorecards()
    if not cards:
        return []
    month = str(cards[0]["month"])
    measures = list(dict.fromkeys(str(row["name"]) for card in cards for row in card["rows"]))
    titles = {row.name: row.title.words for row in reader.dossier.playbook.scorecard.rows}
    lines = [
        f"## {reader.label('部门考核', 'Department scorecards')} {month}",
        "",
        *table(
            (
                reader.label("部门", "Department"),
                reader.label("得分", "Score"),
                reader.label("目标", "Target"),
                *(reader.say(titles.get(name, Words(name, name))) for name in measures),
            ),
            (
                (
                    reader.name(str(card["role"])),
                    card["score"] or "—",
                    card["target"],
                    *(
                        {str(row["name"]): row["score"] or "—" for row in card["rows"]}.get(name, "")
                        for name in measures
                    ),
                )
                for card in cards
            ),
        ),
    ]
    relationship = relationship_line(reader, month)
    lines += ["", text(relationship)] if relationship else []
    proposals: Any = reader.concluded(Stage.EVALUATION, f"proposals/{month}").get("proposals") or ()
    if proposals:
        lines += ["", f"**{reader.label('建议', 'Proposals')}**", ""]
        lines += [f"- {text(reader.name(str(p['subject'])))}: {text(reader.said(p['text']))}" for p in proposals]
    return lines
