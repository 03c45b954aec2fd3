from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfflow.register.amounts import Amount, amount_of, decimal_of, decimal_text, percent_of, unit_of
from pfflow.register.columns import Column, Kind, unbracketed
from pfflow.register.dates import day_of, instant_of, period_end_of
from pfflow.register.problems import UnreadableError
from pfflow.register.values import Cell, Raw, value_of

AMOUNTS = st.decimals(min_value=-(10**15), max_value=10**15, places=4, allow_nan=False)
DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31))


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("1.2亿", "120000000", ""),
        ("12,000万", "120000000", ""),
        ("1,200.50", "1200.5", ""),
        ("120000000", "120000000", ""),
        ("１２０００００００", "120000000", ""),
        ("人民币1.2亿元", "120000000", "CNY"),
        ("RMB 1.2亿", "120000000", "CNY"),
        ("1.2 亿 元", "120000000", ""),
        ("500万美元", "5000000", "USD"),
        ("USD 1.5bn", "1500000000", "USD"),
        ("€2.5m", "2500000", "EUR"),
        ("3百万", "3000000", ""),
        ("2千万", "20000000", ""),
        ("-1,200", "-1200", ""),
        ("(1,200)", "-1200", ""),
        ("¥1,200", "1200", ""),
        ("0.00", "0", ""),
    ],
)
def test_an_amount_is_understood(text: str, value: str, currency: str) -> None:
    assert amount_of(text) == Amount(Decimal(value), currency)
    assert str(amount_of(text).value) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1.200,50", "two ways"),
        ("1.200.000", "two ways"),
        ("1,2", "two ways"),
        ("1,2000", "two ways"),
        ("约1亿", "approximate"),
        ("1.2亿元左右", "approximate"),
        ("近2亿", "approximate"),
        ("1.2E+08", "scientific"),
        ("1-2亿", "not an amount"),
        ("1亿2千万", "not an amount"),
        ("壹亿元", "not an amount"),
        ("25%", "not an amount"),
        ("--5", "two signs"),
        ("(-5)", "two signs"),
        ("(5", "not an amount"),
        ("人民币5美元", "two currencies"),
        ("", "not an amount"),
        ("9" * 25, "more than 24 digits"),
        ("9" * 4000, "not an amount"),
        ("NaN", "not an amount"),
        ("inf", "not an amount"),
    ],
)
def test_an_amount_that_could_be_another_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        amount_of(text)


def test_a_headers_unit_multiplies_what_has_none_of_its_own() -> None:
    assert amount_of("12,000", unit_of("万元")).value == 120_000_000
    assert amount_of("1.2", unit_of("单位:亿元")).value == 120_000_000
    assert amount_of("12,000万", unit_of("万元")).value == 120_000_000  # the same unit twice is one
    assert amount_of("1.2亿", unit_of("元")).value == 120_000_000
    assert amount_of("3", unit_of("USD m")) == Amount(Decimal(3_000_000), "USD")
    with pytest.raises(UnreadableError, match="another in the header"):
        amount_of("1.2亿", unit_of("万元"))


def test_a_float_of_excel_is_the_decimal_it_shows() -> None:
    assert str(decimal_of(0.1)) == "0.1"
    assert str(decimal_of(1e15)) == "1000000000000000"
    with pytest.raises(UnreadableError):
        decimal_of(float("inf"))
    with pytest.raises(UnreadableError):
        decimal_of(float("nan"))
    with pytest.raises(UnreadableError):
        decimal_of(1e300)


@given(AMOUNTS)
def test_an_amount_that_is_written_is_read_back(value: Decimal) -> None:
    assert amount_of(decimal_text(value)).value == value
    assert amount_of(f"{value:,f}").value == value


@given(st.integers(min_value=0, max_value=10**9))
def test_wan_and_yi_say_the_same(number: int) -> None:
    assert amount_of(f"{number}亿").value == amount_of(f"{number * 10_000}万").value == number * 10**8


@given(st.text(max_size=40) | st.from_regex(r"[-+(]?[¥$]?[\d.,]{1,12}[万亿元%美]{0,3}\)?"))
def test_any_text_is_an_amount_or_refused_by_the_typed_error(text: str) -> None:
    for read in (amount_of, percent_of, unit_of):
        try:
            assert read(text) is not None
        except UnreadableError as error:
            assert error.what  # noqa: PT017 - both ends are right, a third is not


