"""Small facts, playbooks and dossiers for tests; keyword changes make the one that is meant.

`applied` lays a decision over a dossier as the store would, and `lived` turns the crank day by day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from pfflow.calendars import business_calendar
from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.decision import Conclusion, Decision, Dossier, Holdings
from pfflow.domain.facts import (
    Assessment,
    BudgetLine,
    Facts,
    Financial,
    FundUse,
    Interaction,
    Need,
    SurveyAnswer,
    Touch,
    Undertaking,
)
from pfflow.domain.ladder import Firing
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.parties import Contact, Level, Participation, Party, PartyKind, Realm
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Milestone, Phase, Project
from pfflow.domain.words import Stage, Words
from pfflow.stages import communication, evaluation, identification, information_gathering, service_design

PLAYBOOK = Path(__file__).parent / "unit" / "data" / "playbook.yaml"
SHANGHAI = ZoneInfo("Asia/Shanghai")

Decide = Callable[[Dossier, datetime], Decision]
FIVE: Mapping[Stage, Decide] = {
    Stage.IDENTIFICATION: identification.decide,
    Stage.INFORMATION_GATHERING: information_gathering.decide,
    Stage.SERVICE_DESIGN: service_design.decide,
    Stage.COMMUNICATION: communication.decide,
    Stage.EVALUATION: evaluation.decide,
}


def at(day: str, hour: int = 9, minute: int = 30) -> datetime:
    """Give the instant (UTC) of a wall time in Shanghai, half past nine if nothing is said: letters go out at nine."""
    return datetime.combine(date.fromisoformat(day), time(hour, minute), SHANGHAI).astimezone(UTC)


@lru_cache(maxsize=1)
def china() -> BusinessCalendar:
    """Give China's calendar, published to the end of 2026."""
    return business_calendar(["CN"], 2025, 2028)


def make_playbook(**changes: Any) -> Playbook:
    """Give the small motorway playbook; a change replaces a key, and keys below one that is a mapping."""
    data = YAML(typ="safe").load(PLAYBOOK.read_text(encoding="utf-8"))
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            data[key] = {**data[key], **value}
        else:
            data[key] = value
    return Playbook.model_validate(data)


def make_party(ref: str = "BANK", **changes: Any) -> Party:
    """Give an external lender."""
    return replace(Party(party_ref=ref, name=f"{ref} Ltd", name_zh=f"{ref}公司", kind=PartyKind.LENDER), **changes)


def make_contact(ref: str = "C-BANK", party: str = "", **changes: Any) -> Contact:
    """Give a working-level contact of the party that the ref names after its first letters."""
    owner = party or ref.removeprefix("C-")
    contact = Contact(contact_ref=ref, party_ref=owner, name=f"Person {ref}", email=f"{ref.lower()}@house.example")
    return replace(contact, **changes)


def make_project(**changes: Any) -> Project:
    """Give a motorway under construction."""
    project = Project(
        project_ref="G1",
        name="Motorway",
        name_zh="高速公路",
        phase=Phase.IMPLEMENTATION,
        capex=Decimal(1000),
        debt=Decimal(700),
        equity=Decimal(300),
        loan_rate=Decimal("0.06"),
        currency="CNY",
    )
    return replace(project, **changes)


def make_participation(role: str, party: str, **changes: Any) -> Participation:
    """Give a role that a party holds in the motorway."""
    return replace(Participation(project_ref="G1", party_ref=party, role=role), **changes)


def make_obligation(**changes: Any) -> Obligation:
    """Give a report that finance owes the bank by Thursday 15 January 2026, 17:00 in Shanghai."""
    obligation = Obligation(
        key="G1/report/2026-01-15",
        project_ref="G1",
        stage=Stage.COMMUNICATION,
        kind=ObligationKind.REPORT,
        title=Words("资金使用报告", "Fund-use report"),
        due_at=at("2026-01-15", 17, 0),
        due_on=date(2026, 1, 15),
        unadjusted_on=date(2026, 1, 15),
        timezone="Asia/Shanghai",
        ladder="report",
        activity="fund-use-report",
        debtor="finance",
        creditor="lender",
    )
    return replace(obligation, **changes)


def make_touch(kind: Touch, key: str = "", **changes: Any) -> Interaction:
    """Give what a contact of the bank said of an obligation on 12 January 2026."""
    touch = Interaction(
        ext_id="T1",
        project_ref="G1",
        at=at("2026-01-12", 12, 0),
        kind=kind,
        contact_ref="C-BANK",
        party_ref="BANK",
        obligation_key=key,
    )
    return replace(touch, **changes)


