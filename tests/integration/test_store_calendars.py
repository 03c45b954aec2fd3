from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, create_engine, insert, inspect, select, text

from pfflow.bootstrap import calendar_of
from pfflow.calendars import business_calendar, house_calendar
from pfflow.domain.business_days import WEEKENDS_ONLY, BusinessCalendar
from pfflow.domain.decision import Decision
from pfflow.domain.facts import Facts
from pfflow.domain.holiday_lists import HOUSE, HouseList, OwnHoliday
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld
from pfflow.store import BrokenEditionError, SqlStore, UnknownEditionError
from tests.factories import make_playbook
from tests.integration.samples import AT, FACTS

LATER = AT + timedelta(hours=1)
SPRING = OwnHoliday(date(2027, 2, 5), "春节")
MAKE_UP = OwnHoliday(date(2027, 2, 14), "春节调休", "workday")
OFFICIAL = HouseList("CN", (SPRING, MAKE_UP), date(2027, 12, 31))
CALENDARS = {"G1": "CN", "G2": "HK"}


def decides(store: SqlStore, project_ref: str) -> bool:
    """Whether communication is given the project at AT; a quiet decision marks that it was."""
    with store.deciding(project_ref, Stage.COMMUNICATION, AT) as held:
        if isinstance(held, NotHeld):
            return False
        held.record(Decision(project_ref=project_ref, stage=Stage.COMMUNICATION, as_of=AT))
    return True


def plan_by(store: SqlStore, calendar: BusinessCalendar, as_of: datetime, then: Exception | None = None) -> None:
    """Record a decision that planned by a calendar; then leave its hold with an exception, if one is given."""
    with store.deciding("G1", Stage.COMMUNICATION, as_of) as held:
        assert not isinstance(held, NotHeld)
        held.record(Decision(project_ref="G1", stage=Stage.COMMUNICATION, as_of=as_of, calendar=calendar))
        if then:
            raise then


def with_calendars(**calendars: str) -> Facts:
    first = FACTS.projects[0]
    projects = tuple(replace(first, project_ref=ref, calendars=calendar) for ref, calendar in calendars.items())
    return Facts(projects=projects)


@pytest.fixture
def two(store: SqlStore) -> SqlStore:
    """Give a store with G1 on China's calendar and G2 on Hong Kong's, both decided for at AT."""
    store.import_facts(with_calendars(**CALENDARS), AT, "test")
    assert [decides(store, ref) for ref in CALENDARS] == [True, True]
    return store


def test_a_list_is_kept_and_the_same_again_changes_nothing(two: SqlStore) -> None:
    first = two.import_holidays(OFFICIAL, LATER, "zhang", everywhere=True)
    assert (first.version, first.projects, first.changed) == (1, ("G1", "G2"), True)
    assert two.house_lists() == (OFFICIAL,)
    entries = two.ledger("G1")

    again = two.import_holidays(OFFICIAL, LATER + timedelta(hours=1), "li", everywhere=True)
    assert (again.version, again.projects, again.changed) == (1, (), False)
    assert two.ledger("G1") == entries
    assert two.verify() == ()


def test_a_list_replaces_its_years_and_leaves_the_others(two: SqlStore) -> None:
    two.import_holidays(OFFICIAL, LATER, "zhang")
    of_2028 = OwnHoliday(date(2028, 1, 26), "春节")
    two.import_holidays(HouseList("CN", (of_2028,), date(2028, 12, 31)), LATER, "zhang")
    corrected = OwnHoliday(date(2027, 2, 8), "春节")
    two.import_holidays(HouseList("CN", (corrected,)), LATER, "zhang")
    two.import_holidays(HouseList(HOUSE, (OwnHoliday(date(2027, 6, 1), "司庆"),)), LATER, "zhang")
    assert two.house_lists() == (
        HouseList("CN", (corrected, of_2028), date(2028, 12, 31)),
        HouseList(HOUSE, (OwnHoliday(date(2027, 6, 1), "司庆"),), None),
    )


def test_a_list_lets_the_projects_it_concerns_decide_anew_and_says_so_in_their_ledgers(two: SqlStore) -> None:
    assert not decides(two, "G1")
    done = two.import_holidays(OFFICIAL, LATER, "zhang", everywhere=False)
    assert done.projects == ("G1",)
    assert [decides(two, "G1"), decides(two, "G2")] == [True, False]

    *_, entry = two.ledger("G1")
    assert (entry.stage, entry.kind, entry.subject) == ("calendar", "imported", "CN/1")
    data = json.loads(entry.data)
    assert (data["years"], data["published_until"], data["by"]) == ([2027], "2027-12-31", "zhang")
    assert len(data["sha256"]) == 64
    assert all(entry.stage != "calendar" for entry in two.ledger("G2"))


