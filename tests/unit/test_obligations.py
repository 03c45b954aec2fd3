from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.notices import notice_key
from pfflow.domain.obligations import TRANSITIONS, ObligationError, Status, derived_key
from tests.factories import at, make_obligation

DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""RFC 5322 section 3.2.3."""
OURS = re.compile(r"[A-Za-z0-9%/_.+~-]+")
PART = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=12)
TRICKY = st.text(alphabet="./%+-_~ 2E项é", min_size=1, max_size=8)


@pytest.mark.parametrize(("start", "end"), list(product(Status, Status)))
def test_only_the_moves_of_the_table_are_made(start: Status, end: Status) -> None:
    obligation = make_obligation(status=start)
    if end in TRANSITIONS[start]:
        assert obligation.moved_to(end, at=at("2026-01-20"), by="C-1", because="agreed").status is end
    else:
        with pytest.raises(ObligationError, match=f"is {start} and cannot become {end}"):
            obligation.moved_to(end, at=at("2026-01-20"), by="C-1", because="agreed")


def test_what_is_closed_says_when_by_whom_and_why_and_is_held_no_more() -> None:
    held = make_obligation(status=Status.OPEN, held_until=at("2026-02-01"))
    closed = held.moved_to(Status.WAIVED, at=at("2026-01-20"), by="C-1", because="agreed")
    assert (closed.closed_at, closed.closed_by, closed.closed_because) == (at("2026-01-20"), "C-1", "agreed")
    assert closed.held_until is None


def test_opening_keeps_what_was_promised() -> None:
    held = make_obligation(held_until=at("2026-02-01"))
    assert held.moved_to(Status.OPEN, at=at("2026-01-20")).held_until == at("2026-02-01")


@pytest.mark.parametrize(("by", "because"), [("", "agreed"), ("C-1", ""), ("", "")])
def test_a_waiver_needs_who_and_why(by: str, because: str) -> None:
    with pytest.raises(ObligationError, match="a waiver names who waives and why"):
        make_obligation().moved_to(Status.WAIVED, at=at("2026-01-20"), by=by, because=because)


def test_overdue_is_what_is_still_owed_after_its_instant() -> None:
    due = make_obligation()
    assert not due.overdue(at("2026-01-15", 17, 0))
    assert due.overdue(at("2026-01-15", 17, 1))
    assert not make_obligation(status=Status.FULFILLED).overdue(at("2026-02-01"))


def test_a_key_needs_every_part() -> None:
    with pytest.raises(ObligationError, match="no empty part"):
        derived_key("G1", "", "2026-01-15")


@given(st.lists(PART | TRICKY, min_size=1, max_size=4), st.lists(PART | TRICKY, min_size=1, max_size=4))
def test_different_parts_make_different_keys(first: list[str], second: list[str]) -> None:
    assert (derived_key(*first) == derived_key(*second)) == (first == second)


@given(st.lists(PART | TRICKY, min_size=1, max_size=4))
def test_a_key_is_the_left_side_of_a_message_id(parts: list[str]) -> None:
    key = derived_key(*parts)
    assert DOT_ATOM.fullmatch(key)
    assert OURS.fullmatch(key)
    assert len(key.split("/")) == len(parts)


@given(PART | TRICKY, PART | TRICKY, PART | TRICKY, PART | TRICKY)
def test_notices_keys_differ_where_rung_or_contact_differ(rung: str, contact: str, rung2: str, contact2: str) -> None:
    same = notice_key("G1/a/1", rung, contact) == notice_key("G1/a/1", rung2, contact2)
    assert same == ((rung, contact) == (rung2, contact2))
    assert DOT_ATOM.fullmatch(notice_key("G1/a/1", rung, contact))
