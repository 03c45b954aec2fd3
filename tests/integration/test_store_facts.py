from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from pfflow.domain.facts import Facts, Financial, FundUse, RaciCode, RaciRow, Touch
from pfflow.domain.parties import Contact, Participation, Party, PartyKind
from pfflow.domain.project import Milestone, Move, Phase, PhaseError, Project
from pfflow.store import DuplicateRecordError, OrphanError, SqlStore, UnknownProjectError
from tests.integration.samples import AT, FACTS, make_touch

LATER = AT + timedelta(days=1)


def versions(store: SqlStore) -> dict[str, int]:
    return {line.project_ref: line.version for line in store.projects()}


@pytest.fixture
def stocked(store: SqlStore) -> SqlStore:
    store.import_facts(FACTS, AT, "test")
    return store


def test_what_was_imported_is_read_back_as_it_was(store: SqlStore) -> None:
    written = store.import_facts(FACTS, AT, "test")
    assert written == sum(len(records) for records in FACTS.sheets().values())
    assert store.facts() == FACTS
    assert store.project_refs() == ("G1", "G2")


def test_records_come_in_one_order_whatever_language_the_database_sorts_in(store: SqlStore) -> None:
    refs = ("B", "a", "ä", "项目")
    projects = tuple(Project(project_ref=ref, name=ref) for ref in refs)
    store.import_facts(Facts(projects=projects[::-1]), AT, "test")
    assert store.facts().projects == projects
    assert store.project_refs() == refs
    assert tuple(line.project_ref for line in store.projects()) == refs
    assert store.verify() == ()


def test_the_same_facts_twice_change_nothing(stocked: SqlStore) -> None:
    before = (versions(stocked), stocked.ledger("G1"), stocked.ledger("G2"))
    assert stocked.import_facts(FACTS, LATER, "somebody else") == 0
    assert (versions(stocked), stocked.ledger("G1"), stocked.ledger("G2")) == before


def test_one_import_leaves_one_entry_for_each_project_with_counts_and_no_names(stocked: SqlStore) -> None:
    (entry,) = stocked.ledger("G1")
    assert (entry.seq, entry.stage, entry.kind, entry.at) == (1, "register", "imported", "2026-01-05T01:00:00+00:00")
    # G1 is concerned by the bank, its group, the department of its owner and the borrower, with their two contacts.
    assert '"parties":4' in entry.data
    assert '"contacts":2' in entry.data
    assert '"raci":1' in entry.data
    assert "王芳" not in entry.data
    assert "wang@bank.example" not in entry.data


def test_facts_of_a_project_are_those_that_concern_it(stocked: SqlStore) -> None:
    facts = stocked.facts("G1")
    assert [party.party_ref for party in facts.parties] == ["BANK", "GROUP", "OPS", "SPV"]
    assert [contact.contact_ref for contact in facts.contacts] == ["C-BANK", "C-OPS"]
    assert [project.project_ref for project in facts.projects] == ["G1"]
    assert [figure.subject_ref for figure in facts.financials] == ["G1", "SPV"]
    assert facts.raci == FACTS.raci
    assert facts.conditions == ()
    assert facts.obligations == FACTS.obligations


def test_facts_of_another_project_hold_its_sponsor(stocked: SqlStore) -> None:
    facts = stocked.facts("G2")
    assert [party.party_ref for party in facts.parties] == ["OTHER"]
    assert [contact.contact_ref for contact in facts.contacts] == ["C-OTHER"]
    assert facts.conditions == FACTS.conditions
    assert facts.interactions == ()


