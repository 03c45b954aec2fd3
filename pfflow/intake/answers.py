"""Answers to obligations: acknowledgements, fulfilments, waivers and verdicts, as interactions."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.parties import Contact, Direction

VERDICTS = frozenset({Touch.APPROVAL, Touch.REJECTION, Touch.REWORK})


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
) -> Interaction:
    """Give the interaction that says what a contact answers to an obligation.

    The same answer at the same instant has the same `ext_id`, so it counts once however often it is reported.
    Raises AnswerError, naming near matches, for an unknown obligation or contact, a closed obligation, a waiver without
    a reason, and a verdict on what is no approval.
    """
    by_key = {o.key: o for o in obligations}
    obligation = by_key.get(key)
    if obligation is None:
        raise AnswerError(f"there is no obligation {key!r}{_near(key, by_key)}")
    contact = require_contact(by, contacts)
    if not obligation.live:
        raise AnswerError(f"{key} is {obligation.status} since {obligation.closed_at}; nothing is owed any more")
    if kind is Touch.WAIVER and not because.strip():
        raise AnswerError("a waiver says why; give the reason")
    if kind in VERDICTS and obligation.kind is not ObligationKind.APPROVAL:
        raise AnswerError(f"{key} is a {obligation.kind}, not an approval; acknowledge, fulfil or waive it")
    digest = sha256(f"{key}\n{kind}\n{by}\n{at.isoformat()}".encode()).hexdigest()[:16]
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
    )


def require_contact(ref: str, contacts: Iterable[Contact]) -> Contact:
    """Give the contact with a ref. Raises AnswerError, naming near matches."""
    by_ref = {c.contact_ref: c for c in contacts}
    if ref not in by_ref:
        raise AnswerError(f"there is no contact {ref!r}{_near(ref, by_ref)}")
    return by_ref[ref]


def _near(text: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, list(known), n=3)
    return f"; did you mean {', '.join(near)}?" if near else ""
