"""What a party answers to a survey: scores on the scales of the questions, one answer a question and party."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from pfflow.domain.facts import SurveyAnswer
from pfflow.domain.obligations import Obligation
from pfflow.domain.words import Words

SCALES: Mapping[str, tuple[int, int]] = MappingProxyType({"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)})
"""The lowest and the highest score of each question."""

QUESTION_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "nps": Words("推荐意愿", "recommendation"),
        "csat": Words("满意度", "satisfaction"),
        "ces": Words("费力度", "effort"),
    }
)
"""What letters call the questions."""


def off_scale(question: str, score: int) -> Words | None:
    """Give why a score is none of its question's; None where it is.

    >>> off_scale("csat", 5), str(off_scale("csat", 6))
    (None, 'a satisfaction of 6 is off the scale: write 1 to 5')
    """
    low, high = SCALES[question]
    if low <= score <= high:
        return None
    called = QUESTION_WORDS[question]
    return Words(
        f"{called.zh} {score} 分不在范围内：请填 {low} 至 {high}",
        f"a {called.en} of {score} is off the scale: write {low} to {high}",
    )


def answers_of(
    survey: Obligation, party_ref: str, scores: Mapping[str, int], *, on: date, about_ref: str = "", comment: str = ""
) -> tuple[SurveyAnswer, ...]:
    """Give the rows that a party's answer makes in the register; the survey's reference is its key with dots."""
    return tuple(
        SurveyAnswer(
            survey_ref=survey.key.replace("/", "."),
            project_ref=survey.project_ref,
            respondent_ref=party_ref,
            about_ref=about_ref,
            answered_on=on,
            question=question,
            score=Decimal(score),
            comment=comment,
        )
        for question, score in sorted(scores.items())
    )