def make_financial(metric: str, value: str, **changes: Any) -> Financial:
    """Give an actual figure of the motorway for the year 2025."""
    figure = Financial(
        subject_ref="G1", period_end=date(2025, 12, 31), metric=metric, value=Decimal(value), source="audited"
    )
    return replace(figure, **changes)


def make_undertaking(**changes: Any) -> Undertaking:
    """Give the covenant DSCR >= 1.15 of the borrower towards the bank."""
    undertaking = Undertaking(
        obligation_ref="U-DSCR",
        project_ref="G1",
        kind="covenant",
        description="DSCR",
        debtor_ref="SPV",
        creditor_ref="BANK",
        metric="dscr",
        operator=">=",
        threshold=Decimal("1.15"),
    )
    return replace(undertaking, **changes)


def make_payment(voucher: str, paid_on: str, amount: str = "10", **changes: Any) -> FundUse:
    """Give a payment out of the civil works line."""
    payment = FundUse(
        paid_on=date.fromisoformat(paid_on),
        project_ref="G1",
        amount=Decimal(amount),
        budget_line="civil",
        voucher=voucher,
        payee="CON",
    )
    return replace(payment, **changes)


def make_answer(number: int, question: str, score: int, **changes: Any) -> SurveyAnswer:
    """Give one answer of 20 January 2026 about the house."""
    answer = SurveyAnswer(
        survey_ref=f"S{number}",
        project_ref="G1",
        respondent_ref="BANK",
        answered_on=date(2026, 1, 20),
        question=question,
        score=Decimal(score),
    )
    return replace(answer, **changes)


def make_milestone(**changes: Any) -> Milestone:
    """Give the opening of the motorway, planned for 30 June 2026."""
    milestone = Milestone(
        project_ref="G1", milestone="toll", name="Opening", planned_on=date(2026, 6, 30), owner_role="engineering"
    )
    return replace(milestone, **changes)


def assessments(number: int) -> tuple[Assessment, ...]:
    """Give the five factors of Basel, all of one grade, so that the category is that grade."""
    weights = {"financial_strength": 30, "political_and_legal": 10, "transaction": 30, "sponsor": 15, "security": 15}
    return tuple(
        Assessment(project_ref="G1", factor=factor, grade=number, weight=Decimal(weight), evidence=f"why {factor}")
        for factor, weight in weights.items()
    )


def base_case(*cfads: str) -> tuple[Financial, ...]:
    """Give the yearly CFADS of a base case, the first for 2026."""
    return tuple(
        make_financial("cfads", amount, period_end=date(2026 + number, 12, 31), basis="base-case")
        for number, amount in enumerate(cfads)
    )


def make_need(ref: str, kind: str, **changes: Any) -> Need:
    """Give what the borrower needs."""
    need = Need(need_ref=ref, project_ref="G1", party_ref="SPV", kind=kind, text="需要资金", stated_on=date(2026, 1, 2))
    return replace(need, **changes)


HELD_BY = {
    "relationship": "REL",
    "head-of-relationship": "HEAD",
    "joint-command": "CMD",
    "finance": "FIN",
    "operations": "OPS",
    "engineering": "ENG",
    "legal": "LAW",
    "lender": "BANK",
    "investor": "FUND",
    "sponsor": "SPON",
    "borrower": "SPV",
    "contractor": "CON",
}
"""Who holds which role in the motorway; the roles designer and supervisor are held by nobody."""

_KINDS = {
    "BANK": PartyKind.LENDER,
    "FUND": PartyKind.INVESTOR,
    "SPON": PartyKind.SPONSOR,
    "SPV": PartyKind.BORROWER,
    "CON": PartyKind.CONTRACTOR,
    "CMD": PartyKind.GROUP,
}


def _party(ref: str) -> Party:
    kind = _KINDS.get(ref, PartyKind.DEPARTMENT)
    external = kind not in (PartyKind.DEPARTMENT, PartyKind.GROUP)
    known: dict[str, Any] = {"capital_size": Decimal(10) ** 9} if ref == "FUND" else {}
    if ref == "BANK":
        known = {"policy_orientation": "green", "support_level": "high", "as_of": date(2025, 12, 31)}
    return make_party(ref, kind=kind, realm=Realm.EXTERNAL if external else Realm.INTERNAL, **known)


