"""Service design: risk grade, debt capacity, a package from the catalogue by rule; approved by a person, then offered.

A package is known by a digest of what it offers, so the same proposal is made once, and a change of the facts that
changes the offer makes a new one. The wait for the approval is an obligation like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import count
from urllib.parse import unquote

from pfflow.domain.audience import accountable_for, raci_of
from pfflow.domain.business_days import Convention, adjust, wall_instant
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import HOUSE, Missing, climb, nothing_to_send
from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.hearing import answers_to
from pfflow.domain.ladder import Firing
from pfflow.domain.ledger import canonical_json
from pfflow.domain.obligations import Obligation, ObligationKind, Status, derived_key
from pfflow.domain.offsets import offset_date
from pfflow.domain.project import Phase
from pfflow.domain.reports import Report
from pfflow.domain.service_package import Package, Shortfall, package_of, proposal
from pfflow.domain.words import Json, Stage, Words

STAGE = Stage.SERVICE_DESIGN

_VERDICTS = {Touch.APPROVAL: "approved", Touch.REJECTION: "rejected", Touch.REWORK: "rework"}


@dataclass(frozen=True, slots=True)
class _Proposed:
    package: Package
    digest: str


def decide(dossier: Dossier, as_of: datetime) -> Decision:
    """Propose a package when facts allow one, hear the approver, and offer only what is approved."""
    draft = Draft(dossier, STAGE, as_of)
    proposed = _propose(draft)
    for obligation in draft.live_of(ObligationKind.APPROVAL):
        _hear_verdict(draft, obligation)
    climb(draft, lambda obligation: _content(obligation, proposed, dossier))
    return draft.decision()


def _propose(draft: Draft) -> _Proposed | None:
    dossier = draft.dossier
    if dossier.project.phase is Phase.EXIT:
        _withdraw(draft, "the project is at its exit")
        return None
    package = package_of(dossier, draft.as_of)
    if isinstance(package, Shortfall):
        draft.conclude("shortfall", {"problems": [p.as_json() for p in package.problems]}, "no package can be proposed")
        for problem in package.problems:
            draft.find("no-package", dossier.project.project_ref, problem.zh, problem.en)
        _withdraw(draft, "no package can be proposed any more")
        return None
    draft.conclude("shortfall", {"problems": []}, "a package can be proposed")
    proposed = _Proposed(package, sha256(canonical_json(package.identity()).encode()).hexdigest()[:8])
    if draft.concluded("package").get("digest") != proposed.digest:
        _withdraw(draft, f"superseded by package {proposed.digest}")
        _ask_approval(draft, proposed)
    return proposed


def _withdraw(draft: Draft, because: str) -> None:
    """Cancel what waits for approval: what the facts no longer bear is not to be approved."""
    for earlier in draft.live_of(ObligationKind.APPROVAL):
        draft.move(earlier, Status.CANCELLED, by=HOUSE, because=because)
        draft.conclude("package", {**draft.concluded("package"), "digest": "", "status": "withdrawn"}, because)


def _round(draft: Draft, digest: str) -> str:
    """Give what the approval of a package is called: its digest, with -2, -3 … when it is proposed again."""
    names = (digest if n == 1 else f"{digest}-{n}" for n in count(1))
    return next(n for n in names if draft.obligation(_approval_key(draft, n)) is None)


def _approval_key(draft: Draft, name: str) -> str:
    return derived_key(draft.dossier.project.project_ref, "package-approval", name)


def _ask_approval(draft: Draft, proposed: _Proposed) -> None:
    dossier, design = draft.dossier, draft.dossier.playbook.service_design
    raci = raci_of(dossier, design.activity)
    unadjusted = offset_date(draft.today, design.due, dossier.calendar)
    on = adjust(unadjusted, Convention.FOLLOWING, dossier.calendar)
    package = proposed.package
    draft.conclude(
        "package",
        {"digest": proposed.digest, "status": "proposed", "items": [m.item.name for m in package.measures]},
        package.because,
    )
    draft.plan(
        Obligation(
            key=_approval_key(draft, _round(draft, proposed.digest)),
            project_ref=dossier.project.project_ref,
            stage=STAGE,
            kind=ObligationKind.APPROVAL,
            title=Words("服务方案审批", "Approval of the service package"),
            due_at=wall_instant(on, dossier.playbook.hours.closes, dossier.playbook.zone),
            due_on=on,
            unadjusted_on=unadjusted,
            provisional=dossier.calendar.is_provisional(on),
            timezone=dossier.playbook.timezone,
            ladder=design.approval_ladder,
            activity=design.activity,
            debtor=raci.accountable[0] if raci.accountable else "",
            creditor=design.offer_to,
            subject=proposed.digest,
            details=_details(package),
        ),
        package.because,
    )


def _details(package: Package) -> dict[str, Json]:
    return {
        "grade": package.grade_words.as_json(),
        "score": str(package.grade.score),
        "measures": [
            {
                "name": m.item.name,
                "title": m.item.title.words.as_json(),
                "family": m.item.family,
                "kind": m.item.kind,
                "because": m.because.as_json(),
                "steps": [s.words.as_json() for s in m.item.steps],
                "documents": [d.words.as_json() for d in m.item.documents],
            }
            for m in package.measures
        ],
        "problems": [],
    }


def _hear_verdict(draft: Draft, obligation: Obligation) -> None:
    for touch in answers_to(draft, obligation):
        verdict = _VERDICTS.get(touch.kind)
        mark = f"verdict-{touch.ext_id}"
        if verdict is None or draft.fired(obligation.key, mark):
            continue
        if touch.contact_ref not in {c.contact_ref for c in accountable_for(draft.dossier, obligation, draft.today)}:
            draft.find(
                "approval-not-counted",
                obligation.key,
                f"{touch.contact_ref or '(未署名)'} 不是该事项的负责人（A），其意见不计为审批",
                f"{touch.contact_ref or 'an unnamed person'} is not Accountable here, so the answer is no approval",
            )
            continue
        _close(draft, obligation, touch, verdict, mark)
        return


def _close(draft: Draft, obligation: Obligation, touch: Interaction, verdict: str, mark: str) -> None:
    by = touch.contact_ref
    because = f"{verdict}: {touch.outcome}".rstrip(": ")
    closed = draft.move(obligation, Status.FULFILLED, by=by, because=because, touch=touch.ext_id, at=touch.at)
    draft.fire(
        Firing(
            obligation_key=closed.key,
            rung=mark,
            due_at=touch.at,
            fired_at=draft.as_of,
            outcome="heard",
            because=verdict,
        ),
        (),
    )
    draft.conclude(
        "package",
        {**draft.concluded("package"), "digest": closed.subject, "status": verdict},
        f"{verdict} by {by}",
    )
    if verdict == "approved":
        _plan_offer(draft, closed)


def _plan_offer(draft: Draft, approval: Obligation) -> None:
    dossier, design = draft.dossier, draft.dossier.playbook.service_design
    draft.plan(
        replace(
            approval,
            key=derived_key(dossier.project.project_ref, "offer", unquote(approval.key.rpartition("/")[2])),
            kind=ObligationKind.OFFER,
            title=Words("服务方案", "Service package"),
            due_at=draft.as_of,
            due_on=draft.today,
            unadjusted_on=draft.today,
            provisional=False,
            ladder=design.offer_ladder,
            debtor=approval.debtor,
            creditor=design.offer_to,
            status=Status.PLANNED,
            held_until=None,
            climbing={},
            closed_at=None,
            closed_by="",
            closed_because="",
        ),
        f"package {approval.subject} is approved",
    )


def _content(obligation: Obligation, proposed: _Proposed | None, dossier: Dossier) -> Report | Missing:
    """Give the document of a package; one whose facts have changed since is told from what was approved."""
    if proposed is None or proposed.digest != obligation.subject:
        return _as_approved(obligation, dossier)
    if obligation.kind in (ObligationKind.APPROVAL, ObligationKind.OFFER):
        return proposal(proposed.package, for_customer=obligation.kind is ObligationKind.OFFER)
    return nothing_to_send(obligation)


def _as_approved(obligation: Obligation, dossier: Dossier) -> Report | Missing:
    measures = obligation.details.get("measures")
    names = {str(m["name"]) for m in measures if isinstance(m, dict)} if isinstance(measures, list | tuple) else set()
    kept = [item for item in dossier.playbook.service_design.catalogue if item.name in names]
    if not kept:
        return nothing_to_send(obligation)
    return Report(
        name="package",
        title=obligation.title,
        paragraphs=tuple(item.title.words for item in kept),
        sources=(f"package {obligation.subject}",),
    )
