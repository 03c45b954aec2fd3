"""Identification: who is who, in which segment and tier and why, who owns the relationship; the kick-off meeting."""

from __future__ import annotations

from datetime import datetime

from pfflow.domain.audience import contacts_at, participants, parties_in, raci_of
from pfflow.domain.business_days import Convention, adjust, wall_instant
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import climb
from pfflow.domain.obligations import Obligation, ObligationKind, derived_key
from pfflow.domain.offsets import offset_date
from pfflow.domain.parties import Level, PartyKind
from pfflow.domain.project import Phase
from pfflow.domain.segmentation import Classification, classify
from pfflow.domain.words import Stage

STAGE = Stage.IDENTIFICATION


def decide(dossier: Dossier, as_of: datetime) -> Decision:
    """Segment the project's parties, check its RACI, and bring everyone together once."""
    draft = Draft(dossier, STAGE, as_of)
    _classify_parties(draft)
    _check_raci(draft)
    _plan_kickoff(draft)
    climb(draft)
    return draft.decision()


def _classify_parties(draft: Draft) -> None:
    dossier = draft.dossier
    held = [p for p in dossier.facts.participations if p.holds_on(draft.today)]
    unclassified: list[str] = []
    for party in participants(dossier, draft.today):
        if party.kind is PartyKind.GROUP:
            continue
        roles = tuple(sorted(p.role for p in held if p.party_ref == party.party_ref))
        classification = classify(party, dossier.project, dossier.playbook.segments, roles)
        if classification.segment is None:
            unclassified.append(party.party_ref)
        _conclude_party(draft, classification)
    draft.conclude("unclassified", {"parties": unclassified}, "parties for which no segment's rule holds")
    for ref in unclassified:
        draft.find("unclassified", ref, f"{ref} 未归入任何客群", f"{ref} is in no segment: no rule holds for it")


def _conclude_party(draft: Draft, classification: Classification) -> None:
    party, segment = classification.party, classification.segment
    owner, owned_because = _owner(draft, classification)
    draft.conclude(
        f"party/{party.party_ref}",
        {
            "segment": segment.name if segment else None,
            "segment_title": segment.title.words.as_json() if segment else None,
            "tier": str(party.tier or (segment.tier if segment else "")) or None,
            "strategy": segment.strategy if segment else None,
            "strategy_title": segment.strategy_title.words.as_json() if segment and segment.strategy_title else None,
            "checklist": segment.checklist if segment else "",
            "owner": owner,
            "owner_because": owned_because,
        },
        classification.because,
    )


def _owner(draft: Draft, classification: Classification) -> tuple[str | None, str]:
    """Give who owns the relationship: the party's own owner, the segment's role, or the head of relationship."""
    dossier, party, segment = draft.dossier, classification.party, classification.segment
    if any(c.contact_ref == party.owner_ref for c in dossier.facts.contacts):
        return party.owner_ref, "the register names the owner"
    for role, because in (
        (segment.owner if segment else "", "the segment's role"),
        (dossier.playbook.house.head, "the head of relationship, since nobody else is named"),
    ):
        found = contacts_at(
            dossier.facts.contacts, parties_in(dossier, role, draft.today) if role else (), Level.WORKING
        )
        if found:
            return found[0].contact_ref, because
    draft.find("no-owner", party.party_ref, f"{party.party_ref} 无关系负责人", f"nobody owns {party.party_ref}")
    return None, "nobody"


def _check_raci(draft: Draft) -> None:
    in_register = {r.activity for r in draft.dossier.facts.raci if r.phase is draft.dossier.project.phase}
    for activity in sorted(in_register | set(draft.dossier.playbook.activities)):
        accountable = raci_of(draft.dossier, activity).accountable
        if len(accountable) != 1:
            draft.find(
                "not-one-accountable",
                activity,
                f"{activity}：须有且仅有一个负责角色（A），现有 {len(accountable)} 个",
                f"{activity} has {len(accountable)} Accountable roles; it needs exactly one",
            )
        for role in accountable:
            if not parties_in(draft.dossier, role, draft.today):
                draft.find(
                    "role-not-held",
                    f"{activity}/{role}",
                    f"{activity} 的负责角色 {role} 在本项目无人担任",
                    f"nobody in the project is {role}, which is Accountable for {activity}",
                )


def _plan_kickoff(draft: Draft) -> None:
    dossier, kickoff = draft.dossier, draft.dossier.playbook.kickoff
    if dossier.project.phase is Phase.EXIT:
        return
    unadjusted = offset_date(dossier.engaged_on, kickoff.after, dossier.calendar)
    on = adjust(unadjusted, Convention.FOLLOWING, dossier.calendar)
    draft.plan(
        Obligation(
            key=derived_key(dossier.project.project_ref, "kickoff", "1"),
            project_ref=dossier.project.project_ref,
            stage=STAGE,
            kind=ObligationKind.MEETING,
            title=kickoff.title.words,
            due_at=wall_instant(on, kickoff.at, dossier.playbook.zone),
            due_on=on,
            unadjusted_on=unadjusted,
            timezone=dossier.playbook.timezone,
            ladder=kickoff.ladder,
            activity=kickoff.activity,
            debtor=_first(raci_of(dossier, kickoff.activity).responsible),
            provisional=dossier.calendar.is_provisional(on),
            minutes=kickoff.minutes,
        ),
        f"{kickoff.after} after the first day of the relationship, {dossier.engaged_on.isoformat()}",
    )


def _first(roles: tuple[str, ...]) -> str:
    return roles[0] if roles else ""
