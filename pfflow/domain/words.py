"""The words everything else is said in: the five stages, text in two languages, JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""What JSON can hold. Amounts travel as decimal strings, dates as ISO 8601."""

ZH = "zh-CN"
EN = "en"
LANGUAGES = (ZH, EN)


class Stage(StrEnum):
    """What the house does with a party; the same five names in flows, stages and templates."""

    IDENTIFICATION = "identification"
    INFORMATION_GATHERING = "information_gathering"
    SERVICE_DESIGN = "service_design"
    COMMUNICATION = "communication"
    EVALUATION = "evaluation"


@dataclass(frozen=True, slots=True)
class Words:
    """One text in Chinese and in English; where one is empty the other stands in.

    >>> Words("资金使用报告", "Fund-use report").in_language("en")
    'Fund-use report'
    >>> Words("资金使用报告", "").in_language("en")
    '资金使用报告'
    """

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """Give the text for a language tag: Chinese for every zh tag, English otherwise."""
        first, second = (self.zh, self.en) if language.lower().startswith("zh") else (self.en, self.zh)
        return first or second

    def __str__(self) -> str:
        return self.en or self.zh

    def as_json(self) -> dict[str, str]:
        """Give {"zh": …, "en": …}, the shape letters and artifacts read."""
        return {"zh": self.zh, "en": self.en}


NO_WORDS = Words("", "")
"""Nothing said."""