def make_facts(**changes: Any) -> Facts:
    """Give the motorway: a party for each role, a contact each, and the bank's manager; the fund's record is empty."""
    refs = sorted(set(HELD_BY.values()))
    facts = Facts(
        parties=tuple(map(_party, refs)),
        contacts=(
            *(make_contact(f"C-{ref}") for ref in refs),
            make_contact("C-BANK2", "BANK", level=Level.MANAGEMENT),
        ),
        projects=(make_project(),),
        participations=tuple(make_participation(role, ref) for role, ref in sorted(HELD_BY.items())),
        budget=(BudgetLine(project_ref="G1", budget_line="civil", amount=Decimal(500)),),
    )
    return replace(facts, **changes)


def make_dossier(
    *,
    playbook: Playbook | None = None,
    project: Project | None = None,
    obligations: Iterable[Obligation] = (),
    conclusions: Iterable[Conclusion] = (),
    calendar: BusinessCalendar | None = None,
    engaged_on: date = date(2026, 1, 5),
    **facts: Any,
) -> Dossier:
    """Give the motorway's dossier on its first day, Monday 5 January 2026; other keywords change its facts."""
    stands = project or make_project()
    return Dossier(
        held=Holdings(
            project=stands,
            facts=make_facts(projects=(stands,), **facts),
            obligations={o.key: o for o in obligations},
            conclusions={(c.stage, c.subject): c for c in conclusions},
        ),
        playbook=playbook or small_playbook(),
        calendar=calendar or china(),
        engaged_on=engaged_on,
    )


@lru_cache(maxsize=1)
def small_playbook() -> Playbook:
    """Give the small motorway playbook, read once."""
    return make_playbook()


def with_facts(dossier: Dossier, **changes: Any) -> Dossier:
    """Give the dossier with sheets replaced, as an import would leave it."""
    held = dossier.held
    facts = replace(held.facts, **changes)
    return replace(dossier, held=replace(held, facts=facts, project=facts.projects[0]))


def fired(dossier: Dossier, *firings: Firing) -> Dossier:
    """Give the dossier with rungs that were reached before."""
    more = {(f.obligation_key, f.rung): f for f in firings}
    return replace(dossier, held=replace(dossier.held, firings={**dossier.held.firings, **more}))


def saying(dossier: Dossier, *touches: Interaction) -> Dossier:
    """Give the dossier after people said something."""
    return with_facts(dossier, interactions=(*dossier.facts.interactions, *touches))


def applied(dossier: Dossier, decision: Decision) -> Dossier:
    """Give the dossier as the store would hold it after recording a decision: a firing that is there stays."""
    held = dossier.held
    fired = {(f.obligation_key, f.rung): f for f in decision.firings}
    return replace(
        dossier,
        held=replace(
            held,
            obligations={**held.obligations, **{o.key: o for o in decision.obligations}},
            firings={**fired, **held.firings},
            conclusions={**held.conclusions, **{(c.stage, c.subject): c for c in decision.conclusions}},
            engaged_at=held.engaged_at or decision.as_of,
            decided_to={**held.decided_to, decision.stage: decision.as_of},
        ),
    )


def lived(dossier: Dossier, instants: Iterable[datetime], *stages: Stage) -> tuple[Dossier, tuple[Decision, ...]]:
    """Decide the stages (all five if none is named) at each instant, one laid over the other."""
    decisions: list[Decision] = []
    for instant in instants:
        for stage in stages or tuple(Stage):
            decision = FIVE[stage](dossier, instant)
            dossier = applied(dossier, decision)
            decisions.append(decision)
    return dossier, tuple(decisions)


def days(first: str, last: str, hour: int = 9, minute: int = 30) -> list[datetime]:
    """Give one instant a day, both ends included."""
    start, end = date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal()
    return [at(date.fromordinal(n).isoformat(), hour, minute) for n in range(start, end + 1)]


def told(decisions: Iterable[Decision]) -> list[tuple[str, str, str]]:
    """Give what was sent: the day in Shanghai, the rung, the contact; in the order it was decided."""
    return [
        (notice.noticed_at.astimezone(SHANGHAI).date().isoformat(), notice.rung, notice.contact_ref)
        for decision in decisions
        for notice in decision.notices
    ]


def outcomes(dossier: Dossier, key: str) -> dict[str, str]:
    """Give what became of an obligation's rungs: fired, skipped, merged or heard."""
    return {rung: firing.outcome for (owed, rung), firing in dossier.held.firings.items() if owed == key}


def make_firing(**changes: Any) -> Firing:
    """Give the report's first escalation, fired on 16 January 2026."""
    firing = Firing(
        obligation_key="G1/report/2026-01-15",
        rung="escalate+1bd-accountable",
        due_at=at("2026-01-16", 9, 0),
        fired_at=at("2026-01-16"),
        outcome="fired",
    )
    return replace(firing, **changes)
