"""What a rung says of its letters goes with each notice, as it was when the notice was made."""

from __future__ import annotations

from datetime import date

from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import climb
from pfflow.domain.notices import EMAIL, Notice
from pfflow.domain.obligations import ObligationKind
from pfflow.domain.words import Stage
from tests.factories import at, make_dossier, make_obligation, make_playbook


def notice_of(rung: dict[str, object], kind: ObligationKind = ObligationKind.REPORT) -> Notice:
    """Give the notice a rung reached on the due date makes."""
    ladders = {"report": [{"at": "0bd", "do": "request", "to": "responsible", **rung}]}
    obligation = make_obligation(kind=kind, due_on=date(2026, 1, 15))
    draft = Draft(
        make_dossier(playbook=make_playbook(ladders=ladders), obligations=[obligation]),
        Stage.COMMUNICATION,
        at("2026-01-15"),
    )
    climb(draft)
    (notice,) = (one for one in draft.notices() if one.channel == EMAIL)  # the upper levels' rooms are told as well
    return notice


def test_a_notice_waits_for_quiet_hours_and_goes_alone_unless_its_rung_says_otherwise() -> None:
    plain, urgent = notice_of({}), notice_of({"urgent": True, "merge": True})
    assert (plain.urgent, plain.merges_with) == (False, "")
    assert (urgent.urgent, urgent.merges_with) == (True, "notices")


def test_escalations_to_two_levels_are_told_apart() -> None:
    levels = [
        notice_of({"do": "escalate", "merge": True, "level": level}).merges_with for level in ("working", "steering")
    ]
    assert levels == ["escalate working", "escalate steering"]


def test_a_survey_is_never_in_one_mail_with_what_is_owed() -> None:
    assert notice_of({"merge": True}, ObligationKind.SURVEY).merges_with == "surveys"
    assert notice_of({}, ObligationKind.SURVEY).merges_with == ""
