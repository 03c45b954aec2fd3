"""Leaving surveys by one click, over HTTP, from a letter's header to the stage that asks no more; both databases."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from typing import Any

import dkim  # type: ignore[import-untyped]  # dkimpy ships no types
import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from pfflow.delivery.smtp import SmtpMailer
from pfflow.delivery.unsubscribing import Unsubscribing
from pfflow.domain.facts import Facts
from pfflow.domain.notices import Notice
from pfflow.domain.opt_outs import OptionalLetter
from pfflow.domain.words import Words
from pfflow.portal.app import application
from pfflow.portal.unsubscribe import Portal
from pfflow.rendering.environment import house_templates
from pfflow.store import SqlStore
from tests.integration.samples import AT, FACTS
from tests.integration.smtp import Recorder, smtp_server
from tests.integration.test_delivery_smtp import LIVE, NOW, SENDER, make_claimed, plain
from tests.integration.test_signing import SIGNER, dns
from tests.integration.test_store_manners import NIGHT, claimed, numbered, post
from tests.unit.sample_letters import make_context, shipped

LINKS = Unsubscribing("https://portal.example/", SecretStr("s" * 40))
TOKEN = LINKS.token("C-OPS", OptionalLetter.SURVEY)


@contextmanager
def serving(store: SqlStore) -> Iterator[httpx.Client]:
    """Serve the portal on a free port of this machine; gives a client that keeps no cookies of its own."""
    portal = Portal(store, LINKS, house_templates(), Words("融资关系部", "Relationship Desk"), lambda: AT)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(application(portal), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def registered(store: SqlStore) -> SqlStore:
    store.import_facts(FACTS, AT, "test")
    return store


def survey(number: int = 1, **changes: Any) -> Notice:
    """Give a notice that asks operations for its opinion."""
    context = make_context()
    asked = {**context, "obligation": {**context["obligation"], "kind": "survey"}}
    return numbered(number, **{"context": asked, "rung": "request0bd-informed", **changes})


def test_one_click_leaves_at_once_and_a_second_click_is_no_error(registered: SqlStore) -> None:
    with serving(registered) as client:
        for _ in range(2):
            answer = client.post(f"/unsubscribe/{TOKEN}", data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
            assert "set-cookie" not in answer.headers
    assert registered.opt_outs("C-OPS") == {OptionalLetter.SURVEY}
    entries = [one for one in registered.ledger("G1") if one.kind == "unsubscribed"]
    assert [(one.subject, one.data) for one in entries] == [("C-OPS", '{"by":"one click","letters":"survey"}')]
    assert registered.verify() == ()


@pytest.mark.parametrize(
    ("accepted", "title", "after"),
    [
        ("zh-CN,zh;q=0.9", "退订满意度调查", "您已退订满意度调查"),
        ("en-GB", "Unsubscribe from surveys", "You are unsubscribed"),
    ],
)
def test_looking_at_the_link_shows_a_button_and_changes_nothing(
    registered: SqlStore, accepted: str, title: str, after: str
) -> None:
    with serving(registered) as client:
        client.headers["Accept-Language"] = accepted
        shown = client.get(f"/unsubscribe/{TOKEN}")
        assert shown.status_code == 200
        assert title in shown.text
        assert '<form method="post">' in shown.text
        assert "no-store" in shown.headers["cache-control"]
        assert "form-action 'self'" in shown.headers["content-security-policy"]
        assert registered.opt_outs("C-OPS") == frozenset()
        assert after in client.post(f"/unsubscribe/{TOKEN}").text
        assert after in client.get(f"/unsubscribe/{TOKEN}").text


@pytest.mark.parametrize("token", ["x", f"{TOKEN}x", TOKEN.split(".")[0], f"{TOKEN}.{TOKEN}", "%F0%9F%92%A9.a"])
def test_a_link_that_nobody_signed_does_nothing(registered: SqlStore, token: str) -> None:
    with serving(registered) as client:
        assert client.post(f"/unsubscribe/{token}").status_code == 404
        assert client.get(f"/unsubscribe/{token}").status_code == 404
        assert client.get("/docs").status_code == client.get("/openapi.json").status_code == 404
    assert registered.opt_outs("C-OPS") == frozenset()


def test_a_link_to_somebody_who_was_erased_answers_and_keeps_nothing(registered: SqlStore) -> None:
    gone = LINKS.token("C-GONE", OptionalLetter.SURVEY)
    with serving(registered) as client:
        assert client.post(f"/unsubscribe/{gone}").status_code == 200
    assert registered.opt_outs("C-GONE") == frozenset()


def test_a_survey_that_waits_is_held_for_who_left_and_what_is_owed_still_goes(registered: SqlStore) -> None:
    post(registered, survey(1), numbered(2), survey(3, contact_ref="C-OTHER"))
    assert registered.opt_out("C-OPS", OptionalLetter.SURVEY, "one click", AT)
    assert claimed(registered, NIGHT) == ["2", "3"]
    (held,) = registered.letters(status="held")
    assert (held.notice.key, held.last_response) == ("G1/o/r/1", "unsubscribed")


def test_surveys_in_one_mail_are_held_together_for_who_left_between_two_tries(registered: SqlStore) -> None:
    post(registered, *(survey(number, merges_with="surveys") for number in (1, 2, 3)))
    assert len(registered.claim("dead", NIGHT, 20, 60)) == 1
    registered.opt_out("C-OPS", OptionalLetter.SURVEY, "one click", AT)
    assert registered.claim("w", NIGHT.replace(hour=20), 20, 60) == ()
    assert [one.status for one in registered.letters()] == ["held"] * 3


def test_an_import_does_not_undo_what_somebody_clicked_and_subscribing_does(registered: SqlStore) -> None:
    registered.opt_out("C-OPS", OptionalLetter.SURVEY, "one click", AT)
    renamed = Facts(contacts=tuple(replace(one, name=f"{one.name}2") for one in FACTS.contacts))
    registered.import_facts(renamed, AT, "test")
    assert registered.opt_outs("C-OPS") == {OptionalLetter.SURVEY}
    assert registered.opt_in("C-OPS", tuple(OptionalLetter), "C-OPS", AT) == 1
    assert registered.opt_in("C-OPS", tuple(OptionalLetter), "C-OPS", AT) == 0
    assert registered.opt_outs("C-OPS") == frozenset()
    assert [one.kind for one in registered.ledger("G1")][-1] == "subscribed"


def test_a_stage_sees_who_left(registered: SqlStore) -> None:
    registered.opt_out("C-OPS", OptionalLetter.SURVEY, "one click", AT)
    assert registered.holdings("G1").opt_outs == {("C-OPS", OptionalLetter.SURVEY)}


async def sent_headers(notice: Notice, *, links: Unsubscribing | None = LINKS) -> tuple[bytes, dict[str, str]]:
    """Give a signed letter as a server received it, and its headers on one line each."""
    recorder = Recorder()
    with smtp_server(recorder) as port:
        sender = replace(SENDER, unsubscribing=links)
        mailer = SmtpMailer(plain(port), LIVE, sender, shipped().letter, lambda: NOW, sign=SIGNER.signed)
        (receipt,) = await mailer.deliver([replace(make_claimed(), notice=notice, message_id=notice.key)])
    assert receipt.outcome == "sent", receipt
    content = recorder.messages[0][2]
    return content, {name: " ".join(value.split()) for name, value in message_from_bytes(content).items()}


async def test_a_survey_carries_the_link_signed_and_a_letter_about_what_is_owed_carries_none() -> None:
    content, headers = await sent_headers(survey())
    web = headers["List-Unsubscribe"]
    assert web.startswith("<https://portal.example/unsubscribe/")
    # Only what is answered is offered: RFC 8058 asks for one https link, and nothing here reads mails to unsubscribe.
    assert LINKS.read(web.removesuffix(">").rpartition("/")[2]) == ("C-02", OptionalLetter.SURVEY)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert dkim.verify(content, dnsfunc=dns)
    signed = headers["DKIM-Signature"].lower().replace(" ", "")
    assert ":list-unsubscribe:list-unsubscribe-post:" in signed
    for owed in (survey(rung="escalate+1bd-head"), numbered(1, context=make_context())):
        assert "List-Unsubscribe" not in (await sent_headers(owed))[1]
    assert "List-Unsubscribe" not in (await sent_headers(survey(), links=None))[1]


async def test_every_letter_says_that_a_program_wrote_it() -> None:
    for notice in (survey(), numbered(1, context=make_context())):
        assert (await sent_headers(notice))[1]["Auto-Submitted"] == "auto-generated"
