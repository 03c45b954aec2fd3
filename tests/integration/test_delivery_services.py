from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.slack import NotifySlack
from apprise.plugins.wecombot import NotifyWeComBot

from pfflow.delivery.errors import ChatAddressError
from pfflow.delivery.services import Service
from tests.integration.webhooks import HOST, Hook, closed_port, webhook

TEXT = "【沿江高速】温馨提醒：资金使用报告\n编号：G1/report/2026-01-15 · 22ea403e"
TOKEN = "hemligt0"  # noqa: S105 - a word that must not be seen again
SLACK = f"slack://T1JJ3T3L2/A1BRTD4JD/{'a' * 16}{TOKEN}"

ROBOTS = {
    "wecom": f"wecombot://{TOKEN}",
    "dingtalk": f"dingtalk://{TOKEN}",
    "feishu": f"feishu://{TOKEN}",
    "lark": f"lark://{TOKEN}",
}
KEPT = {"wecom": "errcode", "dingtalk": "errcode", "feishu": "code", "lark": "code"}


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """Give a server that stands for every service: their plugins are pointed at it."""
    with webhook() as hook:
        here = f"http://{hook.origin}"
        monkeypatch.setattr(NotifyWeComBot, "notify_url", here + "/wecom?key={key}")
        monkeypatch.setattr(NotifyDingTalk, "notify_url", here + "/dingtalk?access_token={token}")
        monkeypatch.setattr(NotifyFeishu, "notify_url", here + "/feishu/{token}/")
        monkeypatch.setattr(NotifyLark, "notify_url", here + "/lark/")
        monkeypatch.setattr(NotifySlack, "webhook_url", here + "/slack")
        yield hook


@contextmanager
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "urllib3"):
        yield


def addresses(hook: Hook) -> dict[str, str]:
    return ROBOTS | {
        "slack": SLACK,
        "json": f"json://{hook.origin}/{TOKEN}",
        "form": f"form://{hook.origin}/{TOKEN}",
        "xml": f"xml://{hook.origin}/{TOKEN}",
    }


SERVICES = [*ROBOTS, "slack", "json", "form", "xml"]


