"""The Jinja environment of letters: sandboxed, strict about names, HTML escaped, the house's own folder first.

A template is looked for in the house's folder and then among the shipped ones; in each first in the language's folder
below the notice (``communication/reminder/zh-CN/words.txt``), then in the notice's own. ``shipped/…`` always means the
template that came with the product, so that an override can extend what it replaces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from pfflow.domain.reports import CellKind
from pfflow.domain.words import Json
from pfflow.rendering import formats
from pfflow.rendering.errors import RenderingError
from pfflow.rendering.particulars import said
from pfflow.rendering.phrases import doing, phrase
from pfflow.rendering.sandbox import BoundedEnvironment
from pfflow.rendering.shipped import shipped_templates


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of one house: where they are, and the environment that reads them.

    They are read once: a file that changes, comes or goes meanwhile is seen by the next `house_templates`.
    """

    folders: tuple[Path, ...]
    environment: BoundedEnvironment
    _paths: dict[tuple[str, str, str], str] = field(default_factory=dict, repr=False, compare=False)

    def path_of(self, folder: str, name: str, language: str) -> str:
        """Give the path of a template: the house's before the shipped, the language's before the common one.

        Raises RenderingError where there is none.
        """
        found = self._path(folder, name, language)
        if not found:
            raise RenderingError(f"{folder}/{language}/{name}", 0, f"there is no such template, nor {folder}/{name}")
        return found

    def has(self, folder: str, name: str, language: str) -> bool:
        """Whether there is such a template."""
        return bool(self._path(folder, name, language))

    def _path(self, folder: str, name: str, language: str) -> str:
        """Give the path, or nothing; it is looked for once."""
        asked = (folder, name, language)
        if asked not in self._paths:
            candidates = (f"{folder}/{language}/{name}", f"{folder}/{name}")
            there = (path for root in self.folders for path in candidates if (root / path).is_file())
            self._paths[asked] = next(there, "")
        return self._paths[asked]


def house_templates(house_folder: Path | None = None) -> Templates:
    """Give the templates of a house: its own folder, if it has one, before the shipped."""
    folders = tuple(folder for folder in (house_folder, shipped_templates()) if folder is not None)
    shipped = FileSystemLoader(shipped_templates())
    own: list[BaseLoader] = [FileSystemLoader(folder) for folder in folders]
    environment = BoundedEnvironment(
        loader=ChoiceLoader([*own, PrefixLoader({"shipped": shipped})]),
        undefined=StrictUndefined,
        auto_reload=False,
        autoescape=lambda name: name is None or not name.endswith(".txt"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        words=_words,
        day=_day,
        plain_day=_plain_day,
        moment=_moment,
        month=_month,
        figure=_figure,
        paragraphs=paragraphs,
        symbol=_symbol,
    )
    environment.globals.update(label=_label, doing=_doing)
    return Templates(folders, environment)


def paragraphs(text: str, style: str = "") -> Markup:
    r"""Give plain text as escaped HTML paragraphs; a blank line ends one, a line end within stays.

    >>> paragraphs("Dear <Ann>,\n\none\ntwo")
    Markup('<p>Dear &lt;Ann&gt;,</p>\n<p>one<br>two</p>')
    """
    opening = f'<p style="{escape(style)}">' if style else "<p>"
    parts = [part.strip() for part in re.split(r"\n\s*\n", str(text)) if part.strip()]
    lines = ("<br>".join(str(escape(line.strip())) for line in part.splitlines()) for part in parts)
    return Markup("\n".join(f"{opening}{line}</p>" for line in lines))  # noqa: S704 - escaped line by line


@pass_context
def _words(context: Context, value: Json) -> str:
    return said(value, context["language"])


@pass_context
def _day(context: Context, value: str) -> str:
    return formats.day(value, context["language"])


@pass_context
def _plain_day(context: Context, value: str) -> str:
    return formats.plain_day(value, context["language"])


@pass_context
def _moment(context: Context, value: str) -> str:
    """Give an ISO instant as the reader's wall time."""
    return formats.moment(datetime.fromisoformat(value), context["timezone"], context["language"])


@pass_context
def _month(context: Context, value: str) -> str:
    return formats.month(value, context["language"])


@pass_context
def _figure(context: Context, value: Mapping[str, str]) -> str:
    """Give {value, kind, unit} as people read it."""
    return formats.figure(value["value"], CellKind(value["kind"]), value.get("unit", ""), context["language"])


def _symbol(operator: str) -> str:
    """Give the mathematical sign of a comparison; what is none stays."""
    return {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}.get(operator, operator)


@pass_context
def _label(context: Context, name: str, *values: object) -> str:
    return phrase(name, context["language"], *values)


@pass_context
def _doing(context: Context, kind: str) -> str:
    return doing(kind, context["language"])
