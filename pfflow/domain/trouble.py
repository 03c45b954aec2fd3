"""What did not reach its reader, and why, in words that name nobody and repeat no server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from pfflow.domain.words import Words


class Trouble(StrEnum):
    """Why a letter did not leave. `ours` is no letter's fault: it waits until our server or login is mended."""

    ADDRESS = "address"
    RECIPIENT = "recipient"
    REFUSED = "refused"
    SIZE = "size"
    GIVEN_UP = "given-up"
    UNWRITABLE = "unwritable"
    UNREADABLE = "unreadable"
    GONE = "gone"
    OURS = "ours"
    CHAT = "chat"
    UNKNOWN = "unknown"


WHY: Mapping[Trouble, Words] = MappingProxyType(
    {
        Trouble.ADDRESS: Words("登记的邮箱地址无法使用", "the address on record is not one that mail can be sent to"),
        Trouble.RECIPIENT: Words(
            "对方邮件服务器拒收该收件人", "the receiving server does not take mail for this person"
        ),
        Trouble.REFUSED: Words("对方邮件服务器拒收该函件", "the receiving server refused the letter"),
        Trouble.SIZE: Words("函件大小超过对方服务器的限制", "the letter is larger than the receiving server takes"),
        Trouble.GIVEN_UP: Words(
            "对方邮件服务器多日暂不接收，已停止重试",
            "the receiving server put it off for days, and we have stopped trying",
        ),
        Trouble.UNWRITABLE: Words(
            "函件未能写成，模板或内容有误", "the letter could not be written: its template or what it tells has a fault"
        ),
        Trouble.UNREADABLE: Words("待发函件的存档已损坏", "what was kept of the letter does not read any more"),
        Trouble.GONE: Words("登记册中已没有该联系人", "the person is not in the register any more"),
        Trouble.OURS: Words(
            "我方邮件服务故障，排除后自动发出",
            "our own mail service is at fault; it goes out by itself once that is mended",
        ),
        Trouble.CHAT: Words("即时通讯服务未接收该消息", "the chat service did not take the text"),
        Trouble.UNKNOWN: Words("原因未留存", "the reason was not kept"),
    }
)
"""What people are told of it: no address, no answer of a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A letter that failed for good at `since`, or that our own fault has kept back from `since` on."""

    key: str
    project_ref: str
    obligation_key: str
    rung: str
    contact_ref: str
    template: str
    trouble: Trouble
    since: datetime

    @property
    def kept(self) -> bool:
        """Whether it still waits and will go by itself once the fault is mended."""
        return self.trouble is Trouble.OURS


KEPT_TOO_LONG = timedelta(hours=4)
"""After so long our own fault is told to people and not only listed."""

_UNREACHABLE = frozenset({Trouble.ADDRESS, Trouble.RECIPIENT, Trouble.GIVEN_UP, Trouble.GONE})
"""What says of a person that mail does not reach them."""


def too_long(undelivered: Iterable[Undelivered], as_of: datetime) -> tuple[Undelivered, ...]:
    """Give those of which people should know: what failed, and what our own fault has kept back for too long."""
    return tuple(one for one in undelivered if not one.kept or one.since <= as_of - KEPT_TOO_LONG)


def unreachable(undelivered: Iterable[Undelivered]) -> frozenset[str]:
    """Give the contacts whom mail does not reach, as long as a letter to them stands failed for it."""
    return frozenset(one.contact_ref for one in undelivered if one.trouble in _UNREACHABLE)


def summary(undelivered: Sequence[Undelivered]) -> Words:
    """Say in a line how many letters did not arrive, and why.

    >>> from datetime import UTC
    >>> one = Undelivered(key="k", project_ref="G1", obligation_key="o", rung="r", contact_ref="c", template="t",
    ...     trouble=Trouble.GONE, since=datetime(2026, 1, 5, tzinfo=UTC))
    >>> summary([one, one]).en
    '2 letters did not arrive: the person is not in the register any more (2)'
    """
    counted = sorted(Counter(one.trouble for one in undelivered).items())
    number = len(undelivered)
    zh = "；".join(f"{WHY[trouble].zh}（{count}封）" for trouble, count in counted)
    en = "; ".join(f"{WHY[trouble].en} ({count})" for trouble, count in counted)
    return Words(f"{number}封函件未送达：{zh}", f"{number} letter{'s' if number != 1 else ''} did not arrive: {en}")
