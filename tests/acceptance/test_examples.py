from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pfflow.calendars import business_calendar
from pfflow.domain.covenants import covenant_tests
from pfflow.domain.decision import Dossier, Holdings
from pfflow.domain.facts import Facts, RaciCode
from pfflow.domain.parties import PartyKind
from pfflow.domain.playbook import Playbook
from pfflow.domain.segmentation import classify
from pfflow.domain.service_package import Package, package_of
from pfflow.playbook import read_playbook
from pfflow.register import read_register

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("expressway", "solar")


def facts_of(name: str) -> Facts:
    return read_register(EXAMPLES / name / "register.xlsx").facts


def playbook_of(name: str) -> Playbook:
    playbook = read_playbook(EXAMPLES / name / "playbook.yaml").playbook
    assert playbook is not None
    return playbook


@pytest.fixture(scope="module")
def expressway() -> Facts:
    return facts_of("expressway")


@pytest.mark.parametrize("name", NAMES)
def test_a_register_reads_without_a_remark(name: str) -> None:
    reading = read_register(EXAMPLES / name / "register.xlsx")
    assert [str(problem) for problem in reading.problems] == []
    assert len(reading.facts.projects) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_playbook_reads_without_a_remark(name: str) -> None:
    reading = read_playbook(EXAMPLES / name / "playbook.yaml")
    assert [str(problem) for problem in reading.problems] == []
    assert reading.playbook is not None


@pytest.mark.parametrize("name", NAMES)
def test_every_address_is_under_the_reserved_domain(name: str) -> None:
    addresses = [contact.email for contact in facts_of(name).contacts] + [playbook_of(name).house.email]
    assert addresses
    assert [address for address in addresses if not address.endswith(".example")] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_role_of_the_playbook_is_held_by_a_party_that_can_be_written_to(name: str) -> None:
    facts, playbook = facts_of(name), playbook_of(name)
    reachable = {contact.party_ref for contact in facts.contacts}
    held = {p.role for p in facts.participations if p.party_ref in reachable and p.holds_on(date(2026, 1, 5))}
    named = {playbook.house.head, playbook.service_design.offer_to, *playbook.scorecard.departments}
    for activity in playbook.activities.values():
        named |= {activity.accountable, *activity.responsible, *activity.consulted, *activity.informed}
    assert named - held == set()


@pytest.mark.parametrize("name", NAMES)
def test_the_gates_ask_for_conditions_that_the_register_has(name: str) -> None:
    known = {condition.cp_ref for condition in facts_of(name).conditions}
    gates = playbook_of(name).gates
    assert gates
    assert {ref for refs in gates.values() for ref in refs} - known == set()


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_of_the_risk_factors_sum_to_100(name: str) -> None:
    assert sum(assessment.weight for assessment in facts_of(name).assessments) == 100


def test_the_motorway_has_at_least_12_parties_and_25_contacts(expressway: Facts) -> None:
    assert len(expressway.parties) >= 12
    assert len(expressway.contacts) >= 25
    kinds = {party.kind for party in expressway.parties}
    assert kinds >= {
        PartyKind.INVESTOR,
        PartyKind.POLICY_BANK,
        PartyKind.INDUSTRIAL_PARTNER,
        PartyKind.DESIGNER,
        PartyKind.CONTRACTOR,
        PartyKind.SUPERVISOR,
        PartyKind.GROUP,
    }


def test_the_motorways_joint_command_is_the_heads_of_finance_engineering_and_legal(expressway: Facts) -> None:
    members = {contact.email for contact in expressway.contacts if contact.party_ref == "G-JCG"}
    heads = {
        contact.email
        for contact in expressway.contacts
        if contact.party_ref in ("D-FIN", "D-ENG", "D-LEG") and contact.level == "management"
    }
    assert len(heads) == 3
    assert members == heads


