from __future__ import annotations

from itertools import count

import pytest
from pydantic import ValidationError

from pfflow.domain.ladder import Action, Ladder, Late, Rung, action_in, steps_of
from tests.factories import at


def test_a_rung_is_named_by_what_it_does_when_and_to_whom() -> None:
    assert Rung.model_validate({"at": "+3bd", "do": "escalate", "to": "joint-command"}).name == (
        "escalate+3bd-joint-command"
    )
    assert Rung.model_validate({"at": "0bd", "do": "send", "to": "informed"}).name == "send0bd-informed"


def test_a_rung_is_sent_late_unless_it_says_otherwise() -> None:
    assert Rung.model_validate({"at": "0bd", "do": "send", "to": "informed"}).late is Late.SEND


def test_a_repeat_goes_forward() -> None:
    with pytest.raises(ValidationError, match="does not go forward"):
        Rung.model_validate({"at": "0bd", "do": "remind", "to": "debtor", "repeat": "-2bd"})


def test_two_rungs_of_one_name_would_fire_as_one() -> None:
    rung = {"at": "0bd", "do": "remind", "to": "debtor"}
    with pytest.raises(ValidationError, match="remind0bd-debtor"):
        Ladder.model_validate([rung, {**rung, "late": "skip"}])


def test_a_ladder_without_rungs_is_none() -> None:
    with pytest.raises(ValidationError):
        Ladder.model_validate([])


def test_an_acknowledgement_holds_two_business_days_unless_the_ladder_says_otherwise() -> None:
    rung = {"at": "0bd", "do": "remind", "to": "debtor"}
    assert str(Ladder.model_validate([rung]).hold) == "+2bd"
    assert str(Ladder.model_validate({"hold": "+1bd", "rungs": [rung]}).hold) == "+1bd"


def test_a_rung_that_repeats_is_numbered_up_to_its_limit() -> None:
    rung = Rung.model_validate({"at": "+1bd", "do": "escalate", "to": "head", "repeat": "1bd", "limit": 3})
    following = (at(f"2026-01-{day:02}") for day in count(7))
    steps = list(steps_of(rung, at("2026-01-06"), following))
    assert [s.name for s in steps] == ["escalate+1bd-head", "escalate+1bd-head/2", "escalate+1bd-head/3"]
    assert [s.at for s in steps] == [at("2026-01-06"), at("2026-01-07"), at("2026-01-08")]


def test_a_rung_that_does_not_repeat_is_one_step() -> None:
    rung = Rung.model_validate({"at": "+1bd", "do": "escalate", "to": "head", "limit": 3})
    assert [s.name for s in steps_of(rung, at("2026-01-06"), iter(()))] == ["escalate+1bd-head"]


@pytest.mark.parametrize("action", Action)
def test_the_action_is_read_from_a_steps_name(action: Action) -> None:
    rung = Rung.model_validate({"at": "-2bd", "do": action, "to": "responsible"})
    assert action_in(rung.name) == action


def test_what_was_heard_is_no_action() -> None:
    assert action_in("heard-T1") == ""


@pytest.mark.parametrize(
    ("changes", "with_whom"),
    [
        ({"do": "remind"}, ""),
        ({"do": "remind", "merge": True}, "notices"),
        ({"do": "request", "merge": True, "level": "steering"}, "notices"),
        ({"do": "escalate", "merge": True}, "escalate working"),
        ({"do": "escalate", "merge": True, "level": "steering"}, "escalate steering"),
    ],
)
def test_escalations_are_merged_with_those_to_their_level_only(changes: dict[str, object], with_whom: str) -> None:
    assert Rung.model_validate({"at": "0bd", "to": "head", **changes}).merges_with == with_whom


def test_an_invitation_is_a_mail_of_its_own() -> None:
    with pytest.raises(ValidationError, match="leave merge out"):
        Rung.model_validate({"at": "-5bd", "do": "invite", "to": "everyone", "merge": True})
