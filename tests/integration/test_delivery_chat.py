from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pfflow.delivery.chat import ATTEMPTS, LONGEST_RETRY, ChatMessenger, ChatPolicy, retry_at
from pfflow.delivery.compose import Sender
from pfflow.delivery.errors import ChatAddressError
from pfflow.delivery.reading import list_mailbox, read_message
from pfflow.delivery.services import Service
from pfflow.domain.notices import Notice
from pfflow.domain.words import EN, ZH, Words
from pfflow.ports import Claimed
from tests.integration.webhooks import HOST, Hook, closed_port, webhook
from tests.unit.sample_letters import CONTACTS, make_notice, shipped

NOW = datetime(2026, 1, 14, 1, tzinfo=UTC)
SENDER = Sender(Words("项目融资部", "Project Finance Desk"), "house@example.com", domain="example.com")
ROOM = {"title": "Joint command", "language": "en"}


def to_room(number: int = 1, channel: str = "joint-command") -> Claimed:
    notice = make_notice(
        key=f"G1/report/{number}/remind/room/{channel}", contact_ref=f"room.{channel}", channel=channel
    )
    return claimed(replace(notice, context={**notice.context, "room": ROOM}))


def to_person(channel: str = "sms", **changes: Any) -> Claimed:
    contact = replace(CONTACTS[ZH], phone="+86 138-0000 0000", channel=channel, **changes)
    return replace(claimed(make_notice(key="G1/report/1/remind/C-01/sms", channel=channel)), contact=contact)


def claimed(notice: Notice) -> Claimed:
    return Claimed(
        message_id=notice.key, notice=notice, contact=CONTACTS[EN], attempts=0, until=NOW + timedelta(minutes=5)
    )


def messenger(mailbox: Path, addresses: Mapping[str, str], **changes: Any) -> ChatMessenger:
    secrets = {name: SecretStr(address) for name, address in addresses.items()}
    given: dict[str, Any] = {"live": True, "timeout": 5.0, "addresses": secrets} | changes
    return ChatMessenger(ChatPolicy(mailbox=mailbox, **given), SENDER, shipped().chat, lambda: NOW, Service)


def here(hook: Hook, path: str = "room") -> str:
    return f"json://{hook.origin}/{path}"


async def test_a_room_is_told_once_by_its_own_address(tmp_path: Path) -> None:
    with webhook() as hook:
        (receipt,) = await messenger(tmp_path, {"joint-command": here(hook)}).deliver([to_room()])
    assert (receipt.outcome, len(receipt.digest)) == ("sent", 64)
    assert hook.paths == ["/room"]
    said = hook.json()["message"]
    assert said.startswith("[River Motorway] Reminder: Fund-use report")
    assert "G1/fund-use-report/2026-01-15 · " in said
    assert list_mailbox(tmp_path) == ()


async def test_a_person_is_told_where_the_address_has_a_place_for_them(tmp_path: Path) -> None:
    with webhook() as hook:
        address = here(hook, "to/{phone}/{email}/{ref}")
        (receipt,) = await messenger(tmp_path, {"sms": address}).deliver([to_person()])
    assert receipt.outcome == "sent"
    assert hook.paths == ["/to/+8613800000000/wang@example.com/C-01"]
    assert "温馨提醒" in hook.json()["message"]


@pytest.mark.parametrize(
    ("addresses", "text", "because"),
    [
        ({}, to_room(), "PFFLOW_CHAT_JOINT_COMMAND is not set"),
        ({}, to_person(), "PFFLOW_CHAT_SMS is not set"),
        ({"joint-command": "json://127.0.0.1/{phone}"}, to_room(), "PFFLOW_CHAT_JOINT_COMMAND names a person"),
        ({"sms": "json://127.0.0.1/all"}, to_person(), "PFFLOW_CHAT_SMS names nobody; write {phone}, {email} or {ref}"),
        ({"joint-command": "nothing://hemligt"}, to_room(), "Apprise knows no service by this address"),
        ({"joint-command": "json://chat.example/hemligt"}, to_room(), "without TLS"),
    ],
)
async def test_what_has_nowhere_to_go_is_held_and_says_which_setting_is_wrong(
    addresses: dict[str, str], text: Claimed, because: str, tmp_path: Path
) -> None:
    (receipt,) = await messenger(tmp_path, addresses).deliver([text])
    assert receipt.outcome == "held"
    assert because in receipt.response
    assert "hemligt" not in receipt.response


async def test_a_person_without_a_phone_fails_by_ref_and_not_by_name(tmp_path: Path) -> None:
    text = to_person()
    text = replace(text, contact=replace(text.contact, phone=""))
    (receipt,) = await messenger(tmp_path, {"sms": "json://127.0.0.1/{phone}"}).deliver([text])
    assert receipt.outcome == "failed"
    assert "contact C-01 has no phone to be reached by sms with" in receipt.response


