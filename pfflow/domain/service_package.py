"""The service package: what a project is offered, by rule, with the grade, the debt capacity and the reasons.

High risk must carry a guarantee or insurance measure, or a signed waiver; growth gets debt and equity. Where facts are
missing or a rule is not met there is no package but a shortfall that says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal
from functools import lru_cache
from itertools import pairwise

from pfflow.domain.conditions import ConditionError, holds
from pfflow.domain.decision import Dossier
from pfflow.domain.facts import Assessment, Financial, Interaction, Need, Touch
from pfflow.domain.obligations import derived_key
from pfflow.domain.playbook import CatalogueItem
from pfflow.domain.project import Project
from pfflow.domain.register_words import need_words
from pfflow.domain.reports import CellKind, Column, Figure, Report, Table
from pfflow.domain.words import Json, Words
from pfflow.finance import FinanceError
from pfflow.finance.ratios import CoverPeriod, dscr_table, llcr
from pfflow.finance.sizing import DebtCapacity, debt_capacity
from pfflow.finance.slotting import Category, FactorGrade, SlottingGrade, grade

GRADES = {
    Category.STRONG: Words("强", "strong"),
    Category.GOOD: Words("良好", "good"),
    Category.SATISFACTORY: Words("尚可", "satisfactory"),
    Category.WEAK: Words("弱", "weak"),
    Category.DEFAULT: Words("违约", "default"),
}
_FAMILIES = {
    "traditional": Words("传统金融服务", "Traditional"),
    "value-added": Words("增值服务", "Value added"),
}
_FACTORS = {
    "financial_strength": Words("财务实力", "Financial strength"),
    "political_and_legal": Words("政治与法律环境", "Political and legal environment"),
    "transaction": Words("交易特征", "Transaction characteristics"),
    "sponsor": Words("发起人实力", "Strength of sponsor"),
    "security": Words("担保安排", "Security package"),
}
_MITIGATING = ("guarantee", "insurance")
_GROWTH = "growth"
_BASE, _UPDATED = "base-case", "forecast"


@dataclass(frozen=True, slots=True)
class Measure:
    """One item of the catalogue that goes into the package, and the rule that put it there."""

    item: CatalogueItem
    because: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What is offered and on what evidence. Amounts are in the project's currency."""

    title: Words
    currency: str
    grade: SlottingGrade
    evidence: tuple[tuple[str, str], ...]
    capacity: DebtCapacity
    minimum_dscr: Decimal | None
    llcr: Decimal | None
    target_dscr: Decimal
    measures: tuple[Measure, ...]
    needs: tuple[Need, ...]
    waiver: str
    because: str

    @property
    def grade_words(self) -> Words:
        """The risk grade in words."""
        return GRADES[self.grade.category]

    def identity(self) -> Json:
        """Give what makes this package this one: what is offered, at what grade, under which waiver, for how much."""
        return {
            "items": [m.item.name for m in self.measures],
            "grade": int(self.grade.category),
            "waiver": self.waiver,
            "debt": str(whole(self.capacity.debt)),
        }


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why no package can be proposed."""

    problems: tuple[Words, ...]


def whole(amount: Decimal) -> Decimal:
    """Give an amount in whole currency units, rounded down: capacity is never overstated."""
    return amount.quantize(Decimal(1), rounding=ROUND_DOWN)


def _whole_gap(amount: Decimal) -> Decimal:
    """Give what is lacking in whole currency units, rounded up, so that it and the capacity make up the whole."""
    return amount.quantize(Decimal(1), rounding=ROUND_UP)


def waiver_key(project_ref: str) -> str:
    """Give what a signed waiver of risk mitigation refers to."""
    return derived_key(project_ref, "risk-mitigation")


def package_of(dossier: Dossier, as_of: datetime) -> Package | Shortfall:
    """Make the package the playbook's rules and the project's facts come to, or say what stands against it."""
    problems: list[Words] = []
    slotted = _grade(dossier, problems)
    periods = cover_periods(dossier)
    capacity = _capacity(dossier, periods, problems)
    if slotted is None or capacity is None:
        return Shortfall(tuple(problems))
    table = dscr_table(periods)
    rates = period_rates(periods, dossier.project.loan_rate or Decimal(0))
    life_cover = llcr([p.cfads for p in periods], rates, capacity.debt)
    needs = tuple(sorted((n for n in dossier.facts.needs if n.status == "open"), key=lambda n: n.need_ref))
    seen = _Seen(dossier.project, slotted.category, needs, table.minimum, life_cover, capacity)
    measures = _measures(dossier, seen, problems)
    waiver = _waiver(dossier, as_of)
    problems += _broken_rules(dossier, slotted, measures, needs, waiver)
    if problems:
        return Shortfall(tuple(problems))
    project = dossier.project
    return Package(
        title=Words(
            f"{project.name_zh or project.name} 服务方案", f"Service package for {project.name or project.name_zh}"
        ),
        currency=project.currency,
        grade=slotted,
        evidence=tuple((a.factor, a.evidence) for a in _assessments(dossier)),
        capacity=capacity,
        minimum_dscr=table.minimum,
        llcr=life_cover,
        target_dscr=dossier.playbook.service_design.target_dscr,
        measures=measures,
        needs=needs,
        waiver=waiver.ext_id if waiver else "",
        because=f"grade {slotted.category.name.lower()} ({slotted.score}); debt capacity bound by {capacity.binding}",
    )


def cover_periods(dossier: Dossier) -> tuple[CoverPeriod, ...]:
    """Give CFADS and debt service by period up to final maturity, in order; a forecast goes before the base case.

    What flows after maturity repays no loan, so it sizes none (LLCR; it would count for PLCR).
    """
    project = dossier.project
    by_period: dict[object, dict[str, Financial]] = {}
    for basis in (_BASE, _UPDATED):
        for figure in dossier.facts.financials:
            within = project.maturity_date is None or figure.period_end <= project.maturity_date
            if figure.subject_ref == project.project_ref and figure.basis == basis and within:
                by_period.setdefault(figure.period_end, {})[figure.metric] = figure
    return tuple(
        CoverPeriod(
            period_end=figures["cfads"].period_end,
            cfads=figures["cfads"].value,
            interest=figures["interest"].value if "interest" in figures else Decimal(0),
            principal=figures["principal"].value if "principal" in figures else Decimal(0),
        )
        for figures in sorted(
            (f for f in by_period.values() if "cfads" in f), key=lambda found: found["cfads"].period_end
        )
    )


def period_rates(periods: Sequence[CoverPeriod], yearly: Decimal) -> tuple[Decimal, ...]:
    """Give the interest rate of each period: the yearly rate times its months over twelve.

    A period's months are counted from the end of the one before; the first is as long as the second, and a single one
    is a year.
    """
    ends = [p.period_end for p in periods]
    months = [12 * (b.year - a.year) + b.month - a.month for a, b in pairwise(ends)]
    lengths = [months[0] if months else 12, *months]
    return tuple(yearly * length / 12 for length in lengths)


def _assessments(dossier: Dossier) -> tuple[Assessment, ...]:
    """Give the assessments in the order of Basel's factors, the house's own after them."""
    known = list(_FACTORS)
    place = {factor: number for number, factor in enumerate(known)}
    return tuple(sorted(dossier.facts.assessments, key=lambda a: (place.get(a.factor, len(known)), a.factor)))


def _grade(dossier: Dossier, problems: list[Words]) -> SlottingGrade | None:
    assessments = _assessments(dossier)
    if not assessments:
        problems.append(Words("缺少风险因素评估（assessments 表）", "no risk factors are assessed (sheet assessments)"))
        return None
    try:
        return grade({a.factor: FactorGrade(a.grade) for a in assessments}, {a.factor: a.weight for a in assessments})
    except (FinanceError, ValueError) as error:
        problems.append(Words(f"风险评级无法计算：{error}", f"the risk grade cannot be computed: {error}"))
        return None


def _capacity(dossier: Dossier, periods: tuple[CoverPeriod, ...], problems: list[Words]) -> DebtCapacity | None:
    project, design = dossier.project, dossier.playbook.service_design
    lacking = [name for name, value in (("capex", project.capex), ("loan_rate", project.loan_rate)) if value is None]
    if not periods:
        lacking.append("cfads")
    if lacking or project.capex is None or project.loan_rate is None:
        names = ", ".join(lacking)
        problems.append(Words(f"债务承载力无法计算，缺少 {names}", f"debt capacity cannot be computed without {names}"))
        return None
    try:
        return debt_capacity(
            [p.cfads for p in periods],
            period_rates(periods, project.loan_rate),
            design.target_dscr,
            capex=project.capex,
            max_gearing=design.max_gearing,
        )
    except FinanceError as error:
        problems.append(Words(f"债务承载力无法计算：{error}", f"debt capacity cannot be computed: {error}"))
        return None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the catalogue's conditions may ask about."""

    project: Project
    category: Category
    needs: tuple[Need, ...]
    minimum_dscr: Decimal | None
    llcr: Decimal | None
    capacity: DebtCapacity

    def facts(self) -> Mapping[str, object]:
        """Give it as conditions name it."""
        capacity = self.capacity
        return {
            "project": asdict(self.project),
            "grade": self.category.name.lower(),
            "needs": [asdict(need) for need in self.needs],
            "ratios": {"minimum_dscr": self.minimum_dscr, "llcr": self.llcr},
            "capacity": {"debt": capacity.debt, "equity": capacity.equity, "binding": str(capacity.binding)},
        }


