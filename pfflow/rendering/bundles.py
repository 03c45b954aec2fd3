"""Several notices to one person become one letter: what is in it, then each as a section with its own reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from jinja2 import TemplateError
from markupsafe import Markup

from pfflow.domain.letters import Attachment, Letter
from pfflow.domain.notices import Notice
from pfflow.domain.parties import Contact
from pfflow.rendering.errors import RenderingError, rendering_error
from pfflow.rendering.formats import one_line
from pfflow.rendering.letters import LONGEST_SUBJECT, Renderer, attachments_of, letter_language
from pfflow.rendering.particulars import said

BUNDLE = "bundle"
"""The templates of the mail around its letters."""


@dataclass(frozen=True, slots=True)
class Section:
    """One letter within a mail, as text and as HTML without a page around it."""

    number: int
    subject: str
    text: str
    html: Markup


def bundled_letter(
    renderer: Renderer, notices: Sequence[Notice], contact: Contact, language: str | None = None
) -> Letter:
    """Write one letter that tells a contact several notices, in their order.

    The same notices give the same letter. Raises RenderingError, which names the template, the line and the variable.
    """
    language = letter_language(contact.language if language is None else language)
    try:
        return _written(renderer, notices, contact, language)
    except RenderingError:
        raise
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise rendering_error(BUNDLE, error, renderer.templates.folders) from error


def _written(renderer: Renderer, notices: Sequence[Notice], contact: Contact, language: str) -> Letter:
    prepared = [renderer.prepared(one, contact, language, number) for number, one in enumerate(notices, 1)]
    sections = [_section(renderer, one, reading) for one, reading in zip(notices, prepared, strict=True)]
    reading = _around(prepared, sections, language)
    for name in ("greeting", "words", "closing", "signature", "footer"):
        reading[name] = renderer.part(BUNDLE, f"{name}.txt", language, reading)
    reading["subject"] = one_line(renderer.part(BUNDLE, "subject.txt", language, reading))[:LONGEST_SUBJECT]
    text = renderer.part(BUNDLE, "body.txt", language, reading)
    html = renderer.part(BUNDLE, "body.html", language, reading)
    files = _told_apart(file for notice in notices for file in attachments_of(notice, language))
    return Letter(reading["subject"], text + "\n", html, language, files)


def _section(renderer: Renderer, notice: Notice, reading: dict[str, Any]) -> Section:
    language = reading["language"]
    text = renderer.part(notice.template, "body.txt", language, reading)
    html = renderer.part(notice.template, "body.html", language, reading)
    return Section(reading["section"], reading["subject"], text, Markup(html))  # noqa: S704 - a template escaped it


def _around(prepared: Sequence[dict[str, Any]], sections: Sequence[Section], language: str) -> dict[str, Any]:
    """Give what the mail's own templates read: what its letters have in common, and what is in it."""
    last = prepared[-1]
    common = {name: last[name] for name in ("house", "contact", "timezone", "written_on")}
    return {
        **common,
        "language": language,
        "sections": sections,
        "projects": list(dict.fromkeys(said(one["project"]["name"], language) for one in prepared)),
        "titles": list(dict.fromkeys(said(one["obligation"]["title"], language) for one in prepared)),
        "wide": any(one["report"] for one in prepared),
    }


def _told_apart(files: Iterable[Attachment]) -> tuple[Attachment, ...]:
    """Give the files with names that differ: two projects' reports of a month have the same."""
    seen: Counter[str] = Counter()
    named: list[Attachment] = []
    for file in files:
        seen[file.name] += 1
        path = PurePath(file.name)
        number = f" ({seen[file.name]})" if seen[file.name] > 1 else ""
        named.append(replace(file, name=f"{path.stem}{number}{path.suffix}"))
    return tuple(named)
