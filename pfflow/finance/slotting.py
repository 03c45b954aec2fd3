"""The risk grade of a project financing by supervisory slotting, with the evidence that leads to it.

Basel Framework CRE33 (supervisory slotting for specialised lending) names the categories and what each weighs; it does
not say how factor grades become a category. Commission Delegated Regulation (EU) 2021/598, Article 2 does: a weight of
5 % to 60 % a factor, the weighted average, rounded to the nearest category. Half rounds up, to the worse one
(docs/decisions/0004).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import IntEnum
from types import MappingProxyType

from pfflow.finance import FinanceError, non_negative

LEAST_WEIGHT = Decimal(5)
MOST_WEIGHT = Decimal(60)
WHOLE = Decimal(100)
SHORT_MATURITY_YEARS = Decimal("2.5")


class FactorGrade(IntEnum):
    """How one risk factor stands, 1 to 4."""

    STRONG = 1
    GOOD = 2
    SATISFACTORY = 3
    WEAK = 4


class Category(IntEnum):
    """The supervisory category of an exposure; default is a fact, never an average."""

    STRONG = 1
    GOOD = 2
    SATISFACTORY = 3
    WEAK = 4
    DEFAULT = 5


DEFAULT_WEIGHTS: Mapping[str, Decimal] = MappingProxyType(
    {
        "financial_strength": Decimal(30),
        "political_and_legal": Decimal(10),
        "transaction": Decimal(30),
        "sponsor": Decimal(15),
        "security": Decimal(15),
    }
)
"""The five factors of CRE33.13 with weights in percent; the weights are a default, for the house to set."""

RISK_WEIGHTS: Mapping[Category, Decimal] = MappingProxyType(
    {
        Category.STRONG: Decimal(70),
        Category.GOOD: Decimal(90),
        Category.SATISFACTORY: Decimal(115),
        Category.WEAK: Decimal(250),
        Category.DEFAULT: Decimal(0),
    }
)
"""Percent of exposure, CRE33.2 and 33.3: one table, whether or not the project operates yet."""

PREFERENTIAL_RISK_WEIGHTS: Mapping[Category, Decimal] = MappingProxyType(
    {**RISK_WEIGHTS, Category.STRONG: Decimal(50), Category.GOOD: Decimal(70)}
)
"""Percent of exposure where the supervisor allows them, CRE33.4."""

LOSS_RATES: Mapping[Category, Decimal] = MappingProxyType(
    {
        Category.STRONG: Decimal("0.4"),
        Category.GOOD: Decimal("0.8"),
        Category.SATISFACTORY: Decimal("2.8"),
        Category.WEAK: Decimal(8),
        Category.DEFAULT: Decimal(50),
    }
)
"""Expected loss in percent of exposure: the weights 5, 10, 35, 100 and 625 % of CRE33 times 8 %."""

PREFERENTIAL_LOSS_RATES: Mapping[Category, Decimal] = MappingProxyType(
    {**LOSS_RATES, Category.STRONG: Decimal(0), Category.GOOD: Decimal("0.4")}
)


class MissingFactorError(FinanceError):
    """Factors that have a weight and no grade."""

    def __init__(self, factors: tuple[str, ...]) -> None:
        super().__init__(f"no grade for {', '.join(factors)}: every weighted factor needs one")
        self.factors = factors


class UnknownFactorError(FinanceError):
    """Factors that are graded and have no weight."""

    def __init__(self, factors: tuple[str, ...]) -> None:
        super().__init__(f"no weight for {', '.join(factors)}: a graded factor must count")
        self.factors = factors


class WeightError(FinanceError):
    """Weights that Article 2 does not allow: one outside 5 to 60 %, or a sum other than 100 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorEvidence:
    """One factor's part in the grade: its grade, its weight in percent, and grade times weight."""

    factor: str
    grade: FactorGrade
    weight: Decimal
    contribution: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SlottingGrade:
    """A category with the weighted average it comes from and every factor's part, in the order of the weights."""

    category: Category
    score: Decimal
    evidence: tuple[FactorEvidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What an exposure weighs: risk weight and loss rate in percent, the rest in the exposure's currency."""

    category: Category
    exposure: Decimal
    risk_weight: Decimal
    risk_weighted: Decimal
    loss_rate: Decimal
    expected_loss: Decimal


def grade(
    factors: Mapping[str, FactorGrade],
    weights: Mapping[str, Decimal] = DEFAULT_WEIGHTS,
    *,
    in_default: bool = False,
) -> SlottingGrade:
    """Give the category that factor grades come to (EU 2021/598, Article 2); weights in percent.

    An exposure in default is in that category whatever its factors; they are kept as evidence.
    Raises WeightError, MissingFactorError, UnknownFactorError, each naming what is wrong.

    >>> grade(dict.fromkeys(DEFAULT_WEIGHTS, FactorGrade.GOOD)).category
    <Category.GOOD: 2>
    """
    _check_weights(weights)
    if missing := tuple(factor for factor in weights if factor not in factors):
        raise MissingFactorError(missing)
    if unknown := tuple(factor for factor in factors if factor not in weights):
        raise UnknownFactorError(unknown)
    evidence = tuple(
        FactorEvidence(
            factor=factor, grade=factors[factor], weight=weight, contribution=int(factors[factor]) * weight / WHOLE
        )
        for factor, weight in weights.items()
    )
    score = sum((part.contribution for part in evidence), Decimal(0))
    # Python's round() would take 2.5 to 2, the better category.
    nearest = Category(int(score.to_integral_value(ROUND_HALF_UP)))
    return SlottingGrade(category=Category.DEFAULT if in_default else nearest, score=score, evidence=evidence)


def charge(
    category: Category,
    exposure: Decimal,
    remaining_years: Decimal,
    *,
    preferential: bool = False,
    substantially_stronger: bool = False,
) -> Charge:
    """Give risk-weighted exposure and expected loss of an exposure at default (CRE33.2 to 33.4 and its EL weights).

    `preferential` says that the supervisor allows the lower weights for strong and good exposures; they then apply
    below 2.5 years of remaining maturity, or to an exposure with substantially stronger characteristics.
    Raises NegativeAmountError.

    >>> charge(Category.GOOD, Decimal(100), Decimal(10)).risk_weighted
    Decimal('90')
    """
    non_negative("exposure", exposure)
    short = non_negative("remaining maturity", remaining_years) < SHORT_MATURITY_YEARS
    lower = preferential and (short or substantially_stronger)
    risk_weight = (PREFERENTIAL_RISK_WEIGHTS if lower else RISK_WEIGHTS)[category]
    loss_rate = (PREFERENTIAL_LOSS_RATES if lower else LOSS_RATES)[category]
    return Charge(
        category=category,
        exposure=exposure,
        risk_weight=risk_weight,
        risk_weighted=exposure * risk_weight / WHOLE,
        loss_rate=loss_rate,
        expected_loss=exposure * loss_rate / WHOLE,
    )


def _check_weights(weights: Mapping[str, Decimal]) -> None:
    for factor, weight in weights.items():
        if not weight.is_finite() or not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
            raise WeightError(f"the weight of {factor} is {weight} %; it must be from 5 % to 60 %")
    total = sum(weights.values(), Decimal(0))
    if total != WHOLE:
        raise WeightError(f"the weights come to {total} %; they must come to 100 %")
