"""The examples of RFC 5545, section 3.8.5.3, with the dates it lists; as dates, without their time of day.

"until December 24, 1997" is midnight UTC there, which leaves out that day's 9:00 in New York; as a date it is the 23rd.
"""

from __future__ import annotations

from datetime import date

import pytest

from pfflow.cli.calendar_lines import rule_dates
from pfflow.domain.recurrence import check, unadjusted
from pfflow.domain.rules import RecurrenceError

EXAMPLES = [
    ("FREQ=DAILY;COUNT=10", "1997-09-02", "1997: 9/2 3 4 5 6 7 8 9 10 11"),
    ("FREQ=DAILY;INTERVAL=2", "1997-09-02", "1997: 9/2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 10/2 4 6"),
    ("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02", "1997: 9/2 12 22 10/2 12"),
    ("FREQ=WEEKLY;COUNT=10", "1997-09-02", "1997: 9/2 9 16 23 30 10/7 14 21 28 11/4"),
    (
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "1997-09-02",
        "1997: 9/2 16 30 10/14 28 11/11 25 12/9 23 1998: 1/6 20 2/3 17",
    ),
    ("FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "1997-09-02", "1997: 9/2 4 9 11 16 18 23 25 30 10/2"),
    ("FREQ=WEEKLY;UNTIL=19971006;WKST=SU;BYDAY=TU,TH", "1997-09-02", "1997: 9/2 4 9 11 16 18 23 25 30 10/2"),
    (
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971223;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01",
        "1997: 9/1 3 5 15 17 19 29 10/1 3 13 15 17 27 29 31 11/10 12 14 24 26 28 12/8 10 12 22",
    ),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997-09-02", "1997: 9/2 4 16 18 30 10/2 14 16"),
    (
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997-09-05",
        "1997: 9/5 10/3 11/7 12/5 1998: 1/2 2/6 3/6 4/3 5/1 6/5",
    ),
    ("FREQ=MONTHLY;UNTIL=19971223;BYDAY=1FR", "1997-09-05", "1997: 9/5 10/3 11/7 12/5"),
    (
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07",
        "1997: 9/7 28 11/2 30 1998: 1/4 25 3/1 29 5/3 31",
    ),
    ("FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09-22", "1997: 9/22 10/20 11/17 12/22 1998: 1/19 2/16"),
    ("FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28", "1997: 9/28 10/29 11/28 12/29 1998: 1/29 2/26"),
    (
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997-09-02",
        "1997: 9/2 15 10/2 15 11/2 15 12/2 15 1998: 1/2 15",
    ),
    (
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30",
        "1997: 9/30 10/1 31 11/1 30 12/1 31 1998: 1/1 31 2/1",
    ),
    (
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10",
        "1997: 9/10 11 12 13 14 15 1999: 3/10 11 12 13",
    ),
    (
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997-09-02",
        "1997: 9/2 9 16 23 30 11/4 11 18 25 1998: 1/6 13 20 27 3/3 10 17 24 31",
    ),
    (
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997-06-10",
        "1997: 6/10 7/10 1998: 6/10 7/10 1999: 6/10 7/10 2000: 6/10 7/10 2001: 6/10 7/10",
    ),
    (
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997-03-10",
        "1997: 3/10 1999: 1/10 2/10 3/10 2001: 1/10 2/10 3/10 2003: 1/10 2/10 3/10",
    ),
    (
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997-01-01",
        "1997: 1/1 4/10 7/19 2000: 1/1 4/9 7/18 2003: 1/1 4/10 7/19 2006: 1/1",
    ),
    ("FREQ=YEARLY;BYDAY=20MO", "1997-05-19", "1997: 5/19 1998: 5/18 1999: 5/17"),
    ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12", "1997: 5/12 1998: 5/11 1999: 5/17"),
    (
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997-03-13",
        "1997: 3/13 20 27 1998: 3/5 12 19 26 1999: 3/4 11 18 25",
    ),
    (
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "1997-06-05",
        "1997: 6/5 12 19 26 7/3 10 17 24 31 8/7 14 21 28 1998: 6/4 11 18 25 7/2 9 16 23 30 8/6 13 20 27",
    ),
    (
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1997-09-02",
        "1998: 2/13 3/13 11/13 1999: 8/13 2000: 10/13",
    ),
    (
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09-13",
        "1997: 9/13 10/11 11/8 12/13 1998: 1/10 2/7 3/7 4/11 5/9 6/13",
    ),
    (
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05",
        "1996: 11/5 2000: 11/7 2004: 11/2",
    ),
    ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", "1997: 9/4 10/7 11/6"),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29",
        "1997: 9/29 10/30 11/27 12/30 1998: 1/29 2/26 3/30",
    ),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05", "1997: 8/5 10 19 24"),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05", "1997: 8/5 17 19 31"),
    ("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15", "2007: 1/15 30 2/15 3/15 30"),
]


def listed(text: str) -> list[date]:
    """Read dates as the RFC lists them, such as "1997: 9/2 9 10/7 1998: 1/6"."""
    found, year, month = [], 0, 0
    for word in text.split():
        if word.endswith(":"):
            year = int(word[:-1])
            continue
        before, slash, day = word.rpartition("/")
        month = int(before) if slash else month
        found.append(date(year, month, int(day)))
    return found


@pytest.mark.parametrize(("rule", "begins", "dates"), EXAMPLES)
def test_the_rule_falls_on_the_dates_the_rfc_lists(rule: str, begins: str, dates: str) -> None:
    start, expected = date.fromisoformat(begins), listed(dates)
    ends = "COUNT" in rule or "UNTIL" in rule
    until = date(2030, 12, 31) if ends else expected[-1]
    assert list(unadjusted(rule, start, until, anchor=start)) == expected
    assert rule_dates(rule, start, until) == expected


@pytest.mark.parametrize(
    "rule", ["FREQ=YEARLY;UNTIL=20000131;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA", "FREQ=DAILY;UNTIL=20000131;BYMONTH=1"]
)
def test_every_day_in_january_for_three_years(rule: str) -> None:
    expected = [date(year, 1, day) for year in (1998, 1999, 2000) for day in range(1, 32)]
    assert rule_dates(rule, date(1998, 1, 1), date(2030, 12, 31)) == expected


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z",
        "FREQ=MINUTELY;INTERVAL=15;COUNT=6",
        "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
    ],
)
def test_the_examples_within_a_day_are_refused(rule: str) -> None:
    with pytest.raises(RecurrenceError):
        check(rule, date(1997, 9, 2))