def test_the_motorways_fund_use_covers_24_months_with_budget_lines(expressway: Facts) -> None:
    months = {(payment.paid_on.year, payment.paid_on.month) for payment in expressway.fund_use}
    assert months == {(year, month) for year in (2025, 2026) for month in range(1, 13)}
    lines = {line.budget_line: line.amount for line in expressway.budget}
    assert sum(lines.values()) == expressway.projects[0].capex == Decimal(8_600_000_000)
    paid: dict[str, Decimal] = {}
    for payment in expressway.fund_use:
        paid[payment.budget_line] = paid.get(payment.budget_line, Decimal(0)) + payment.amount
    assert paid.keys() == lines.keys()
    assert [line for line, amount in paid.items() if amount > lines[line]] == []


def test_only_the_second_half_of_february_2026_has_no_booking(expressway: Facts) -> None:
    halves = {
        (payment.paid_on.year, payment.paid_on.month, 1 if payment.paid_on.day <= 15 else 2)
        for payment in expressway.fund_use
    }
    every = {(year, month, half) for year in (2025, 2026) for month in range(1, 13) for half in (1, 2)}
    assert every - halves == {(2026, 2, 2)}
    late = [payment for payment in expressway.fund_use if "补记" in payment.purpose]
    assert late
    assert {payment.paid_on for payment in late} == {date(2026, 3, 11)}


def test_amounts_and_dates_as_people_write_them_are_read(expressway: Facts) -> None:
    party = {party.party_ref: party for party in expressway.parties}
    assert party["P-10"].registered_capital == Decimal(120_000_000)  # 12,000万
    assert party["P-06"].registered_capital == Decimal(120_000_000_000)  # 1,200亿
    assert party["P-05"].as_of == date(2025, 10, 12)  # 2025年10月12日
    milestone = {milestone.milestone: milestone for milestone in expressway.milestones}
    assert milestone["toll-system-test"].forecast_on == date(2027, 8, 31)  # 2027.8.31


def test_the_motorway_has_20_years_of_cash_flow_and_debt_service_that_repays_the_loan(expressway: Facts) -> None:
    project = expressway.projects[0]
    base = {
        (figure.period_end.year, figure.metric): figure.value
        for figure in expressway.financials
        if figure.subject_ref == "EXP-01" and figure.basis == "base-case"
    }
    years = list(range(2028, 2048))
    assert base.keys() == {(year, metric) for year in years for metric in ("cfads", "interest", "principal")}
    assert project.debt is not None
    assert project.loan_rate is not None
    balance = project.debt
    for year in years:
        # Interest is rounded to 10,000 yuan in the workbook, as a person would.
        assert abs(base[year, "interest"] - balance * project.loan_rate) <= 5_000
        assert base[year, "cfads"] / (base[year, "interest"] + base[year, "principal"]) > Decimal("1.15")
        balance -= base[year, "principal"]
    assert balance == 0


def test_one_forecast_of_the_motorway_is_below_its_covenant(expressway: Facts) -> None:
    tests = [t for u in expressway.obligations for t in covenant_tests(u, expressway.financials)]
    assert [(t.period_end, t.shown) for t in tests if not t.kept] == [(date(2028, 12, 31), "1.12")]
    assert any(t.kept for t in tests)


def test_three_milestones_of_the_motorway_slip_and_say_why(expressway: Facts) -> None:
    slipping = [milestone for milestone in expressway.milestones if milestone.slip_days() > 0]
    assert {milestone.milestone for milestone in slipping} == {
        "bridge-closure",
        "tunnel-breakthrough",
        "toll-system-test",
    }
    assert all(milestone.reason for milestone in slipping)


