"""A letter: a notice rendered for its reader, before it is composed into a message."""

from __future__ import annotations

from dataclasses import dataclass

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along: the name the reader sees, its media type and its bytes."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What the reader reads: subject, plain text and HTML of the same words, and what goes along.

    `language` is one of `pfflow.domain.words.LANGUAGES`.
    """

    subject: str
    text: str
    html: str
    language: str
    attachments: tuple[Attachment, ...] = ()