def test_ownership_that_runs_in_a_circle_ends(stocked: SqlStore) -> None:
    group = replace(FACTS.parties[1], parent_ref="BANK")
    stocked.import_facts(Facts(parties=(group,)), LATER, "test")
    assert [party.party_ref for party in stocked.facts("G1").parties] == ["BANK", "GROUP", "OPS", "SPV"]


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        (Facts(parties=(replace(FACTS.parties[1], sector="finance"),)), {"G1"}),  # the parent of a participant
        (Facts(contacts=(replace(FACTS.contacts[1], phone="1"),)), {"G1"}),  # the owner of a participant
        (Facts(contacts=(replace(FACTS.contacts[2], party_ref="BANK"),)), {"G1", "G2"}),  # from one party to another
        (Facts(parties=(replace(FACTS.parties[3], tier=None, sector="x"),)), {"G2"}),
        (Facts(projects=(replace(FACTS.projects[1], sponsor_ref="BANK"),)), {"G2"}),
        (Facts(financials=(replace(FACTS.financials[1], value=Decimal(1)),)), {"G2"}),  # a figure of a party
        (Facts(financials=(replace(FACTS.financials[0], value=Decimal(1)),)), {"G1"}),  # a figure of a project
        (Facts(milestones=(replace(FACTS.milestones[0], reason="rain"),)), {"G1"}),
        (Facts(needs=(replace(FACTS.needs[0], project_ref="G2"),)), {"G1", "G2"}),
        (Facts(participations=(Participation(project_ref="G2", party_ref="SPV", role="borrower"),)), {"G2"}),
        (
            Facts(raci=(RaciRow(phase=Phase.EXIT, activity="report", role="legal", code=RaciCode.INFORMED),)),
            {"G1", "G2"},
        ),
        (Facts(parties=(Party(party_ref="NEW", name="Nobody's yet", kind=PartyKind.ADVISER),)), set()),
    ],
)
def test_a_change_raises_the_version_of_the_projects_it_concerns(
    stocked: SqlStore, change: Facts, touched: set[str]
) -> None:
    assert stocked.import_facts(change, LATER, "test") == 1
    assert versions(stocked) == {"G1": 1 + ("G1" in touched), "G2": 1 + ("G2" in touched)}
    assert {ref for ref in ("G1", "G2") if len(stocked.ledger(ref)) == 2} == touched
    assert stocked.verify() == ()


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        (Facts(milestones=(Milestone(project_ref="G9", milestone="m", planned_on=date(2026, 1, 1)),)), "G9 / m"),
        (Facts(contacts=(Contact(contact_ref="C9", party_ref="P9", name="n", email="e@x.example"),)), "C9"),
        (Facts(participations=(Participation(project_ref="G1", party_ref="P9", role="lender"),)), "G1 / P9 / lender"),
    ],
)
def test_a_record_of_nobody_is_refused_by_name_and_nothing_is_written(
    stocked: SqlStore, facts: Facts, named: str
) -> None:
    welcome = Project(project_ref="G3", name="Third")
    with pytest.raises(OrphanError, match=named):
        stocked.import_facts(replace(facts, projects=(welcome,)), LATER, "test")
    assert stocked.facts() == FACTS
    assert stocked.project_refs() == ("G1", "G2")


def test_one_key_with_two_meanings_is_refused_and_said_twice_is_not(store: SqlStore) -> None:
    one = Project(project_ref="G1", name="One")
    with pytest.raises(DuplicateRecordError, match="G1"):
        store.import_facts(Facts(projects=(one, replace(one, name="Two"))), AT, "test")
    assert store.project_refs() == ()
    assert store.import_facts(Facts(projects=(one, one)), AT, "test") == 1


def test_an_amount_that_is_no_number_is_refused(store: SqlStore) -> None:
    with pytest.raises(StatementError, match="NaN is no amount"):
        store.import_facts(Facts(projects=(Project(project_ref="G1", name="One", debt=Decimal("NaN")),)), AT, "test")
    assert store.project_refs() == ()


def test_importing_does_not_move_a_phase_that_a_gate_has_moved(stocked: SqlStore) -> None:
    assert stocked.move_phase("G1", Move.ADVANCE, "C-OPS", "minutes/7", LATER) is Phase.ASSESSMENT
    assert stocked.import_facts(FACTS, LATER, "test") == 0
    assert stocked.facts("G1").projects[0].phase is Phase.ASSESSMENT


def test_a_move_is_in_the_ledger_with_who_when_and_why_and_raises_the_version(stocked: SqlStore) -> None:
    stocked.move_phase("G2", Move.RETURN, "C-OPS", "minutes/8", LATER)
    entry = stocked.ledger("G2")[-1]
    assert (entry.stage, entry.kind, entry.at) == ("phase", "moved", "2026-01-06T01:00:00+00:00")
    assert entry.data == (
        '{"by":"C-OPS","evidence":"minutes/8","from":"assessment","move":"return","to":"identification"}'
    )
    assert versions(stocked) == {"G1": 1, "G2": 2}


def test_a_move_the_phase_does_not_have_changes_nothing(stocked: SqlStore) -> None:
    with pytest.raises(PhaseError):
        stocked.move_phase("G1", Move.RETURN, "C-OPS", "", LATER)
    with pytest.raises(UnknownProjectError):
        stocked.move_phase("G9", Move.ADVANCE, "C-OPS", "", LATER)
    assert versions(stocked) == {"G1": 1, "G2": 1}


