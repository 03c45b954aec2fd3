"""Letters that have not left, told together by what keeps them, as people read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from pfflow.domain.manners import Wait
from pfflow.domain.overtaken import WHY
from pfflow.domain.words import Words

READY = "ready"
"""Waits for the next dispatch."""
ON_ITS_WAY = "on its way"
"""A worker has it."""
PUT_OFF = "put off"
"""A server refused it for now, or could not be reached; it is tried again."""
STOPPED = "the stop switch is on"
"""Nothing leaves until it is off."""
REHEARSED = "rehearsed"
"""A letter of a kept rehearsal, which nobody is ever sent."""

_REASONS: Mapping[str, Words] = MappingProxyType(
    {
        READY: Words("等待发送", "waiting to be sent"),
        ON_ITS_WAY: Words("正在发送", "being sent"),
        PUT_OFF: Words("暂未送达，将重试", "not taken yet, to be tried again"),
        "not on the allow-list": Words("收件地址不在许可名单", "not on the allow-list"),
        STOPPED: Words("已停止发信", "the stop switch is on"),
        "what it announces is over": Words("所通知事项已过时", "what it announces is over"),
        **WHY,
        REHEARSED: Words("仅为预演，永不发出", "only rehearsed, never sent"),
        "unsubscribed": Words("收件人已退订", "the reader unsubscribed"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLetters:
    """How many letters of one status the same thing keeps; `until` is when the first of them may go, if that is known.

    `because` is a reason by its name here, or as the policy or the server said it.
    """

    status: str
    because: str
    letters: int
    until: datetime | None = None

    @property
    def words(self) -> Words:
        """The reason as people read it."""
        return reason_words(self.because)


def reason_words(because: str) -> Words:
    """Give what keeps a letter as people read it; what a server or a policy said stands as it was said.

    >>> reason_words("ready").zh, reason_words("550 no such user").zh
    ('等待发送', '550 no such user')
    """
    if because in set(Wait):
        return Wait(because).words
    return _REASONS.get(because, Words(because, because))


STATUS: Mapping[str, Words] = MappingProxyType(
    {
        "waiting": Words("待发", "waiting"),
        "held": Words("扣留", "held"),
        "failed": Words("失败", "failed"),
        "sent": Words("已发", "sent"),
    }
)
"""What becomes of a letter, as people read it."""