def _measures(dossier: Dossier, seen: _Seen, problems: list[Words]) -> tuple[Measure, ...]:
    chosen = []
    for item in dossier.playbook.service_design.catalogue:
        found = _asked(item.when, seen)
        if found is True:
            chosen.append(Measure(item, _because(item)))
        elif found is not False:
            problems.append(Words(f"服务目录 {item.name} 的规则无法判断：{found}", f"rule of {item.name}: {found}"))
    return tuple(chosen)


@lru_cache(maxsize=4096)
def _asked(when: str, seen: _Seen) -> bool | str:
    """Give whether a condition holds, or why it could not be asked; the same facts are asked once."""
    try:
        return holds(when, seen.facts())
    except ConditionError as error:
        return str(error)


def _because(item: CatalogueItem) -> Words:
    """Give why an item is offered: in the playbook's words, or else by the rule itself."""
    return item.because.words if item.because else Words(f"依据规则：{item.when}", f"by rule: {item.when}")


def _waiver(dossier: Dossier, as_of: datetime) -> Interaction | None:
    key = waiver_key(dossier.project.project_ref)
    signed = [
        t
        for t in dossier.held.answers_to(key)
        if t.kind is Touch.WAIVER and t.contact_ref and t.outcome and t.at <= as_of
    ]
    return min(signed, key=lambda t: (t.at, t.ext_id), default=None)