@pytest.mark.parametrize(
    "text",
    [
        "2026.3.15",
        "2026-03-15",
        "2026/3/15",
        "2026年3月15日",
        "2026年03月15号",
        "20260315",
        "46096",
        "46096.0",
        "２０２６．３．１５",
        "2026 - 3 - 15",
        "2026年 3月 15日",
    ],
)
def test_a_day_is_understood(text: str) -> None:
    assert day_of(text) == date(2026, 3, 15)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("3/4/2026", "2026-03-04 or 2026-04-03"),
        ("15.3.2026", "2026-15-03 or 2026-03-15"),
        ("2026年3月", "only a month"),
        ("2026-03", "only a month"),
        ("26.3.15", "two digits"),
        ("2026-2-30", "no calendar has"),
        ("2026.3/15", "not a date"),
        ("1026-03-15", "far from ours"),
        ("2026-03-15 10:00", "with a time"),
        ("明天", "not a date"),
        ("12345", "no date"),
    ],
)
def test_a_day_that_could_be_another_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        day_of(text)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2026年3月", date(2026, 3, 31)),
        ("2026年2月份", date(2026, 2, 28)),
        ("2028.2", date(2028, 2, 29)),
        ("2026-12", date(2026, 12, 31)),
        ("2026年6月底", date(2026, 6, 30)),
        ("2026-06-15", date(2026, 6, 15)),
    ],
)
def test_a_month_ends_where_a_period_end_is_meant(text: str, end: date) -> None:
    assert period_end_of(text) == end


@given(DAYS)
def test_a_day_that_is_written_is_read_back(day: date) -> None:
    chinese = f"{day.year}年{day.month}月{day.day}日"
    dotted = f"{day.year}.{day.month}.{day.day}"
    assert day_of(day.isoformat()) == day_of(chinese) == day_of(dotted) == day


@given(st.datetimes(min_value=datetime(1901, 1, 1), max_value=datetime(2199, 1, 1), timezones=st.just(UTC)))
def test_an_instant_that_is_written_is_read_back(instant: datetime) -> None:
    assert instant_of(instant.isoformat()) == instant


@given(
    st.text(max_size=40)
    | st.from_regex(r"\d{1,4}[-./年]\d{1,2}[-./月]?\d{0,2}日?([ T]\d{1,2}:\d{2}(Z|[-+]\d\d:?\d\d)?)?")
)
def test_any_text_is_a_day_or_refused_by_the_typed_error(text: str) -> None:
    for read in (day_of, period_end_of, instant_of):
        try:
            assert read(text) is not None
        except UnreadableError as error:
            assert error.what  # noqa: PT017 - both ends are right, a third is not


RAWS = (
    st.text(max_size=20)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
)


@settings(deadline=None)  # the list of time zones is read from disk the first time
@given(kind=st.sampled_from(Kind), raw=RAWS, percent=st.booleans())
def test_any_cell_of_any_column_is_a_value_or_refused_by_the_typed_error(
    *, kind: Kind, raw: Raw, percent: bool
) -> None:
    column = Column("field", kind, "列", "Column")
    try:
        value = value_of(column, Cell(raw, shown_as_percent=percent))
    except UnreadableError as error:
        assert error.what  # noqa: PT017 - both ends are right, a third is not
    else:
        assert value is not None


def percentage(raw: str | float, *, shown: bool = False, headed: bool = False) -> Decimal:
    value = value_of(
        Column("share", Kind.PERCENT, "份额", "Share"), Cell(raw, shown_as_percent=shown, header_says_percent=headed)
    )
    assert isinstance(value, Decimal)
    return value


def test_a_percentage_is_taken_where_it_can_mean_only_one() -> None:
    assert percentage("25%") == percentage(25) == percentage(0.25, shown=True) == percentage("２５％") == 25
    assert percentage(0.25, headed=True) == Decimal("0.25")
    assert percentage(1, shown=True) == 100
    for doubtful in (0.25, 1, "0.5"):
        with pytest.raises(UnreadableError, match="percentage or a fraction"):
            percentage(doubtful)


def test_a_rate_is_a_fraction_however_it_is_written() -> None:
    column = Column("loan_rate", Kind.RATE, "利率", "Rate")
    cells = (
        Cell("4.5%"),
        Cell(0.045),
        Cell("0.045"),
        Cell(0.045, shown_as_percent=True),
        Cell(4.5, header_says_percent=True),
    )
    assert {value_of(column, cell) for cell in cells} == {Decimal("0.045")}
    with pytest.raises(UnreadableError, match=r"write 4\.5%"):
        value_of(column, Cell(4.5))


def test_a_headers_bracket_is_its_last() -> None:
    assert unbracketed("Amount (net) [USD m] *") == ("Amount (net)", "USD m")
    assert unbracketed("金额") == ("金额", "")
