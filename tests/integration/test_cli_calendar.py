"""The calendar commands for one date, and for thousands of JSON lines against an independent reckoning."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import holidays
import pytest
from dateutil.rrule import rrulestr

from pfflow.domain.business_days import BusinessCalendar
from pfflow.store import SqlStore
from tests.command_line import EXPRESSWAY, done, pfflow, settle_in

DAY = timedelta(days=1)
PROGRAM = "from pfflow.cli import main; main()"
CODES = ("CN", "US", "GB-ENG", "GB-SCT", "DE-BY", "SG", "JP", "XNYS", "XECB", "FR-Zone A", "AE", "CN+US", "GB-ENG+XNYS")
LIST = (
    "date,name,kind\n2027-01-01,元旦,holiday\n2027-02-05,春节,holiday\n2027-02-08,春节,holiday\n"
    "2027-02-14,春节调休,workday\n"
)


def answered(verb: str, lines: Iterable[bytes | str | dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the answers of a process of its own to lines on its standard input; it must end well."""
    asked = b"".join(_line(one) + b"\n" for one in lines)
    command = [sys.executable, "-W", "error", "-c", PROGRAM, "calendar", verb, "--json", "-"]
    said = subprocess.run(command, input=asked, capture_output=True, check=False, timeout=120)
    assert (said.returncode, said.stderr) == (0, b""), said.stderr[-2000:]
    return [json.loads(line) for line in said.stdout.decode("ascii").splitlines()]


def _line(one: bytes | str | dict[str, Any]) -> bytes:
    if isinstance(one, bytes):
        return one
    return (one if isinstance(one, str) else json.dumps(one)).encode()


# The reckoning below knows the holidays package and dateutil, and nothing of pfflow.


@lru_cache(maxsize=64)
def listed(code: str) -> holidays.HolidayBase:
    entity, _, part = code.partition("-")
    if len(entity) == 2:
        return holidays.country_holidays(entity, part or None)
    return holidays.financial_holidays(entity)


@lru_cache(maxsize=100_000)
def is_worked(code: str, day: date) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return all(listed(one).is_working_day(day) for one in code.split("+"))


def walked(code: str, day: date, step: timedelta) -> date:
    while not is_worked(code, day):
        day += step
    return day


def reckoned(code: str, day: date, convention: str) -> date:
    after, before = walked(code, day, DAY), walked(code, day, -DAY)
    crosses = after.month != day.month or day.day <= 15 < after.day
    return {
        "UNADJUSTED": day,
        "FOLLOWING": after,
        "PRECEDING": before,
        "MODIFIED_FOLLOWING": after if after.month == day.month else before,
        "MODIFIED_PRECEDING": before if before.month == day.month else after,
        "HALF_MONTH_MODIFIED_FOLLOWING": before if crosses else after,
        "NEAREST": after if after - day <= day - before else before,
    }[convention]


CONVENTIONS = (
    "UNADJUSTED",
    "FOLLOWING",
    "PRECEDING",
    "MODIFIED_FOLLOWING",
    "MODIFIED_PRECEDING",
    "HALF_MONTH_MODIFIED_FOLLOWING",
    "NEAREST",
)


def test_thousands_of_rolls_agree_with_an_independent_reckoning() -> None:
    # 7919 days is a prime step, so every calendar and convention meets every season and weekday.
    asked = [
        {
            "calendar": CODES[number % len(CODES)],
            "date": (date(2010, 1, 1) + DAY * (number * 7919 % 14_600)).isoformat(),
            "convention": CONVENTIONS[number % len(CONVENTIONS)],
        }
        for number in range(6000)
    ]
    said = answered("roll", asked)
    expected = [
        reckoned(one["calendar"], date.fromisoformat(one["date"]), one["convention"]).isoformat() for one in asked
    ]
    assert [one["on"] for one in said] == expected
    assert sum(one["on"] != answer["date"] for one, answer in zip(said, asked, strict=True)) > 1000


def test_every_day_of_chinas_published_years_rolls_as_the_list_says() -> None:
    days = [date(2020, 1, 1) + timedelta(days=number) for number in range(365 * 8)]
    asked = [{"calendar": "CN", "date": str(day), "convention": "FOLLOWING"} for day in days]
    said = answered("roll", asked)
    assert [one["on"] for one in said] == [walked("CN", day, DAY).isoformat() for day in days]
    assert [one["provisional"] for one in said] == [day > date(2026, 12, 31) for day in days]


