"""A notice becomes a letter: the words of its template, in the reader's language and the reader's time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import TemplateError

from pfflow.domain.letters import XLSX, Attachment, Letter
from pfflow.domain.notices import Invitation, Notice
from pfflow.domain.parties import Contact
from pfflow.domain.reports import Report
from pfflow.domain.words import EN, ZH, Json
from pfflow.rendering.chat import LONGEST, fitted, harmless
from pfflow.rendering.environment import Templates, house_templates
from pfflow.rendering.errors import RenderingError, rendering_error
from pfflow.rendering.formats import day_in_prose, one_line, plain_day
from pfflow.rendering.particulars import in_short, particulars
from pfflow.rendering.phrases import phrase
from pfflow.rendering.reports import ROWS_IN_A_LETTER, report_html, report_text, shown
from pfflow.rendering.sandbox import in_bounds
from pfflow.rendering.workbooks import report_xlsx, workbook_name

LONGEST_SUBJECT = 160
_LAYOUTS = "layouts"


def letter_language(tag: str) -> str:
    """Give the language a letter is written in for a contact's BCP 47 tag.

    >>> letter_language("zh-Hans-CN"), letter_language("es"), letter_language("")
    ('zh-CN', 'en', 'en')
    """
    return ZH if tag.lower().split("-")[0] == "zh" else EN


@dataclass(frozen=True, slots=True)
class Renderer:
    """Writes letters and report pages with the templates of one house."""

    templates: Templates

    @classmethod
    def of_house(cls, folder: Path | None = None) -> Renderer:
        """Give the renderer of a house: templates in `folder`, where it has any, stand before the shipped."""
        return cls(house_templates(folder))

    def letter(self, notice: Notice, contact: Contact, language: str | None = None) -> Letter:
        """Write the notice to the contact, in the contact's language if no other is asked for.

        Raises RenderingError, which names the template, the line and the variable.
        """
        language = letter_language(contact.language if language is None else language)
        try:
            with in_bounds():
                return self._letter(notice, contact, language)
        except RenderingError:
            raise
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise rendering_error(notice.template, error, self.templates.folders) from error

    def chat(self, notice: Notice, contact: Contact, limit: int = LONGEST) -> str:
        """Write the notice as a chat text in the contact's language: what, by when, whose, under which reference.

        At most `limit` characters; no link, mention or markup, whatever the names in it are. Texts of one notice end
        in the same eight digits, so that one that comes twice is recognised. Raises RenderingError as `letter` does.
        """
        language = letter_language(contact.language)
        try:
            reading = self._reading(notice, contact, language)
            reading["next"] = self.part(notice.template, "next.txt", language, reading)
            reading["short"] = in_short(
                reading["context"], notice.invitation, reading["timezone"], reading["next"], language
            )
            subject = one_line(self.part(notice.template, "subject.txt", language, reading))
            reading["subject"] = subject if len(subject) <= LONGEST_SUBJECT else f"{subject[:LONGEST_SUBJECT]}…"
            text = self.part(notice.template, "chat.txt", language, reading)
        except RenderingError:
            raise
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise rendering_error(notice.template, error, self.templates.folders) from error
        said = phrase("reference", language), notice.obligation_key, sha256(notice.key.encode()).hexdigest()[:8]
        reference = "{}：{} · {}" if language == ZH else "{}: {} · {}"
        return fitted(harmless(text), harmless(reference.format(*said)), min(limit, LONGEST))

    def report_page(self, report: Report, language: str) -> str:
        """Give a report as an HTML page in the house's layout."""
        return report_html(report, letter_language(language), self.templates)

    def _letter(self, notice: Notice, contact: Contact, language: str) -> Letter:
        reading = self.prepared(notice, contact, language)
        text = self.part(notice.template, "body.txt", language, reading)
        html = self.part(notice.template, "body.html", language, reading)
        return Letter(reading["subject"], text + "\n", html, language, attachments_of(notice, language))

    def prepared(self, notice: Notice, contact: Contact, language: str, section: int = 0) -> dict[str, Any]:
        """Give all that a letter's body reads; `section` is its number where it is one of several in a mail.

        A section closes only with what its notice says for itself: what letters close with is said once.
        """
        reading = {**self._reading(notice, contact, language), "section": section}
        for name in ("greeting", "notes", "words", "next", "closing", "signature", "footer"):
            own = self.templates.has(notice.template, f"{name}.txt", language)
            left_out = section and name == "closing" and not own
            reading[name] = "" if left_out else self.part(notice.template, f"{name}.txt", language, reading)
        reading["particulars"] = particulars(
            reading["context"], notice.invitation, reading["timezone"], reading["next"], language
        )
        reading["subject"] = one_line(self.part(notice.template, "subject.txt", language, reading))[:LONGEST_SUBJECT]
        if not reading["subject"]:
            raise RenderingError(f"{notice.template}/subject.txt", 0, "the subject is empty")
        return reading

    def _reading(self, notice: Notice, contact: Contact, language: str) -> dict[str, Any]:
        """Give all that a template may read: the notice's context, cleaned, and what is derived from it."""
        context = _cleaned(notice.context)
        if not isinstance(context, dict):
            raise RenderingError(notice.template, 0, "the notice has no context")
        obligation = context["obligation"]
        timezone = _zone(contact.timezone) or _zone(obligation["timezone"]) or "UTC"
        due_at = notice.invitation.starts_at if notice.invitation else datetime.fromisoformat(obligation["due_at"])
        due_on = due_at.astimezone(ZoneInfo(timezone)).date()
        view = shown(notice.report, language, ROWS_IN_A_LETTER) if notice.report else None
        marked = "provisional_day" if obligation["provisional"] else "day"
        return {
            **_UNSAID,
            **context,
            "context": context,
            "language": language,
            "timezone": timezone,
            "contact": {"name": one_line(contact.name), "role_title": one_line(contact.role_title)},
            "invitation": _invitation(notice.invitation, language),
            "report": view,
            "report_text": report_text(view, language) if view else "",
            "due_day": phrase(marked, language, day_in_prose(due_on, language)),
            "due_date": phrase(marked, language, plain_day(due_on, language)),
            "written_on": plain_day(notice.noticed_at.astimezone(ZoneInfo(timezone)).date(), language),
        }

    def part(self, folder: str, name: str, language: str, reading: Mapping[str, Any]) -> str:
        """Render one part of a letter; what a notice does not say itself, the layouts say."""
        own = self.templates.has(folder, name, language)
        path = self.templates.path_of(folder if own else _LAYOUTS, name, language) if own or _shared(name) else ""
        if not path:
            raise RenderingError(f"{folder}/{language}/{name}", 0, f"there is no such template, nor {folder}/{name}")
        try:
            rendered = self.templates.environment.get_template(path).render(reading)
        except RenderingError:
            raise
        except Exception as error:  # what a template can raise is open: a filter meets any value
            raise rendering_error(path, error, self.templates.folders) from error
        return _tidy(rendered)