def text_in(name: str, body: bytes) -> str:
    if name in ("form", "xml"):
        return body.decode()
    said = json.loads(body)
    return str(
        {
            "wecom": lambda: said["text"]["content"],
            "dingtalk": lambda: said["text"]["content"],
            "feishu": lambda: said["content"]["text"],
            "lark": lambda: said["content"]["text"],
            "slack": lambda: said["attachments"][0]["text"],
            "json": lambda: said["message"],
        }[name]()
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_text_reaches_the_service_whole_and_once(name: str, hook: Hook) -> None:
    hook.usual = json.dumps({KEPT[name]: 0}) if name in KEPT else "ok"
    answer = Service(addresses(hook)[name], 5).tell(TEXT)
    assert answer.taken, answer
    (body,) = hook.bodies
    if name == "form":
        assert b"22ea403e" in body
    else:
        assert text_in(name, body).count("22ea403e") == 1
        assert "资金使用报告" in text_in(name, body)


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(
    ("status", "again"), [(400, False), (401, False), (404, False), (429, True), (500, True), (503, True)]
)
def test_a_refusal_is_final_or_to_be_tried_again_by_its_status(name: str, status: int, again: bool, hook: Hook) -> None:  # noqa: FBT001 - a column of the table
    hook.answers = [(status, "no")]
    answer = Service(addresses(hook)[name], 5).tell(TEXT)
    assert (answer.taken, answer.again, answer.said) == (False, again, f"the service answered {status}")
    assert len(hook.bodies) == 1


@pytest.mark.parametrize("name", ROBOTS)
@pytest.mark.parametrize(("code", "again"), [(93000, False), (-1, True)])
def test_a_robot_that_refuses_with_status_200_is_not_believed(name: str, code: int, again: bool, hook: Hook) -> None:  # noqa: FBT001 - as above
    """Apprise alone says yes here: the key is wrong, and nobody reads the text."""
    hook.usual = json.dumps({KEPT[name]: code, "errmsg": "invalid webhook url"})
    answer = Service(addresses(hook)[name], 5).tell(TEXT)
    assert (answer.taken, answer.again, answer.said) == (False, again, f"the robot answered code {code}")


@pytest.mark.parametrize("said", ["", "<html>", "[]", "{}", '{"errcode": "x"}', "null"])
def test_a_robot_that_answers_with_something_else_is_not_believed(said: str, hook: Hook) -> None:
    hook.usual = said
    assert not Service(ROBOTS["wecom"], 5).tell(TEXT).taken


@pytest.mark.parametrize("name", SERVICES)
def test_a_redirect_is_not_followed(name: str, hook: Hook) -> None:
    with webhook() as elsewhere:
        hook.answers = [(307, f"http://{elsewhere.origin}/")]
        answer = Service(addresses(hook)[name] + "?redirect=yes", 5).tell(TEXT)
        assert (answer.taken, answer.again) == (False, False)
        assert "redirect" in answer.said
        assert elsewhere.paths == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_never_answers_is_given_up_and_tried_again(name: str, hook: Hook) -> None:
    hook.answers = [(0, "")]
    answer = Service(addresses(hook)[name], 0.2).tell(TEXT)
    assert (answer.taken, answer.again) == (False, True)


@pytest.mark.parametrize("scheme", ["json", "form", "xml"])
def test_where_nobody_listens_it_is_tried_again(scheme: str) -> None:
    answer = Service(f"{scheme}://{HOST}:{closed_port()}/{TOKEN}", 5).tell(TEXT)
    assert (answer.taken, answer.again) == (False, True)


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("status", [200, 404, 500])
def test_no_log_and_no_answer_holds_a_token(
    name: str, status: int, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers = [(status, f'{{"errcode": 1, "code": 1, "errmsg": "{TOKEN}"}}')]
    with everything_logged(caplog):
        answer = Service(addresses(hook)[name], 5).tell(TEXT)
    assert TOKEN not in caplog.text + answer.said


@pytest.mark.parametrize(
    "address",
    [f"nothing://{TOKEN}", f"wecombot://{TOKEN}!!", f"{TOKEN}", "", f"slack://{TOKEN}", f"dingtalk://{TOKEN}-/"],
)
def test_what_is_no_address_is_refused_without_repeating_it(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with everything_logged(caplog), pytest.raises(ChatAddressError) as refused:
        Service(address, 5)
    assert TOKEN not in caplog.text + str(refused.value)


@pytest.mark.parametrize("address", [f"json://chat.example/{TOKEN}", f"form://10.0.0.1/{TOKEN}"])
def test_an_address_without_tls_is_refused_but_on_this_machine(address: str) -> None:
    with pytest.raises(ChatAddressError, match="without TLS"):
        Service(address, 5)
    Service(address.replace("://", "s://"), 5)


def test_an_address_of_several_receivers_is_refused() -> None:
    with pytest.raises(ChatAddressError, match="several receivers"):
        Service(f"slack://T1JJ3T3L2/A1BRTD4JD/{'a' * 24}/#one/#two", 5)


def test_a_second_text_is_not_sent_while_the_first_hangs(hook: Hook) -> None:
    """It would be told late by a thread that nobody waits for, and once more when it is tried again."""
    service = Service(f"json://{hook.origin}/{TOKEN}", 5)
    hook.answers = [(0, "")]
    first = threading.Thread(target=service.tell, args=(TEXT,))
    first.start()
    hook.hanging.wait()
    answer = service.tell(TEXT)
    assert (answer.taken, answer.again) == (False, True)
    hook.ended.set()
    first.join()
    assert len(hook.bodies) == 1
