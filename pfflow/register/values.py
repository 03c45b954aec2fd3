"""A cell to a value, by the kind of its column.

Every reader takes a `Cell` and gives the value or raises UnreadableError; none guesses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import quote
from zoneinfo import available_timezones

from pfflow.domain.identifiers import currency_problem, email_problem, lei_problem, uscc_problem
from pfflow.register.aliases import YES_NO
from pfflow.register.amounts import NO_UNIT, WRITE_PERCENT, WRITE_RATE, Amount, Unit, amount_of, decimal_of, percent_of
from pfflow.register.amounts import plain_decimal as plain_number
from pfflow.register.columns import Column, Kind, Vocabulary, halves, plain
from pfflow.register.dates import (
    WRITE_DAY,
    WRITE_INSTANT,
    day_of,
    day_of_serial,
    instant_of,
    last_day,
    period_end_of,
)
from pfflow.register.problems import UnreadableError

Raw: TypeAlias = str | int | float | bool | date | datetime | time | timedelta
"""What a workbook's reader gives for a cell; the empty string for an empty one."""

Value: TypeAlias = str | Decimal | Amount | int | bool | date | datetime

LONGEST = 32_767
"""The most characters Excel itself lets a cell hold."""

LONGEST_REF = 240
"""The most characters of a reference as a key spells it, percent-encoded.

A Message-ID holds three references and a rung's name, and has to stand on one line of 998 (RFC 5322 section 2.1.1).
"""

DIGITS_OF_EXCEL = 10**15
"""From here on Excel has rounded a number's last digits away."""

_BLANKS = frozenset({"-", "--", "—", "——", "–", "/", "n/a", "na", "nil", "无", "暂无", "不适用", "待定", "tbd"})
_LANGUAGES: Vocabulary = {
    "zh-CN": ("中文", "zh", "chinese", "简体中文", "cn", "zh-hans"),
    "en": ("英文", "english", "英语", "en-us", "en-gb"),
}
_ZONES: Vocabulary = {"Asia/Shanghai": ("北京时间", "中国标准时间", "上海", "Asia/Beijing")}
_MONEY_NAMES: Vocabulary = {
    "CNY": ("人民币", "rmb", "元", "人民币元", "cn¥"),
    "USD": ("美元", "us$"),
    "EUR": ("欧元", "€"),
    "GBP": ("英镑", "£"),
    "HKD": ("港元", "港币", "hk$"),
    "JPY": ("日元",),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what was read, the unit of its column's header, and what Excel shows it as."""

    raw: Raw
    unit: Unit = NO_UNIT
    shown_as_percent: bool = False
    header_says_percent: bool = False
    days_from_1904: bool = False

    @property
    def text(self) -> str:
        """The cell as a person sees it, on one line and without blanks around it."""
        return shown(self.raw)


def shown(raw: Raw) -> str:
    """Give what a cell held, as text for a message or a text column."""
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, float):
        return repr(int(raw)) if raw.is_integer() and abs(raw) < DIGITS_OF_EXCEL else repr(raw)
    return _stripped(raw) if isinstance(raw, str) else str(raw)


def is_blank(raw: Raw) -> bool:
    """Whether a cell holds nothing."""
    return isinstance(raw, str) and not _stripped(raw)


def stands_for_nothing(kind: Kind, raw: Raw) -> bool:
    """Whether a cell says that there is nothing to say, as "-", "无" or "n/a" do outside free text."""
    free = kind in (Kind.TEXT, Kind.NOTE, Kind.WORD, Kind.YES_NO)
    return not free and isinstance(raw, str) and _stripped(raw).casefold() in _BLANKS


def value_of(column: Column, cell: Cell) -> Value:
    """Give the value of a cell that is not blank; raises UnreadableError with the reason and what to write."""
    if isinstance(cell.raw, str) and len(cell.raw) > LONGEST:
        raise UnreadableError(f"a cell of {len(cell.raw):,} characters", f"at most {LONGEST:,} can be read")
    return _READERS[column.kind](column, cell)


def word_for(words: Vocabulary, text: str) -> str | None:
    """Give the canonical word a text means, or None.

    >>> word_for(YES_NO, "是")
    'yes'
    """
    if len(text) > 100:
        return None
    whole = _word_named(words, plain(text))
    if whole is not None:
        return whole
    one, other = (_word_named(words, plain(half)) for half in halves(text))
    return one if one == other else None


def _word_named(words: Vocabulary, wanted: str) -> str | None:
    return next(
        (word for word, others in words.items() if wanted and wanted in (plain(word), *map(plain, others))), None
    )


