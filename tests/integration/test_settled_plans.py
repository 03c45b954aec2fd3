"""A plan that found nothing to change spares the next one its work, and hides nothing: every input is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from pfflow import plans
from pfflow.bootstrap import calendar_of, engine
from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.decision import Decision, Holdings
from pfflow.domain.facts import Facts, Touch
from pfflow.domain.holiday_lists import HouseList, OwnHoliday
from pfflow.domain.playbook import Playbook
from pfflow.domain.replanning import HousePlan
from pfflow.domain.words import Stage
from pfflow.plans import Candidate, in_force, planned, read_candidate
from pfflow.ports import NotHeld
from pfflow.store import SqlStore
from tests.command_line import done, settle_in
from tests.factories import PLAYBOOK, at, make_contact, make_facts, make_touch, make_undertaking

NOW = at("2026-01-09", 10, 0)
LATER = at("2026-01-09", 10, 45)
LAST = date(2026, 4, 9)
MONDAY = "G1/weekly-progress/2026-01-12"


@dataclass
class House:
    """A house in its first week, and the means to plan for it."""

    store: SqlStore

    def plan(self, as_of: datetime, text: str = "", until: date = LAST) -> HousePlan:
        with engine() as opened:
            candidate = read_candidate(text, "another") if text else in_force(opened)
            assert isinstance(candidate, Candidate)
            return planned(opened, candidate, as_of, ["G1"], until=until)

    def marked_from(self) -> datetime | None:
        """Give since when the mark holds: an instant of a plan that compared all there is, and found nothing."""
        mark = self.store.standings(["G1"])["G1"].settled
        return mark.valid_from if mark else None

    def compared(self, as_of: datetime, text: str = "", until: date = LAST) -> HousePlan:
        """Give a plan that nothing spared any work: what it says is the truth."""
        mark = self.store.standings(["G1"])["G1"].settled
        if mark is not None:
            self.store.keep_settled([replace(mark, inputs="none")])
        return self.plan(as_of, text, until)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: SqlStore, store_url: str) -> House:
    """Give the motorway on Friday 9 January at ten, planned up to 9 April, with nothing to change."""
    settle_in(monkeypatch, tmp_path / "home", store_url)
    store.import_facts(make_facts(), at("2026-01-05", 8), "test")
    away = make_contact("C-CON", timezone="Europe/London")  # where it is night when the weekly meeting begins
    store.import_facts(Facts(contacts=(away,)), at("2026-01-05", 8), "test")
    done("adopt", PLAYBOOK)
    for day in ("2026-01-05", "2026-01-08", "2026-01-09T09:30"):
        done("sweep", "communication", "--as-of", day)
    house = House(store)
    assert house.plan(NOW, until=LAST).is_empty
    assert house.marked_from() == NOW
    return house


def test_a_plan_after_one_that_found_nothing_compares_nothing_and_says_the_same(house: House) -> None:
    spared = house.plan(LATER)
    assert house.marked_from() == NOW
    compared = house.compared(LATER)
    assert house.marked_from() == LATER
    assert spared.conflicts
    assert spared == compared


def import_an_undertaking(house: House) -> None:
    quarterly = make_undertaking(
        first=date(2025, 12, 31), frequency="quarterly", offset_days=45, metric="", operator="", threshold=None
    )
    house.store.import_facts(Facts(obligations=(quarterly,)), LATER, "test")


def import_a_holiday(house: House) -> None:
    entered = HouseList("CN", (OwnHoliday(date(2026, 1, 12), "made up"),))
    assert house.store.import_holidays(entered, LATER, "test").changed


def report_that_it_was_held(house: House) -> None:
    said = make_touch(Touch.MEETING, MONDAY, ext_id="T-1", at=at("2026-01-09", 10, 15))
    assert house.store.report_touch(said, "test", LATER)


def hear_that_it_was_held(house: House) -> None:
    report_that_it_was_held(house)
    done("sweep", "communication", "--as-of", "2026-01-09T10:30")


def write_an_obligation(house: House) -> None:
    """Touch an obligation without a word in the ledger, as no stage does."""
    as_of = at("2026-01-09", 10, 30)
    with house.store.deciding("G1", Stage.COMMUNICATION, as_of) as held:
        assert not isinstance(held, NotHeld)
        monday = replace(held.holdings.obligations[MONDAY], due_at=as_of + timedelta(days=9))
        held.record(Decision(project_ref="G1", stage=Stage.COMMUNICATION, as_of=as_of, obligations=(monday,)))


CHANGES_IN_THE_STORE: dict[str, Callable[[House], None]] = {
    "an undertaking is new in the register": import_an_undertaking,
    "a holiday list moves Monday's meeting": import_a_holiday,
    "somebody reports on a meeting": report_that_it_was_held,
    "a stage records what it heard": hear_that_it_was_held,
    "an obligation is touched": write_an_obligation,
}


@pytest.mark.parametrize("change", CHANGES_IN_THE_STORE.values(), ids=CHANGES_IN_THE_STORE)
def test_whatever_changes_in_the_store_is_compared_anew(house: House, change: Callable[[House], None]) -> None:
    change(house)
    found = house.plan(LATER)
    assert found.changes or house.marked_from() == LATER
    assert found == house.compared(LATER)
    if change in (import_an_undertaking, import_a_holiday, write_an_obligation):
        assert found.changes


def test_an_invited_contact_whose_address_changes_is_compared_anew(house: House) -> None:
    house.store.import_facts(Facts(contacts=(make_contact("C-CON", email="new@con.example"),)), LATER, "test")
    found = house.plan(LATER)
    assert found.changes or house.marked_from() == LATER


@pytest.mark.parametrize(
    ("as_of", "until"),
    [(LATER, LAST + timedelta(days=60)), (LATER, LAST - timedelta(days=7)), (at("2026-01-10", 10), LAST)],
    ids=["a longer window", "a shorter window", "another day"],
)
def test_another_window_is_compared_anew(house: House, as_of: datetime, until: date) -> None:
    found = house.plan(as_of, until=until)
    assert found.changes or house.marked_from() == as_of
    assert bool(found.changes) == (until > LAST)


def test_an_earlier_instant_is_compared_anew(house: House) -> None:
    house.plan(NOW - timedelta(minutes=10))
    assert house.marked_from() == NOW - timedelta(minutes=10)


def test_a_mark_ends_when_something_that_lay_ahead_is_due(house: House) -> None:
    mark = house.store.standings(["G1"])["G1"].settled
    assert mark is not None
    coming = [o.due_at for o in house.store.obligations("G1") if o.live and o.due_at > NOW]
    assert mark.valid_until == min(at("2026-01-10", 0, 0), *coming)


def test_another_playbook_is_compared_and_the_mark_of_the_one_in_force_stays(house: House) -> None:
    text = PLAYBOOK.read_text(encoding="utf-8")
    ten = 'rule: FREQ=WEEKLY;BYDAY=MO\n    at: "10:00"'
    assert text.count(ten) == 1
    assert house.plan(LATER, text.replace(ten, ten.replace("10:00", "14:00"))).changes
    assert house.marked_from() == NOW


def test_other_code_of_planning_compares_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_code", lambda: "another")
    assert house.plan(LATER).is_empty
    assert house.marked_from() == LATER


@pytest.mark.usefixtures("house")
def test_another_calendar_of_the_library_compares_anew() -> None:
    """A new release of the package may move a day although nobody imported anything."""

    def with_a_day_off(playbook: Playbook, holdings: Holdings, as_of: datetime) -> BusinessCalendar:
        calendar = calendar_of(playbook, holdings, as_of)
        return replace(calendar, holidays=calendar.holidays | {date(2026, 1, 12)})

    with engine() as opened:
        newer = replace(opened, cycle=replace(opened.cycle, calendar_of=with_a_day_off))
        found = planned(newer, in_force(opened), LATER, ["G1"], until=LAST)
    assert [change.obligation_key for change in found.changes] == [MONDAY]


def test_what_was_applied_is_marked_when_another_plan_of_it_finds_nothing(house: House, tmp_path: Path) -> None:
    """Nobody was asked for the reports that are cancelled, so no letter writes into the ledger after the apply."""
    text = PLAYBOOK.read_text(encoding="utf-8")
    shorter = tmp_path / "shorter.yaml"
    rule = "rule: FREQ=MONTHLY;BYMONTHDAY=15,-1"
    assert text.count(rule) == 1
    ended = text.replace(rule, f"{rule}\n    until: 2026-02-20").replace("version: 3", "version: 4")
    shorter.write_text(ended, encoding="utf-8")
    plan = tmp_path / "plan.json"
    done("plan", shorter, "--as-of", "2026-01-09T10:50", "--out", plan)
    done("apply", plan, "--as-of", "2026-01-09T10:50")
    assert house.marked_from() == at("2026-01-09", 10, 50)
    assert "no date would change" in done("plan", "--as-of", "2026-01-09T10:55", "--language", "en")
    assert house.marked_from() == at("2026-01-09", 10, 50)
