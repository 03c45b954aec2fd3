"""Who answers what, how and when: derived from the script and the obligation's key, so the same on every machine.

Answering is what people do in the live system: they say that something is done (a touch), book a payment, or supply
the facts they were asked for. What the house itself sends needs nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from hashlib import sha256
from types import MappingProxyType
from typing import Any, get_type_hints

from pfflow.domain.audience import absence_of, accountable_for, contacts_at, parties_in, stand_in
from pfflow.domain.business_days import add_business_days, wall_instant
from pfflow.domain.decision import Dossier
from pfflow.domain.facts import Financial, FundUse, Interaction, Touch
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.offsets import offset_instant
from pfflow.domain.parties import Contact, Direction, Level, Party
from pfflow.rehearsal.script import AnswerRule, Answers, Script

_TOUCH = {
    ObligationKind.MEETING: Touch.MEETING,
    ObligationKind.APPROVAL: Touch.APPROVAL,
    ObligationKind.NOTICE: Touch.ACKNOWLEDGEMENT,
}
_DONE_AT, _BACK_AT = time(16), time(10)
_MINUTES_TAKE = timedelta(hours=2)
_READING_TAKES = timedelta(hours=4)
_ON_TIME = AnswerRule(answers=Answers.ON_TIME)
_SOURCE = "rehearsal"
_TYPES: Mapping[str, object] = MappingProxyType(get_type_hints(Party))


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody will say or do, and when: a touch, or records that come into the register."""

    at: datetime
    obligation_key: str
    touch: Interaction | None = None
    records: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class People:
    """Everybody, as the script has them. `history` gives the lateness in days a party showed, and everybody's."""

    script: Script
    history: Callable[[str], Sequence[int]]

    def reply(self, dossier: Dossier, owed: Obligation, asked: Sequence[str], at: datetime) -> Reply | None:
        """Give what comes back to an obligation of which people (contact refs) are told; None for nothing.

        Raises nothing: an obligation nobody holds is answered by nobody.
        """
        if owed.content in ("progress", "scorecard") or owed.kind is ObligationKind.OFFER:
            return None
        on = at.astimezone(dossier.playbook.zone).date()
        answerer = _answerer(dossier, owed, asked, on)
        if answerer is None:
            return None
        rule = next((r for r in self.script.answers if _fits(r, dossier, owed, answerer, on)), _ON_TIME)
        answered_at = self._answered_at(dossier, owed, rule, answerer, at)
        if answered_at is None:
            return None
        who, answered_at = _if_away(dossier, answerer, answered_at)
        return _reply(dossier, owed, who, answered_at)

    def pays(self, dossier: Dossier, owed: Obligation, at: datetime) -> Reply | None:
        """Give what its debtor says when something is paid after all."""
        who = _answerer(dossier, owed, (), at.astimezone(dossier.playbook.zone).date())
        return _reply(dossier, owed, who, at) if who is not None else None

    def _answered_at(
        self, dossier: Dossier, owed: Obligation, rule: AnswerRule, answerer: Contact, asked_at: datetime
    ) -> datetime | None:
        match rule.answers:
            case Answers.NEVER:
                return None
            case Answers.AFTER if rule.after is not None:
                hours, zone = dossier.playbook.hours, dossier.playbook.zone
                after = offset_instant(
                    asked_at,
                    rule.after,
                    dossier.calendar,
                    zone=zone,
                    at=_DONE_AT,
                    opens=hours.opens,
                    closes=hours.closes,
                )
                return max(after, _earliest(owed, asked_at))
            case Answers.SPREAD:
                drawn, so_far = self._drawn(owed.key), Decimal(0)
                for one in rule.spread:
                    so_far += one.share
                    if drawn < so_far:
                        return _late_by(dossier, owed, one.late, asked_at)
                return None
            case Answers.AS_IN_HISTORY:
                past = sorted(self.history(answerer.party_ref))
                late = past[int(self._drawn(owed.key) * len(past))] if past else 0
                return _late_by(dossier, owed, max(0, late), asked_at)
            case _:
                return _late_by(dossier, owed, 0, asked_at)

    def _drawn(self, key: str) -> Decimal:
        """Give a number from 0 up to 1 that depends on the seed and the key alone."""
        digest = sha256(f"{self.script.seed}/{key}".encode()).digest()
        return Decimal(int.from_bytes(digest[:6])) / Decimal(1 << 48)


def _if_away(dossier: Dossier, who: Contact, at: datetime) -> tuple[Contact, datetime]:
    """Give who answers and when, if somebody is away then: who stands in, or the same person once back."""
    zone = dossier.playbook.zone
    while (absence := absence_of(dossier, who.contact_ref, at.astimezone(zone).date())) is not None:
        standing = stand_in(dossier, who, at.astimezone(zone).date())
        if standing is not None:
            return standing, at
        at = wall_instant(add_business_days(absence.until, 1, dossier.calendar), _BACK_AT, zone)
    return who, at


def _fits(rule: AnswerRule, dossier: Dossier, owed: Obligation, who: Contact, on: date) -> bool:
    if rule.kind is not None and rule.kind is not owed.kind:
        return False
    if (rule.since and owed.due_on < rule.since) or (rule.until and owed.due_on > rule.until):
        return False
    if rule.contact and rule.contact != who.contact_ref:
        return False
    if rule.party and rule.party != who.party_ref:
        return False
    if rule.obligation and not fnmatchcase(owed.key, rule.obligation):
        return False
    return not rule.role or who.party_ref in {party.party_ref for party in parties_in(dossier, rule.role, on)}


