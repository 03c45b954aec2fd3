from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.conditions import (
    DEEPEST,
    LONGEST,
    MOST_OPERATORS,
    ConditionError,
    compiled,
    holds,
    plain,
    references,
)
from pfflow.domain.parties import PartyKind

INVESTOR = {
    "party": {"kind": PartyKind.INVESTOR, "capital_size": Decimal(200_000_000), "risk_tolerance": "", "owner": None},
    "needs": [{"kind": "growth", "amount": 5}, {"kind": "refinancing", "amount": None}],
    "project": {"fc_date": date(2026, 3, 1), "capex": Decimal("400.5"), "debt": Decimal("300.375")},
}


@pytest.mark.parametrize(
    "expression",
    [
        "party.capital_size >= 100000000",
        "party.capital_size >= 1e8",
        "party.capital_size == 200000000",
        "party.capital_size / 2 == 100000000",
        "party.capital_size + 1 > 2e8",
        "project.debt / project.capex * 100 >= 75",
        'party.kind == "investor"',
        'party.kind in ["investor", "lender"]',
        'needs.exists(n, n.kind == "growth")',
        "size(needs) == 2",
        'needs[0].kind == "growth"',
        'project.fc_date < "2026-06-30"',
        "party.owner == null",
        "has(party.owner)",
        'party.kind.matches("^inv.*r$")',
        'party.kind == "lender" || party.capital_size > 1',
    ],
)
def test_a_condition_holds(expression: str) -> None:
    assert holds(expression, INVESTOR) is True


@pytest.mark.parametrize(
    "expression",
    [
        'party.kind == "lender"',
        "party.owner > 3",
        "!(party.owner > 3)",
        "party.owner + 1 > 3",
        "party.owner <= 3 && party.capital_size > 1",
        "needs.all(n, n.amount > 1)",
        "party.owner",
    ],
)
def test_what_is_false_or_left_open_by_an_unknown_value_does_not_hold(expression: str) -> None:
    assert holds(expression, INVESTOR) is False


def test_an_unknown_value_does_not_spoil_the_other_side_of_an_or() -> None:
    assert holds('party.owner > 3 || party.kind == "investor"', INVESTOR)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("party.kind > 3", "values of different kinds meet"),
        ("party.capital_size", "not true or false"),
        ("party.shoe_size > 3", "no fact is called shoe_size"),
        ("nobody.kind == 'x'", "nobody"),
        ('needs[7].kind == "x"', "out of bounds"),
        ('party.kind.matches("(")', "not a valid regex"),
        ('party.kind.matches("(((a{100}){100}){100})")', "exceeds size limit"),
    ],
)
def test_a_question_without_an_answer_is_an_error_that_says_why(expression: str, sentence: str) -> None:
    with pytest.raises(ConditionError, match=sentence):
        holds(expression, INVESTOR)


@pytest.mark.parametrize(
    ("expression", "place", "sentence"),
    [
        ("", (1, 1), "it is empty"),
        ("party.kind = 'x'", (1, 12), "write =="),
        ("party.kind == 'x' and true", (1, 19), "write &&"),
        ("not true", (1, 1), "write !"),
        ("party.kind == “x”", (1, 15), "typographic"),
        ("party.kind ==", (1, 14), "ends too early"),
        ('party.name == "投资者" &&\n  party.. x', (2, 9), "no viable alternative"),
        ("now() > 1", (1, 1), "no function is called 'now'"),
        ('party.kind.startWith("x")', (1, 12), "write startsWith"),
        ('r"x" == party.kind', (1, 1), "raw"),
        ('party.kind == """x"""', (1, 17), "tripled"),
    ],
)
def test_a_mistake_in_an_expression_has_its_place(expression: str, place: tuple[int, int], sentence: str) -> None:
    with pytest.raises(ConditionError, match=sentence) as caught:
        compiled(expression)
    assert (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize(
    "expression",
    [
        "'" + "x" * LONGEST + "' == ''",
        "(" * (DEEPEST + 1) + "true" + ")" * (DEEPEST + 1),
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1) + " == []",
        "!" * (MOST_OPERATORS + 1) + "true",
        "1" + "+1" * (MOST_OPERATORS + 1) + " > 0",
        "a.all(x, b.all(y, c.all(z, x == y)))",
        "a.all(x, a.map(y, a.filter(z, x == y)).size() > 0)",
    ],
)
def test_an_expression_that_could_take_long_is_refused(expression: str) -> None:
    with pytest.raises(ConditionError):
        compiled(expression)


def test_the_largest_expressions_allowed_fit_into_a_small_stack() -> None:
    """The evaluator recurses; what the limits let through must not end a worker thread with 256 KiB of stack."""
    largest = [
        "(" * DEEPEST + "true" + ")" * DEEPEST,
        "!" * MOST_OPERATORS + "true",
        "1" + "+1" * (MOST_OPERATORS - 1) + " > 0",
        "true" + " || true" * MOST_OPERATORS,
        "false ? true : " * (MOST_OPERATORS // 2) + "true",
    ]
    answers: list[bool] = []
    usual = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=lambda: answers.extend(holds(one, {}) for one in largest))
        thread.start()
    finally:
        threading.stack_size(usual)
    thread.join()
    assert answers == [True] * len(largest)


def test_loops_one_after_another_are_not_nested() -> None:
    assert holds("a.all(x, x > 0) && a.all(x, x > 0) && a.all(x, x > 0)", {"a": [1, 2]})


@given(st.text(alphabet="party.kind=<>!&|()[]{}\"'\\1e5,? \n中", max_size=60))
def test_any_text_is_compiled_or_refused_with_a_typed_error(text: str) -> None:
    try:
        program = compiled(text)
    except ConditionError:
        return
    assert program.source


def test_references_name_root_field_and_the_texts_compared_with() -> None:
    found = references('party["kind"] in ["lender", "investor"] && project.name.contains("x") && !has(party.tier)')
    assert [(one.root, one.field, one.literals) for one in found] == [
        ("party", "kind", ("lender", "investor")),
        ("project", "name", ()),
        ("party", "tier", ()),
    ]


def test_a_text_is_no_reference() -> None:
    assert references('"party.kind" == "a // b"') == ()


def test_an_expression_cannot_see_an_object() -> None:
    with pytest.raises(ConditionError, match="object"):
        plain(object())
