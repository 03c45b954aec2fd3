"""Covenants: a ratio of the project's figures held against its threshold, period by period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from operator import ge, gt, le, lt
from types import MappingProxyType

from pfflow.domain.decision import Dossier
from pfflow.domain.facts import Financial, Undertaking
from pfflow.finance.ratios import dscr

TESTED_BASES = ("actual", "forecast")
"""What a covenant is tested on, the first found for a period; the base case is the yardstick, never the test."""

_OPERATORS = MappingProxyType({">=": ge, ">": gt, "<=": le, "<": lt})
_PLACES = (2, 3, 4, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class CovenantTest:
    """One covenant at one calculation date: its value, the numbers it is made of, whether it is kept."""

    undertaking: Undertaking
    period_end: date
    value: Decimal
    kept: bool
    basis: str
    figures: tuple[Financial, ...]

    @property
    def shown(self) -> str:
        """The ratio to two places, as people write it; to more where two would hide on which side it is."""
        rounded = (self.value.quantize(Decimal(1).scaleb(-n), rounding=ROUND_HALF_EVEN) for n in _PLACES)
        threshold = self.undertaking.threshold
        return str(next((r for r in rounded if r != threshold or self.value == threshold), self.value))


def covenant_tests(undertaking: Undertaking, financials: Iterable[Financial]) -> tuple[CovenantTest, ...]:
    """Test a covenant at every calculation date for which figures stand, in order of date.

    A date before the undertaking's first or after its last is none of its own. The metric `dscr` is computed from
    cfads, interest and principal; any other metric is read as it stands.
    """
    if not undertaking.metric or undertaking.threshold is None or undertaking.operator not in _OPERATORS:
        return ()
    by_period: dict[date, dict[str, dict[str, Financial]]] = {}
    for figure in financials:
        mine = figure.subject_ref == undertaking.project_ref and _calculates_on(undertaking, figure.period_end)
        if mine and figure.basis in TESTED_BASES:
            by_period.setdefault(figure.period_end, {}).setdefault(figure.basis, {})[figure.metric] = figure
    tests = []
    for period_end, by_basis in sorted(by_period.items()):
        for basis in TESTED_BASES:
            found = _value(undertaking.metric.lower(), by_basis.get(basis, {}))
            if found is not None:
                value, figures = found
                kept = _OPERATORS[undertaking.operator](value, undertaking.threshold)
                tests.append(
                    CovenantTest(
                        undertaking=undertaking,
                        period_end=period_end,
                        value=value,
                        kept=bool(kept),
                        basis=basis,
                        figures=figures,
                    )
                )
                break
    return tuple(tests)


def covenant_tests_of(dossier: Dossier, undertaking: Undertaking) -> tuple[CovenantTest, ...]:
    """Test a covenant of a project on all of its figures, as `covenant_tests` does."""
    return dossier.held.remembered(
        ("tests", undertaking.obligation_ref), lambda: covenant_tests(undertaking, dossier.facts.financials)
    )


def _calculates_on(undertaking: Undertaking, day: date) -> bool:
    begun = undertaking.first is None or undertaking.first <= day
    return begun and (undertaking.last is None or day <= undertaking.last)


def _value(metric: str, figures: Mapping[str, Financial]) -> tuple[Decimal, tuple[Financial, ...]] | None:
    if metric in figures:
        return figures[metric].value, (figures[metric],)
    if metric == "dscr" and {"cfads", "interest", "principal"} <= figures.keys():
        parts = tuple(figures[name] for name in ("cfads", "interest", "principal"))
        ratio = dscr(parts[0].value, parts[1].value + parts[2].value)
        return None if ratio is None else (ratio, parts)
    return None
