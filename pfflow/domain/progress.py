"""The progress report: milestones against plan, what is owed and overdue, and how the cover stands."""

from __future__ import annotations

from datetime import datetime

from pfflow.domain.covenants import covenant_tests_of
from pfflow.domain.decision import Dossier
from pfflow.domain.escalation import Missing
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.project import Milestone
from pfflow.domain.reports import CellKind, Column, Figure, Report, Table
from pfflow.domain.words import Stage, Words

_KEPT = Words("达标", "kept")
_BROKEN = Words("未达标", "below threshold")


def progress_report(dossier: Dossier, obligation: Obligation, as_of: datetime) -> Report | Missing:
    """Give the report on where the project stands, or what is missing: a project without milestones has no progress."""
    milestones = sorted(dossier.facts.milestones, key=lambda m: (m.planned_on, m.milestone))
    if not milestones:
        return Missing(Words("登记簿中没有里程碑", "the register has no milestones"))
    slipping = [m for m in milestones if m.slip_days() and m.actual_on is None]
    reached = [m for m in milestones if m.actual_on is not None]
    today = as_of.astimezone(dossier.playbook.zone).date()
    # By days, as letters count: what falls due today, this report among it, is not late until tomorrow.
    owed = (o for stage in Stage for o in dossier.held.live(stage))
    overdue = [o for o in owed if o.due_on < today and o.kind is not ObligationKind.NOTICE]
    end = obligation.period_end or obligation.unadjusted_on
    return Report(
        name="progress",
        title=Words(f"项目进展报告（截至 {end.isoformat()}）", f"Progress report to {end.isoformat()}"),
        figures=(
            Figure(Words("里程碑总数", "Milestones"), str(len(milestones)), CellKind.COUNT),
            Figure(Words("已完成", "Reached"), str(len(reached)), CellKind.COUNT),
            Figure(Words("延误中", "Slipping"), str(len(slipping)), CellKind.COUNT),
            Figure(Words("逾期事项", "Overdue obligations"), str(len(overdue)), CellKind.COUNT),
        ),
        tables=tuple(t for t in (_milestones(milestones), _covers(dossier)) if t.rows),
        sources=("register: milestones, financials, obligations",),
    )


def _milestones(milestones: list[Milestone]) -> Table:
    return Table(
        "milestones",
        Words("里程碑", "Milestones"),
        (
            Column(Words("里程碑", "Milestone")),
            Column(Words("计划", "Planned"), CellKind.DATE),
            Column(Words("预计", "Forecast"), CellKind.DATE),
            Column(Words("实际", "Actual"), CellKind.DATE),
            Column(Words("延误天数", "Days late"), CellKind.COUNT),
            Column(Words("原因", "Reason")),
        ),
        tuple(
            (
                Words(m.name_zh or m.name or m.milestone, m.name or m.milestone),
                m.planned_on.isoformat(),
                m.forecast_on.isoformat() if m.forecast_on else None,
                m.actual_on.isoformat() if m.actual_on else None,
                str(m.slip_days()),
                m.reason,
            )
            for m in milestones
        ),
    )


def _covers(dossier: Dossier) -> Table:
    undertakings = sorted(dossier.facts.obligations, key=lambda u: u.obligation_ref)
    tests = [t for u in undertakings for t in covenant_tests_of(dossier, u)]
    return Table(
        "covers",
        Words("财务约束指标", "Covenants"),
        (
            Column(Words("指标", "Covenant")),
            Column(Words("测算日", "Calculation date"), CellKind.DATE),
            Column(Words("数值", "Value"), CellKind.RATIO),
            Column(Words("阈值", "Threshold"), CellKind.RATIO),
            Column(Words("状态", "State")),
        ),
        tuple(
            (
                t.undertaking.metric.upper(),
                t.period_end.isoformat(),
                t.shown,
                str(t.undertaking.threshold),
                _KEPT if t.kept else _BROKEN,
            )
            for t in tests
        ),
    )
