"""Reading the local mailbox: a line for each message, and one message in full, headers decoded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime
from pathlib import Path

from icalendar import Calendar

from pfflow.delivery.errors import MailboxError
from pfflow.delivery.headers import CHANNEL_HEADER, parsed_mailbox
from pfflow.domain.letters import XLSX


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLine:
    """One message in the list; `number` counts from 1 in the order of dates. Chat has a `channel`, mail has none."""

    number: int
    sent_at: datetime | None
    to: str
    subject: str
    invitation: str
    report: bool
    channel: str
    message_id: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message: decoded headers in their order, the plain text, what is attached, and the meeting it speaks of."""

    line: MailLine
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    attachments: tuple[str, ...]
    meeting: tuple[tuple[str, str], ...]


def list_mailbox(folder: Path) -> tuple[MailLine, ...]:
    """Give the messages of a mailbox in the order of their dates; a folder that is not there has none."""
    paths = sorted(folder.glob("*.eml")) if folder.is_dir() else []
    return tuple(_line(number, path, _parsed(path)) for number, path in enumerate(paths, start=1))


def read_message(folder: Path, which: int | str) -> Mail:
    """Give one message by its number in the list, its Message-ID, or the key that is its left part.

    Raises MailboxError where there is none, or more than one with this beginning.
    """
    lines = list_mailbox(folder)
    wanted = str(which).strip().strip("<>")
    if wanted.isdecimal():
        found = [line for line in lines if line.number == int(wanted)]
    else:
        exact = [line for line in lines if wanted in {_id(line), _id(line).rpartition("@")[0]}]
        found = exact or [line for line in lines if wanted and _id(line).startswith(wanted)]
    if len(found) != 1:
        how_many = f"{len(found)} messages" if found else "no message"
        raise MailboxError(f"the mailbox {folder} holds {how_many} {wanted!r}; it has {len(lines)} in all")
    return _mail(found[0], _parsed(found[0].path))


def _parsed(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)


def _line(number: int, path: Path, message: EmailMessage) -> MailLine:
    types = {part.get_content_type(): part for part in message.walk()}
    calendar = types.get("text/calendar")
    return MailLine(
        number=number,
        sent_at=_sent_at(message),
        to=dict(_headers(message)).get("To", ""),
        subject=str(message["Subject"] or ""),
        invitation=str(calendar.get_param("method") or "") if calendar else "",
        report=XLSX in types,
        channel=str(message[CHANNEL_HEADER] or ""),
        message_id=str(message["Message-ID"] or ""),
        path=path,
    )


def _mail(line: MailLine, message: EmailMessage) -> Mail:
    bodies = {kind: message.get_body(preferencelist=(kind,)) for kind in ("plain", "html")}
    return Mail(
        line=line,
        headers=_headers(message),
        text=_content(bodies["plain"]),
        html=_content(bodies["html"]),
        attachments=tuple(part.get_filename() or part.get_content_type() for part in message.iter_attachments()),
        meeting=_meeting(message),
    )


def _headers(message: EmailMessage) -> tuple[tuple[str, str], ...]:
    """Give the headers decoded; mailboxes by their raw form, for the package reads spaces into long names."""
    raw = dict(message.raw_items())
    return tuple(
        (name, _mailbox(raw[name], str(value)) if name in {"From", "To"} else str(value))
        for name, value in message.items()
        if not name.startswith("Content-T")
    )


def _mailbox(raw: str, shown: str) -> str:
    try:
        return shown if "," in shown else parsed_mailbox(raw)
    except (ValueError, IndexError, MessageError):  # another program's header; as the package reads it, then
        return shown


def _content(part: MIMEPart | None) -> str:
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def _meeting(message: EmailMessage) -> tuple[tuple[str, str], ...]:
    """Give what the invitation says: method, meeting, when, where, who."""
    part = next((part for part in message.walk() if part.get_content_type() == "text/calendar"), None)
    if part is None:
        return ()
    calendar = Calendar.from_ical(part.get_content())
    found = [("METHOD", str(calendar["METHOD"]))]
    for event in calendar.walk("VEVENT"):
        found += [
            (name, str(event[name])) for name in ("SUMMARY", "UID", "SEQUENCE", "STATUS", "LOCATION") if name in event
        ]
        found += [(name, event.decoded(name).isoformat()) for name in ("DTSTART", "DTEND")]
        attendees = event.get("ATTENDEE", [])
        people = attendees if isinstance(attendees, list) else [attendees]
        found += [("ATTENDEE", str(person.params.get("CN", person))) for person in people]
    return tuple(found)


def _sent_at(message: EmailMessage) -> datetime | None:
    try:
        return parsedate_to_datetime(str(message["Date"]))
    except (TypeError, ValueError):
        return None


def _id(line: MailLine) -> str:
    return line.message_id.strip("<>")
