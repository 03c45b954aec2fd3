"""What survey scores say: NPS, CSAT and CES, each with its count, its 95 % interval and its definition.

Below five answers nothing is shown: so few say little, and in a department they say who said it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

LEAST_ANSWERS = 5
Z = Decimal("1.959964")
"""The 97.5th percentile of the standard normal distribution: both tails together leave 5 %."""


class Definition(StrEnum):
    """What a measure counts; products differ, so a report names it."""

    NPS = "share of 9-10 less share of 0-6 on a scale of 0 to 10, in points"
    CSAT = "share of 4-5 on a scale of 1 to 5, in percent"
    CES = "mean on a scale of 1 to 7, where 7 is very easy"


class Method(StrEnum):
    """How the interval is found."""

    MULTINOMIAL = "normal interval of a difference of multinomial shares, 95 %"
    WILSON = "Wilson score interval, 95 %"
    STUDENT = "Student's t interval of the mean, 95 %"


class ScoreError(ValueError):
    """A score that is not a whole number on its question's scale."""

    def __init__(self, score: Decimal | int, low: int, high: int) -> None:
        super().__init__(f"{score} is not a whole score from {low} to {high}")
        self.score = score


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measure of n answers; value and interval are None where it is suppressed."""

    definition: Definition
    method: Method
    n: int
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None

    @property
    def suppressed(self) -> bool:
        """Whether there were too few answers to show."""
        return self.value is None


def nps(scores: Iterable[Decimal | int]) -> Measured:
    """Give the net promoter score, -100 to 100: 9 and 10 promote, 0 to 6 detract, 7 and 8 count in the base only.

    The normal interval is no wider than the answers: where all are alike it has no width. Raises ScoreError.

    >>> nps([10, 9, 9, 8, 7, 6, 0, 10, 3, 9]).value
    Decimal('20')
    """
    whole = _whole(scores, 0, 10)
    n = len(whole)
    if n < LEAST_ANSWERS:
        return _suppressed(Definition.NPS, Method.MULTINOMIAL, n)
    promoters = sum(score >= 9 for score in whole)
    detractors = sum(score <= 6 for score in whole)
    value = Decimal(100 * (promoters - detractors)) / n
    share = Decimal(promoters - detractors) / n
    spread = Decimal(promoters + detractors) / n - share * share
    half = 100 * Z * (spread / n).sqrt()
    return Measured(
        definition=Definition.NPS,
        method=Method.MULTINOMIAL,
        n=n,
        value=value,
        low=max(Decimal(-100), value - half),
        high=min(Decimal(100), value + half),
    )


def csat(scores: Iterable[Decimal | int]) -> Measured:
    """Give customer satisfaction as the percentage of 4 and 5 out of 5 (top two boxes). Raises ScoreError."""
    whole = _whole(scores, 1, 5)
    n = len(whole)
    if n < LEAST_ANSWERS:
        return _suppressed(Definition.CSAT, Method.WILSON, n)
    share = Decimal(sum(score >= 4 for score in whole)) / n
    z_squared = Z * Z
    centre = (share + z_squared / (2 * n)) / (1 + z_squared / n)
    half = Z * (share * (1 - share) / n + z_squared / (4 * n * n)).sqrt() / (1 + z_squared / n)
    return Measured(
        definition=Definition.CSAT,
        method=Method.WILSON,
        n=n,
        value=100 * share,
        low=max(Decimal(0), 100 * (centre - half)),
        high=min(Decimal(100), 100 * (centre + half)),
    )


def ces(scores: Iterable[Decimal | int]) -> Measured:
    """Give customer effort as the mean of 1 to 7, where 7 is very easy. Raises ScoreError."""
    whole = _whole(scores, 1, 7)
    n = len(whole)
    if n < LEAST_ANSWERS:
        return _suppressed(Definition.CES, Method.STUDENT, n)
    mean = Decimal(sum(whole)) / n
    variance = sum(((score - mean) ** 2 for score in whole), Decimal(0)) / (n - 1)
    half = _t_quantile(n - 1) * (variance / n).sqrt()
    return Measured(
        definition=Definition.CES,
        method=Method.STUDENT,
        n=n,
        value=mean,
        low=max(Decimal(1), mean - half),
        high=min(Decimal(7), mean + half),
    )


def _whole(scores: Iterable[Decimal | int], low: int, high: int) -> list[int]:
    whole = []
    for score in scores:
        if not Decimal(score).is_finite() or not low <= score <= high or score != int(score):
            raise ScoreError(score, low, high)
        whole.append(int(score))
    return whole


def _suppressed(definition: Definition, method: Method, n: int) -> Measured:
    return Measured(definition=definition, method=method, n=n, value=None, low=None, high=None)


def _t_quantile(freedom: int) -> Decimal:
    # The 97.5th percentile of Student's t by its expansion in the normal one (Abramowitz and Stegun 26.7.5);
    # from 4 degrees of freedom, the fewest that come here, it is right to 0.001.
    f = Decimal(freedom)
    return (
        Z
        + (Z**3 + Z) / (4 * f)
        + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * f**2)
        + (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / (384 * f**3)
        + (79 * Z**9 + 776 * Z**7 + 1482 * Z**5 - 1920 * Z**3 - 945 * Z) / (92160 * f**4)
    )
