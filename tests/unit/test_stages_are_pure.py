"""Deciding is pure: it reads nothing but its arguments, and the order of the register's rows means nothing to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random  # noqa: TID251 - the type of what hypothesis gives
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pfflow
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.facts import Touch
from pfflow.domain.obligations import Status
from pfflow.domain.words import Stage
from tests.factories import (
    FIVE,
    applied,
    assessments,
    at,
    base_case,
    days,
    lived,
    make_answer,
    make_dossier,
    make_financial,
    make_milestone,
    make_need,
    make_payment,
    make_touch,
    make_undertaking,
    saying,
    with_facts,
)

SOURCE = Path(pfflow.__file__).parent
PURE = sorted(path for floor in ("domain", "finance", "stages") for path in (SOURCE / floor).glob("*.py"))
K = TypeVar("K")
V = TypeVar("V")
IMPURE_MODULES = {"time", "uuid", "random", "secrets", "os", "socket", "logging", "threading", "asyncio", "subprocess"}
IMPURE_CALLS = {"now", "today", "utcnow", "open", "print", "input", "getenv", "monotonic", "time_ns"}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr
            elif isinstance(node.func, ast.Name):
                yield node.func.id


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_module_that_judges_reads_a_clock_draws_an_id_or_touches_the_world(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not IMPURE_MODULES & set(imported(tree))
    assert not IMPURE_CALLS & set(called(tree))


def test_the_look_at_the_source_sees_what_it_looks_for() -> None:
    tree = ast.parse("import os.path\nfrom time import sleep\ndatetime.now()\nopen('x')")
    assert {"os", "time"} <= set(imported(tree))
    assert {"now", "open"} <= set(called(tree))
    assert len(PURE) > 30


def motorway() -> Dossier:
    """Give a motorway where every stage has something to say."""
    dossier = make_dossier(
        financials=(
            *base_case("130", "130", "130"),
            make_financial("cfads", "112"),
            make_financial("interest", "60"),
            make_financial("principal", "40"),
            make_financial("dscr", "1.02", period_end=date(2026, 12, 31), basis="forecast"),
        ),
        assessments=assessments(2),
        needs=(make_need("N1", "growth"), make_need("N2", "debt")),
        milestones=(
            make_milestone(forecast_on=date(2026, 9, 30)),
            make_milestone(milestone="bridge", forecast_on=date(2026, 10, 31), owner_role="finance"),
        ),
        fund_use=tuple(make_payment(f"V{n}", f"2026-01-{n:02}") for n in range(5, 25, 3)),
        surveys=tuple(make_answer(n, q, 4) for n in range(6) for q in ("nps", "csat")),
    )
    other = make_undertaking(
        obligation_ref="U-ACC", metric="", threshold=None, operator="", frequency="quarterly", offset_days=45
    )
    dossier = with_facts(dossier, obligations=(make_undertaking(), replace(other, first=date(2025, 12, 31))))
    return saying(
        dossier,
        make_touch(Touch.ACKNOWLEDGEMENT, "G1/fund-use-report/2026-01-15", ext_id="T1", at=at("2026-01-14", 10)),
        make_touch(Touch.CALL, ext_id="T2", party_ref="FUND"),
    )


def mixed_up(kept: Mapping[K, V], chance: Random) -> dict[K, V]:
    items = list(kept.items())
    chance.shuffle(items)
    return dict(items)


def shuffled(dossier: Dossier, chance: Random) -> Dossier:
    """Give the dossier with the rows of every sheet, and what is held, in another order."""
    changed = {}
    for sheet, rows in dossier.facts.sheets().items():
        mixed = list(rows)
        chance.shuffle(mixed)
        changed[sheet] = tuple(mixed)
    held = replace(
        dossier.held,
        obligations=mixed_up(dossier.held.obligations, chance),
        firings=mixed_up(dossier.held.firings, chance),
        conclusions=mixed_up(dossier.held.conclusions, chance),
    )
    return with_facts(replace(dossier, held=held), **changed)


def after(*instants: str) -> Dossier:
    return lived(motorway(), [at(day) for day in instants])[0]


MOMENTS = ((after(), at("2026-01-05")), (after("2026-01-05", "2026-01-13"), at("2026-02-05")))


@settings(max_examples=6, deadline=None)
@given(st.randoms(use_true_random=False))
@pytest.mark.parametrize("stage", Stage)
def test_a_decision_does_not_depend_on_the_order_of_the_registers_rows(stage: Stage, chance: Random) -> None:
    for dossier, now in MOMENTS:
        decided = FIVE[stage](dossier, now)
        assert FIVE[stage](shuffled(dossier, chance), now) == decided


@pytest.mark.parametrize("stage", Stage)
def test_equal_dossiers_at_equal_instants_get_equal_decisions_that_are_not_empty(stage: Stage) -> None:
    now = at("2026-02-05")
    assert FIVE[stage](MOMENTS[1][0], now) == FIVE[stage](after("2026-01-05", "2026-01-13"), now)
    assert not all(FIVE[stage](dossier, moment).quiet for dossier, moment in MOMENTS)


@pytest.mark.parametrize("stage", Stage)
def test_deciding_again_at_the_same_instant_is_quiet(stage: Stage) -> None:
    dossier, _ = lived(motorway(), [at("2026-01-05"), at("2026-02-05")])
    again = FIVE[stage](dossier, at("2026-02-05"))
    assert again.quiet, [(e.kind, e.subject) for e in again.entries]


def test_a_decision_says_only_what_is_its_stages_and_its_projects() -> None:
    _, decisions = lived(motorway(), days("2026-01-05", "2026-01-09"))
    for decision in decisions:
        assert {o.stage for o in decision.obligations} <= {decision.stage}
        assert {o.project_ref for o in decision.obligations} <= {"G1"}
        assert {c.stage for c in decision.conclusions} <= {decision.stage}
        assert {n.key.partition("/")[0] for n in decision.notices} <= {"G1"}


def quarter(instants: list[str]) -> tuple[Dossier, tuple[Decision, ...]]:
    return lived(motorway(), [at(day) for day in instants], *Stage)


def rungs(dossier: Dossier) -> set[tuple[str, str]]:
    return set(dossier.held.firings)


DAILY = [date.fromordinal(n).isoformat() for n in range(date(2026, 1, 5).toordinal(), date(2026, 4, 1).toordinal())]
QUARTER = quarter(DAILY)


def test_a_quarter_lived_day_by_day_tells_nobody_the_same_twice() -> None:
    dossier, decisions = QUARTER
    keys = [n.key for d in decisions for n in d.notices]
    assert len(keys) == len(set(keys))
    fired = [(f.obligation_key, f.rung) for d in decisions for f in d.firings]
    assert len(fired) == len(set(fired)) == len(rungs(dossier))


@settings(max_examples=4, deadline=None)
@given(st.sets(st.sampled_from(DAILY[1:-1]), max_size=12))
def test_a_quarter_lived_with_gaps_loses_no_obligation_and_no_rung(chosen: set[str]) -> None:
    whole, _ = QUARTER
    sparse, decisions = quarter([DAILY[0], *sorted(chosen), DAILY[-1]])
    # The first package's and requests' dates hang on the day they were first seen, which is the same here.
    summaries = {key for key in sparse.held.obligations if key.startswith("G1/outage/")}  # a gap is told of, once each
    assert sparse.held.obligations.keys() - summaries == whole.held.obligations.keys()
    kept = {key: o for key, o in sparse.held.obligations.items() if key not in summaries}
    closed = {key: o.status for key, o in kept.items() if o.status is not Status.PLANNED}
    for key, status in closed.items():
        assert whole.held.obligations[key].status in {status, Status.OPEN}
    # Only what is closed climbs no further, as a report that is sent on the first day it is looked at again.
    assert all(not sparse.held.obligations[key].live for key, _ in rungs(whole) - rungs(sparse))
    keys = [n.key for d in decisions for n in d.notices]
    assert len(keys) == len(set(keys))


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=6), min_size=1, max_size=8))
def test_what_was_fired_stays_fired_and_what_is_closed_stays_closed(gaps: list[int]) -> None:
    dossier, day = motorway(), 0
    for gap in gaps:
        day += gap
        before = dossier
        for stage in Stage:
            dossier = applied(dossier, FIVE[stage](dossier, at(DAILY[day])))
        assert rungs(before) <= rungs(dossier)
        for key, obligation in before.held.obligations.items():
            if not obligation.live:
                assert dossier.held.obligations[key] == obligation