def _text(_: Column, cell: Cell) -> str:
    text = _plain_text(cell)
    if re.search(r"[\r\n]", text):
        raise UnreadableError("a line break in a text of one line", "write it on one line")
    return text


def _note(_: Column, cell: Cell) -> str:
    return re.sub(r"\r\n?", "\n", _plain_text(cell))


def _ref(column: Column, cell: Cell) -> str:
    text = unicodedata.normalize("NFKC", _text(column, cell))
    if len(text) > 200:
        raise UnreadableError(f"a reference of {len(text):,} characters", "write at most 200")
    if len(quote(text)) > LONGEST_REF:
        raise UnreadableError(
            f"a reference of {len(text)} characters that Message-IDs have to spell out", "write at most 25 Chinese ones"
        )
    return text


def _word(column: Column, cell: Cell) -> str:
    text = _text(column, cell)
    return word_for(column.words, text) or text


def _choice(column: Column, cell: Cell) -> str:
    raw = cell.text if isinstance(cell.raw, str) or not isinstance(cell.raw, date | time | timedelta) else ""
    operator = unicodedata.normalize("NFKC", raw) if raw else ""
    found = word_for(column.words, operator) or word_for(column.words, raw)
    if found is None:
        allowed = ", ".join(f"{word} ({others[0]})" for word, others in column.words.items())
        raise UnreadableError(f"no {column.en.lower()} of the register", f"write one of {allowed}")
    return found


def _yes_no(_: Column, cell: Cell) -> bool:
    found = word_for(YES_NO, cell.text)
    if found is None:
        raise UnreadableError("neither yes nor no", "write yes (是) or no (否)")
    return found == "yes"


def _date(_: Column, cell: Cell) -> date:
    return _excel_day(cell) or day_of(cell.text)


def _period(_: Column, cell: Cell) -> date:
    if isinstance(cell.raw, float | int) and not float(cell.raw).is_integer():
        raise UnreadableError(
            "a number that is no date (Excel makes 2026.1 of 2026.10)", "write 2026-10-31 or 2026年10月"
        )
    day = _excel_day(cell)
    return last_day(day) if day else period_end_of(cell.text)


def _excel_day(cell: Cell) -> date | None:
    raw = cell.raw
    if isinstance(raw, datetime):
        if raw.time() != time():
            raise UnreadableError("a date with a time, where a day is meant", WRITE_DAY)
        return raw.date()
    if isinstance(raw, date):
        return raw
    if isinstance(raw, bool | time | timedelta):
        raise UnreadableError("not a date", WRITE_DAY)
    if isinstance(raw, int | float):
        if cell.days_from_1904:
            raise UnreadableError("a day number in a workbook that counts days from 1904", WRITE_DAY)
        return day_of_serial(raw)
    return None


def _instant(_: Column, cell: Cell) -> datetime:
    raw = cell.raw
    if isinstance(raw, datetime):
        return raw.astimezone(UTC) if raw.tzinfo else raw
    if isinstance(raw, str):
        return instant_of(raw)
    raise UnreadableError("not a date with a time of day", WRITE_INSTANT)


def _amount(column: Column, cell: Cell) -> Amount:
    if cell.shown_as_percent:
        raise UnreadableError("a percentage, where an amount is meant", "format the cell as a number")
    amount = _signed_amount(column, cell)
    if amount.value < 0:
        raise UnreadableError("a negative amount", "write what it is, without a sign")
    return amount


def _signed_amount(_: Column, cell: Cell) -> Amount:
    raw = cell.raw
    if isinstance(raw, str):
        return amount_of(raw, cell.unit)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise UnreadableError("a date or a truth value, where a number is meant", "format the cell as a number")
    return Amount(plain_number(decimal_of(raw) * cell.unit.factor), cell.unit.currency)


def _number(column: Column, cell: Cell) -> Decimal:
    number = _signed_amount(column, cell)
    if number.currency:
        raise UnreadableError("a currency, where a bare number is meant", f"write one such as {column.example}")
    return number.value


def _percent(_: Column, cell: Cell) -> Decimal:
    number, certain = _fraction_or_percent(cell, WRITE_PERCENT)
    if not certain and not cell.header_says_percent and 0 < abs(number) <= 1:
        raise UnreadableError("can be a percentage or a fraction", f"write {number * 100:f}% or {number:f}%")
    if not 0 <= number <= 100:
        raise UnreadableError("outside 0% to 100%", WRITE_PERCENT)
    return number


