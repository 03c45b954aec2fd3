from __future__ import annotations

from datetime import date

from pfflow.domain.escalation import Missing
from pfflow.domain.obligations import ObligationKind, Status
from pfflow.domain.progress import progress_report
from pfflow.domain.reports import Report
from tests.factories import (
    at,
    make_dossier,
    make_financial,
    make_milestone,
    make_obligation,
    make_undertaking,
    with_facts,
)

NOW = at("2026-02-02")
MONTH = make_obligation(
    key="G1/progress/2026-01-31",
    due_at=at("2026-02-02", 17, 0),
    due_on=date(2026, 2, 2),
    period_end=date(2026, 1, 31),
)
MILESTONES = (
    make_milestone(milestone="toll", forecast_on=date(2026, 7, 30), reason="rain"),
    make_milestone(milestone="bridge", planned_on=date(2025, 12, 1), actual_on=date(2025, 12, 11)),
    make_milestone(milestone="tunnel", planned_on=date(2026, 3, 1), forecast_on=date(2026, 2, 1)),
)


def test_the_report_counts_what_is_reached_what_slips_and_what_is_overdue() -> None:
    late = make_obligation()
    warned = make_obligation(key="G1/warning/x/2025-12-31", kind=ObligationKind.NOTICE)
    done = make_obligation(key="G1/report/2025-12-31", status=Status.FULFILLED)
    dossier = make_dossier(milestones=MILESTONES, obligations=[MONTH, late, warned, done])
    report = progress_report(dossier, MONTH, NOW)
    assert isinstance(report, Report)
    assert {f.label.en: f.value for f in report.figures} == {
        "Milestones": "3",
        "Reached": "1",
        "Slipping": "1",
        "Overdue obligations": "1",
    }
    assert report.title.en == "Progress report to 2026-01-31"
    (table,) = report.tables
    assert [(row[1], row[4], row[5]) for row in table.rows] == [
        ("2025-12-01", "10", ""),
        ("2026-03-01", "0", ""),
        ("2026-06-30", "30", "rain"),
    ]


def test_neither_the_report_itself_nor_what_else_falls_due_today_is_overdue_in_it() -> None:
    late, today = make_obligation(), make_obligation(key="G1/fund-use/2026-01-31", due_on=date(2026, 2, 2))
    dossier = make_dossier(milestones=MILESTONES, obligations=[MONTH, late, today])
    report = progress_report(dossier, MONTH, at("2026-02-02", 18, 0))
    assert isinstance(report, Report)
    assert report.figures[-1].value == "1"


def test_the_covers_stand_beside_the_milestones() -> None:
    dossier = make_dossier(milestones=MILESTONES, financials=(make_financial("dscr", "1.12"),))
    report = progress_report(with_facts(dossier, obligations=(make_undertaking(),)), MONTH, NOW)
    assert isinstance(report, Report)
    (row,) = report.tables[1].rows
    assert [str(cell) for cell in row] == ["DSCR", "2025-12-31", "1.12", "1.15", "below threshold"]


def test_a_project_without_milestones_has_no_progress_to_report() -> None:
    assert isinstance(progress_report(make_dossier(), MONTH, NOW), Missing)
