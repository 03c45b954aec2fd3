"""What a sheet and a column of the register are, and how a name a person wrote finds its own."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from functools import cache, lru_cache
from types import MappingProxyType

from pfflow.domain.facts import RECORDS


class Kind(StrEnum):
    """How the cells of a column are read."""

    REF = "reference"
    TEXT = "text"
    NOTE = "long text"
    WORD = "name"
    CHOICE = "choice"
    DATE = "date"
    PERIOD = "period end"
    INSTANT = "date and time"
    AMOUNT = "amount"
    SIGNED_AMOUNT = "amount, may be negative"
    NUMBER = "number"
    PERCENT = "percent"
    RATE = "rate"
    INTEGER = "whole number"
    YES_NO = "yes or no"
    EMAIL = "e-mail address"
    TIMEZONE = "time zone"
    LANGUAGE = "language"
    CURRENCY = "currency"
    LEI = "LEI"
    USCC = "统一社会信用代码"


Vocabulary = Mapping[str, tuple[str, ...]]
"""Canonical word → other spellings, the Chinese label first."""


NO_WORDS: Vocabulary = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the record's field, its header in Chinese and English, other headers it answers to, an example.

    `words` lists a CHOICE's allowed values, or the names a WORD knows in both languages (others are kept as written).
    """

    field: str
    kind: Kind
    zh: str
    en: str
    example: str = ""
    aliases: tuple[str, ...] = ()
    words: Vocabulary = dataclasses.field(default_factory=lambda: NO_WORDS, hash=False)

    def header(self, language: str) -> str:
        """Give the header a person reads."""
        return self.zh if language.lower().startswith("zh") else self.en

    def names(self) -> tuple[str, ...]:
        """Give every header this column answers to."""
        return (self.field, self.zh, self.en, *self.aliases)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its key in RECORDS, its title in Chinese and English, other titles, what it is for, its columns."""

    name: str
    zh: str
    en: str
    aliases: tuple[str, ...]
    purpose_zh: str
    purpose_en: str
    columns: tuple[Column, ...]

    def title(self, language: str) -> str:
        """Give the sheet's title in a language."""
        return self.zh if language.lower().startswith("zh") else self.en

    def names(self) -> tuple[str, ...]:
        """Give every title this sheet answers to."""
        return (self.name, self.zh, self.en, *self.aliases)

    def column_named(self, text: str) -> Column | None:
        """Give the column a header means, or None."""
        return named(self.columns, text)


def named_sheet(sheets: Iterable[Sheet], text: str) -> Sheet | None:
    """Give the sheet a title means, or None."""
    wanted = plain(text)
    return next((sheet for sheet in sheets if wanted in map(plain, sheet.names())), None)


def named(columns: Iterable[Column], text: str) -> Column | None:
    """Give the column whose names hold a text, or both halves of a text in two languages, or None."""
    columns = tuple(columns)
    whole = _named(columns, plain(text))
    if whole is not None:
        return whole
    one, other = (_named(columns, plain(half)) for half in halves(text))
    return one if one is other else None


def halves(text: str) -> tuple[str, str]:
    """Give the Chinese and the other half of a text in two languages.

    >>> halves("注册资本 / Registered capital")
    ('注册资本', 'Registered capital')
    """
    chinese = "".join(letter for letter in text if "\u2e80" <= letter <= "\u9fff")
    other = "".join(letter if letter < "\u2e80" else " " for letter in text)
    return chinese, other.strip(" /|\r\n")


def _named(columns: Iterable[Column], wanted: str) -> Column | None:
    return next((column for column in columns if wanted in map(plain, column.names())), None) if wanted else None


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Give a name without case, width, spaces, hyphens, underscores and the mark of a required column.

    >>> plain(" Registered_Capital * ") == plain("ＲＥＧＩＳＴＥＲＥＤ capital")
    True
    """
    return re.sub(r"[\s_\-*:·/.]+", "", unicodedata.normalize("NFKC", text).casefold())


_BRACKET = re.compile(r"\s*[(\[【](?P<inside>[^()\[\]【】]*)[)\]】]\s*\*?\s*$")


def unbracketed(header: str) -> tuple[str, str]:
    """Give a header without its last bracket, and what the bracket says ("" without one).

    >>> unbracketed("注册资本（万元）")
    ('注册资本', '万元')
    """
    text = unicodedata.normalize("NFKC", header)
    found = _BRACKET.search(text)
    return (text[: found.start()].strip(), found["inside"].strip()) if found else (text.strip(), "")


@cache
def required_fields(sheet: str) -> frozenset[str]:
    """Give the fields of a sheet's record that have no default."""
    return frozenset(
        one.name for one in fields(RECORDS[sheet]) if one.default is MISSING and one.default_factory is MISSING
    )