def test_only_the_toll_supplier_of_the_motorway_is_in_no_segment(expressway: Facts) -> None:
    project, segments = expressway.projects[0], playbook_of("expressway").segments
    found = {
        party.party_ref: classify(party, project, segments).segment
        for party in expressway.parties
        if party.kind is not PartyKind.GROUP
    }
    assert [ref for ref, segment in found.items() if segment is None] == ["P-15"]
    names = {ref: segment.name for ref, segment in found.items() if segment is not None}
    assert (names["P-04"], names["P-05"], names["P-11"], names["P-10"]) == (
        "institutional-investor",
        "smaller-investor",
        "growth-company",
        "industrial-partner",
    )
    assert {segment.name for segment in segments} == set(names.values())


def test_every_department_is_rated_by_at_least_five_each_month(expressway: Facts) -> None:
    departments = {party.party_ref for party in expressway.parties if party.kind is PartyKind.DEPARTMENT}
    asked: dict[tuple[str, str], set[str]] = {}
    for answer in expressway.surveys:
        if answer.about_ref:
            month = f"{answer.answered_on:%Y-%m}"
            asked.setdefault((answer.about_ref, month), set()).add(answer.respondent_ref)
    months = ("2025-12", "2026-01", "2026-02", "2026-03")
    assert asked.keys() == {(department, month) for department in departments for month in months}
    assert min(len(respondents) for respondents in asked.values()) >= 5
    assert all(about not in respondents for (about, _), respondents in asked.items())


def test_the_quarter_has_ten_answers_on_recommending_the_house(expressway: Facts) -> None:
    scores = [
        answer.score
        for answer in expressway.surveys
        if answer.question == "nps" and date(2026, 1, 1) <= answer.answered_on <= date(2026, 3, 31)
    ]
    assert len(scores) >= 10


def test_each_activity_of_the_registers_raci_has_exactly_one_accountable(expressway: Facts) -> None:
    activities = {(row.phase, row.activity) for row in expressway.raci}
    accountable = [(row.phase, row.activity) for row in expressway.raci if row.code is RaciCode.ACCOUNTABLE]
    assert sorted(accountable) == sorted(activities)


def test_what_answers_a_dated_obligation_comes_not_before_the_quarter(expressway: Facts) -> None:
    answers = [touch for touch in expressway.interactions if touch.obligation_key]
    assert len(answers) >= 20
    zone = timedelta(hours=8)
    for touch in answers:
        assert touch.obligation_key.startswith("EXP-01/")
        assert date(2026, 1, 5) <= (touch.at + zone).date() <= date(2026, 3, 31)
    minuted = {t.obligation_key for t in answers if "/weekly-progress/" in t.obligation_key}
    mondays = {date(2026, 1, 5) + timedelta(weeks=week) for week in range(13)}
    missing = {day for day in mondays if f"EXP-01/weekly-progress/{day}" not in minuted}
    assert missing == {date(2026, 1, 19)}


def package(name: str) -> Package:
    facts, playbook = facts_of(name), playbook_of(name)
    dossier = Dossier(
        held=Holdings(project=facts.projects[0], facts=facts),
        playbook=playbook,
        calendar=business_calendar(playbook.calendars, 2025, 2027),
        engaged_on=date(2026, 1, 5),
    )
    made = package_of(dossier, datetime(2026, 1, 5, 1, tzinfo=UTC))
    assert isinstance(made, Package), made
    return made


def test_the_motorways_package_carries_guarantee_insurance_debt_and_equity() -> None:
    made = package("expressway")
    # 3 x 30 + 2 x 10 + 4 x 30 + 2 x 15 + 3 x 15 = 305
    assert made.grade.score == Decimal("3.05")
    assert made.grade_words.en == "satisfactory"
    assert {measure.item.kind for measure in made.measures} >= {"guarantee", "insurance", "debt", "equity", "advice"}
    assert len(playbook_of("expressway").service_design.catalogue) >= 8


def test_the_solar_parks_package_carries_no_guarantee() -> None:
    made = package("solar")
    # 2 x 30 + 1 x 10 + 2 x 30 + 2 x 15 + 2 x 15 = 190
    assert made.grade.score == Decimal("1.90")
    assert {measure.item.kind for measure in made.measures} == {"debt", "advice", "service"}