def _answerer(dossier: Dossier, owed: Obligation, asked: Sequence[str], on: date) -> Contact | None:
    """Give who answers: the Accountable an approval, whoever was warned a warning, and else the one who owes."""
    if owed.kind is ObligationKind.APPROVAL:
        return next(iter(accountable_for(dossier, owed, on)), None)
    if owed.kind is ObligationKind.NOTICE:
        return next((c for c in dossier.facts.contacts if c.contact_ref in asked), None)
    held = dossier.held
    return held.remembered(("answers", owed.debtor, held.era(on)), lambda: _at_work(dossier, owed.debtor, on))


def _at_work(dossier: Dossier, role_or_ref: str, on: date) -> Contact | None:
    """Give who does the work of a role or party on a day: the first of those who may be written to."""
    parties = parties_in(dossier, role_or_ref, on) if role_or_ref else ()
    contacts = [c for c in dossier.facts.contacts if c.consent]
    return next(iter(contacts_at(contacts, parties, Level.WORKING)), None)


def _earliest(owed: Obligation, asked_at: datetime) -> datetime:
    """Give the first instant at which an answer makes sense: minutes come after their meeting."""
    if owed.kind is ObligationKind.MEETING:
        return owed.due_at + timedelta(minutes=owed.minutes) + _MINUTES_TAKE
    return asked_at + _READING_TAKES


def _late_by(dossier: Dossier, owed: Obligation, late: int, asked_at: datetime) -> datetime:
    """Give when an answer comes that many business days late; on time is the business day before, or at once."""
    earliest, zone = _earliest(owed, asked_at), dossier.playbook.zone
    if late:
        on = owed.due_on if owed.kind is not ObligationKind.NOTICE else asked_at.astimezone(zone).date()
        return max(earliest, wall_instant(add_business_days(on, late, dossier.calendar), _DONE_AT, zone))
    if owed.kind in (ObligationKind.MEETING, ObligationKind.NOTICE):
        return earliest
    return max(earliest, wall_instant(add_business_days(owed.due_on, -1, dossier.calendar), _DONE_AT, zone))


def _reply(dossier: Dossier, owed: Obligation, who: Contact, at: datetime) -> Reply | None:
    if owed.content == "fund-use":
        return _booking(dossier, owed, at)
    if owed.kind is ObligationKind.FACT:
        return Reply(at, owed.key, records=_supplied(dossier, owed, at.astimezone(dossier.playbook.zone).date()))
    touch = Interaction(
        ext_id=f"rehearsed-{sha256(owed.key.encode()).hexdigest()[:16]}",
        project_ref=owed.project_ref,
        party_ref=who.party_ref,
        contact_ref=who.contact_ref,
        at=at,
        kind=_TOUCH.get(owed.kind, Touch.FULFILMENT),
        direction=Direction.INBOUND,
        subject=owed.title.en or owed.title.zh,
        outcome=_SOURCE,
        obligation_key=owed.key,
    )
    return Reply(at, owed.key, touch=touch)


def _booking(dossier: Dossier, owed: Obligation, at: datetime) -> Reply | None:
    """Book a payment in the period that the report is about, if none is booked: the report itself the house makes."""
    end = owed.period_end or owed.unadjusted_on
    start = owed.period_start or end.replace(day=1)
    if dossier.held.paid_within(start, end):
        return None
    line = next((one.budget_line for one in dossier.facts.budget), "")
    payment = FundUse(
        paid_on=start,
        project_ref=owed.project_ref,
        amount=Decimal(0),
        currency=dossier.project.currency,
        purpose=_SOURCE,
        budget_line=line,
        voucher=f"{_SOURCE}-{start.isoformat()}",
    )
    return Reply(at, owed.key, records={"fund_use": (payment,)})


def _supplied(dossier: Dossier, owed: Obligation, on: date) -> dict[str, tuple[Any, ...]]:
    """Give the records a party supplies: what was too old anew, and what was missing as a placeholder."""
    party = next(p for p in dossier.facts.parties if p.party_ref == owed.subject)
    asked = owed.details.get("items")
    names = {str(i["name"]) for i in asked if isinstance(i, Mapping)} if isinstance(asked, Sequence) else set()
    wanted = [i for items in dossier.playbook.checklists.values() for i in items if i.name in names]
    figures = {i.metric: _figure(dossier, party, i.metric, on) for i in wanted if i.metric}
    changes: dict[str, Any] = {
        i.field: getattr(party, i.field) or _placeholder(_TYPES[i.field]) for i in wanted if i.field
    }
    return {"parties": (replace(party, **changes, as_of=on),), "financials": tuple(figures.values())}


def _figure(dossier: Dossier, party: Party, metric: str, on: date) -> Financial:
    known = [f for f in dossier.facts.financials if f.subject_ref == party.party_ref and f.metric == metric]
    latest = max(known, key=lambda f: f.period_end, default=None)
    value = latest.value if latest else Decimal(1)
    return Financial(
        subject_ref=party.party_ref, period_end=on, metric=metric, value=value, currency=party.currency, source=_SOURCE
    )


def _placeholder(kind: object) -> object:
    return Decimal(1) if Decimal in getattr(kind, "__args__", (kind,)) else _SOURCE
