from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pfflow.domain.channels import OWN_CHATS, by_channel, channels_of, reader_in_room
from pfflow.domain.ladder import Rung
from pfflow.domain.notices import EMAIL, Notice, notice_key
from pfflow.domain.parties import Contact, Level
from pfflow.domain.playbook import Playbook
from pfflow.register.aliases import CHANNELS
from tests.factories import make_contact, make_playbook
from tests.unit.sample_letters import INVITATION, REPORT, make_notice

ROOMS = {"joint-command": {"title": {"zh": "联合指挥组", "en": "Joint command"}, "language": "zh-CN"}}
ROOM = ("room.joint-command", "joint-command")
ANN, BO, CY = (
    make_contact("C-ANN", "BANK", channel="wecom"),
    make_contact("C-BO", "BANK"),
    make_contact("C-CY", "BANK", channel="phone"),
)


def playbook(**channels: list[str]) -> Playbook:
    levels = {Level(level): tuple(names) for level, names in channels.items()}
    return make_playbook(rooms=ROOMS).model_copy(update={"channels": levels})


def rung(**changes: Any) -> Rung:
    return Rung.model_validate({"at": "-1bd", "do": "remind", "to": "responsible"} | changes)


def notices(*readers: Contact, **changes: Any) -> list[Notice]:
    return [
        make_notice(contact_ref=one.contact_ref, key=notice_key("G1/r/1", "remind", one.contact_ref), **changes)
        for one in readers
    ]


def told(playbook: Playbook, rung: Rung, *readers: Contact, **changes: Any) -> list[tuple[str, str]]:
    return [(n.contact_ref, n.channel) for n in by_channel(notices(*readers, **changes), readers, playbook, rung)]


@pytest.mark.parametrize(
    ("own", "level", "levels", "expected"),
    [
        (None, None, {}, ("email",)),
        (None, "management", {}, ("email",)),
        (None, None, {"management": ["email", "chat"]}, ("email",)),
        (None, "management", {"management": ["email", "chat"]}, ("email", "chat")),
        (None, None, {"working": ["chat"]}, ("chat",)),
        (["email"], "management", {"management": ["chat"]}, ("email",)),
        (["chat", "joint-command"], None, {"working": ["email"]}, ("chat", "joint-command")),
    ],
)
def test_a_rung_s_channels_go_before_its_level_s_and_e_mail_comes_last(
    own: list[str] | None, level: str | None, levels: dict[str, list[str]], expected: tuple[str, ...]
) -> None:
    assert channels_of(playbook(**levels), rung(channels=own, level=level and Level(level))) == expected


def test_without_a_word_of_channels_notices_are_what_they_were() -> None:
    given = notices(ANN, BO)
    assert by_channel(given, (ANN, BO), playbook(), rung()) == tuple(given)


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (["email", "chat"], [("C-ANN", "email"), ("C-ANN", "wecom"), ("C-BO", "email"), ("C-CY", "email")]),
        (["chat"], [("C-ANN", "wecom"), ("C-BO", "email"), ("C-CY", "email")]),
        (["joint-command"], [ROOM]),
        (
            ["email", "joint-command"],
            [("C-ANN", "email"), ("C-BO", "email"), ("C-CY", "email"), ROOM],
        ),
        (
            ["chat", "joint-command"],
            [("C-ANN", "wecom"), ("C-BO", "email"), ("C-CY", "email"), ROOM],
        ),
    ],
)
def test_each_reader_is_told_by_their_own_chat_or_by_mail_and_a_room_once(
    channels: list[str], expected: list[tuple[str, str]]
) -> None:
    assert told(playbook(), rung(channels=channels), ANN, BO, CY) == expected


@pytest.mark.parametrize("carried", [{"invitation": INVITATION}, {"report": REPORT}])
def test_what_carries_a_file_goes_by_mail_in_any_case(carried: dict[str, Any]) -> None:
    assert ("C-ANN", "email") in told(playbook(), rung(channels=["chat"]), ANN, **carried)
    letter, room = by_channel(notices(ANN, **carried), (ANN,), playbook(), rung(channels=["joint-command"]))
    assert (letter.channel, room.channel, room.report) == (EMAIL, "joint-command", None)


def test_nobody_to_tell_tells_no_room() -> None:
    assert by_channel((), (), playbook(), rung(channels=["email", "joint-command"])) == ()


def test_a_room_is_not_told_the_same_twice_and_its_readers_are() -> None:
    by_both = rung(channels=["email", "joint-command"])
    sent = by_channel(notices(BO), (BO,), playbook(), by_both, {"joint-command"})
    assert [one.channel for one in sent] == [EMAIL]


def test_a_room_that_left_the_playbook_is_told_by_letters() -> None:
    assert told(playbook(), rung(channels=["gone"]), ANN, BO) == [("C-ANN", "email"), ("C-BO", "email")]


def test_keys_differ_by_channel_and_the_letter_s_key_stays() -> None:
    given = notices(ANN, BO)
    sent = by_channel(given, (ANN, BO), playbook(), rung(channels=["email", "chat", "joint-command"]))
    assert len({n.key for n in sent}) == len(sent) == 4
    assert {n.key for n in sent if n.channel == EMAIL} == {n.key for n in given}


def test_a_room_reads_its_own_language_under_its_own_title() -> None:
    room = by_channel(notices(ANN), (ANN,), playbook(), rung(channels=["joint-command"]))[0]
    reader = reader_in_room(room)
    assert (reader.name, reader.language, reader.email, reader.channel) == ("联合指挥组", "zh-CN", "", "joint-command")
    assert room.to_room
    assert not replace(room, context={}).to_room


def test_the_register_takes_every_chat_a_person_can_be_reached_by_and_no_other() -> None:
    assert set(CHANNELS) == OWN_CHATS | {EMAIL, "phone"}