async def test_unless_chat_is_live_a_text_goes_into_the_local_mailbox_marked_as_chat(tmp_path: Path) -> None:
    with webhook() as hook:
        local = messenger(tmp_path, {"joint-command": here(hook)}, live=False)
        receipts = await local.deliver([to_room(), to_person(), to_room()])
        assert [receipt.outcome for receipt in receipts] == ["sent"] * 3
        assert hook.paths == []
    lines = list_mailbox(tmp_path)
    assert [line.channel for line in lines] == ["sms", "joint-command"], "the same text again is kept once"
    mail = read_message(tmp_path, 1)
    assert mail.line.to == '"chat to 王建国 (sms)" <sms@chat.invalid>'
    assert mail.line.subject.startswith("[chat: sms] 【沿江高速】温馨提醒")
    assert "责任方：财务部" in mail.text


@pytest.mark.parametrize("live", [True, False])
async def test_the_stop_switch_and_the_cap_hold_texts_too(live: bool, tmp_path: Path) -> None:  # noqa: FBT001 - both rows
    with webhook() as hook:
        addresses = {"joint-command": here(hook)}
        stopped = messenger(tmp_path, addresses, live=live, stopped=True)
        (receipt,) = await stopped.deliver([to_room()])
        assert (receipt.outcome, receipt.response) == ("held", "the stop switch is on")
        capped = messenger(tmp_path, addresses, live=live, cap_per_run=2)
        receipts = await capped.deliver([to_room(number) for number in range(3)])
        assert [receipt.outcome for receipt in receipts] == ["sent", "sent", "held"]


@pytest.mark.parametrize(
    ("status", "outcome"), [(404, "failed"), (302, "failed"), (429, "retry"), (500, "retry"), (0, "retry")]
)
async def test_what_a_service_refuses_fails_or_is_tried_again_later(status: int, outcome: str, tmp_path: Path) -> None:
    with webhook("ok", (status, "no")) as hook:
        (receipt,) = await messenger(tmp_path, {"joint-command": here(hook)}, timeout=0.2).deliver([to_room()])
    assert receipt.outcome == outcome
    if outcome == "retry":
        assert receipt.retry_at is not None
        assert timedelta(seconds=30) <= receipt.retry_at - NOW <= timedelta(seconds=38)


async def test_after_the_last_attempt_it_fails(tmp_path: Path) -> None:
    address = {"joint-command": f"json://{HOST}:{closed_port()}/x"}
    last = replace(to_room(), attempts=ATTEMPTS - 1)
    before, after = await messenger(tmp_path, address).deliver([replace(last, attempts=ATTEMPTS - 2), last])
    assert (before.outcome, after.outcome) == ("retry", "failed")
    assert after.response.startswith("given up after 8 attempts")


def test_waits_grow_to_a_quarter_of_an_hour_and_all_attempts_take_less_than_one() -> None:
    waits = [retry_at("k", attempts, NOW) - NOW for attempts in range(ATTEMPTS - 1)]
    assert waits[:5] == sorted(waits[:5])
    assert max(waits) <= LONGEST_RETRY * 5 / 4
    assert timedelta(minutes=45) <= sum(waits, timedelta()) <= timedelta(minutes=57)


async def test_texts_to_one_address_wait_for_each_other_and_none_is_told_twice(tmp_path: Path) -> None:
    """The time a text is given begins when it is its turn; or a slow service would be told again what it is told."""
    with webhook() as hook:
        live = messenger(tmp_path, {"joint-command": here(hook), "ops": here(hook, "ops")})
        texts = [to_room(number, channel) for number in range(6) for channel in ("joint-command", "ops")]
        async with live.kept_open():
            receipts = await asyncio.gather(*(live.deliver([text]) for text in texts))
    assert [receipt.outcome for (receipt,) in receipts] == ["sent"] * 12
    assert sorted(hook.paths) == ["/ops"] * 6 + ["/room"] * 6


async def test_one_text_s_fault_does_not_stop_the_others(tmp_path: Path) -> None:
    broken = claimed(make_notice(template="communication/nothing", channel="joint-command", context={"room": ROOM}))
    with webhook() as hook:
        receipts = await messenger(tmp_path, {"joint-command": here(hook)}).deliver([broken, to_room()])
    assert [receipt.outcome for receipt in receipts] == ["failed", "sent"]


async def test_a_service_that_cannot_be_used_is_asked_for_once_more_when_it_is_mended(tmp_path: Path) -> None:
    asked: list[str] = []

    def reach(address: str, timeout: float) -> Service:
        asked.append(address)
        if len(asked) == 1:
            raise ChatAddressError("not yet")
        return Service(address, timeout)

    with webhook() as hook:
        policy = ChatPolicy(mailbox=tmp_path, live=True, addresses={"joint-command": SecretStr(here(hook))})
        live = ChatMessenger(policy, SENDER, shipped().chat, lambda: NOW, reach)
        receipts = await live.deliver([to_room(1), to_room(2), to_room(3)])
    assert [receipt.outcome for receipt in receipts] == ["held", "sent", "sent"]
    assert len(asked) == 2
