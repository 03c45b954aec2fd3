"""How the relationship stands: retention, referral and satisfaction of external customers over a period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from pfflow.domain.business_days import wall_instant
from pfflow.domain.decision import Dossier
from pfflow.domain.facts import SurveyAnswer
from pfflow.domain.parties import Participation, Party, Realm
from pfflow.domain.retention import CohortMember, ReferralRate, Retention, referral_rate, retention
from pfflow.domain.satisfaction import Measured, csat, nps

_REFERRAL = "referral:"
"""How the source of a party names who referred it: referral:P-03."""
_EVER = date(1900, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """The measures of a period, both ends included, each with the names or answers behind it."""

    first: date
    last: date
    retention: Retention
    referral: ReferralRate
    nps: Measured
    csat: Measured
    detractors: tuple[str, ...]


def relationship(dossier: Dossier, first: date, last: date) -> Relationship:
    """Measure the external customers of a project from `first` to `last`."""
    ends_at = wall_instant(last + timedelta(days=1), time(0), dossier.playbook.zone)
    measured = ("relationship", first, last)
    return dossier.held.remembered_before(measured, ends_at, lambda: _measured(dossier, first, last, ends_at))


def _measured(dossier: Dossier, first: date, last: date, ends_at: datetime) -> Relationship:
    parties = [party for party in dossier.facts.parties if party.realm is Realm.EXTERNAL]
    members = [_member(dossier, party, last, ends_at) for party in parties]
    cohort = [member for member in members if member is not None]
    external = {party.party_ref for party in parties}
    answers = [
        a
        for a in dossier.facts.surveys
        if not a.about_ref and a.respondent_ref in external and first <= a.answered_on <= last
    ]
    nps_answers = _asked(answers, "nps")
    return Relationship(
        first=first,
        last=last,
        retention=retention(cohort, first, last),
        referral=referral_rate(cohort, first, last),
        nps=nps([a.score for a in nps_answers]),
        csat=csat([a.score for a in _asked(answers, "csat")]),
        detractors=tuple(sorted({a.respondent_ref for a in nps_answers if a.score <= Decimal(6)})),
    )


def _asked(answers: list[SurveyAnswer], question: str) -> list[SurveyAnswer]:
    return [a for a in answers if a.question == question]


def _member(dossier: Dossier, party: Party, last: date, ends_at: datetime) -> CohortMember | None:
    held = dossier.held.remembered("roles held", lambda: _by_party(dossier.facts.participations)).get(party.party_ref)
    if not held:
        return None
    zone = dossier.playbook.zone
    touched_at = dossier.held.last_touch_before(ends_at, party.party_ref)
    ends = [p.until for p in held if p.until is not None]
    open_ended = len(ends) < len(held)
    return CohortMember(
        party_ref=party.party_ref,
        joined_on=min((p.since for p in held if p.since is not None), default=_EVER),
        left_on=None if open_ended else max(ends) + timedelta(days=1),
        last_touch_on=touched_at.astimezone(zone).date() if touched_at else None,
        referred_by=_referrer(party),
        has_active_mandate=any(p.holds_on(last) for p in held),
    )


def _by_party(participations: Iterable[Participation]) -> dict[str, list[Participation]]:
    found: dict[str, list[Participation]] = {}
    for one in participations:
        found.setdefault(one.party_ref, []).append(one)
    return found


def _referrer(party: Party) -> str:
    """Give who referred a party; nobody refers itself, whatever the register says."""
    ref = party.source.removeprefix(_REFERRAL).strip() if party.source.startswith(_REFERRAL) else ""
    return "" if ref == party.party_ref else ref
