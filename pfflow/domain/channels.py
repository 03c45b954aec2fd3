"""By which channels a notice goes: e-mail, a person's own chat, or a room that several people read.

What goes by each channel is a notice of its own, under a key of its own, so that one can fail, wait and be tried again
without the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from pfflow.domain.ladder import Rung
from pfflow.domain.notices import EMAIL, Notice, notice_key
from pfflow.domain.parties import Contact, Level
from pfflow.domain.playbook import Playbook

CHAT = "chat"
"""In a playbook: each reader's own chat. In the register: the house's one chat service."""

OWN_CHATS = frozenset({CHAT, "sms", "wecom", "dingtalk", "feishu", "teams", "slack"})
"""What the channel of a contact can be for the contact to be reached by chat; the others, email and phone, are not."""

ROOM = "room"
"""Where a contact's ref would stand, a room has this and its name."""


def channels_of(playbook: Playbook, rung: Rung) -> tuple[str, ...]:
    """Give the channels a rung goes by: its own, or those of its level, or e-mail."""
    return rung.channels or playbook.channels.get(rung.level or Level.WORKING) or (EMAIL,)


def by_channel(
    notices: Sequence[Notice],
    readers: Sequence[Contact],
    playbook: Playbook,
    rung: Rung,
    told_rooms: Collection[str] = (),
) -> tuple[Notice, ...]:
    """Give what goes out for notices to readers, one each: letters, texts to who has a chat, one text to each room.

    Who has no chat of their own is told by e-mail what others are told by chat. An invitation and a report go by
    e-mail in any case, since chat carries neither. `told_rooms` are told the same already.
    """
    named = channels_of(playbook, rung)
    # A ladder keeps the rungs it began with, and a room can have left the playbook since: its readers get letters.
    names = [name if name in (EMAIL, CHAT, *playbook.rooms) else EMAIL for name in named]
    told: list[Notice] = []
    for notice, reader in zip(notices, readers, strict=True):
        own = reader.channel if CHAT in names and reader.channel in OWN_CHATS else ""
        carried = notice.invitation is not None or notice.report is not None
        if EMAIL in names or carried or (CHAT in names and not own):
            told.append(notice)
        if own:
            told.append(_by_chat(notice, own, reader.contact_ref))
    if notices:
        told += [
            _in_room(notices[0], name, playbook) for name in names if name in playbook.rooms and name not in told_rooms
        ]
    return tuple(told)


def reader_in_room(notice: Notice) -> Contact:
    """Give a room as the one reader of its notice: its title, and the language it reads."""
    room = notice.context["room"]
    told = room if isinstance(room, Mapping) else {}
    return Contact(
        contact_ref=notice.contact_ref,
        party_ref="",
        name=str(told["title"]),
        email="",
        language=str(told["language"]),
        channel=notice.channel,
    )


def _by_chat(notice: Notice, channel: str, ref: str) -> Notice:
    key = notice_key(notice.obligation_key, notice.rung, ref, channel)
    return replace(notice, key=key, channel=channel, report=None, in_reply_to="", merges_with="")


def _in_room(notice: Notice, name: str, playbook: Playbook) -> Notice:
    room = playbook.rooms[name]
    title = room.title.words.in_language(room.language)
    context = {**notice.context, "instead_of": [], "room": {"title": title, "language": room.language}}
    return replace(_by_chat(notice, name, ROOM), contact_ref=f"{ROOM}.{name}", context=context)