RULES = (
    "FREQ=MONTHLY;BYMONTHDAY=15,-1",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1",
    "FREQ=MONTHLY;BYDAY=2TU,-1FR",
    "FREQ=WEEKLY;BYDAY=MO,TH",
    "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,TU",
    "FREQ=DAILY;INTERVAL=10",
    "FREQ=DAILY;BYMONTH=3",
    "FREQ=YEARLY;BYMONTH=6,12;BYMONTHDAY=-1",
    "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
    "FREQ=YEARLY;BYYEARDAY=1,-1",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;UNTIL=20351231",
)


def independent(rule: str, start: date, until: date) -> list[str]:
    first, last = (datetime(day.year, day.month, day.day) for day in (start, until))
    return [one.date().isoformat() for one in rrulestr(rule, dtstart=first).between(first, last, inc=True)]


def test_thousands_of_expansions_agree_with_dateutil() -> None:
    asked = []
    for number in range(3000):
        start = date(2015, 1, 1) + DAY * (number * 7919 % 10_950)
        until = start + DAY * (0, 1, 40, 400, 1500)[number % 5]
        asked.append({"rule": RULES[number % len(RULES)], "start": str(start), "until": str(until)})
    said = answered("expand", asked)
    expected = [
        {"dates": independent(one["rule"], date.fromisoformat(one["start"]), date.fromisoformat(one["until"]))}
        for one in asked
    ]
    assert said == expected
    assert sum(len(one["dates"]) for one in said) > 30_000


def test_a_rule_takes_what_it_leaves_open_from_its_start() -> None:
    asked: Sequence[dict[str, Any]] = [
        {"rule": "FREQ=MONTHLY", "start": "2026-01-15", "until": "2026-03-31"},
        {"rule": "FREQ=WEEKLY;INTERVAL=2;COUNT=3", "start": "2026-01-05", "until": "2026-12-31"},
        {"rule": "FREQ=DAILY;COUNT=10", "start": "1997-09-02", "until": "1997-09-04"},
    ]
    assert answered("expand", asked) == [
        {"dates": ["2026-01-15", "2026-02-15", "2026-03-15"]},
        {"dates": ["2026-01-05", "2026-01-19", "2026-02-02"]},
        {"dates": ["1997-09-02", "1997-09-03", "1997-09-04"]},
    ]


def test_an_expansion_with_a_calendar_has_both_dates_and_says_which_are_provisional() -> None:
    asked = {"rule": "FREQ=MONTHLY;BYMONTHDAY=-1", "start": "2026-10-01", "until": "2027-01-31"}
    (following, preceding) = answered(
        "expand", [asked | {"calendar": "CN"}, asked | {"calendar": "CN", "convention": "PRECEDING"}]
    )
    unadjusted = ["2026-10-31", "2026-11-30", "2026-12-31", "2027-01-31"]
    provisional = [False, False, False, True]
    assert following == {
        "dates": ["2026-11-02", "2026-11-30", "2026-12-31", "2027-02-01"],
        "unadjusted": unadjusted,
        "provisional": provisional,
    }
    assert preceding == {
        "dates": ["2026-10-30", "2026-11-30", "2026-12-31", "2027-01-29"],
        "unadjusted": unadjusted,
        "provisional": provisional,
    }


GOOD = {"calendar": "CN", "date": "2026-02-16", "convention": "FOLLOWING"}


