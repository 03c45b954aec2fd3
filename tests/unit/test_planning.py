from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from pfflow.domain.decision import Dossier
from pfflow.domain.planning import Window, rolling_window, source_of, upcoming, wanted
from pfflow.domain.playbook import Cadence, Playbook
from pfflow.domain.project import Phase
from pfflow.domain.words import Stage
from tests.factories import at, days, lived, make_dossier, make_project, make_undertaking, small_playbook, with_facts

YEAR = Window(date(2026, 1, 1), date(2026, 12, 31))


def nothing_found(*finding: str) -> None:
    pytest.fail(f"nothing should be found, but {finding}")


def keys(dossier: Dossier, as_of: datetime) -> list[str]:
    return [one.obligation.key for one in upcoming(dossier, as_of, nothing_found)]


def with_rule(rule: str) -> Playbook:
    playbook = small_playbook()
    said = {**playbook.cadences["weekly-progress"].model_dump(exclude_none=True), "rule": rule}
    return playbook.model_copy(
        update={"cadences": {**playbook.cadences, "weekly-progress": Cadence.model_validate(said)}}
    )


def test_a_window_goes_from_the_first_day_of_the_relationship_to_the_horizon() -> None:
    window = rolling_window(make_dossier(), date(2026, 1, 12))
    assert window == Window(date(2026, 1, 5), date(2026, 4, 12))
    assert date(2026, 4, 12) in window
    assert date(2026, 1, 4) not in window


@pytest.mark.parametrize("first", ["2026-01-01", "2026-02-10", "2026-02-24"])
def test_what_is_wanted_of_a_day_does_not_depend_on_where_the_window_begins(first: str) -> None:
    whole = {o.obligation.key: o.obligation for o in wanted(make_dossier(), YEAR, nothing_found)}
    part = Window(date.fromisoformat(first), YEAR.last)
    found = {o.obligation.key: o.obligation for o in wanted(make_dossier(), part, nothing_found)}
    assert found == {key: one for key, one in whole.items() if one.due_on in part}


def test_a_key_names_the_cadence_it_comes_from() -> None:
    for one in wanted(make_dossier(), YEAR, nothing_found):
        assert source_of(one.obligation.key) == one.source
    assert source_of("G1/%E4%B9%89%E5%8A%A1/2026-01-05") == "义务"


def test_a_day_later_the_horizon_brings_only_what_is_new() -> None:
    dossier, _ = lived(make_dossier(), [at("2026-01-05")], Stage.COMMUNICATION)
    new = set(keys(dossier, at("2026-01-08"))) - dossier.held.obligations.keys()
    assert new == {"G1/weekly-progress/2026-04-06"}


def test_another_rule_makes_no_date_overdue_that_nobody_was_asked_for() -> None:
    dossier, _ = lived(make_dossier(), days("2026-01-05", "2026-01-14"), Stage.COMMUNICATION)
    tuesdays = replace(dossier, playbook=with_rule("FREQ=WEEKLY;BYDAY=TU"))
    weekly = [key for key in keys(tuesdays, at("2026-01-14")) if "weekly" in key]
    assert weekly[0] == "G1/weekly-progress/2026-01-20"


def test_a_phase_that_is_entered_brings_its_cadences_from_that_day_on() -> None:
    early = make_dossier(project=make_project(phase=Phase.ASSESSMENT))
    dossier, _ = lived(early, days("2026-01-05", "2026-01-14"), Stage.COMMUNICATION)
    entered = with_facts(dossier, projects=(make_project(),))
    assert min(key for key in keys(entered, at("2026-01-14")) if "weekly" in key) == "G1/weekly-progress/2026-01-19"


def test_on_the_first_day_what_was_due_that_morning_is_still_owed() -> None:
    assert "G1/weekly-progress/2026-01-05" in keys(make_dossier(), at("2026-01-05", 18))


def test_after_a_standstill_longer_than_the_horizon_no_date_in_between_is_lost() -> None:
    """Planned on 5 January for 90 days, to 5 April; the next decision is on 1 June."""
    dossier, _ = lived(make_dossier(), [at("2026-01-05")], Stage.COMMUNICATION)
    new = set(keys(dossier, at("2026-06-01"))) - dossier.held.obligations.keys()
    reports = sorted(
        key.rpartition("/")[2] for key in new if "fund-use" in key and key < "G1/fund-use-report/2026-06-01"
    )
    assert reports == ["2026-04-15", "2026-04-30", "2026-05-15", "2026-05-31"]


def test_an_undertaking_is_owed_from_the_first_day_whenever_it_is_entered() -> None:
    """Entered in March, due on 14 February: the documents oblige to it whether it was planned or not."""
    dossier, _ = lived(make_dossier(), [at("2026-01-05")], Stage.COMMUNICATION)
    accounts = make_undertaking(
        obligation_ref="U-ACC",
        metric="",
        threshold=None,
        frequency="quarterly",
        offset_days=45,
        first=date(2025, 12, 31),
    )
    assert "G1/U-ACC/2025-12-31" in keys(with_facts(dossier, obligations=(accounts,)), at("2026-03-02"))


def test_periods_end_with_the_financial_year_their_first_one_names() -> None:
    """Accounts of years to 30 June, due 60 days later: 29 August 2026 is a Saturday, so Monday the 31st."""
    accounts = make_undertaking(
        obligation_ref="accounts",
        metric="",
        threshold=None,
        frequency="annual",
        first=date(2026, 6, 30),
        offset_days=60,
    )
    dossier = with_facts(make_dossier(), obligations=(accounts,))
    found = [o.obligation for o in wanted(dossier, YEAR, nothing_found) if o.obligation.key.startswith("G1/accounts/")]
    assert [(o.period_end, o.due_on) for o in found] == [(date(2026, 6, 30), date(2026, 8, 31))]
