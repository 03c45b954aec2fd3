"""Which letters can be left, and that a link says so for one contact and one kind, and is signed."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pfflow.delivery.unsubscribing import Unsubscribing, UnsubscribingError
from pfflow.domain.opt_outs import OptionalLetter, optional_kind
from pfflow.portal.unsubscribe import language_wanted
from tests.unit.sample_letters import make_context, make_notice

SECRET = SecretStr("0123456789abcdef0123456789abcdef")
LINKS = Unsubscribing("https://portal.example", SECRET)


def test_surveys_and_digests_can_be_left_and_nothing_that_is_owed() -> None:
    owed = make_context()
    survey = {**owed, "obligation": {**owed["obligation"], "kind": "survey"}}
    assert optional_kind(make_notice(context=survey)) is OptionalLetter.SURVEY
    assert optional_kind(make_notice(context=survey, rung="escalate+1bd-head")) is None
    assert optional_kind(make_notice("communication/digest")) is OptionalLetter.DIGEST
    for kind in ("report", "meeting", "covenant", "fact", "approval", "offer", "notice", "action"):
        assert optional_kind(make_notice(context={**owed, "obligation": {**owed["obligation"], "kind": kind}})) is None


@given(
    contact=st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()),
    kind=st.sampled_from(OptionalLetter),
)
def test_a_token_reads_back_as_whom_and_what_it_was_made_for(contact: str, kind: OptionalLetter) -> None:
    token = LINKS.token(contact, kind)
    assert LINKS.read(token) == (contact, kind)
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@given(st.text(max_size=80))
def test_what_nobody_signed_is_refused(token: str) -> None:
    with pytest.raises(UnsubscribingError):
        LINKS.read(token)


def test_a_token_for_another_contact_kind_or_secret_does_not_pass() -> None:
    said, signature = LINKS.token("C-1", OptionalLetter.SURVEY).split(".")
    other = urlsafe_b64encode(b"survey C-2").decode().rstrip("=")
    elsewhere = Unsubscribing("https://portal.example", SecretStr("x" * 32))
    for forged in (
        f"{other}.{signature}",
        f"{said}.{signature[:-2]}",
        f"{said}.",
        elsewhere.token("C-1", OptionalLetter.SURVEY),
    ):
        with pytest.raises(UnsubscribingError):
            LINKS.read(forged)


@pytest.mark.parametrize(
    "portal", ["http://portal.example", "portal.example", "https://", "https://p.example/?a=b", ""]
)
def test_only_https_may_carry_a_link(portal: str) -> None:
    with pytest.raises(UnsubscribingError, match="no https address"):
        Unsubscribing(portal, SECRET)


def test_a_short_secret_is_refused_and_none_is_shown() -> None:
    with pytest.raises(UnsubscribingError, match="fewer than 32"):
        Unsubscribing("https://portal.example", SecretStr("short"))
    assert SECRET.get_secret_value() not in repr(LINKS)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("de,en;q=0.3,zh;q=0.9", "zh-CN"),
        ("zh;q=0,en", "en"),
        ("*", "en"),
        ("zh;q=abc", "en"),
    ],
)
def test_the_page_is_in_the_language_the_browser_asks_for(accepted: str, language: str) -> None:
    assert language_wanted(accepted) == language