def _broken_rules(
    dossier: Dossier,
    slotted: SlottingGrade,
    measures: tuple[Measure, ...],
    needs: tuple[Need, ...],
    waiver: Interaction | None,
) -> list[Words]:
    problems: list[Words] = []
    kinds = {m.item.kind for m in measures}
    high_from = Category[dossier.playbook.service_design.high_risk_from.upper()]
    if slotted.category >= high_from and not kinds & set(_MITIGATING) and waiver is None:
        name = GRADES[slotted.category]
        problems.append(
            Words(
                f"风险评级为“{name.zh}”，方案须含担保或保险措施，或附经签署的豁免（{waiver_key(dossier.project.project_ref)}）",
                f"at grade {name.en} the package must carry a guarantee or insurance measure, or a signed waiver of "
                f"{waiver_key(dossier.project.project_ref)}",
            )
        )
    if any(need.kind == _GROWTH for need in needs) and not {"debt", "equity"} <= kinds:
        problems.append(
            Words("成长型需求须同时包含债权与股权", "a need for growth must be met by both debt and equity")
        )
    if not measures:
        problems.append(Words("服务目录中没有适用的项目", "no item of the catalogue applies"))
    return problems


def proposal(package: Package, *, for_customer: bool) -> Report:
    """Give the package as a document; the customer's leaves out the risk grade and its evidence."""
    amount = package.currency
    figures = [
        Figure(Words("债务承载力", "Debt capacity"), str(whole(package.capacity.debt)), CellKind.AMOUNT, amount),
        Figure(
            Words("资本金缺口", "Equity to be brought"),
            str(_whole_gap(package.capacity.equity)),
            CellKind.AMOUNT,
            amount,
        ),
        Figure(Words("目标 DSCR", "Target DSCR"), str(package.target_dscr), CellKind.RATIO),
        Figure(Words("最低 DSCR", "Minimum DSCR"), _ratio(package.minimum_dscr), CellKind.RATIO),
        Figure(Words("LLCR", "LLCR"), _ratio(package.llcr), CellKind.RATIO),
    ]
    tables = [_measures_table(package, for_customer=for_customer)]
    if not for_customer:
        figures.insert(0, Figure(Words("风险评级", "Risk grade"), package.grade_words))
        tables.append(_evidence_table(package))
        if package.needs:
            tables.append(_needs_table(package))
    return Report(
        name="service_package",
        title=package.title,
        figures=tuple(figures),
        tables=tuple(tables),
        sources=("Basel CRE33; (EU) 2021/598 Art. 2", "register: financials, assessments, needs"),
    )


