from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pfflow.domain.checklist import Completeness, ItemState, completeness
from pfflow.domain.facts import Financial
from pfflow.domain.parties import Party
from pfflow.domain.playbook import ChecklistItem
from tests.factories import make_financial, make_party

TODAY = date(2026, 1, 5)
CAPITAL = {"field": "registered_capital", "title": {"en": "Registered capital"}, "max_age_days": 365}
NET_ASSETS = {"metric": "net_assets", "title": {"en": "Net assets"}, "max_age_days": 400}
PREFERENCE = {"field": "preference", "title": {"en": "Preference"}}


def found(party: Party, *items: Any, accounts: tuple[Financial, ...] = ()) -> Completeness:
    return completeness(party, accounts, [ChecklistItem.model_validate(item) for item in items], TODAY)


@pytest.mark.parametrize(
    ("as_of", "state"),
    [
        (date(2025, 1, 5), ItemState.KNOWN),
        (date(2025, 1, 4), ItemState.STALE),
        (None, ItemState.STALE),
    ],
)
def test_a_field_is_stale_past_its_age_and_where_nobody_said_how_old_it_is(
    as_of: date | None, state: ItemState
) -> None:
    (answer,) = found(make_party(registered_capital=Decimal(5), as_of=as_of), CAPITAL).answers
    assert (answer.state, answer.as_of) == (state, as_of)


def test_a_field_that_may_be_of_any_age_is_known_without_a_date() -> None:
    assert found(make_party(preference="short tenor"), PREFERENCE).lacking == ()


def test_an_empty_field_is_missing_and_a_zero_is_known() -> None:
    assert found(make_party(as_of=TODAY), PREFERENCE, CAPITAL).known == 0
    assert found(make_party(registered_capital=Decimal(0), as_of=TODAY), CAPITAL).known == 1


def test_a_figure_counts_by_the_latest_date_it_is_known_for() -> None:
    accounts = (
        make_financial("net_assets", "1", subject_ref="BANK", period_end=date(2023, 12, 31)),
        make_financial("net_assets", "2", subject_ref="BANK", period_end=date(2024, 12, 31)),
        make_financial("net_assets", "3", subject_ref="BANK", period_end=date(2026, 12, 31)),
        make_financial("net_assets", "4", subject_ref="FUND", period_end=date(2025, 12, 31)),
    )
    (answer,) = found(make_party(), NET_ASSETS, accounts=accounts).answers
    assert (answer.state, answer.as_of) == (ItemState.KNOWN, date(2024, 12, 31))
    (older,) = found(make_party(), NET_ASSETS, accounts=accounts[:1]).answers
    assert older.state is ItemState.STALE
    (none,) = found(make_party(), NET_ASSETS, accounts=accounts[2:]).answers
    assert none.state is ItemState.MISSING


def test_completeness_is_in_whole_percent_rounded_down() -> None:
    two_of_three = found(make_party(preference="x", registered_capital=Decimal(1), as_of=TODAY), PREFERENCE, CAPITAL)
    assert two_of_three.percent == 100
    assert found(make_party(preference="x"), PREFERENCE, CAPITAL, NET_ASSETS).percent == 33
    assert found(make_party()).percent == 100
