"""How commands speak: sentences on standard output, refusals on standard error with an exit status."""

from __future__ import annotations

import contextlib
import difflib
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pfflow.domain.parties import Contact

if TYPE_CHECKING:
    from pfflow.domain.facts import Facts
    from pfflow.domain.playbook import Playbook

REFUSED = 1
"""Exit status where what was asked for could not be done, or was done and found something wrong."""
WRONG_CALL = 2
"""Exit status where the call itself was wrong."""

_LISTED = "pfflow projects lists them"


def refuse(sentence: str, status: int = REFUSED) -> typer.Exit:
    """Say why something is not done, and give the exit to raise."""
    typer.echo(sentence, err=True)
    return typer.Exit(status)


_LOG = logging.getLogger("pfflow")


def show_tracebacks(*, shown: bool) -> None:
    """Say whether what fails is told with its traceback, or in a line alone; lasts as long as `refused`."""
    _LOG.setLevel(logging.NOTSET if shown else logging.CRITICAL + 1)


@contextlib.contextmanager
def refused() -> Iterator[None]:
    """Turn the errors a user can cause into sentences; any other error stays what it is."""
    before = _LOG.level
    try:
        yield
    except Exception as error:
        said = _said(error)
        if said is None or _LOG.isEnabledFor(logging.ERROR):
            raise
        status, sentences = said
        for sentence in sentences:
            typer.echo(sentence, err=True)
        sys.exit(status)
    finally:
        _LOG.setLevel(before)


def _said(error: Exception) -> tuple[int, list[str]] | None:
    """Give the exit status and the sentences of a user's error; None for an error of another kind."""
    from pydantic import ValidationError

    from pfflow.bootstrap import NotReadyError
    from pfflow.store import StoreError

    if isinstance(error, ValidationError):
        return WRONG_CALL, [_of_setting(dict(finding)) for finding in error.errors()]
    if isinstance(error, NotReadyError | StoreError):
        return REFUSED, [str(error)]
    if isinstance(error, OSError):  # a disk that is full, a folder nobody may write to
        return REFUSED, [f"{error.filename or 'the system'}: {error.strerror or error}"]
    return None


def _of_setting(finding: Mapping[str, Any]) -> str:
    """Say what is wrong with a setting, by the name it has in the environment."""
    name = "_".join(("PFFLOW", *(str(part).upper() for part in finding["loc"])))
    said = str(finding["msg"]).removeprefix("Value error, ")
    return f"settings: {said}" if not finding["loc"] else f"settings: {name}: {said}"


def known_projects(known: Sequence[str], asked: Sequence[str] | None) -> tuple[str, ...]:
    """Give the projects asked for, or all; refuses where there are none, and those that are not registered."""
    if not known:
        raise refuse("there are no projects yet; run: pfflow import REGISTER.xlsx")
    unknown = [ref for ref in asked or () if ref not in known]
    for ref in unknown:
        near = difflib.get_close_matches(ref, known, n=3)
        typer.echo(
            f"no project {ref!r} is registered; " + (f"did you mean {', '.join(near)}?" if near else _LISTED), err=True
        )
    if unknown:
        raise typer.Exit(REFUSED)
    return tuple(dict.fromkeys(asked)) if asked else tuple(known)


def remark_on_roles(playbook: Playbook, facts: Facts) -> None:
    """Say which roles the playbook writes to and nobody holds: letters to them go to the head instead."""
    from pfflow.domain.role_names import unmatched_roles

    for unmatched in unmatched_roles(playbook, facts):
        typer.echo(f"remark: {unmatched}")


def instant(text: str | None, zone: str) -> datetime:
    """Read an instant: a date (18:00 in the zone), or a date and time with or without an offset; now if not said."""
    from zoneinfo import ZoneInfo

    from pfflow.bootstrap import now

    if not text:
        return now()
    try:
        if "T" not in text and " " not in text.strip():
            return datetime.combine(date.fromisoformat(text), time(18), ZoneInfo(zone)).astimezone(UTC)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise refuse(f"{text!r} is no date; write 2026-01-15 or 2026-01-15T18:00+08:00", WRONG_CALL) from None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def day(text: str) -> date:
    """Read a date written as 2026-01-15."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise refuse(f"{text!r} is no date; write it as 2026-01-15", WRONG_CALL) from None


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, none: str) -> None:
    """Print rows under their headers, columns aligned; Chinese characters count as two places wide.

    Where there are no rows, `none` says so instead.
    """
    kept = [list(headers), *(list(row) for row in rows)]
    if len(kept) == 1:
        typer.echo(none)
        return
    widths = [max(_width(row[column]) for row in kept) for column in range(len(headers))]
    for row in kept:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def counted(number: int, singular: str, plural: str = "") -> str:
    """Give a number with its noun.

    >>> counted(1, "letter"), counted(0, "letter"), counted(2, "entry", "entries")
    ('1 letter', '0 letters', '2 entries')
    """
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def spoken_language(contacts: Iterable[Contact]) -> str:
    """Give the language most contacts are written to in, which is how the people of this register name things."""
    spoken = Counter(contact.language for contact in contacts).most_common(1)
    return spoken[0][0] if spoken else "en"


def _width(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