def test_a_worker_that_is_open_sees_the_list_another_brought_in(two: SqlStore, store_url: str) -> None:
    assert two.holdings("G1").holiday_lists == ()
    with SqlStore.open(store_url) as other:
        other.import_holidays(OFFICIAL, LATER, "zhang")
    assert two.holdings("G1").holiday_lists == (OFFICIAL,)
    with two.deciding("G1", Stage.COMMUNICATION, AT) as held:
        assert not isinstance(held, NotHeld)
        assert held.holdings.holiday_lists == (OFFICIAL,)


def test_a_projects_calendar_is_provisional_only_after_what_its_list_says(two: SqlStore) -> None:
    playbook = make_playbook(calendars=["CN"])
    before = calendar_of(playbook, two.holdings("G1"), AT)
    two.import_holidays(OFFICIAL, LATER, "zhang")
    after = calendar_of(playbook, two.holdings("G1"), AT)
    assert [before.is_provisional(date(2027, 1, 1)), after.is_provisional(date(2027, 1, 1))] == [True, False]
    assert after.is_provisional(date(2028, 1, 1))
    assert [before.is_business_day(MAKE_UP.on), after.is_business_day(MAKE_UP.on)] == [False, True]


def test_a_database_of_the_first_revision_gets_the_new_tables_and_keeps_what_it_holds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    config = Config()
    config.set_main_option("script_location", "pfflow.store:migrations")
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        _fill(connection, tmp_path / "new.db")
    assert "calendar_edition" not in inspect(engine).get_table_names()
    engine.dispose()
    with SqlStore.open(url) as store:
        store.migrate()
        assert store.facts() == replace(FACTS, absences=())  # there was no place for absences
        store.import_holidays(OFFICIAL, LATER, "zhang")
        assert store.house_lists() == (OFFICIAL,)


def _fill(old: Connection, new: Path) -> None:
    """Fill an old database with what today's code writes of the facts, as far as it had a place for it."""
    with SqlStore.open(f"sqlite:///{new}") as store:
        store.migrate()
        store.import_facts(FACTS, AT, "test")
    tables = MetaData()
    tables.reflect(old)
    engine = create_engine(f"sqlite:///{new}")
    with engine.connect() as written:
        for table in tables.sorted_tables:
            rows = written.execute(select(table)).mappings().all() if table.name != "alembic_version" else ()
            if rows:
                old.execute(insert(table), [dict(row) for row in rows])
    engine.dispose()


KEPT: tuple[Callable[[], BusinessCalendar], ...] = (
    lambda: business_calendar(["CN"], 2025, 2028),
    lambda: business_calendar(["CN", "HK", "XNYS"], 2025, 2046),
    lambda: business_calendar(["SA"], 2026, 2026),
    lambda: house_calendar(["CN"], 2026, 2028, [OFFICIAL, HouseList(HOUSE, (OwnHoliday(date(2027, 6, 1), "司庆"),))]),
    lambda: WEEKENDS_ONLY,
)


def test_every_edition_reads_back_as_the_calendar_it_was(two: SqlStore) -> None:
    for hours, make in enumerate(KEPT, start=1):
        calendar, as_of = make(), AT + timedelta(hours=hours)
        plan_by(two, calendar, as_of)
        plan_by(two, calendar, as_of + timedelta(minutes=1))  # kept already
        assert two.calendar_edition(calendar.version) == calendar
        assert two.calendar_edition(calendar.version[:12]) == calendar


def test_a_decision_that_is_rolled_back_keeps_no_edition(two: SqlStore) -> None:
    calendar = business_calendar(["CN"], 2025, 2028)
    with pytest.raises(RuntimeError, match="the decision fails"):
        plan_by(two, calendar, LATER, then=RuntimeError("the decision fails"))
    with pytest.raises(UnknownEditionError, match="no calendar is kept under version"):
        two.calendar_edition(calendar.version)


@pytest.mark.parametrize("version", ["", "ab", "%" * 12, "_" * 64])
def test_a_version_nobody_planned_by_is_an_error(two: SqlStore, version: str) -> None:
    plan_by(two, WEEKENDS_ONLY, LATER)
    with pytest.raises(UnknownEditionError):
        two.calendar_edition(version)


def test_an_edition_somebody_changed_is_not_given_out(two: SqlStore, store_url: str) -> None:
    plan_by(two, WEEKENDS_ONLY, LATER)
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE calendar_edition SET published_until = '2026-12-31'"))
    engine.dispose()
    with pytest.raises(BrokenEditionError, match="was changed"):
        two.calendar_edition(WEEKENDS_ONLY.version)