def _rate(_: Column, cell: Cell) -> Decimal:
    number, certain = _fraction_or_percent(cell, WRITE_RATE)
    rate = plain_number(number.scaleb(-2)) if certain or cell.header_says_percent else number
    if not certain and not cell.header_says_percent and abs(rate) >= 1:
        raise UnreadableError("can be a rate in percent or a fraction above one", f"write {number:f}%")
    if not 0 <= rate < 1:
        raise UnreadableError("outside 0% to 100%", WRITE_RATE)
    return rate


def _fraction_or_percent(cell: Cell, expected: str) -> tuple[Decimal, bool]:
    # The number in percent and True where that is certain, else the bare number and False.
    raw = cell.raw
    if isinstance(raw, str):
        return percent_of(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise UnreadableError("not a percentage", expected)
    number = decimal_of(raw)
    return (plain_number(number * 100), True) if cell.shown_as_percent else (number, False)


def _integer(column: Column, cell: Cell) -> int:
    value = _number(column, cell)
    if value != int(value) or abs(value) > 1_000_000:
        raise UnreadableError("not a whole number", f"write one such as {column.example or '10'}")
    return int(value)


def _email(column: Column, cell: Cell) -> str:
    text = unicodedata.normalize("NFKC", _plain_text(cell))
    text = re.sub(r"^mailto:", "", text.strip(), flags=re.IGNORECASE)
    if text.count("@") > 1 and re.search(r"[;,、\s/]", text):
        raise UnreadableError("several e-mail addresses in one cell", "give each contact a row of its own")
    return _checked(text, email_problem, "write one such as " + column.example)


def _timezone(_: Column, cell: Cell) -> str:
    text = word_for(_ZONES, cell.text) or cell.text
    if text in _zones():
        return text
    found = next((zone for zone in _zones() if zone.casefold() == text.casefold()), None)
    if found is None:
        raise UnreadableError("no IANA time zone", "write one such as Asia/Shanghai or Europe/Berlin")
    return found


def _language(_: Column, cell: Cell) -> str:
    if found := word_for(_LANGUAGES, cell.text):
        return found
    parts = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}))?", cell.text)
    if parts is None:
        raise UnreadableError("no language tag (BCP 47)", "write zh-CN or en")
    tag = (parts[1].lower(), (parts[2] or "").title(), (parts[3] or "").upper())
    return "-".join(part for part in tag if part)


def _currency(_: Column, cell: Cell) -> str:
    text = word_for(_MONEY_NAMES, cell.text) or unicodedata.normalize("NFKC", cell.text).upper()
    return _checked(text, currency_problem, "write a code of ISO 4217 such as CNY")


def _lei(column: Column, cell: Cell) -> str:
    return _checked(_compact(column, cell), lei_problem, "")


def _uscc(column: Column, cell: Cell) -> str:
    return _checked(_compact(column, cell), uscc_problem, "")


def _compact(column: Column, cell: Cell) -> str:
    return re.sub(r"[\s-]", "", _ref(column, cell)).upper()


def _checked(text: str, problem_of: Callable[[str], str | None], expected: str) -> str:
    problem = problem_of(text)
    if problem:
        raise UnreadableError(problem.rstrip("."), expected)
    return text


def _plain_text(cell: Cell) -> str:
    if isinstance(cell.raw, bool | date | time | timedelta):
        raise UnreadableError("Excel has turned a text into a date or a truth value", "format the cell as text")
    if isinstance(cell.raw, int | float) and abs(cell.raw) >= DIGITS_OF_EXCEL:
        raise UnreadableError("Excel has rounded a long number", "format the cell as text and write it again")
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", cell.text):
        raise UnreadableError("a control character", "write it again by hand")
    return cell.text


def _stripped(text: str) -> str:
    return text.replace("\u200b", "").replace("\ufeff", "").strip()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


_READERS: Mapping[Kind, Callable[[Column, Cell], Value]] = MappingProxyType(
    {
        Kind.REF: _ref,
        Kind.TEXT: _text,
        Kind.NOTE: _note,
        Kind.WORD: _word,
        Kind.CHOICE: _choice,
        Kind.DATE: _date,
        Kind.PERIOD: _period,
        Kind.INSTANT: _instant,
        Kind.AMOUNT: _amount,
        Kind.SIGNED_AMOUNT: _signed_amount,
        Kind.NUMBER: _number,
        Kind.PERCENT: _percent,
        Kind.RATE: _rate,
        Kind.INTEGER: _integer,
        Kind.YES_NO: _yes_no,
        Kind.EMAIL: _email,
        Kind.TIMEZONE: _timezone,
        Kind.LANGUAGE: _language,
        Kind.CURRENCY: _currency,
        Kind.LEI: _lei,
        Kind.USCC: _uscc,
    }
)