def test_a_bad_line_answers_in_its_place_with_what_would_be_right_and_the_rest_go_on() -> None:
    bad: Sequence[tuple[bytes | str | dict[str, Any], str]] = [
        ("", "the line is empty: write {"),
        ("roll it", "the line is not JSON"),
        ("[" * 100_000, "the line is not JSON"),
        (b'{"calendar": "\xff"}', "not UTF-8"),
        ("[1]", "no JSON object"),
        ({"calendar": "CN", "date": "2026-02-16"}, 'has no "convention": write {"calendar": "CN"'),
        (GOOD | {"roll": "preceding"}, 'the line has "roll": write "convention"'),
        (GOOD | {"Calendar": "CN"}, 'the line has "Calendar": write "calendar"'),
        (GOOD | {"date": 20260216}, 'has 20260216 as "date", not a text'),
        (GOOD | {"date": None}, 'has None as "date"'),
        (GOOD | {"calendar": "CHINA"}, "no calendar is named 'CHINA'; near it: CN"),
        (GOOD | {"calendar": "GB-EN"}, "GB has the parts GB-ENG"),
        (GOOD | {"calendar": "+"}, "no calendar is named: give codes"),
        (GOOD | {"calendar": "CN+QQQQ"}, "no calendar is named 'QQQQ'"),
        (GOOD | {"convention": "NEXT"}, "write one of unadjusted, following"),
        (GOOD | {"date": "2026-02-30"}, "write YYYY-MM-DD"),
        (GOOD | {"date": "20260216"}, "write YYYY-MM-DD"),
        (GOOD | {"date": "2026-W08-1"}, "write YYYY-MM-DD"),
        (GOOD | {"date": "1949-12-31"}, "calendars go from 1950-01-01 to 2200-12-31"),
        (GOOD | {"date": "2201-01-01"}, "calendars go from 1950-01-01 to 2200-12-31"),
        (GOOD | {"date": "9999-99-99" * 1000}, "…"),
    ]
    asked = [line for one, _ in bad for line in (one, GOOD)]
    said = answered("roll", asked)
    assert said[1::2] == [{"on": "2026-02-24", "provisional": False}] * len(bad)
    for (_, sentence), answer in zip(bad, said[::2], strict=True):
        assert list(answer) == ["error"]
        assert sentence in answer["error"]
        assert len(answer["error"]) < 500


def test_the_first_and_the_last_day_that_may_be_asked_have_an_answer() -> None:
    asked = [
        {"calendar": "CN", "date": "1950-01-01", "convention": "PRECEDING"},  # a Sunday
        {"calendar": "CN", "date": "2200-12-31", "convention": "FOLLOWING"},  # a Wednesday
        {"calendar": "XECB", "date": "1980-01-01", "convention": "FOLLOWING"},  # nineteen years before TARGET
        {"calendar": "weekends", "date": "2199-06-01", "convention": "Modified Following"},  # a Saturday
    ]
    assert answered("roll", asked) == [
        {"on": "1949-12-30", "provisional": True},
        {"on": "2200-12-31", "provisional": True},
        {"on": "1980-01-01", "provisional": True},
        {"on": "2199-06-03", "provisional": False},
    ]


def test_a_bad_rule_answers_with_what_to_write_instead() -> None:
    good = {"rule": "FREQ=MONTHLY;BYMONTHDAY=-1", "start": "2026-01-01", "until": "2026-01-31"}
    bad = [
        (good | {"rule": "FREQ=YEARLY;BYMONTHDAY=15"}, "add BYMONTH, or use FREQ=MONTHLY"),
        (good | {"rule": "FREQ=DAILY;BYMINUTE=5"}, "give the time of day beside the rule"),
        (good | {"rule": "FREQ=MONTHLY", "start": "2026-01-31"}, "write BYMONTHDAY=-1 for month ends"),
        (good | {"rule": "monthly"}, "write NAME=VALUE"),
        (good | {"until": "2025-12-31"}, "until 2025-12-31 lies before start 2026-01-01"),
        (good | {"until": "2300-01-01"}, "calendars go from"),
        (good | {"calendar": "CHINA"}, "near it: CN"),
        (good | {"convention": "FOLLOWING"}, 'add "calendar"'),
        (good | {"calendar": "CN", "convention": "NEXT"}, "write one of unadjusted"),
    ]
    said = answered("expand", [line for one, _ in bad for line in (one, good)])
    assert said[1::2] == [{"dates": ["2026-01-31"]}] * len(bad)
    assert [sentence in answer["error"] for (_, sentence), answer in zip(bad, said[::2], strict=True)] == [True] * len(
        bad
    )


