"""How commands speak: sentences on standard output, refusals on standard error with an exit status."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import typer

REFUSED = 1
"""Exit status where what was asked for could not be done, or was done and found something wrong."""
WRONG_CALL = 2
"""Exit status where the call itself was wrong."""


def refuse(sentence: str, status: int = REFUSED) -> typer.Exit:
    """Say why something is not done, and give the exit to raise."""
    typer.echo(sentence, err=True)
    return typer.Exit(status)


@contextlib.contextmanager
def refused() -> Iterator[None]:
    """Turn the errors a user can cause into sentences; any other error stays what it is."""
    try:
        yield
    except Exception as error:
        status = _said(error)
        if status is None:
            raise
        sys.exit(status)


def _said(error: Exception) -> int | None:
    """Say what a user's error means and give its exit status; None for an error of another kind."""
    from pydantic import ValidationError

    from pfflow.bootstrap import NotReadyError
    from pfflow.store import StoreError

    if isinstance(error, ValidationError):
        for finding in error.errors():
            place = ".".join(str(part) for part in finding["loc"])
            said = finding["msg"].removeprefix("Value error, ")
            typer.echo(f"settings: {place + ': ' if place else ''}{said}", err=True)
        return WRONG_CALL
    if isinstance(error, NotReadyError | StoreError):
        typer.echo(str(error), err=True)
        return REFUSED
    return None


def instant(text: str | None, zone: str) -> datetime:
    """Read an instant: a date (18:00 in the zone), or a date and time with or without an offset; now if not said."""
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


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their headers, columns aligned; Chinese characters count as two places wide."""
    kept = [list(headers), *(list(row) for row in rows)]
    widths = [max(_width(row[column]) for row in kept) for column in range(len(headers))]
    for row in kept:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
