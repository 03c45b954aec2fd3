"""Dates, instants and numbers as people read them, in Chinese and in English.

Numbers are exact: grouped by three, with their unit. Large Chinese amounts carry the same number in 万 or 亿 beside
them where a reader would otherwise count digits; tables stay exact only. Ratios are cut, never rounded up, so that
a cover ratio just below its threshold is not shown as meeting it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from pfflow.domain.reports import Cell, CellKind, Figure
from pfflow.domain.words import EN, ZH, Words

_WEEKDAYS = {
    ZH: ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
    EN: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ZONES = {
    "Asia/Shanghai": Words("北京时间", "Beijing time"),
    "Asia/Hong_Kong": Words("香港时间", "Hong Kong time"),
    "Asia/Singapore": Words("新加坡时间", "Singapore time"),
    "Asia/Tokyo": Words("东京时间", "Tokyo time"),
    "Asia/Dubai": Words("迪拜时间", "Dubai time"),
    "Europe/London": Words("伦敦时间", "London time"),
    "Europe/Paris": Words("巴黎时间", "Paris time"),
    "Europe/Berlin": Words("柏林时间", "Berlin time"),
    "Europe/Madrid": Words("马德里时间", "Madrid time"),
    "Europe/Brussels": Words("布鲁塞尔时间", "Brussels time"),
    "America/New_York": Words("纽约时间", "New York time"),
    "UTC": Words("协调世界时", "UTC"),
    "Etc/UTC": Words("协调世界时", "UTC"),
}
_CURRENCIES_ZH = {
    "CNY": "元",
    "USD": "美元",
    "EUR": "欧元",
    "GBP": "英镑",
    "HKD": "港元",
    "JPY": "日元",
    "SGD": "新加坡元",
}
_WIDE = Context(prec=80)
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")


def one_line(text: str) -> str:
    r"""Give the text on one line: control characters, line separators and direction overrides become a space.

    >>> one_line("Sponsor\r\nBcc: everyone@example.com")
    'Sponsor Bcc: everyone@example.com'
    """
    if text.isprintable() and "  " not in text and text[:1] != " " != text[-1:]:
        return text  # a space is the only white space that is printable
    return re.sub(r"\s+", " ", _UNSAFE.sub(" ", text)).strip()


def day(value: date | str, language: str) -> str:
    """Give a date with its weekday.

    >>> day("2026-01-15", "en"), day("2026-01-15", "zh-CN")
    ('Thursday 15 January 2026', '2026年1月15日 星期四')
    """
    on = _date(value)
    weekday = _WEEKDAYS[language][on.weekday()]
    return f"{on.year}年{on.month}月{on.day}日 {weekday}" if language == ZH else f"{weekday} {_plain_day(on)}"


def plain_day(value: date | str, language: str) -> str:
    """Give a date without its weekday.

    >>> plain_day("2026-01-15", "en"), plain_day("2026-01-15", "zh-CN")
    ('15 January 2026', '2026年1月15日')
    """
    on = _date(value)
    return f"{on.year}年{on.month}月{on.day}日" if language == ZH else _plain_day(on)


def day_in_prose(value: date | str, language: str) -> str:
    """Give a date with its weekday as it stands within a sentence.

    >>> day_in_prose("2026-01-15", "en"), day_in_prose("2026-01-15", "zh-CN")
    ('Thursday 15 January 2026', '2026年1月15日（星期四）')
    """
    shown = day(value, language)
    return "{}（{}）".format(*shown.split(" ")) if language == ZH else shown


def month(value: str, language: str) -> str:
    """Give a month from its ISO form.

    >>> month("2026-01", "en"), month("2026-01", "zh-CN")
    ('January 2026', '2026年1月')
    """
    on = _date(f"{value}-01")
    return f"{on.year}年{on.month}月" if language == ZH else f"{_MONTHS[on.month - 1]} {on.year}"


def moment(at: datetime, zone: str, language: str) -> str:
    """Give an instant as wall time in a zone, with the zone's name and its offset from UTC at that instant.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 1, 15, 9, tzinfo=UTC), "Asia/Shanghai", "en")
    'Thursday 15 January 2026, 17:00 (Beijing time, UTC+8)'
    >>> moment(datetime(2026, 1, 15, 9, tzinfo=UTC), "Asia/Shanghai", "zh-CN")
    '2026年1月15日 星期四 17:00（北京时间，UTC+8）'
    """
    local = at.astimezone(ZoneInfo(zone))
    name, clock = zone_name(zone, language), f"{local:%H:%M}"
    offset = utc_offset(local, local.tzinfo)
    if language == ZH:
        return f"{day(local.date(), language)} {clock}（{name}，{offset}）"
    place = name if name == offset else f"{name}, {offset}"
    return f"{day(local.date(), language)}, {clock} ({place})"


def zone_name(zone: str, language: str) -> str:
    """Give what people call a zone: a known name, or the city of the IANA name.

    >>> zone_name("Europe/Lisbon", "en"), zone_name("Asia/Shanghai", "zh-CN")
    ('Lisbon time', '北京时间')
    """
    if zone in _ZONES:
        return _ZONES[zone].in_language(language)
    city = zone.rsplit("/", 1)[-1].replace("_", " ")
    return f"{city} 时间" if language == ZH else f"{city} time"


def utc_offset(at: datetime, zone: tzinfo | None) -> str:
    """Give the offset from UTC: UTC, UTC+8, UTC+5:30."""
    minutes = int((at.astimezone(zone).utcoffset() or timedelta()).total_seconds() // 60)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02}" if rest else "")


def number(value: str) -> Decimal | None:
    """Give the number a decimal string says, None where it says none."""
    try:
        parsed = Decimal(value)
    except InvalidOperation:
        return None
    return parsed if parsed.is_finite() else None


def amount(value: Decimal) -> str:
    """Give an amount grouped by three, to the cent.

    >>> amount(Decimal("1234567.5"))
    '1,234,567.50'
    """
    return f"{_quantized(value, 2, ROUND_HALF_UP):,}"


def ratio(value: Decimal) -> str:
    """Give a ratio with two to four decimals, cut downwards: 1.14999 is not 1.15.

    >>> ratio(Decimal("1.14999")), ratio(Decimal("1.2"))
    ('1.1499', '1.20')
    """
    cut = f"{_quantized(value, 4, ROUND_FLOOR):,}"
    return cut[:-2] + cut[-2:].rstrip("0")


def percent(value: Decimal) -> str:
    """Give a percentage out of 100 with one or two decimals.

    >>> percent(Decimal("87.5"))
    '87.5%'
    """
    rounded = f"{_quantized(value, 2, ROUND_HALF_UP):,}"
    return rounded.removesuffix("0") + "%"


def cell(value: Cell, kind: CellKind, language: str) -> str:
    """Give a cell as people read it; a value that is not what its kind says is shown as it is."""
    if value is None:
        return "—"
    text = one_line(value.in_language(language) if isinstance(value, Words) else value)
    if kind is CellKind.DATE:
        return _day_or_text(text, language)
    parsed = number(text)
    return text if kind is CellKind.TEXT or parsed is None else _NUMBERS[kind](parsed)


def _count(value: Decimal) -> str:
    return f"{value:,}"


def _year(value: Decimal) -> str:
    return f"{value:f}"


_NUMBERS = {
    CellKind.AMOUNT: amount,
    CellKind.RATIO: ratio,
    CellKind.PERCENT: percent,
    CellKind.COUNT: _count,
    CellKind.YEAR: _year,
}


def figure(value: Cell, kind: CellKind, unit: str, language: str) -> str:
    """Give a number with its unit; large Chinese amounts carry 万 or 亿 beside the exact number.

    >>> figure("128000000", CellKind.AMOUNT, "CNY", "zh-CN"), figure("128000000", CellKind.AMOUNT, "CNY", "en")
    ('128,000,000.00 元（1.28亿元）', 'CNY 128,000,000.00')
    """
    shown, unit = cell(value, kind, language), one_line(unit)
    if language != ZH:
        return f"{unit} {shown}".strip() if kind is CellKind.AMOUNT else f"{shown} {unit}".strip()
    unit = _CURRENCIES_ZH.get(unit, unit)
    parsed = number(str(value)) if kind is CellKind.AMOUNT else None
    return f"{shown} {unit}".strip() + (
        f"（{_in_wan(parsed)}{unit}）" if parsed is not None and abs(parsed) >= 10**4 else ""
    )


def figure_of(given: Figure, language: str) -> str:
    """Give a report's figure as people read it."""
    return figure(given.value, given.kind, given.unit, language)


def width(text: str) -> int:
    """Give how many columns a text takes where every character has one or two (UAX 11)."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _in_wan(value: Decimal) -> str:
    size, word = (Decimal(10**8), "亿") if abs(value) >= 10**8 else (Decimal(10**4), "万")
    exact = value / size
    rounded = _quantized(exact, 2, ROUND_HALF_UP)
    shown = f"{rounded:,}".rstrip("0").rstrip(".")
    return f"{'' if rounded == exact else '约'}{shown}{word}"


def _quantized(value: Decimal, places: int, rounding: str) -> Decimal:
    """Quantise in a context wide enough that no sum of money overflows it; wider numbers stay as they are."""
    if value.adjusted() > _WIDE.prec // 2:
        return value
    return value.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=_WIDE)


def _date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _day_or_text(text: str, language: str) -> str:
    try:
        return plain_day(text, language)
    except ValueError:
        return text


def _plain_day(on: date) -> str:
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"