def _ratio(value: Decimal | None) -> str:
    return "" if value is None else str(value.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN))


def _measures_table(package: Package, *, for_customer: bool) -> Table:
    columns = [Column(Words("服务", "Service")), Column(Words("类别", "Class"))]
    if not for_customer:
        columns.append(Column(Words("依据", "Because")))
    rows = []
    for measure in package.measures:
        row = [measure.item.title.words, _FAMILIES[measure.item.family]]
        rows.append((*row,) if for_customer else (*row, measure.because))
    return Table("measures", Words("服务内容", "Services"), tuple(columns), tuple(rows))


def _evidence_table(package: Package) -> Table:
    evidence = dict(package.evidence)
    return Table(
        "evidence",
        Words("评级依据", "Evidence of the grade"),
        (
            Column(Words("因素", "Factor")),
            Column(Words("等级（1 强 – 4 弱）", "Grade (1 strong – 4 weak)"), CellKind.COUNT),
            Column(Words("权重", "Weight"), CellKind.PERCENT),
            Column(Words("依据", "Evidence")),
        ),
        tuple(
            (
                _FACTORS.get(part.factor, Words(part.factor, part.factor)),
                str(int(part.grade)),
                str(part.weight),
                evidence.get(part.factor, ""),
            )
            for part in package.grade.evidence
        ),
        Words(
            f"加权平均 {package.grade.score}，取整为“{package.grade_words.zh}”",
            f"Weighted average {package.grade.score}, hence {package.grade_words.en}",
        ),
    )


def _needs_table(package: Package) -> Table:
    return Table(
        "needs",
        Words("客户需求（原话）", "Needs, in the customer's words"),
        (
            Column(Words("需求", "Need")),
            Column(Words("类别", "Kind")),
            Column(Words("提出日期", "Stated on"), CellKind.DATE),
        ),
        tuple((need.text, need_words(need.kind), need.stated_on.isoformat()) for need in package.needs),
    )
