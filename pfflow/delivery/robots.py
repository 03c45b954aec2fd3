"""The robots of WeCom, DingTalk, Feishu and Lark, whose refusals come with status 200 and a code in the answer.

Apprise takes status 200 for yes. So the message is posted here, as its plugins would, and the answer is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import cast

import requests
from apprise import NotifyBase
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wecombot import NotifyWeComBot

from pfflow.delivery.answers import Answer, refusal

_BUSY = frozenset({-1, 45009, 130101, 410100, 11232, 99991400})
"""What robots answer that are overloaded or asked too often: WeCom, DingTalk (two), Feishu and Lark (two)."""

_LONGEST_ANSWER = 65536


def asked_robot(plugin: NotifyBase, text: str) -> Answer | None:
    """Tell a robot a text; None for what is no robot. Raises requests.RequestException where none answers."""
    match plugin:
        case NotifyWeComBot():
            return _asked(plugin, plugin.api_url, {"msgtype": "text", "text": {"content": text}})
        case NotifyDingTalk():
            sign = cast("Callable[[], tuple[str, str]]", plugin.get_signature)
            signed = zip(("timestamp", "sign"), sign(), strict=True) if plugin.secret else ()
            mentioned = {"atMobiles": plugin.targets, "isAtAll": False}
            message = {"msgtype": "text", "text": {"content": text}, "at": mentioned}
            return _asked(plugin, plugin.notify_url.format(token=plugin.token), message, dict(signed))
        case NotifyFeishu():
            message = {"msg_type": "text", "content": {"text": text}}
            return _asked(plugin, plugin.notify_url.format(token=plugin.token), message)
        case NotifyLark():
            return _asked(plugin, plugin.webhook_url, {"msg_type": "text", "content": {"text": text}})
    return None


def _asked(plugin: NotifyBase, address: str, message: object, signed: Mapping[str, str] | None = None) -> Answer:
    cast("Callable[[], None]", plugin.throttle)()
    response = requests.post(
        address,
        data=json.dumps(message, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
        params=signed,
        timeout=plugin.request_timeout,
        allow_redirects=False,
    )
    if response.status_code != requests.codes.ok:
        return refusal(response.status_code)
    try:
        said = json.loads(response.content[:_LONGEST_ANSWER])
        code = int(said["errcode"] if "errcode" in said else said["code"])
    except (ValueError, TypeError, KeyError):
        return Answer(taken=False, said="the robot answered 200 with what is no answer of its kind")
    if code == 0:
        return Answer(taken=True, said="accepted, code 0")
    return Answer(taken=False, said=f"the robot answered code {code}", again=code in _BUSY)
