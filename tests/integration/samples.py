"""Small facts, obligations and notices for the tests of the store; keyword changes make the one that is meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pfflow.domain.facts import (
    Absence,
    Assessment,
    BudgetLine,
    Facts,
    Financial,
    FundUse,
    Interaction,
    Need,
    RaciCode,
    RaciRow,
    SurveyAnswer,
    Touch,
    Undertaking,
)
from pfflow.domain.ladder import Firing
from pfflow.domain.notices import Notice
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.parties import Contact, Participation, Party, PartyKind, Realm, Tier
from pfflow.domain.project import ConditionItem, Milestone, Phase, Project
from pfflow.domain.words import Stage, Words

AT = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
"""Monday 5 January 2026, 09:00 in Shanghai."""

FACTS = Facts(
    parties=(
        Party(
            party_ref="BANK",
            name="Bank",
            name_zh="银行",
            kind=PartyKind.POLICY_BANK,
            parent_ref="GROUP",
            owner_ref="C-OPS",
        ),
        Party(
            party_ref="GROUP",
            name="Group",
            kind=PartyKind.LENDER,
            registered_capital=Decimal("100000000.10"),
            tier=Tier.A,
        ),
        Party(party_ref="OPS", name="Operations", kind=PartyKind.DEPARTMENT, realm=Realm.INTERNAL),
        Party(party_ref="OTHER", name="Other", kind=PartyKind.INVESTOR, as_of=date(2025, 12, 31)),
        Party(party_ref="SPV", name="SPV", name_zh="项目公司", kind=PartyKind.BORROWER),
    ),
    contacts=(
        Contact(contact_ref="C-BANK", party_ref="BANK", name="王芳", email="wang@bank.example", consent=False),
        Contact(contact_ref="C-OPS", party_ref="OPS", name="Li", email="li@house.example", timezone="Asia/Shanghai"),
        Contact(contact_ref="C-OTHER", party_ref="OTHER", name="Xu", email="xu@other.example"),
    ),
    projects=(
        Project(project_ref="G1", name="Motorway", name_zh="高速公路", borrower_ref="SPV", loan_rate=Decimal("0.0450")),
        Project(project_ref="G2", name="Solar", sponsor_ref="OTHER", fc_date=date(2026, 3, 31), phase=Phase.ASSESSMENT),
    ),
    participations=(Participation(project_ref="G1", party_ref="BANK", role="lender", share=Decimal("33.333")),),
    milestones=(Milestone(project_ref="G1", milestone="toll", planned_on=date(2026, 6, 30)),),
    conditions=(ConditionItem(project_ref="G2", cp_ref="CP1", text="Land", due=date(2026, 2, 1)),),
    financials=(
        Financial(subject_ref="G1", period_end=date(2026, 6, 30), metric="cfads", value=Decimal("-12.50")),
        Financial(subject_ref="OTHER", period_end=date(2025, 12, 31), metric="revenue", value=Decimal("1E+9")),
        Financial(
            subject_ref="SPV", period_end=date(2025, 12, 31), metric="revenue", value=Decimal("0.1"), basis="forecast"
        ),
    ),
    budget=(BudgetLine(project_ref="G1", budget_line="civil", name_zh="土建", amount=Decimal(700000000)),),
    fund_use=(
        FundUse(
            paid_on=date(2026, 1, 4),
            project_ref="G1",
            amount=Decimal("1234567890123.45"),
            budget_line="civil",
            voucher="V1",
        ),
    ),
    assessments=(Assessment(project_ref="G1", factor="financial", grade=2, weight=Decimal(25)),),
    needs=(
        Need(need_ref="N1", project_ref="G1", party_ref="BANK", kind="growth", text="…", stated_on=date(2026, 1, 2)),
    ),
    raci=(RaciRow(phase=Phase.IDENTIFICATION, activity="report", role="operations", code=RaciCode.ACCOUNTABLE),),
    obligations=(
        Undertaking(
            obligation_ref="U1", project_ref="G1", kind="covenant", description="DSCR", threshold=Decimal("1.15")
        ),
    ),
    interactions=(Interaction(ext_id="I1", project_ref="G1", at=AT, kind=Touch.MEETING, party_ref="BANK"),),
    absences=(Absence(contact_ref="C-BANK", since=date(2026, 2, 2), until=date(2026, 2, 13), substitute_ref="C-OPS"),),
    surveys=(
        SurveyAnswer(
            survey_ref="S1",
            project_ref="G1",
            respondent_ref="BANK",
            answered_on=date(2026, 1, 3),
            question="nps",
            score=Decimal(9),
        ),
    ),
)
"""Two projects; each sheet says something. Sheets are in the order of their keys, as the store gives them back."""


def make_touch(**changes: Any) -> Interaction:
    """Give an acknowledgement of G1's report."""
    touch = Interaction(
        ext_id="T1",
        project_ref="G1",
        at=AT,
        kind=Touch.ACKNOWLEDGEMENT,
        contact_ref="C-BANK",
        obligation_key="G1/report/2026-01-15",
    )
    return replace(touch, **changes)


def make_obligation(**changes: Any) -> Obligation:
    """Give a report that operations owe the bank by 15 January 2026, 09:00 in Shanghai."""
    obligation = Obligation(
        key="G1/report/2026-01-15",
        project_ref="G1",
        stage=Stage.COMMUNICATION,
        kind=ObligationKind.REPORT,
        title=Words("资金使用报告", "Fund-use report"),
        due_at=datetime(2026, 1, 15, 1, 0, tzinfo=UTC),
        due_on=date(2026, 1, 15),
        unadjusted_on=date(2026, 1, 15),
        timezone="Asia/Shanghai",
        ladder="report",
    )
    return replace(obligation, **changes)


def make_firing(**changes: Any) -> Firing:
    """Give the first reminder of the report, fired."""
    firing = Firing(
        obligation_key="G1/report/2026-01-15", rung="remind-1bd-responsible", due_at=AT, fired_at=AT, outcome="fired"
    )
    return replace(firing, **changes)


def make_notice(**changes: Any) -> Notice:
    """Give the reminder to the bank's contact."""
    notice = Notice(
        key="G1/report/2026-01-15/remind-1bd-responsible/C-BANK",
        project_ref="G1",
        obligation_key="G1/report/2026-01-15",
        rung="remind-1bd-responsible",
        contact_ref="C-BANK",
        template="communication/reminder",
        noticed_at=AT,
        context={"house": {"name": {"zh": "本行", "en": "House"}}, "overdue_days": 0},
    )
    return replace(notice, **changes)
