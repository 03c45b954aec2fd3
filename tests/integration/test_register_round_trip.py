from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

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
from pfflow.domain.parties import Contact, Direction, Level, Participation, Party, PartyKind, Realm, Tier
from pfflow.domain.project import ConditionItem, ConditionStatus, Milestone, Phase, Project
from pfflow.register import blank_register, changes, merged, read_register, write_register

FACTS = Facts(
    parties=(
        Party(
            party_ref="P-001",
            name="National Development Bank",
            name_zh="国家示例银行",
            kind=PartyKind.POLICY_BANK,
            tier=Tier.A,
            jurisdiction="CN",
            lei="969500KSV493XWY0PS33",
            uscc="91110000600037341L",
            registered_capital=Decimal("421248000000.55"),
            currency="CNY",
            sector="银行",
            capital_size=Decimal("0.1"),
            owner_ref="C-002",
            as_of=date(2026, 3, 15),
        ),
        Party(
            party_ref="P-002",
            name="Sponsor Co",
            kind=PartyKind.SPONSOR,
            parent_ref="P-001",
            ownership_pct=Decimal("33.3333"),
            registered_capital=Decimal("1234567890123456.789"),
        ),
        Party(party_ref="1001", name="=SUM(A1)", name_zh="财务部", kind=PartyKind.DEPARTMENT, realm=Realm.INTERNAL),
    ),
    contacts=(
        Contact(
            contact_ref="C-001",
            party_ref="P-001",
            name="李华",
            email="li.hua@bank.example",
            phone="008613800138000",
            level=Level.STEERING,
            language="zh-CN",
            timezone="Asia/Shanghai",
        ),
        Contact(contact_ref="C-002", party_ref="1001", name="Ann", email="ann@house.example", consent=False),
    ),
    projects=(
        Project(
            project_ref="PRJ-1",
            name="Expressway",
            name_zh="示例高速",
            phase=Phase.IMPLEMENTATION,
            sponsor_ref="P-002",
            capex=Decimal(8600000000),
            currency="CNY",
            loan_rate=Decimal("0.0455"),
            fc_date=date(2025, 12, 18),
            maturity_date=date(2045, 12, 18),
            calendars="CN,HK",
            convention="modified-following",
        ),
    ),
    participations=(
        Participation(project_ref="PRJ-1", party_ref="P-001", role="lender", share=Decimal(100)),
        Participation(project_ref="PRJ-1", party_ref="P-002", role="shadow sponsor", until=date(2030, 1, 1)),
    ),
    milestones=(
        Milestone(project_ref="PRJ-1", milestone="completion", planned_on=date(2028, 3, 31), reason="征地延迟\n第二行"),
    ),
    conditions=(ConditionItem(project_ref="PRJ-1", cp_ref="CP-1", text="Permit", status=ConditionStatus.AGREED_FORM),),
    financials=(
        Financial(subject_ref="PRJ-1", period_end=date(2026, 3, 31), metric="cfads", value=Decimal("-120000.1")),
        Financial(
            subject_ref="P-002", period_end=date(2026, 6, 15), metric="goodwill", value=Decimal(0), basis="base-case"
        ),
    ),
    budget=(BudgetLine(project_ref="PRJ-1", budget_line="B-01", name_zh="土建工程", amount=Decimal(1200000000)),),
    fund_use=(
        FundUse(
            paid_on=date(2026, 3, 15),
            project_ref="PRJ-1",
            amount=Decimal("-32000000.01"),
            budget_line="B-01",
            entrusted=True,
            voucher="0001",
        ),
    ),
    assessments=(Assessment(project_ref="PRJ-1", factor="market", grade=2, weight=Decimal("12.5")),),
    needs=(
        Need(
            need_ref="N-1",
            project_ref="PRJ-1",
            party_ref="P-002",
            kind="guarantee",
            text="担保",
            stated_on=date(2026, 2, 1),
        ),
    ),
    raci=(
        RaciRow(phase=Phase.IMPLEMENTATION, activity="fund-use", role="operations", code=RaciCode.ACCOUNTABLE),
        RaciRow(phase=Phase.IMPLEMENTATION, activity="fund-use", role="operations", code=RaciCode.RESPONSIBLE),
        RaciRow(phase=Phase.IMPLEMENTATION, activity="fund-use", role="treasury", code=RaciCode.CONSULTED),
    ),
    obligations=(
        Undertaking(
            obligation_ref="OB-1",
            project_ref="PRJ-1",
            kind="covenant",
            description="DSCR",
            debtor_ref="P-002",
            frequency="semi-annual",
            offset_days=-30,
            day_type="business",
            first=date(2026, 1, 1),
            metric="dscr",
            operator=">=",
            threshold=Decimal("1.15"),
        ),
    ),
    interactions=(
        Interaction(
            ext_id="I-1",
            project_ref="PRJ-1",
            contact_ref="C-001",
            at=datetime(2026, 3, 15, 2, 0, 7, tzinfo=UTC),
            kind=Touch.ACKNOWLEDGEMENT,
            direction=Direction.OUTBOUND,
        ),
        Interaction(
            ext_id="I-3",
            project_ref="PRJ-1",
            contact_ref="C-001",
            at=datetime(2026, 3, 16, 2, 0, tzinfo=UTC),
            kind=Touch.HANDOVER,
            to_ref="C-002",
            severity="high",
        ),
        Interaction(
            ext_id="I-2", project_ref="PRJ-1", at=datetime(2026, 3, 15, 2, 0, 7, 5, tzinfo=UTC), kind=Touch.WAIVER
        ),
    ),
    absences=(Absence(contact_ref="C-001", since=date(2026, 2, 2), until=date(2026, 2, 13), substitute_ref="C-002"),),
    surveys=(
        SurveyAnswer(
            survey_ref="S-1",
            project_ref="PRJ-1",
            respondent_ref="P-002",
            about_ref="1001",
            answered_on=date(2026, 3, 31),
            question="nps",
            score=Decimal(9),
        ),
    ),
)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_what_is_written_is_read_back_as_the_same_facts(tmp_path: Path, language: str) -> None:
    path = tmp_path / "register.xlsx"
    write_register(FACTS, path, language)
    reading = read_register(path)
    assert [str(problem) for problem in reading.problems if problem.stops_the_import] == []
    assert reading.facts == FACTS
    # What is remarked is the refund, nothing else.
    assert [problem.what for problem in reading.problems] == ["negative: read as a refund"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_header_and_sheet_is_in_the_language_asked_for(tmp_path: Path, language: str) -> None:
    path = tmp_path / "register.xlsx"
    write_register(FACTS, path, language)
    book = load_workbook(path)
    first = {"zh-CN": ["说明", "参与方", "联系人"], "en": ["Guide", "Parties", "Contacts"]}[language]
    assert book.sheetnames[:3] == first
    sheet = book[first[1]]
    assert sheet["A1"].value == {"zh-CN": "参与方编号", "en": "Party ref"}[language]
    assert sheet.freeze_panes == "B2"
    assert sheet["D2"].value == {"zh-CN": "政策性银行", "en": "policy-bank"}[language]
    assert len(sheet.data_validations.dataValidation) == 3  # kind, realm, tier


def test_the_same_facts_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.xlsx", "two.xlsx"):
        write_register(FACTS, tmp_path / name, "en")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_blank_register_has_every_sheet_and_no_problem(tmp_path: Path, language: str) -> None:
    path = tmp_path / "blank.xlsx"
    blank_register(path, language)
    reading = read_register(path)
    assert reading.facts == Facts()
    assert reading.problems == ()
    assert len(load_workbook(path).sheetnames) == 17  # 16 sheets and the guide


def test_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "register.xlsx"
    write_register(FACTS, path, "zh-CN")
    held = merged(Facts(), read_register(path).facts)
    again = changes(held, read_register(path, held).facts)
    assert again.is_empty
    assert list(again.lines()) == []
    assert {sheet.sheet: len(sheet.unchanged) for sheet in again.sheets}["parties"] == 3


def test_a_column_that_the_file_lacks_leaves_what_is_held(tmp_path: Path) -> None:
    path = tmp_path / "register.xlsx"
    write_register(FACTS, path, "en")
    book = load_workbook(path)
    sheet = book["Parties"]
    sheet.delete_cols([cell.value for cell in sheet[1]].index("Sector") + 1)
    sheet["B2"] = "Renamed Bank"
    book.save(path)
    reading = read_register(path, FACTS)
    assert reading.facts.parties[0] == replace(FACTS.parties[0], name="Renamed Bank")
    assert read_register(path).facts.parties[0].sector == ""


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("hour", [0, 16])
def test_a_time_at_midnight_here_or_there_is_read_back_as_that_time(tmp_path: Path, language: str, hour: int) -> None:
    (first, *_) = FACTS.interactions
    facts = replace(FACTS, interactions=(replace(first, at=datetime(2026, 3, 18, hour, tzinfo=UTC)),))
    write_register(facts, tmp_path / "register.xlsx", language)
    reading = read_register(tmp_path / "register.xlsx")
    assert not [problem for problem in reading.problems if problem.stops_the_import]
    assert reading.facts.interactions == facts.interactions


def test_a_chinese_registers_times_are_chinas(tmp_path: Path) -> None:
    blank_register(tmp_path / "register.xlsx", "zh-CN")
    headers = [cell.value for cell in load_workbook(tmp_path / "register.xlsx")["往来记录"][1]]
    assert "时间 (Asia/Shanghai)" in headers
