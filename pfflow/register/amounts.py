"""Amounts, percentages and rates as people write them, to exact decimals; what could mean two things is refused.

The decimal mark is a point and the thousands mark a comma; numbers of Excel arrive as binary floats and are taken by
their shortest decimal form, so that 0.1 stays 0.1.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from pfflow.register.problems import UnreadableError

WRITE_AMOUNT = "write 1.2亿, 12,000万 or 120000000"
WRITE_PERCENT = "write 25%"
WRITE_RATE = "write 4.5% or 0.045"

DIGITS = 24
"""The most digits an amount may have; more is not money but a mistake."""

_UNITS: Mapping[str, Decimal] = MappingProxyType(
    {
        "": Decimal(1),
        "千": Decimal("1E+3"),
        "万": Decimal("1E+4"),
        "百万": Decimal("1E+6"),
        "千万": Decimal("1E+7"),
        "亿": Decimal("1E+8"),
        "十亿": Decimal("1E+9"),
        "k": Decimal("1E+3"),
        "thousand": Decimal("1E+3"),
        "m": Decimal("1E+6"),
        "mn": Decimal("1E+6"),
        "million": Decimal("1E+6"),
        "bn": Decimal("1E+9"),
        "billion": Decimal("1E+9"),
    }
)
_CURRENCIES: Mapping[str, str] = MappingProxyType(
    {
        "": "",
        "元": "",
        "圆": "",
        "¥": "",
        "$": "",
        "人民币": "CNY",
        "人民币元": "CNY",
        "元人民币": "CNY",
        "rmb": "CNY",
        "cny": "CNY",
        "cn¥": "CNY",
        "美元": "USD",
        "us$": "USD",
        "usd": "USD",
        "欧元": "EUR",
        "€": "EUR",
        "eur": "EUR",
        "英镑": "GBP",
        "£": "GBP",
        "gbp": "GBP",
        "港元": "HKD",
        "港币": "HKD",
        "hk$": "HKD",
        "hkd": "HKD",
        "日元": "JPY",
        "jpy": "JPY",
        "sgd": "SGD",
        "aud": "AUD",
        "chf": "CHF",
    }
)


def _one_of(words: Mapping[str, object]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_AMOUNT = re.compile(
    rf"(?P<open>\()?(?P<sign>[-+])?(?P<before>{_one_of(_CURRENCIES)})(?P<sign_after>[-+])?(?P<number>{_NUMBER})"
    rf"(?P<unit>{_one_of(_UNITS)})(?P<after>{_one_of(_CURRENCIES)})(?P<close>\))?"
)
_UNIT = re.compile(
    rf"(?:单位:?)?(?P<before>{_one_of(_CURRENCIES)})(?P<unit>{_one_of(_UNITS)})(?P<after>{_one_of(_CURRENCIES)})"
)
_PERCENT = re.compile(rf"(?P<number>[-+]?(?:{_NUMBER}))(?P<mark>%)?")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a column's header says of its amounts: "万元" multiplies by 10,000, "USD m" also names the currency."""

    factor: Decimal = Decimal(1)
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount with the currency that its text names ("" where it names none)."""

    value: Decimal
    currency: str = ""


NO_UNIT = Unit()


def unit_of(text: str) -> Unit:
    """Give the unit in a header's bracket; raises UnreadableError for one that is not known.

    >>> unit_of("万美元")
    Unit(factor=Decimal('1E+4'), currency='USD')
    """
    found = _UNIT.fullmatch(_squeezed(text))
    if found is None:
        raise UnreadableError("the unit in the header is not understood", "write (元), (万元), (亿元) or (USD m)")
    return Unit(_UNITS[found["unit"]], _currency(found["before"], found["after"]))


def amount_of(text: str, unit: Unit = NO_UNIT) -> Amount:
    """Give the amount a text says; raises UnreadableError where it says none, or more than one.

    >>> amount_of("人民币1.2亿元")
    Amount(value=Decimal('120000000'), currency='CNY')
    >>> amount_of("12,000万").value == amount_of("１２０００００００").value
    True
    """
    squeezed = _squeezed(text)
    found = _AMOUNT.fullmatch(squeezed) if len(squeezed) <= DIGITS * 2 else None
    if found is None or bool(found["open"]) != bool(found["close"]):
        raise UnreadableError(_reason(squeezed), WRITE_AMOUNT)
    signs = (found["sign"] or "") + (found["sign_after"] or "") + ("-" if found["open"] else "")
    if len(signs) > 1:
        raise UnreadableError("an amount with two signs", WRITE_AMOUNT)
    factor = _UNITS[found["unit"]]
    if found["unit"] and unit.factor not in (1, factor):
        raise UnreadableError("a unit here and another in the header", "leave out one of them")
    currency = _currency(found["before"], found["after"])
    if currency and unit.currency and currency != unit.currency:
        raise UnreadableError(f"{currency} here and {unit.currency} in the header", "write one currency")
    value = _exact(found["number"]) * (factor if found["unit"] else unit.factor)
    return Amount(plain_decimal(-value if signs == "-" else value), currency or unit.currency)


def percent_of(text: str) -> tuple[Decimal, bool]:
    """Give the number of a percentage and whether it carries the percent sign.

    >>> percent_of("25 %")
    (Decimal('25'), True)
    """
    squeezed = _squeezed(text)
    found = _PERCENT.fullmatch(squeezed) if len(squeezed) <= DIGITS * 2 else None
    if found is None:
        raise UnreadableError("not a percentage", WRITE_PERCENT)
    return plain_decimal(_exact(found["number"])), bool(found["mark"])


def decimal_of(number: float) -> Decimal:
    """Give a number of Excel as the decimal it shows, not as its binary neighbour.

    >>> decimal_of(0.1), decimal_of(1e9)
    (Decimal('0.1'), Decimal('1000000000'))
    """
    exact = Decimal(repr(number))
    if not exact.is_finite() or exact.adjusted() >= DIGITS:
        raise UnreadableError("not a number that can be an amount", WRITE_AMOUNT)
    return plain_decimal(exact)


def plain_decimal(value: Decimal) -> Decimal:
    """Give a decimal without exponent, trailing zeros or a negative zero.

    >>> plain_decimal(Decimal("1.20E+8")), plain_decimal(Decimal("-0.00"))
    (Decimal('120000000'), Decimal('0'))
    """
    text = decimal_text(value)
    return Decimal(text)


def decimal_text(value: Decimal) -> str:
    """Give a decimal as digits, which `amount_of` reads back."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _exact(number: str) -> Decimal:
    digits = number.replace(",", "")
    if sum(letter.isdigit() for letter in digits) > DIGITS:
        raise UnreadableError(f"more than {DIGITS} digits", WRITE_AMOUNT)
    return Decimal(digits)


def _squeezed(text: str) -> str:
    narrow = unicodedata.normalize("NFKC", text).casefold().replace("−", "-")
    return re.sub(r"\s+", "", narrow)


def _currency(before: str, after: str) -> str:
    one, other = _CURRENCIES[before], _CURRENCIES[after]
    if one and other and one != other:
        raise UnreadableError(f"two currencies, {one} and {other}", "write one currency")
    return one or other


def _reason(text: str) -> str:
    if re.search(r"约|左右|大概|近|余|~|≈|about|approx|ca\.", text):
        return "an approximate amount"
    if re.search(r"\.\d{3}.*,|\.\d{3}\.\d{3}|,\d{1,2}(?!\d)|,\d{4,}", text):
        return "an amount whose comma and point can be read in two ways"
    if re.search(r"\de[-+]?\d", text):
        return "a rounded amount in scientific notation"
    return "not an amount"
