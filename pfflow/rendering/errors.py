"""What can go wrong in rendering, said so that whoever wrote the template finds the place."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from pathlib import Path

from jinja2 import TemplateNotFound, TemplatesNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

_QUOTED = re.compile(r"'([^']+)'")


class RenderingError(ValueError):
    """A template that is missing, broken, or asks for what a notice does not carry.

    `template` is its path below the templates folder, `line` the line in it (0 if unknown), `variable` the name asked
    for (empty if the fault is another).
    """

    def __init__(self, template: str, line: int, reason: str, variable: str = "") -> None:
        super().__init__(f"template {template}, line {line}: {reason}" if line else f"template {template}: {reason}")
        self.template = template
        self.line = line
        self.variable = variable


def rendering_error(template: str, error: Exception, folders: Sequence[Path] = ()) -> RenderingError:
    """Give the typed error for what Jinja raised while rendering `template`; `folders` are where templates lie."""
    if isinstance(error, TemplatesNotFound | TemplateNotFound):
        return RenderingError(template, 0, f"there is no template {error.message or error.name}")
    if isinstance(error, TemplateSyntaxError):
        return RenderingError(error.name or template, error.lineno, error.message or "syntax error")
    name, line = _place(template, error, folders)
    reason = str(error) or type(error).__name__
    if isinstance(error, UndefinedError):
        quoted = _QUOTED.findall(reason)
        return RenderingError(name, line, reason, quoted[-1] if quoted else "")
    if isinstance(error, SecurityError):
        return RenderingError(name, line, f"not allowed in a template: {reason}")
    return RenderingError(name, line, f"{type(error).__name__}: {reason}")


def _place(template: str, error: Exception, folders: Sequence[Path]) -> tuple[str, int]:
    """Give the innermost template frame of the traceback: Jinja files each under the template's own path."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        for folder in folders:
            path = Path(frame.filename)
            if path.suffix != ".py" and path.is_relative_to(folder):
                return path.relative_to(folder).as_posix(), frame.lineno or 0
    return template, 0
