"""Answers to obligations: acknowledgements, fulfilments, waivers and verdicts, as interactions."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from pfflow.domain.answering import VERDICTS
from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.obligations import AWAITING, ISSUE, Obligation, ObligationKind
from pfflow.domain.parties import Contact, Direction

_SAYS_WHY = {
    Touch.WAIVER: "a waiver says why; give the reason",
    Touch.REWORK: "what is sent back says what to change; give the reason",
}


class AnswerError(ValueError):
    """An answer that answers nothing, or that somebody unknown gives."""


def answer_to(
    key: str,
    kind: Touch,
    *,
    by: str,
    because: str,
    at: datetime,
    obligations: Iterable[Obligation],
    contacts: Iterable[Contact],
    to: str = "",
) -> Interaction:
    """Give the interaction that says what a contact answers to an obligation; a hand-over names `to` whom.

    The same answer at the same instant has the same `ext_id`, so it counts once however often it is reported.
    Raises AnswerError, naming near matches, for an unknown obligation or contact, a closed obligation, a waiver or a
    hand-over without a reason, a verdict on what is no approval and anything else on what is one, and what only the
    customer of a problem can say. Who else may say it, and for when, is `pfflow.domain.answering`'s to judge.
    """
    by_key = {o.key: o for o in obligations}
    obligation = by_key.get(key)
    if obligation is None:
        raise AnswerError(f"there is no obligation {key!r}{_near(key, by_key)}")
    everyone = tuple(contacts)
    contact = require_contact(by, everyone)
    if not obligation.live:
        raise AnswerError(f"{key} is {obligation.status} since {obligation.closed_at}; nothing is owed any more")
    if kind in _SAYS_WHY and not because.strip():
        raise AnswerError(_SAYS_WHY[kind])
    if ISSUE in obligation.details:
        _refuse_of_issue(obligation, kind, contact)
    elif kind in VERDICTS and obligation.kind is not ObligationKind.APPROVAL:
        raise AnswerError(f"{key} is a {obligation.kind}, not an approval; acknowledge, fulfil or waive it")
    elif kind in (Touch.FULFILMENT, Touch.WAIVER) and obligation.kind is ObligationKind.APPROVAL:
        raise AnswerError(f"{key} is an approval; approve, reject or rework it")
    elif kind in (Touch.RESOLUTION, Touch.CONFIRMATION):
        raise AnswerError(f"{key} is a {obligation.kind}, no problem that somebody reported; fulfil or waive it")
    if kind is Touch.HANDOVER:
        _refuse_handover(contact, to, because, everyone)
    elif to:
        raise AnswerError(f"to {to}: only a hand-over goes to somebody; leave it out")
    digest = sha256(f"{key}\n{kind}\n{by}\n{at.isoformat()}{to and chr(10)}{to}".encode()).hexdigest()[:16]
    return Interaction(
        ext_id=f"answer-{digest}",
        project_ref=obligation.project_ref,
        party_ref=contact.party_ref,
        contact_ref=by,
        at=at,
        kind=kind,
        direction=Direction.INBOUND,
        subject=obligation.title.en or obligation.title.zh,
        outcome=because.strip(),
        obligation_key=key,
        to_ref=to,
    )


def issue_from(
    project_ref: str, *, by: str, text: str, severity: str, at: datetime, contacts: Iterable[Contact]
) -> Interaction:
    """Give the interaction by which a contact reports a problem; its ext_id names the problem from then on.

    Raises AnswerError for an unknown contact and for a report that says nothing.
    """
    contact = require_contact(by, contacts)
    said = " ".join(text.split())
    if not said:
        raise AnswerError("a report says what the problem is; write it in a sentence")
    digest = sha256(f"{project_ref}\n{by}\n{said}\n{at.isoformat()}".encode()).hexdigest()[:8]
    return Interaction(
        ext_id=f"P-{digest}",
        project_ref=project_ref,
        party_ref=contact.party_ref,
        contact_ref=by,
        at=at,
        kind=Touch.ISSUE,
        direction=Direction.INBOUND,
        subject=said,
        severity=severity,
    )


def _refuse_handover(contact: Contact, to: str, because: str, contacts: Iterable[Contact]) -> None:
    if not to:
        raise AnswerError("a hand-over says to whom; name the contact")
    if require_contact(to, contacts) == contact:
        raise AnswerError(f"{to} has it already; name another contact to hand it over to")
    if not because.strip():
        raise AnswerError("a hand-over says why; give the reason")


def _refuse_of_issue(obligation: Obligation, kind: Touch, contact: Contact) -> None:
    """Refuse what does not fit the part of a problem that an obligation is, or is not this contact's to say."""
    part = str(obligation.details.get("part"))
    customer = obligation.debtor if part == "confirmation" else obligation.creditor
    theirs = contact.party_ref == customer
    awaits = part == "confirmation" or bool(obligation.details.get(AWAITING))
    confirms = kind is Touch.CONFIRMATION or (kind is Touch.FULFILMENT and part == "confirmation")
    if (confirms or kind is Touch.REJECTION) and not theirs:
        raise AnswerError(
            f"only {customer}, who reported it, says whether it is solved; {contact.contact_ref} is not theirs"
        )
    if confirms and part == "response":
        raise AnswerError(f"{obligation.key} is the answer to a problem; acknowledge it, or confirm its solution")
    if kind is Touch.REJECTION and not awaits:
        raise AnswerError(f"{obligation.key}: no solution was given yet, so there is none to reject")
    if kind in (Touch.APPROVAL, Touch.REWORK):
        raise AnswerError(
            f"{obligation.key} is part of a reported problem, not an approval; confirm or reject its solution"
        )
    if kind is Touch.RESOLUTION and part != "solution":
        raise AnswerError(f"{obligation.key} is the {part} of a problem; what is resolved ends in /solution")
    if kind in (Touch.RESOLUTION, Touch.FULFILMENT) and part == "solution":
        if theirs:
            raise AnswerError(f"{contact.contact_ref} is of the party that reported it; confirm or reject the solution")
        if awaits:
            raise AnswerError(f"a solution was given already; {customer} is asked whether it is one")


def require_contact(ref: str, contacts: Iterable[Contact]) -> Contact:
    """Give the contact with a ref. Raises AnswerError, naming near matches."""
    by_ref = {c.contact_ref: c for c in contacts}
    if ref not in by_ref:
        raise AnswerError(f"there is no contact {ref!r}{_near(ref, by_ref)}")
    return by_ref[ref]


def _near(text: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, list(known), n=3)
    return f"; did you mean {', '.join(near)}?" if near else ""
