"""Checklists: what is known of a party, what is missing, and what is too old."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pfflow.domain.facts import Financial
from pfflow.domain.parties import Party
from pfflow.domain.playbook import ChecklistItem


class ItemState(StrEnum):
    """What is known of one item."""

    KNOWN = "known"
    MISSING = "missing"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Answer:
    """One item of a checklist as it stands: its state, and the date of what is known."""

    item: ChecklistItem
    state: ItemState
    as_of: date | None


@dataclass(frozen=True, slots=True)
class Completeness:
    """A party's answers; complete when every item is known and fresh."""

    answers: tuple[Answer, ...]

    @property
    def known(self) -> int:
        """How many items are known and fresh."""
        return sum(a.state is ItemState.KNOWN for a in self.answers)

    @property
    def lacking(self) -> tuple[Answer, ...]:
        """The answers that are missing or stale."""
        return tuple(a for a in self.answers if a.state is not ItemState.KNOWN)

    @property
    def percent(self) -> int:
        """Completeness in whole percent, rounded down; 100 for an empty checklist."""
        return 100 * self.known // len(self.answers) if self.answers else 100


def completeness(
    party: Party, financials: Iterable[Financial], items: Iterable[ChecklistItem], on: date
) -> Completeness:
    """Hold a party's record and accounts against a checklist on a day; figures dated later are not yet known."""
    accounts = [f for f in financials if f.subject_ref == party.party_ref and f.period_end <= on]
    return Completeness(tuple(_answer(party, accounts, item, on) for item in items))


def _answer(party: Party, accounts: list[Financial], item: ChecklistItem, on: date) -> Answer:
    known_on: date | None
    if item.field:
        value = getattr(party, item.field)
        known, known_on = value is not None and value != "", party.as_of
    else:
        dates = [f.period_end for f in accounts if f.metric == item.metric]
        known, known_on = bool(dates), max(dates, default=None)
    if not known:
        return Answer(item, ItemState.MISSING, None)
    too_old = item.max_age_days is not None and (known_on is None or (on - known_on).days > item.max_age_days)
    return Answer(item, ItemState.STALE if too_old else ItemState.KNOWN, known_on)
