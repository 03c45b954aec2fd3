"""What the loader lets a condition ask about is what the stages offer: a word that passes the check can be answered."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pfflow.domain.business_days import WEEKENDS_ONLY
from pfflow.domain.decision import Dossier, Holdings
from pfflow.domain.facts import Assessment, Facts, Financial, Need
from pfflow.domain.parties import Party, PartyKind
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Project
from pfflow.domain.segmentation import classify
from pfflow.domain.service_package import Package, package_of
from pfflow.playbook import parse_playbook
from pfflow.playbook.expressions import CATALOGUE_FACTS, LISTS, SEGMENT_FACTS

GOOD = (Path(__file__).parent / "data" / "playbook.yaml").read_text(encoding="utf-8")
PROJECT = Project(project_ref="G1", name="Motorway", capex=Decimal(1000), loan_rate=Decimal("0.05"))
FACTORS = ("financial_strength", "political_and_legal", "transaction", "sponsor", "security")
FACTS = Facts(
    projects=(PROJECT,),
    financials=tuple(
        Financial(
            subject_ref="G1", period_end=date(2026 + n, 12, 31), metric="cfads", value=Decimal(130), basis="base-case"
        )
        for n in range(10)
    ),
    assessments=tuple(Assessment(project_ref="G1", factor=factor, grade=4, weight=Decimal(20)) for factor in FACTORS),
    needs=(Need(need_ref="N1", project_ref="G1", party_ref="P1", kind="advice", text="", stated_on=date(2026, 1, 1)),),
)


def playbook(old: str, new: str) -> Playbook:
    assert old in GOOD
    reading = parse_playbook(GOOD.replace(old, new, 1))
    assert [str(problem) for problem in reading.problems] == []
    assert reading.playbook is not None
    return reading.playbook


def package(book: Playbook) -> Package:
    dossier = Dossier(
        held=Holdings(project=PROJECT, facts=FACTS),
        playbook=book,
        calendar=WEEKENDS_ONLY,
        engaged_on=date(2026, 1, 5),
    )
    made = package_of(dossier, datetime(2026, 1, 5, 1, tzinfo=UTC))
    assert isinstance(made, Package), made
    return made


def asking_of(offered: str, field: str) -> str:
    """Give a condition that holds for whatever a fact is, if only it is there."""
    if not field:
        return f'{offered} != "strong"'
    if offered in LISTS:
        return f"{offered}.exists(n, n.{field} == n.{field})"
    return f"{offered}.{field} == {offered}.{field}"


CATALOGUE = [asking_of(name, field) for name, known in CATALOGUE_FACTS.items() for field in known or ("",)]
SEGMENT = [asking_of(name, field) for name, known in SEGMENT_FACTS.items() for field in known]


@pytest.mark.parametrize("condition", CATALOGUE)
def test_a_service_may_ask_about_all_that_the_loader_allows(condition: str) -> None:
    made = package(playbook("when: project.capex > 0", f"when: {condition}"))
    assert "syndicated-loan" in {measure.item.name for measure in made.measures}


@pytest.mark.parametrize("condition", SEGMENT)
def test_a_segment_may_ask_about_all_that_the_loader_allows(condition: str) -> None:
    book = playbook('when: party.kind == "investor" && party.capital_size >= 100000000', f"when: {condition}")
    party = Party(party_ref="P1", name="P", kind=PartyKind.ADVISER)
    found = classify(party, PROJECT, book.segments, ("adviser",))
    assert found.segment is not None, found.because
    assert found.segment.name == "institutional-investor"


def test_a_weak_grade_brings_the_service_that_asks_for_it() -> None:
    """Every factor is graded 4 of 4, which is weak; the growth need of the good playbook is not there."""
    book = playbook("when: project.capex > 0", "when: project.capex > 5000")
    assert [measure.item.name for measure in package(book).measures] == ["revenue-insurance"]
