"""Who may answer an obligation, and for when: one rule for the command line and the forms.

What people say is asked of this rule when it is said. What a register brings in is history and is not asked again: it
is heard by `pfflow.domain.hearing` as it stands there.

Four circles of people have to do with an obligation. Who *owes* it: its debtor and the Responsible. Who *answers* for
it: the Accountable, whoever its ladder escalates to, the owner of the relationship and the head. Whom it is *owed to*
by name; who is merely informed, with others, is not, since one of several lenders speaks for none of the others. Who
is *written to* by its ladder. Whoever took a part over or stands in belongs to the circle of the one who is away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pfflow.domain.audience import (
    absence_of,
    accountable_for,
    contacts_by_ref,
    owner_of,
    parties_in,
    raci_of,
    roles_meant,
    stand_in,
)
from pfflow.domain.courses import rungs_of
from pfflow.domain.drafting import Draft
from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.hearing import written_to
from pfflow.domain.ladder import Action
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.parties import Contact, Party, PartyKind
from pfflow.domain.words import Words

VERDICTS = frozenset({Touch.APPROVAL, Touch.REJECTION, Touch.REWORK})
"""What is said of an approval; only who is Accountable says it."""

_CUSTOMERS = frozenset({Touch.CONFIRMATION, Touch.REJECTION})
"""What only the party that reported a problem says; intake knows which one that is."""
_ASKING = frozenset({Action.REQUEST, Action.REMIND})
_HOUSE = frozenset({PartyKind.DEPARTMENT, PartyKind.GROUP})
_HELD_BY_ALL = frozenset({ObligationKind.MEETING, ObligationKind.SURVEY})
"""What is owed to nobody, so that who owes it may call it off."""
_NAMED = 6
"""How many of those who may answer are named before the rest are counted."""

_CALLED = {
    Touch.ACKNOWLEDGEMENT: "确认",
    Touch.FULFILMENT: "完成答复",
    Touch.WAIVER: "豁免",
    Touch.APPROVAL: "审批",
    Touch.REJECTION: "否决",
    Touch.REWORK: "退回",
    Touch.RESOLUTION: "解决答复",
}


@dataclass(frozen=True, slots=True)
class Span:
    """Since when an obligation exists (None where nobody knows) and until when something can have been said of it."""

    since: datetime | None
    until: datetime


def untimely(touch: Interaction, span: Span, zone: ZoneInfo) -> Words | None:
    """Give why nothing can have been said at an instant: it lies ahead, or before what it is about existed."""

    def wall(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    if touch.at > span.until:
        said, last = wall(touch.at), wall(span.until)
        return Words(
            f"{said} 尚未到来（现为 {last}）；请写实际答复的时间",
            f"{said} lies in the future, now is {last}; say when it was said",
        )
    if span.since is not None and touch.at < span.since:
        said, first = wall(touch.at), wall(span.since)
        about = touch.obligation_key or touch.project_ref
        return Words(
            f"{said} 早于 {about} 的产生时间 {first}；请写此后的时间，更早的往来记入登记表“往来记录”",
            f"{said} is before {about} existed, which is since {first}; say a later time, and import what was said "
            "earlier with the register's interactions",
        )
    return None


def refusal(draft: Draft, obligation: Obligation, touch: Interaction) -> Words | None:
    """Give why an answer of this contact does not count, and whose would; None where it counts."""
    judge = _of_handover if touch.kind is Touch.HANDOVER else _of_answer
    return judge(draft, obligation, touch)


def same_house(one: Party | None, other: Party | None) -> bool:
    """Whether the people of two parties may take over from each other: one party, or two departments of the house."""
    if one is None or other is None:
        return False
    return one.party_ref == other.party_ref or (one.kind in _HOUSE and other.kind in _HOUSE)


def party_by_ref(draft: Draft, party_ref: str) -> Party | None:
    """Give a party of the project."""
    return next((p for p in draft.dossier.facts.parties if p.party_ref == party_ref), None)


def answerers(draft: Draft, obligation: Obligation, kind: Touch) -> tuple[Contact, ...]:
    """Give who may say this of an obligation, those it is first a matter of first, then in order of ref."""
    if obligation.kind is ObligationKind.APPROVAL and kind in VERDICTS:
        return accountable_for(draft.dossier, obligation, draft.today)
    owes, answers, owed_to = (_people(draft, parties) for parties in _circles(draft, obligation))
    asked = _people(draft, _meant(draft, obligation, _ASKING)) if obligation.kind is not ObligationKind.SURVEY else ()
    written = written_to(draft, obligation)
    own = owner_of(draft.dossier, obligation.subject)
    owner = _with_stand_ins(draft, (own,)) if own else ()
    taken = _with_stand_ins(draft, _known(draft, obligation.handed.values()))
    match kind:
        case Touch.WAIVER:
            own_matter = not obligation.creditor or obligation.kind in _HELD_BY_ALL
            found = (*answers, *owner, *owed_to, *(owes if own_matter else ()))
        case _ if obligation.details.get("part") == "response":
            # Whoever reported a problem does not answer it.
            found = (*owes, *taken, *answers, *owner)
        case Touch.ACKNOWLEDGEMENT:
            found = (*owes, *taken, *written, *answers, *owner, *owed_to)
        case Touch.RESOLUTION:
            found = (*owes, *taken, *answers, *owner)
        case _:
            heard = written if obligation.kind is ObligationKind.NOTICE else ()
            found = (*owes, *taken, *asked, *heard, *answers, *owner, *owed_to)
    return tuple(dict.fromkeys(found))


def not_asked(draft: Draft, survey: Obligation, contact: Contact) -> Words | None:
    """Give why a contact answers no survey: nobody of the party was asked; None where somebody was."""
    asked = _people(draft, _meant(draft, survey, frozenset({Action.REQUEST})))
    if contact.party_ref in {one.party_ref for one in asked}:
        return None
    who = _named(asked)
    return Words(
        f"{survey.key} 未询问 {contact.party_ref}，{contact.contact_ref} 的答卷不计；受访者为{who.zh}",
        f"{contact.party_ref} was not asked by {survey.key}, so the answer of {contact.contact_ref} would not count; "
        f"asked are {who.en}",
    )


def _of_answer(draft: Draft, obligation: Obligation, touch: Interaction) -> Words | None:
    if obligation.kind is not ObligationKind.APPROVAL and touch.kind in _CUSTOMERS:
        return None
    may = answerers(draft, obligation, touch.kind)
    if touch.contact_ref in {contact.contact_ref for contact in may}:
        return None
    called = Words(_CALLED.get(touch.kind, "答复"), f"the {touch.kind}")
    if obligation.kind is ObligationKind.APPROVAL and touch.kind in VERDICTS:
        return Words(
            f"{touch.contact_ref} 不是 {obligation.activity} 的负责人（A），其{called.zh}不计；"
            f"请由{_named(may).zh}答复",
            f"{touch.contact_ref} is not Accountable for {obligation.activity}, so {called.en} would not count; "
            f"ask {_named(may).en}",
        )
    if touch.kind is Touch.WAIVER and touch.contact_ref in {c.contact_ref for c in _debtors(draft, obligation)}:
        return Words(
            f"{touch.contact_ref} 属于 {obligation.key} 的责任方，不能自行豁免；请由{_named(may).zh}豁免",
            f"{touch.contact_ref} is of those who owe {obligation.key}, who do not waive it themselves; "
            f"ask {_named(may).en}",
        )
    return Words(
        f"{touch.contact_ref} 与 {obligation.key} 无关，其{called.zh}不计；请由{_named(may).zh}答复",
        f"{touch.contact_ref} does not answer for {obligation.key}, so {called.en} would not count; "
        f"ask {_named(may).en}",
    )


def _of_handover(draft: Draft, obligation: Obligation, touch: Interaction) -> Words | None:
    contacts = contacts_by_ref(draft.dossier)
    there = {contact.contact_ref: contact for contact in written_to(draft, obligation)}
    if touch.contact_ref not in there and touch.contact_ref not in obligation.handed:
        who = _named(there.values())
        return Words(
            f"{obligation.key} 的函件不发给 {touch.contact_ref}，无可移交；收件人为{who.zh}",
            f"{touch.contact_ref} is written nothing of {obligation.key}, so there is nothing to hand over; "
            f"written to are {who.en}",
        )
    by, to = contacts[touch.contact_ref], contacts[touch.to_ref]
    party = party_by_ref(draft, by.party_ref)
    if same_house(party, party_by_ref(draft, to.party_ref)):
        return None
    near = [
        c
        for c in sorted(contacts.values(), key=lambda c: (c.party_ref != by.party_ref, c.contact_ref))
        if c != by and same_house(party, party_by_ref(draft, c.party_ref))
    ]
    who = _named(near) if near else Words("无（登记表中没有其他同事）", "nobody: the register has no other of theirs")
    return Words(
        f"{to.contact_ref} 属于 {to.party_ref}，而 {by.contact_ref} 属于 {by.party_ref}，不得移交其他单位；"
        f"可移交：{who.zh}",
        f"{to.contact_ref} is of {to.party_ref} and {by.contact_ref} of {by.party_ref}: nothing is handed over to "
        f"another company; it may go to {who.en}",
    )


def _circles(draft: Draft, obligation: Obligation) -> tuple[set[str], set[str], set[str]]:
    """Give the parties that owe an obligation, answer for it, and are owed it by name, by ref."""
    raci, today = raci_of(draft.dossier, obligation.activity), draft.today

    def refs(roles: Iterable[str]) -> set[str]:
        return {party.party_ref for role in roles if role for party in parties_in(draft.dossier, role, today)}

    owes = refs((obligation.debtor, *raci.responsible))
    answers = refs((*raci.accountable, draft.dossier.playbook.house.head))
    answers |= _meant(draft, obligation, frozenset({Action.ESCALATE}))
    by_name = obligation.creditor not in raci.informed
    return owes, answers, refs((obligation.creditor,)) - owes if by_name else set()


def _debtors(draft: Draft, obligation: Obligation) -> tuple[Contact, ...]:
    return _people(draft, _circles(draft, obligation)[0])


def _meant(draft: Draft, obligation: Obligation, actions: frozenset[Action]) -> set[str]:
    """Give the parties that the rungs of some actions are for, by ref; the owner of a relationship is a person."""
    words = {rung.to for rung in rungs_of(draft.dossier.playbook, obligation) if rung.do in actions} - {"owner"}
    roles = {role for word in words for role in roles_meant(draft.dossier, word, obligation)}
    return {party.party_ref for role in roles for party in parties_in(draft.dossier, role, draft.today)}


def _people(draft: Draft, party_refs: set[str]) -> tuple[Contact, ...]:
    return _with_stand_ins(draft, (c for c in draft.dossier.facts.contacts if c.party_ref in party_refs))


def _with_stand_ins(draft: Draft, contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    found = sorted(contacts, key=lambda c: c.contact_ref)
    away = (c for c in found if absence_of(draft.dossier, c.contact_ref, draft.today))
    standing = (stand_in(draft.dossier, c, draft.today) for c in away)
    return tuple(dict.fromkeys((*found, *(c for c in standing if c is not None))))


def _known(draft: Draft, refs: Iterable[str]) -> list[Contact]:
    by_ref = contacts_by_ref(draft.dossier)
    return [by_ref[ref] for ref in refs if ref in by_ref]


def _named(contacts: Iterable[Contact]) -> Words:
    found = [f"{c.contact_ref} {c.name}" for c in contacts]
    if not found:
        return Words("（无人：登记表中没有这样的联系人）", "nobody: the register has no such contact")
    shown, rest = found[:_NAMED], len(found) - _NAMED
    zh, en = "、".join(shown), ", ".join(shown)
    return Words(f"{zh}等 {len(found)} 人", f"{en} or {rest} more") if rest > 0 else Words(zh, en)
