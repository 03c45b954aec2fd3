"""A merged mail from the outbox to a real server, and again after its worker died."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from typing import Any

from pfflow.delivery.smtp import SmtpMailer
from pfflow.domain.words import ZH
from pfflow.ports import Claimed
from pfflow.rendering.bundles import bundled_letter
from pfflow.store import SqlStore
from tests.integration.samples import AT, FACTS
from tests.integration.smtp import Recorder, smtp_server
from tests.integration.test_delivery_smtp import LIVE, NOW, SENDER, plain
from tests.integration.test_store_manners import NIGHT, SECOND, post
from tests.unit.sample_letters import CONTACTS, make_context, make_notice, shipped


def mailer_to(port: int) -> SmtpMailer:
    """Give a mailer that writes bundles too."""
    allowed = replace(LIVE, allow=("@house.example", "@example.com"))
    bundle = partial(bundled_letter, shipped())
    return SmtpMailer(plain(port), allowed, SENDER, shipped().letter, lambda: NOW, write_bundle=bundle)


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


async def test_a_crash_between_sending_and_saying_so_repeats_the_same_mail_byte_for_byte(store: SqlStore) -> None:
    store.import_facts(FACTS, AT, "test")
    merged: dict[str, Any] = {"contact_ref": "C-OPS", "merges_with": "notices", "noticed_at": AT}
    first = make_notice(key="G1/a/remind/C-OPS", obligation_key="G1/a", **merged)
    other = make_notice(
        "communication/report",
        key="G2/b/send/C-OPS",
        obligation_key="G2/b",
        project_ref="G2",
        context=make_context("communication/report"),
        **merged,
    )
    post(store, first)
    post(store, other, project="G2")
    recorder = Recorder()
    with smtp_server(recorder) as port:
        (taken,) = store.claim("dead", NIGHT, 20, 60)
        await mailer_to(port).deliver([taken])  # and dies before it says so
        post(store, replace(first, key="G1/c/remind/C-OPS", merges_with="notices"))
        again = store.claim("w", NIGHT + 60 * SECOND, 1, 60)
        store.settle("w", await mailer_to(port).deliver(again))
    (_, _, before), (_, to, after) = recorder.messages
    assert before == after
    assert to == ["li@house.example"]
    message = read(after)
    assert message["Message-ID"] == f"<{taken.message_id}@pfflow.example.com>"
    assert message["X-PFFlow-Obligation"] == "G1/a G2/b"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["References"] is None
    assert [part.get_filename() for part in message.iter_attachments()] == ["Fund-use report 2026-01-15.xlsx"]
    assert sorted(one.status for one in store.letters()) == ["sent", "sent", "waiting"]
    digests = {one.digest for one in store.letters() if one.status == "sent"}
    assert len(digests) == 1


async def test_a_mail_of_several_letters_is_in_its_readers_language() -> None:
    notices = tuple(make_notice(key=f"G1/{name}/r/C-1", obligation_key=f"G1/{name}") for name in "ab")
    claimed = Claimed(
        message_id="bundle/1", notice=notices[0], contact=CONTACTS[ZH], attempts=0, until=NOW, merged=notices[1:]
    )
    recorder = Recorder()
    with smtp_server(recorder) as port:
        (receipt,) = await mailer_to(port).deliver([claimed])
    assert receipt.outcome == "sent"
    message = read(recorder.messages[0][2])
    assert message["Subject"] == "【沿江高速】2件事项：资金使用报告"
    assert message["Content-Language"] == "zh-CN"