def test_a_touch_is_written_once_and_raises_the_version(stocked: SqlStore) -> None:
    assert stocked.report_touch(make_touch(), "portal", LATER)
    assert not stocked.report_touch(make_touch(outcome="said again"), "portal", LATER)
    assert stocked.facts("G1").interactions == (*FACTS.interactions, make_touch())
    assert versions(stocked) == {"G1": 2, "G2": 1}
    entries = stocked.ledger("G1")
    assert [(entry.kind, entry.subject) for entry in entries[1:]] == [("reported", "G1/report/2026-01-15")]


def test_a_touch_of_an_unknown_project_is_refused(stocked: SqlStore) -> None:
    with pytest.raises(UnknownProjectError, match="G9"):
        stocked.report_touch(make_touch(project_ref="G9"), "portal", LATER)


def test_what_nobody_registered_has_no_facts_and_no_ledger(store: SqlStore) -> None:
    with pytest.raises(UnknownProjectError):
        store.facts("G9")
    with pytest.raises(UnknownProjectError):
        store.ledger("G9")


def test_the_playbook_adopted_last_is_in_force(stocked: SqlStore) -> None:
    assert stocked.playbook() is None
    first = stocked.adopt_playbook("playbook: 高速\n", "expressway", 1, AT, "C-OPS")
    assert stocked.playbook() == first
    assert stocked.adopt_playbook("playbook: 高速\n", "expressway", 1, LATER, "C-OPS") == first
    assert versions(stocked) == {"G1": 2, "G2": 2}
    second = stocked.adopt_playbook("playbook: solar\n", "solar", 2, LATER, "C-OPS")
    back = stocked.adopt_playbook("playbook: 高速\n", "expressway", 1, LATER, "C-OPS")
    assert (second.version, stocked.playbook()) == (2, back)
    assert versions(stocked) == {"G1": 4, "G2": 4}
    assert [entry.subject for entry in stocked.ledger("G2")[1:]] == ["expressway/1", "solar/2", "expressway/1"]


def test_a_large_register_is_one_import(store: SqlStore) -> None:
    payments = tuple(
        FundUse(
            paid_on=date(2026, 1, 1),
            project_ref=f"G{number % 20:02}",
            amount=Decimal(number),
            budget_line="civil",
            voucher=f"V{number:05}",
        )
        for number in range(5000)
    )
    projects = tuple(Project(project_ref=f"G{number:02}", name="x") for number in range(20))
    assert store.import_facts(Facts(projects=projects, fund_use=payments), AT, "test") == 5020
    assert store.import_facts(Facts(projects=projects, fund_use=payments), AT, "test") == 0
    one = replace(payments[7], purpose="x")
    assert store.import_facts(Facts(fund_use=(*payments[:7], one, *payments[8:])), LATER, "test") == 1
    assert [ref for ref in store.project_refs() if len(store.ledger(ref)) == 2] == ["G07"]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=zones)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts, amount=amounts, at=instants)
def test_texts_amounts_and_instants_keep_their_value(store: SqlStore, text: str, amount: Decimal, at: datetime) -> None:
    figure = Financial(subject_ref="F", period_end=date(2026, 6, 30), metric="m", value=amount, source=text)
    touch = make_touch(ext_id="H", at=at, outcome=text, kind=Touch.CALL, project_ref="H")
    project = Project(project_ref="H", name="hypothesis")
    store.import_facts(Facts(projects=(project,), financials=(figure,), interactions=(touch,)), AT, "test")
    facts = store.facts()
    assert facts.financials == (figure,)
    assert facts.interactions == (touch,)
    assert facts.interactions[0].at.tzinfo is UTC
    assert store.verify() == ()


def test_a_file_that_states_an_activity_replaces_its_raci_rows_and_leaves_other_activities(stocked: SqlStore) -> None:
    def row(activity: str, role: str, code: RaciCode) -> RaciRow:
        return RaciRow(phase=Phase.FUNDRAISING, activity=activity, role=role, code=code)

    budget = row("budget", "finance", RaciCode.ACCOUNTABLE)
    audit = row("audit", "legal", RaciCode.ACCOUNTABLE)
    stocked.import_facts(Facts(raci=(budget, audit)), LATER, "test")
    before = versions(stocked)

    restated = row("budget", "operations", RaciCode.ACCOUNTABLE)
    assert stocked.import_facts(Facts(raci=(restated,)), LATER, "test") == 2

    of_phase = {r for r in stocked.facts().raci if r.phase is Phase.FUNDRAISING}
    assert of_phase == {restated, audit}
    assert all(versions(stocked)[ref] > before[ref] for ref in before)
    assert stocked.import_facts(Facts(raci=(restated,)), LATER, "test") == 0
