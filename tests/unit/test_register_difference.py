from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pfflow.domain.facts import BudgetLine, Facts, RaciCode, RaciRow
from pfflow.domain.project import Phase
from pfflow.register import changes, merged

WORKS = BudgetLine(project_ref="PRJ1", budget_line="B-01", amount=Decimal(100))
LAND = BudgetLine(project_ref="PRJ1", budget_line="B-02", amount=Decimal(50))


def raci(role: str, code: RaciCode, activity: str = "fund-use") -> RaciRow:
    return RaciRow(phase=Phase.IMPLEMENTATION, activity=activity, role=role, code=code)


def test_what_is_added_changed_and_absent_is_listed_and_the_absent_is_kept() -> None:
    before = Facts(budget=(WORKS, LAND))
    dearer = replace(WORKS, amount=Decimal(120))
    new = replace(WORKS, budget_line="B-03")
    found = changes(before, Facts(budget=(dearer, new)))
    assert list(found.lines()) == [
        "+ budget PRJ1 / B-03",
        "~ budget PRJ1 / B-01: amount: 100 → 120",
        "= budget PRJ1 / B-02: not in the file, kept",
    ]
    assert not found.is_empty
    assert merged(before, Facts(budget=(dearer, new))).budget == (dearer, LAND, new)


def test_an_equal_amount_with_other_zeros_is_no_change() -> None:
    before = Facts(budget=(replace(WORKS, amount=Decimal("100.00")),))
    assert changes(before, Facts(budget=(WORKS,))).is_empty


def test_an_activity_that_is_stated_anew_replaces_its_former_roles() -> None:
    before = Facts(
        raci=(raci("finance", RaciCode.ACCOUNTABLE), raci("legal", RaciCode.ACCOUNTABLE, activity="permits"))
    )
    after = Facts(raci=(raci("operations", RaciCode.ACCOUNTABLE),))
    assert [line for line in changes(before, after).lines() if line.startswith("-")] == [
        "- raci implementation / fund-use / finance / A: its activity is stated anew"
    ]
    assert {(row.activity, row.role) for row in merged(before, after).raci} == {
        ("permits", "legal"),
        ("fund-use", "operations"),
    }


def test_nothing_held_and_nothing_said_is_no_change() -> None:
    assert changes(Facts(), Facts()).is_empty
    assert merged(Facts(), Facts()) == Facts()