_UNSAID: Mapping[str, Json] = MappingProxyType({"instead_of": [], "delayed": None, "undated": False, "rejected": False})
"""What a notice made by an earlier version does not say."""


def _shared(name: str) -> bool:
    return name in {"chat.txt", "greeting.txt", "notes.txt", "next.txt", "closing.txt", "signature.txt", "footer.txt"}


def attachments_of(notice: Notice, language: str) -> tuple[Attachment, ...]:
    """Give the files that go along with a notice: its report as a workbook."""
    if notice.report is None:
        return ()
    name = workbook_name(notice.report, language, _period(notice.context))
    return (Attachment(name, XLSX, report_xlsx(notice.report, language)),)


def _period(context: Mapping[str, Json]) -> str:
    """Give the day that tells one period's file from the next one's."""
    obligation = context["obligation"]
    return str(obligation.get("period_end") or obligation["due_on"]) if isinstance(obligation, Mapping) else ""


def _invitation(invitation: Invitation | None, language: str) -> dict[str, Any] | None:
    if invitation is None:
        return None
    return {
        "method": str(invitation.method),
        "sequence": invitation.sequence,
        "summary": one_line(invitation.summary.in_language(language)),
        "description": one_line(invitation.description.in_language(language)),
        "location": one_line(invitation.location.in_language(language)),
        "attendees": [one_line(attendee.name) for attendee in invitation.attendees],
    }


def _cleaned(value: Any) -> Any:  # noqa: ANN401 - JSON in, the same JSON on one line a text out
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_cleaned(inner) for inner in value]
    return value


def _zone(name: str) -> str:
    """Give the name if it is a zone, else nothing: a contact's mistyped zone is no reason to write nothing."""
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""


def _tidy(text: str) -> str:
    if " \n" in text or "\t\n" in text:
        text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    if "\n\n\n" in text:
        text = re.sub(r"\n{3,}", "\n\n", text)
    return text.strip()