def test_each_line_is_answered_before_the_next_is_asked() -> None:
    command = [sys.executable, "-c", PROGRAM, "calendar", "roll", "--json", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as talking:
        assert talking.stdin is not None
        assert talking.stdout is not None
        for on in ("2026-02-16", "2026-02-17"):
            talking.stdin.write(json.dumps(GOOD | {"date": on}).encode() + b"\n")
            talking.stdin.flush()
            assert json.loads(talking.stdout.readline())["on"] == "2026-02-24"
        talking.stdin.close()
        assert talking.wait(timeout=60) == 0


def test_calendar_questions_load_neither_the_store_nor_prefect() -> None:
    program = (
        "import sys; from pfflow.cli import main\n"
        "try: main(['calendar', 'roll', 'CN', '2026-02-16', 'following'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('sqlalchemy', 'prefect', 'alembic') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert said.stdout.splitlines() == ["2026-02-24 Tue", "[]"]


def test_a_year_is_shown_with_its_names_make_up_days_and_how_far_it_is_published() -> None:
    lines = done("calendar", "show", "cn", "2026").splitlines()
    assert "2026-02-17  Tue  holiday      春节 / Chinese New Year (Spring Festival)" in lines
    assert "2026-02-14  Sat  working day" in lines
    assert lines[-2:] == [
        "CN 2026: 248 business days, 22 holidays, 6 make-up working days",
        "published until 2026-12-31",
    ]
    provisional = done("calendar", "show", "CN+HK", "2027").splitlines()
    assert (
        "2027-10-01  Fri  holiday, provisional  国庆节 / National Day (CN), 国庆日 / National Day (HK)" in provisional
    )
    assert provisional[-1].startswith("published until 2026-12-31; 2027 is provisional")


def test_one_date_and_one_rule_are_answered_for_people() -> None:
    assert done("calendar", "roll", "CN", "2026-02-15", "preceding") == "2026-02-14 Sat\n"
    assert done("calendar", "roll", "CN+HK", "2026-02-15", "preceding") == "2026-02-13 Fri\n"
    assert done("calendar", "roll", "CN", "2027-10-01", "nearest") == "2027-09-30 Thu, provisional\n"
    lines = done(
        *("calendar", "expand", "CN", "FREQ=MONTHLY;BYMONTHDAY=15,-1", "2026-01-01", "2026-12-31"),
        *("--roll", "preceding"),
    ).splitlines()
    assert lines[3:5] == ["2026-02-15 Sun  2026-02-14 Sat  moved", "2026-02-28 Sat  2026-02-28 Sat"]
    assert lines[-1] == "24 dates, 7 moved"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "CHINA", "2026"), "near it: CN"),
        (("roll", "CN", "2026-02-16"), "write a calendar, a date and a convention"),
        (("roll", "CN", "2026-02-16", "next"), "write one of unadjusted"),
        (("roll", "CN", "16.2.2026", "following"), "write YYYY-MM-DD"),
        (("expand", "CN", "FREQ=MONTHLY"), "write a calendar, a rule, a first day and a last day"),
        (("expand", "CN", "FREQ=WEEKLY;COUNT=0", "2026-01-01", "2026-02-01"), "no whole number from 1"),
        (("roll", "CN", "2026-02-16", "following", "--json", "-"), "leave calendar, date and convention out"),
        (("expand", "CN", "--json", "-"), "leave the rule and its days out"),
        (("import", "none.csv", "--by", "zhang"), "cannot be read"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_a_sentence(arguments: Sequence[str], sentence: str) -> None:
    said = pfflow("calendar", *arguments)
    assert (said.status, said.out) != (0, "")
    assert sentence in said.err
    assert "Traceback" not in said.err


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give a home with the motorway's playbook in force and its register imported."""
    settle_in(monkeypatch, tmp_path / "home")
    done("adopt", EXPRESSWAY / "playbook.yaml", "--by", "test")
    done("import", EXPRESSWAY / "register.xlsx")
    return tmp_path


def test_an_official_list_is_shown_first_then_brought_in_and_the_projects_decide_anew(home: Path) -> None:
    file = home / "cn2027.csv"
    file.write_text(LIST, encoding="utf-8")
    official = ("calendar", "import", file, "--calendar", "CN", "--published-until", "2027-12-31", "--by", "zhang")

    shown = done(*official, "--dry-run").splitlines()
    # The package projects 5 to 10 February off, Qingming, 3 and 4 May, the 9th of June, …; the made-up list has less.
    assert "+ 2027-02-09 Tue is now worked" in shown
    assert "+ 2027-02-14 Sun is now worked: 春节调休" in shown
    assert shown[-2:] == [
        "CN was published until 2026-12-31, is now until 2027-12-31",
        "dry run: nothing was written",
    ]
    assert done("calendar", "roll", "CN", "2027-02-14", "following", "--house") == "2027-02-15 Mon, provisional\n"

    assert done(*official).splitlines()[-1] == "the list of CN: version 1; 1 project of 1 decide anew"
    assert done("calendar", "roll", "CN", "2027-02-14", "following", "--house") == "2027-02-14 Sun\n"
    assert done("calendar", "roll", "CN", "2027-02-14", "following") == "2027-02-15 Mon, provisional\n"
    assert done("calendar", "show", "CN", "2027", "--house").splitlines()[-1] == "published until 2027-12-31"
    assert done(*official) == "nothing changed\n"


def test_a_houses_own_day_is_off_on_every_calendar(home: Path) -> None:
    file = home / "own.yaml"
    file.write_text("- {date: 2026-06-01, name: 司庆}\n", encoding="utf-8")
    said = done("calendar", "import", file, "--by", "zhang").splitlines()
    assert said == [
        "- 2026-06-01 Mon is now off: 司庆",
        "the house's own days: version 1; 1 project of 1 decide anew",
    ]
    for code in ("CN", "GB-ENG+HK"):
        assert done("calendar", "roll", code, "2026-06-01", "following", "--house") == "2026-06-02 Tue\n"
    assert "2026-06-01  Mon  holiday      司庆 (HOUSE)" in done("calendar", "show", "CN", "2026", "--house")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--calendar", "CN", "--published-until", "2028-12-31"), "the list has no day in 2028"),
        (
            (
                "--calendar",
                "CN+HK",
            ),
            "is joint",
        ),
        (
            (
                "--calendar",
                "CHINA",
            ),
            "near it: CN",
        ),
        (("--published-until", "2027-12-31"), "say whose it is"),
        (("--calendar", "CN", "--published-until", "2027"), "is no date"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_and_nothing_is_written(
    home: Path, options: Sequence[str], sentence: str
) -> None:
    file = home / "cn2027.csv"
    file.write_text(LIST, encoding="utf-8")
    said = pfflow("calendar", "import", file, "--by", "zhang", *options)
    assert said.status != 0
    assert sentence in said.err
    assert done("calendar", "show", "CN", "2027", "--house").splitlines()[-1].startswith("published until 2026-12-31;")


def test_a_bad_file_is_refused_with_its_lines(home: Path) -> None:
    file = home / "bad.csv"
    file.write_text("date,name,kind\n2027-02-30,x,\n2027-02-05,,\n", encoding="utf-8")
    said = pfflow("calendar", "import", file, "--by", "zhang")
    assert said.status == 1
    assert f"{file}:2: date '2027-02-30' is no day" in said.err
    assert f"{file}:3: 2027-02-05 has no name" in said.err


def planned(home: Path) -> list[tuple[dict[str, Any], BusinessCalendar]]:
    """Give what the ledger says of each date that was planned, with the calendar it names."""
    with SqlStore.open(f"sqlite:///{home / 'home' / 'pfflow.db'}") as store:
        said = [json.loads(entry.data) for entry in store.ledger(*store.project_refs()) if entry.kind == "planned"]
        return [(one, store.calendar_edition(one["calendar"])) for one in said]


def test_the_ledger_names_the_calendar_by_which_each_date_can_be_worked_out_again(home: Path) -> None:
    done("sweep", "communication", "--as-of", "2026-12-01")
    first = planned(home)
    assert first
    for said, edition in first:
        on = date.fromisoformat(said["due_on"])
        assert edition.is_business_day(on)
        assert said["provisional"] == edition.is_provisional(max(on, date.fromisoformat(said["unadjusted_on"])))

    file = home / "cn2027.csv"
    file.write_text(LIST, encoding="utf-8")
    done("calendar", "import", file, "--calendar", "CN", "--published-until", "2027-12-31", "--by", "zhang")
    done("sweep", "communication", "--as-of", "2027-02-01")
    later = planned(home)[len(first) :]
    assert later
    assert {edition.version for _, edition in first}.isdisjoint(edition.version for _, edition in later)
    for said, edition in later:
        assert edition.is_business_day(date.fromisoformat(said["due_on"]))
        assert edition.published_until == date(2027, 12, 31)
        assert not said["provisional"]
