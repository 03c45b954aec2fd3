"""Communication: plan what the cadences and the documents ask for, and climb the ladders that are due."""

from __future__ import annotations

from datetime import datetime

from pfflow.domain.decision import ITEMISED, Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import HOUSE, Missing, climb, nothing_to_send, tell_of_reopening
from pfflow.domain.fund_use import fund_use_report, itemised
from pfflow.domain.issues import follow
from pfflow.domain.obligations import ISSUE, Obligation, Status
from pfflow.domain.outages import sum_up
from pfflow.domain.planning import upcoming
from pfflow.domain.progress import progress_report
from pfflow.domain.project import Phase
from pfflow.domain.reports import Report
from pfflow.domain.settling import settle
from pfflow.domain.undelivered import tell_undelivered
from pfflow.domain.words import Stage

STAGE = Stage.COMMUNICATION


def decide(dossier: Dossier, as_of: datetime) -> Decision:
    """Plan what falls due up to the horizon, hear what came back, and take every step that is reached."""
    draft = Draft(dossier, STAGE, as_of)
    if dossier.project.phase is Phase.EXIT:
        _let_go(draft)
    elif dossier.held.may_plan(draft.today):
        for one in upcoming(dossier, as_of, draft.find):
            draft.plan(one.obligation, one.because)
    settle(draft)
    for reopened in follow(draft):
        tell_of_reopening(draft, reopened.obligation, reopened.touch)
    climb(draft, lambda obligation: _content(dossier, obligation, as_of))
    sum_up(draft)
    _note_itemised(draft)
    tell_undelivered(draft)
    return draft.decision()


def _note_itemised(draft: Draft) -> None:
    """Conclude which payments the fund-use reports of this decision itemise, so that each is itemised once."""
    for notice in draft.notices():
        obligation = draft.obligation(notice.obligation_key)
        if obligation is not None and obligation.content == "fund-use" and notice.report is not None:
            draft.conclude(
                f"{ITEMISED}{obligation.unadjusted_on.isoformat()}",
                {
                    "start": (obligation.period_start or obligation.unadjusted_on).isoformat(),
                    "vouchers": list(itemised(notice.report)),
                },
                "itemised in the report that was sent",
            )


def _let_go(draft: Draft) -> None:
    """Cancel what lies ahead and was told to nobody: after the exit, from which no phase leads back, it is not owed."""
    for ahead in draft.live():
        if ahead.status is Status.PLANNED and ahead.due_at > draft.as_of and ISSUE not in ahead.details:
            draft.move(ahead, Status.CANCELLED, by=HOUSE, because="the project is at its exit")


def _content(dossier: Dossier, obligation: Obligation, as_of: datetime) -> Report | Missing:
    match obligation.content:
        case "fund-use":
            return fund_use_report(dossier, obligation, as_of.astimezone(dossier.playbook.zone).date())
        case "progress":
            return progress_report(dossier, obligation, as_of)
        case _:
            return nothing_to_send(obligation)
