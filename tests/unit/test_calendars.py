"""Calendars read from the holidays package and from a house's own list."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from pfflow.calendars import (
    CalendarError,
    almanac,
    business_calendar,
    check_house_list,
    codes_in,
    holiday_names,
    house_calendar,
    read_own_holidays,
)
from pfflow.domain.business_days import WEEKENDS_ONLY, Convention, add_business_days, adjust
from pfflow.domain.holiday_lists import HOUSE, HouseList, OwnHoliday

MAKE_UP_2026 = [date(2026, *day) for day in ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10))]
SPRING_FESTIVAL_2026 = [date(2026, 2, day) for day in (16, 17, 18, 19, 20, 23)]
NATIONAL_DAY_2026 = [date(2026, 10, day) for day in (1, 2, 5, 6, 7)]


def test_china_2026_has_exactly_the_six_make_up_workdays() -> None:
    china = business_calendar(["CN"], 2026, 2026)
    assert sorted(china.make_up_workdays) == MAKE_UP_2026
    assert all(day.weekday() >= 5 and china.is_business_day(day) for day in MAKE_UP_2026)


def test_china_2026_rests_on_spring_festival_and_national_day() -> None:
    china = business_calendar(["CN"], 2026, 2026)
    assert not any(map(china.is_business_day, SPRING_FESTIVAL_2026 + NATIONAL_DAY_2026))
    february = [date(2026, 2, 1) + timedelta(days=n) for n in range(28)]
    assert [day for day in february if day.weekday() < 5 and not china.is_business_day(day)] == SPRING_FESTIVAL_2026


def test_dates_roll_over_the_spring_festival_to_its_working_saturdays() -> None:
    china = business_calendar(["CN"], 2026, 2026)
    new_year = date(2026, 2, 17)
    assert adjust(new_year, Convention.PRECEDING, china) == date(2026, 2, 14)
    assert adjust(new_year, Convention.FOLLOWING, china) == date(2026, 2, 24)
    assert adjust(date(2026, 2, 28), Convention.FOLLOWING, china) == date(2026, 2, 28)
    assert add_business_days(date(2026, 2, 13), 2, china) == date(2026, 2, 24)


def test_china_is_published_to_the_end_of_the_last_year_with_moved_days() -> None:
    assert business_calendar(["CN"], 2026, 2046).published_until == date(2026, 12, 31)
    assert business_calendar(["CN"], 2024, 2025).published_until == date(2025, 12, 31)
    assert business_calendar(["XSHG"], 2026, 2046).published_until == date(2026, 12, 31)
    assert business_calendar(["CN"], 2027, 2046).is_provisional(date(2027, 1, 4))


def test_china_after_its_list_has_the_statutory_days_and_says_they_are_provisional() -> None:
    china = business_calendar(["CN"], 2026, 2028)
    assert not china.is_business_day(date(2027, 10, 1))
    assert china.is_provisional(date(2027, 10, 1))


def test_a_stock_exchange_does_not_trade_on_make_up_workdays() -> None:
    shanghai = business_calendar(["XSHG"], 2026, 2026)
    assert not any(map(shanghai.is_business_day, MAKE_UP_2026 + SPRING_FESTIVAL_2026))


def test_lists_that_follow_from_the_law_are_published_for_all_their_years() -> None:
    for code in ("GB-ENG", "US", "DE", "HK", "XNYS", "XECB"):
        assert business_calendar([code], 2026, 2046).published_until == date(2046, 12, 31)


def test_a_list_with_estimated_dates_is_published_to_the_year_before_the_first_of_them() -> None:
    emirates = business_calendar(["AE"], 2026, 2046)
    assert date(2026, 12, 31) <= emirates.published_until < date(2046, 12, 31)


def test_a_joint_calendar_unites_the_holidays_and_ends_where_the_first_list_ends() -> None:
    both = business_calendar(["HK", "CN"], 2026, 2030)
    assert both.code == "CN+HK"
    assert both.published_until == date(2026, 12, 31)
    assert not both.is_business_day(date(2026, 7, 1))  # Hong Kong's establishment day
    assert not both.is_business_day(date(2026, 10, 5))  # a Monday of China's National Day week
    assert not both.make_up_workdays  # Hong Kong's banks rest on every one of them
    assert business_calendar(["CN", "HK"], 2026, 2030).version == both.version


def test_saturday_is_no_business_day_in_hong_kong() -> None:
    assert not business_calendar(["HK"], 2026, 2026).is_business_day(date(2026, 3, 14))


def test_a_weekend_with_a_friday_is_kept() -> None:
    saudi = business_calendar(["SA"], 2026, 2026)
    assert [saudi.is_business_day(date(2026, 1, day)) for day in (9, 10, 11)] == [False, False, True]  # Fri, Sat, Sun


def test_a_weekend_that_was_another_before_is_kept_for_its_years() -> None:
    emirates = business_calendar(["AE"], 2021, 2022)  # Friday and Saturday until 2021, Saturday and Sunday since
    in_2021 = [emirates.is_business_day(date(2021, 6, day)) for day in (4, 5, 6)]  # Friday, Saturday, Sunday
    in_2022 = [emirates.is_business_day(date(2022, 6, day)) for day in (3, 4, 5)]
    assert (in_2021, in_2022) == ([False, False, True], [True, False, False])


def test_a_part_of_a_country_has_its_own_days() -> None:
    easter_monday = date(2026, 4, 6)
    assert not business_calendar(["GB-ENG"], 2026, 2026).is_business_day(easter_monday)
    assert business_calendar(["GB-SCT"], 2026, 2026).is_business_day(easter_monday)


def test_an_exchange_closes_on_good_friday_where_the_country_does_not() -> None:
    good_friday = date(2026, 4, 3)
    assert business_calendar(["US"], 2026, 2026).is_business_day(good_friday)
    assert not business_calendar(["NYSE"], 2026, 2026).is_business_day(good_friday)


def test_an_observed_new_year_at_the_end_of_the_last_year_is_a_holiday() -> None:
    # 2028-01-01 is a Saturday, observed on the Friday before
    assert not business_calendar(["US"], 2027, 2027).is_business_day(date(2027, 12, 31))


@pytest.mark.parametrize("code", ["CN", "GB-ENG", "US", "XNYS", "AE", "IN"])
def test_a_year_has_the_same_days_whatever_the_span_it_is_asked_for_in(code: str) -> None:
    wide = business_calendar([code], 2018, 2042)
    for first in (2019, 2020, 2029, 2030):
        narrow = business_calendar([code], first, first + 1)
        assert narrow.holidays == {day for day in wide.holidays if first <= day.year <= first + 1}
        assert narrow.make_up_workdays == {day for day in wide.make_up_workdays if first <= day.year <= first + 1}


def test_the_same_codes_and_years_give_the_same_calendar_in_the_same_edition() -> None:
    assert business_calendar(["CN"], 2026, 2027) is business_calendar([" cn "], 2026, 2027)
    assert business_calendar(["CN"], 2026, 2027).version != business_calendar(["CN"], 2026, 2028).version
    assert business_calendar(["WEEKENDS"], 2026, 2027) == WEEKENDS_ONLY


@pytest.mark.parametrize(
    ("code", "near"),
    [
        ("CHINA", "near it: CN"),
        ("CHN", "near it: CN"),
        ("HONG KONG", "near it: HK"),
        ("NYSEE", "near it: NYSE"),
        ("GB-EN", "GB has the parts GB-ENG, GB-NIR, GB-SCT, GB-WLS"),
        ("HK-1", "HK has no parts: write HK"),
        ("QQQQQQQ", "write an ISO 3166 country such as CN"),
        ("", "write an ISO 3166 country such as CN"),
    ],
)
def test_an_unknown_code_is_refused_with_what_is_near_it(code: str, near: str) -> None:
    with pytest.raises(CalendarError, match=f"no calendar is named.*{near}"):
        business_calendar([code], 2026, 2026)


def test_no_code_and_no_range_of_years_are_refused() -> None:
    with pytest.raises(CalendarError, match="no calendar is named"):
        business_calendar([], 2026, 2026)
    with pytest.raises(CalendarError, match="no range of years"):
        business_calendar(["CN"], 2027, 2026)


def test_the_own_list_has_the_last_word() -> None:
    own = [
        OwnHoliday(date(2026, 3, 2), "foundation day"),
        OwnHoliday(date(2026, 2, 28), "no make-up day here", "holiday"),
        OwnHoliday(date(2026, 3, 7), "stocktaking", "workday"),
        OwnHoliday(date(2026, 2, 23), "closing crew", "workday"),
    ]
    house = business_calendar(["CN"], 2026, 2026, own)
    assert house.code == "CN+OWN"
    worked = [house.is_business_day(one.on) for one in own]
    assert worked == [False, False, True, True]
    assert business_calendar(["CN"], 2026, 2026).is_business_day(date(2026, 3, 2))


def test_a_house_can_vouch_for_a_list_it_has_entered_itself() -> None:
    own = [OwnHoliday(date(2027, 2, 14), "make-up", "workday")]
    house = business_calendar(["CN"], 2026, 2030, own, published_until=date(2027, 12, 31))
    assert house.is_business_day(date(2027, 2, 14))
    assert [house.is_provisional(date(2027, 12, 31)), house.is_provisional(date(2028, 1, 1))] == [False, True]


def test_a_day_both_off_and_worked_is_refused() -> None:
    day = date(2026, 3, 2)
    with pytest.raises(CalendarError, match="2026-03-02 both as a holiday and as a workday"):
        business_calendar(["CN"], 2026, 2026, [OwnHoliday(day, "a"), OwnHoliday(day, "b", "workday")])


CSV = "date,name,kind\n2027-02-14,春节调休,workday\n\n2027-02-05,除夕,\n"
YAML = "- {date: 2027-02-14, name: 春节调休, kind: workday}\n- date: 2027-02-05\n  name: 除夕\n"


@pytest.mark.parametrize(("name", "text"), [("own.csv", CSV), ("own.csv", "\ufeff" + CSV), ("own.yaml", YAML)])
def test_the_own_list_is_read_in_the_order_of_its_dates(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert read_own_holidays(path) == (
        OwnHoliday(date(2027, 2, 5), "除夕", "holiday"),
        OwnHoliday(date(2027, 2, 14), "春节调休", "workday"),
    )


def test_every_bad_row_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        "date,name,kind\n2027-02-30,x,\n2027-02-05,,\n2027-02-06,x,off\n2027-02-07,x,\n2027-02-07,y,\n2027-02-08,x,,z\n",
        encoding="utf-8",
    )
    with pytest.raises(CalendarError) as refusal:
        read_own_holidays(path)
    assert [line.removeprefix(f"{path}:") for line in str(refusal.value).splitlines()] == [
        "2: date '2027-02-30' is no day: write YYYY-MM-DD, such as 2027-02-05",
        "3: 2027-02-05 has no name: say which holiday or workday it is",
        "4: kind 'off' is neither holiday nor workday",
        "6: 2027-02-07 is there already, in line 5",
        "7: more cells than columns is no column: there are date, name and kind",
    ]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("own.csv", "", ":1: the first line must name the columns"),
        ("own.csv", "2027-02-05,除夕\n", ":1: the first line must name the columns"),
        ("own.csv", 'date,name\n2027-02-05,"x\n', ": unexpected end of data"),
        ("own.yaml", "date: 2027-02-05\n", ":1: the file must be a list of rows"),
        ("own.yaml", "- {date: 2027-02-05, name: x}\n- 2027-02-06\n", ":2: .* is no row"),
        (
            "own.yaml",
            "- {date: 2027-02-05, name: x}\n- {date: 2027-02-06 12:00:00, name: x}\n",
            ":2: date .* is no day",
        ),
        ("own.yml", "- {date: 2027-02-05\n", ":2: "),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_place(tmp_path: Path, name: str, text: str, problem: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CalendarError, match=problem):
        read_own_holidays(path)


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_bytes("除夕".encode("gb18030"))
    for path in (tmp_path / "own.csv", tmp_path / "none.csv"):
        with pytest.raises(CalendarError, match="cannot be read as UTF-8 text"):
            read_own_holidays(path)


NEW_YEAR_2027, BRIDGE, MAKE_UP = date(2027, 1, 1), date(2027, 1, 4), date(2027, 1, 9)
OFFICIAL = HouseList(
    "CN",
    (OwnHoliday(NEW_YEAR_2027, "元旦"), OwnHoliday(BRIDGE, "元旦"), OwnHoliday(MAKE_UP, "元旦调休", "workday")),
    date(2027, 12, 31),
)


def test_an_official_list_stands_in_place_of_the_years_that_were_only_projected() -> None:
    before, after = business_calendar(["CN"], 2026, 2028), house_calendar(["CN"], 2026, 2028, [OFFICIAL])
    national_day = date(2027, 10, 1)  # projected, but not in the made-up list
    assert [before.is_business_day(national_day), after.is_business_day(national_day)] == [False, True]
    assert [after.is_business_day(day) for day in (NEW_YEAR_2027, BRIDGE, MAKE_UP)] == [False, False, True]
    for year in (2026, 2028):
        assert {d for d in after.holidays if d.year == year} == {d for d in before.holidays if d.year == year}
    assert (after.code, after.published_until) == ("CN", date(2027, 12, 31))
    assert after.version != before.version


def test_days_that_nobody_says_are_official_are_added_and_stay_provisional() -> None:
    added = house_calendar(["CN"], 2026, 2028, [HouseList("CN", OFFICIAL.days)])
    assert not added.is_business_day(date(2027, 10, 1))
    assert not added.is_business_day(BRIDGE)
    assert added.published_until == date(2026, 12, 31)


def test_an_official_list_adds_to_a_year_that_is_published_already() -> None:
    bridge = OwnHoliday(date(2026, 3, 2), "bridge")
    china = house_calendar(["CN"], 2026, 2028, [HouseList("CN", (bridge,), date(2026, 12, 31))])
    assert not china.is_business_day(bridge.on)
    assert not any(map(china.is_business_day, SPRING_FESTIVAL_2026))
    assert china.published_until == date(2026, 12, 31)


def test_each_list_is_laid_over_its_own_calendar_before_they_are_joined() -> None:
    joint = house_calendar(["CN", "HK"], 2026, 2028, [OFFICIAL])
    assert not joint.is_business_day(BRIDGE)
    assert not joint.is_business_day(MAKE_UP)  # a Saturday, on which Hong Kong rests
    assert joint.published_until == date(2027, 12, 31)
    assert house_calendar(["HK"], 2026, 2028, [OFFICIAL]) == business_calendar(["HK"], 2026, 2028)


def test_the_houses_own_days_have_the_last_word_on_every_calendar() -> None:
    own = HouseList(HOUSE, (OwnHoliday(date(2026, 3, 2), "司庆"), OwnHoliday(date(2026, 3, 7), "盘点", "workday")))
    for codes in (["CN"], ["CN", "HK"], ["WEEKENDS"]):
        calendar = house_calendar(codes, 2026, 2027, [own])
        assert [calendar.is_business_day(one.on) for one in own.days] == [False, True]


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        (HouseList("CHINA", OFFICIAL.days), "near it: CN"),
        (HouseList("CN+HK", OFFICIAL.days), "is joint"),
        (HouseList("CN", OFFICIAL.days, date(2028, 12, 31)), "no day in 2028"),
        (HouseList("CN", (OwnHoliday(date(2201, 1, 1), "x"),)), "2201 is out of reach"),
        (HouseList(HOUSE, OFFICIAL.days, date(2027, 12, 31)), "say whose it is"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(entered: HouseList, sentence: str) -> None:
    with pytest.raises(CalendarError, match=re.escape(sentence)):
        check_house_list(entered)
    check_house_list(OFFICIAL)
    check_house_list(HouseList(HOUSE, OFFICIAL.days))


def test_new_days_replace_their_years_and_what_was_official_stays_so() -> None:
    of_2028 = (OwnHoliday(date(2028, 1, 26), "春节"),)
    both = OFFICIAL.with_years(of_2028, None)
    assert both == HouseList("CN", (*OFFICIAL.days, *of_2028), date(2027, 12, 31))
    fewer = both.with_years(OFFICIAL.days[:1], date(2028, 12, 31))
    assert fewer == HouseList("CN", (OFFICIAL.days[0], *of_2028), date(2028, 12, 31))


def test_an_almanac_judges_each_year_by_itself() -> None:
    # Saudi Arabia's calendar marks estimated feasts; what was asked about 1980 must not make 2026 provisional.
    for code in ("CN", "IN", "AE", "TR"):
        for on in (date(2015, 6, 15), date(2026, 6, 15), date(2045, 6, 15)):
            wide, narrow = almanac((code,), 2010, 2050), almanac((code,), on.year, on.year)
            assert wide.roll(on, Convention.FOLLOWING) == narrow.roll(on, Convention.FOLLOWING)
    assert almanac(("CN",), 2010, 2050).roll(date(2026, 12, 31), Convention.FOLLOWING) == (date(2026, 12, 31), False)


def test_an_almanac_is_provisional_also_before_a_list_begins() -> None:
    target = almanac(("XECB",), 1990, 2009)  # the payment system opened in 1999
    rolled = [target.roll(date(year, 3, 2), Convention.PRECEDING)[1] for year in (1995, 2005)]
    assert rolled == [True, False]


def test_an_almanac_knows_what_the_house_entered() -> None:
    known = almanac(("CN", "HK"), 2027, 2028, (OFFICIAL,))
    rolled = [known.roll(date(year, 1, 4), Convention.FOLLOWING) for year in (2027, 2028)]
    assert rolled == [(date(2027, 1, 5), False), (date(2028, 1, 4), True)]


def test_names_are_given_in_chinese_and_in_english_as_far_as_there_are_any() -> None:
    assert holiday_names("CN", 2026)[date(2026, 2, 17)] == ("春节", "Chinese New Year (Spring Festival)")
    assert holiday_names("XNYS", 2026)[date(2026, 4, 3)] == ("", "Good Friday")
    assert holiday_names("WEEKENDS", 2026) == {}


def test_joint_codes_are_read_with_plus_or_comma() -> None:
    assert codes_in(" cn+HK, GB-eng ,,cn") == ("CN", "HK", "GB-ENG")
    assert codes_in("") == ()
