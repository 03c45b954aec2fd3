"""What people read of a stage in Prefect's UI: one table a stage, made from the dossiers alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from flows.reader import KINDS, PACKAGE, Reader, approvals, lacking, measures_of, relationship_line
from pfflow.domain.decision import Dossier
from pfflow.domain.obligations import Obligation
from pfflow.domain.words import Stage, Words

Row = Mapping[str, str]
"""A row by column label."""

LOOK_AHEAD = timedelta(days=14)
"""How far ahead the table of communication looks."""

LONGEST_TABLE = 1000
"""Rows of a table; the artifact's description says how many there are."""


def stage_rows(stage: Stage, dossiers: Iterable[Dossier], as_of: datetime) -> list[Row]:
    """Give a stage's table for the projects, in their order."""
    return [row for dossier in dossiers for row in _ROWS[stage](Reader(dossier, as_of))]


def _project(reader: Reader) -> dict[str, str]:
    return {reader.label("项目", "Project"): reader.dossier.project.project_ref}


def _identification(reader: Reader) -> Iterable[Row]:
    for ref in reader.subjects(Stage.IDENTIFICATION, "party/"):
        found = reader.concluded(Stage.IDENTIFICATION, f"party/{ref}")
        because = reader.dossier.held.conclusions[Stage.IDENTIFICATION, f"party/{ref}"].because
        yield {
            **_project(reader),
            reader.label("参与方", "Party"): f"{ref} {reader.name(ref)}",
            reader.label("客群", "Segment"): reader.said(found["segment_title"])
            or reader.label("未归类", "unclassified"),
            reader.label("等级", "Tier"): str(found["tier"] or "—"),
            reader.label("策略", "Strategy"): reader.said(found["strategy_title"]) or str(found["strategy"] or "—"),
            reader.label("关系负责人", "Owner"): reader.person(found["owner"]),
            reader.label("依据", "Because"): because,
        }


def _information_gathering(reader: Reader) -> Iterable[Row]:
    for ref in reader.subjects(Stage.INFORMATION_GATHERING, "completeness/"):
        found = reader.concluded(Stage.INFORMATION_GATHERING, f"completeness/{ref}")
        asked = next((o for o in reader.dossier.of_stage(Stage.INFORMATION_GATHERING) if _asks(o, ref)), None)
        yield {
            **_project(reader),
            reader.label("参与方", "Party"): f"{ref} {reader.name(ref)}",
            reader.label("完整度", "Complete"): f"{found['percent']}% ({found['known']}/{found['of']})",
            reader.label("缺", "Lacking"): lacking(reader, ref, found),
            reader.label("请求到期", "Asked for by"): reader.due(asked) if asked else "",
        }


def _asks(obligation: Obligation, party_ref: str) -> bool:
    return obligation.live and obligation.subject == party_ref and "items" in obligation.details


def _service_design(reader: Reader) -> Iterable[Row]:
    package = reader.concluded(Stage.SERVICE_DESIGN, "package")
    problems: Any = reader.concluded(Stage.SERVICE_DESIGN, "shortfall").get("problems") or ()
    if not package and not problems:
        return
    digest = str(package.get("digest", ""))
    asked = next((o for o in approvals(reader) if o.subject == digest), None)
    status = str(package.get("status", ""))
    yield {
        **_project(reader),
        reader.label("方案", "Package"): digest or "—",
        reader.label("状态", "Status"): reader.say(PACKAGE.get(status, Words(status, status))) or "—",
        reader.label("风险评级", "Risk grade"): reader.said(asked.details.get("grade")) if asked else "—",
        reader.label("服务内容", "Measures"): "; ".join(measures_of(reader, digest)),
        reader.label("审批到期", "Approval due"): reader.due(asked) if asked else "—",
        reader.label("尚缺", "What is in the way"): "; ".join(reader.said(problem) for problem in problems),
    }


def _communication(reader: Reader) -> Iterable[Row]:
    until = reader.as_of + LOOK_AHEAD
    steps = _steps_today(reader)
    for obligation in reader.dossier.of_stage(Stage.COMMUNICATION):
        fired = steps.get(obligation.key, ())
        if not fired and not (obligation.live and obligation.due_at <= until):
            continue
        late = reader.days_late(obligation) if obligation.overdue(reader.as_of) else 0
        yield {
            **_project(reader),
            reader.label("到期", "Due"): reader.due(obligation),
            reader.label("类别", "Kind"): reader.say(KINDS[obligation.kind]),
            reader.label("事项", "What"): reader.say(obligation.title),
            reader.label("责任方", "Owed by"): reader.name(obligation.debtor),
            reader.label("逾期工作日", "Days late"): str(late or ""),
            reader.label("今日函件", "Done today"): "; ".join(fired),
        }


def _steps_today(reader: Reader) -> Mapping[str, list[str]]:
    zone = reader.dossier.playbook.zone
    found: dict[str, list[str]] = {}
    for firing in reader.dossier.held.firings.values():
        if firing.outcome == "fired" and firing.fired_at.astimezone(zone).date() == reader.today:
            found.setdefault(firing.obligation_key, []).append(firing.rung)
    return found


def _evaluation(reader: Reader) -> Iterable[Row]:
    cards = reader.scorecards()
    if not cards:
        return
    month = str(cards[0]["month"])
    proposals: Any = reader.concluded(Stage.EVALUATION, f"proposals/{month}").get("proposals") or ()
    for card in cards:
        role = str(card["role"])
        yield _evaluation_row(
            reader,
            month,
            reader.name(role),
            f"{card['score'] or '—'} / {card['target']}",
            _about(reader, proposals, role),
        )
    others = [p for p in proposals if p["subject"] not in {card["role"] for card in cards}]
    yield _evaluation_row(
        reader,
        month,
        reader.label("外部客户", "External customers"),
        relationship_line(reader, month),
        "; ".join(reader.said(p["text"]) for p in others),
    )


def _about(reader: Reader, proposals: Iterable[Mapping[str, Any]], subject: str) -> str:
    return "; ".join(reader.said(p["text"]) for p in proposals if p["subject"] == subject)


def _evaluation_row(reader: Reader, month: str, about: str, score: str, proposed: str) -> Row:
    return {
        **_project(reader),
        reader.label("月份", "Month"): month,
        reader.label("对象", "About"): about,
        reader.label("得分", "Score"): score,
        reader.label("建议", "Proposals"): proposed,
    }


_ROWS = {
    Stage.IDENTIFICATION: _identification,
    Stage.INFORMATION_GATHERING: _information_gathering,
    Stage.SERVICE_DESIGN: _service_design,
    Stage.COMMUNICATION: _communication,
    Stage.EVALUATION: _evaluation,
}
