from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.facts import RaciCode, RaciRow
from pfflow.domain.obligations import ObligationKind
from pfflow.domain.parties import Tier
from pfflow.domain.project import Phase
from pfflow.domain.words import Stage
from pfflow.stages.identification import decide
from tests.factories import (
    HELD_BY,
    applied,
    at,
    days,
    lived,
    make_dossier,
    make_facts,
    make_participation,
    make_project,
    told,
)

NOW = at("2026-01-05")


def party(decision: Decision, ref: str) -> dict[str, Any]:
    (found,) = [c for c in decision.conclusions if c.subject == f"party/{ref}"]
    return {**found.value, "because": found.because}


def findings(dossier: Dossier) -> list[tuple[str, str]]:
    return [(f.kind, f.subject) for f in decide(dossier, NOW).findings]


def with_party(ref: str, **changes: Any) -> Dossier:
    return make_dossier(parties=tuple(replace(p, **changes) if p.party_ref == ref else p for p in make_facts().parties))


def test_every_party_gets_one_segment_with_tier_strategy_and_the_rule_that_fired() -> None:
    decision = decide(make_dossier(), NOW)
    subjects = [c.subject for c in decision.conclusions if c.subject.startswith("party/")]
    assert len(subjects) == len(set(subjects)) == len(set(HELD_BY.values()) - {"CMD"})
    fund = party(decision, "FUND")
    assert (fund["segment"], fund["tier"], fund["strategy"]) == ("institutional-investor", "A", "coverage-and-return")
    assert fund["because"] == ('institutional-investor: party.kind == "investor" && party.capital_size >= 100000000')
    assert (party(decision, "BANK")["segment"], party(decision, "OPS")["segment"]) == (
        "commercial-lender",
        "department",
    )


def test_a_party_without_a_segment_is_concluded_so_listed_and_found() -> None:
    decision = decide(make_dossier(), NOW)
    assert (party(decision, "SPV")["segment"], party(decision, "SPV")["because"]) == (None, "no rule holds")
    (listed,) = [c for c in decision.conclusions if c.subject == "unclassified"]
    assert listed.value == {"parties": ["SPV"]}
    assert [(f.kind, f.subject) for f in decision.findings] == [("unclassified", "SPV")]


def test_the_registers_tier_goes_before_the_segments() -> None:
    assert party(decide(with_party("FUND", tier=Tier.C), NOW), "FUND")["tier"] == "C"


def test_the_owner_is_the_registers_then_the_segments_role_then_the_head() -> None:
    decision = decide(with_party("BANK", owner_ref="C-LAW"), NOW)
    owners = {ref: (party(decision, ref)["owner"], party(decision, ref)["owner_because"]) for ref in ("BANK", "FUND")}
    assert owners == {
        "BANK": ("C-LAW", "the register names the owner"),
        "FUND": ("C-REL", "the segment's role"),
    }
    assert party(decision, "SPV")["owner"] == "C-HEAD"
    unknown = decide(with_party("BANK", owner_ref="C-GONE"), NOW)
    assert party(unknown, "BANK")["owner_because"] == "the head of relationship, since nobody else is named"


def test_a_party_nobody_can_own_is_a_finding() -> None:
    contacts = tuple(c for c in make_facts().contacts if c.contact_ref != "C-HEAD")
    assert ("no-owner", "BANK") in findings(make_dossier(contacts=contacts))


def test_a_party_that_takes_no_part_today_is_not_looked_at() -> None:
    held = tuple(p for p in make_facts().participations if p.party_ref != "FUND")
    ended = make_participation("investor", "FUND", until=date(2026, 1, 4))
    decision = decide(make_dossier(participations=(*held, ended)), NOW)
    assert "party/FUND" not in {c.subject for c in decision.conclusions}


def test_a_change_of_the_facts_resegments_and_an_unchanged_party_is_no_news() -> None:
    dossier = make_dossier()
    dossier = applied(dossier, decide(dossier, NOW))
    changed = replace(
        dossier,
        held=replace(
            dossier.held, facts=replace(dossier.facts, parties=with_party("FUND", capital_size=None).facts.parties)
        ),
    )
    decision = decide(changed, at("2026-01-06"))
    assert {c.subject for c in decision.conclusions} == {"party/FUND", "unclassified"}


def test_the_kick_off_is_planned_once_and_everyone_is_invited_once() -> None:
    dossier, decisions = lived(make_dossier(), days("2026-01-05", "2026-02-13"), Stage.IDENTIFICATION)
    meetings = [o for o in dossier.held.obligations.values() if o.kind is ObligationKind.MEETING]
    (kickoff,) = meetings
    assert (kickoff.key, kickoff.due_on, kickoff.due_at) == ("G1/kickoff/1", date(2026, 1, 12), at("2026-01-12", 10, 0))
    invited = [contact for _, rung, contact in told(decisions) if rung.startswith("invite")]
    assert sorted(invited) == ["C-BANK2", "C-CMD", "C-REL", "C-SPON"]
    assert kickoff.title.en.startswith("Kick-off meeting")


def test_a_kick_off_before_spring_festival_is_held_after_it() -> None:
    """Five business days after Thursday 12 February: 13, 14 (worked), 24, 25, 26."""
    dossier = make_dossier(engaged_on=date(2026, 2, 12))
    (kickoff,) = [o for o in decide(dossier, at("2026-02-12")).obligations if o.kind is ObligationKind.MEETING]
    assert kickoff.due_on == date(2026, 2, 26)


def test_a_kick_off_in_a_year_whose_holidays_nobody_has_published_is_provisional() -> None:
    dossier = make_dossier(engaged_on=date(2026, 12, 30))
    (kickoff,) = [o for o in decide(dossier, at("2026-12-30")).obligations if o.kind is ObligationKind.MEETING]
    assert kickoff.provisional


def test_a_project_at_its_exit_has_no_kick_off() -> None:
    assert decide(make_dossier(project=make_project(phase=Phase.EXIT)), NOW).obligations == ()


def row(role: str, code: RaciCode, activity: str = "fund-use-report") -> RaciRow:
    return RaciRow(phase=Phase.IMPLEMENTATION, activity=activity, role=role, code=code)


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ((row("finance", RaciCode.RESPONSIBLE),), 0),
        ((row("finance", RaciCode.ACCOUNTABLE), row("legal", RaciCode.ACCOUNTABLE)), 2),
    ],
)
def test_an_activity_of_the_register_without_exactly_one_accountable_is_a_finding(
    rows: tuple[RaciRow, ...], count: int
) -> None:
    found = [f for f in decide(make_dossier(raci=rows), NOW).findings if f.kind == "not-one-accountable"]
    assert [(f.subject, f.text.en) for f in found] == [
        ("fund-use-report", f"fund-use-report has {count} Accountable roles; it needs exactly one")
    ]


def test_an_activity_that_only_the_register_knows_is_looked_at_too() -> None:
    rows = (row("finance", RaciCode.RESPONSIBLE, "insurance-review"),)
    assert ("not-one-accountable", "insurance-review") in findings(make_dossier(raci=rows))


def test_an_accountable_role_that_nobody_holds_is_a_finding() -> None:
    rows = (row("treasurer", RaciCode.ACCOUNTABLE),)
    assert ("role-not-held", "fund-use-report/treasurer") in findings(make_dossier(raci=rows))
