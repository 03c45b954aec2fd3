"""Commands on playbooks: check one, put it in force, print the schema for editors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pfflow.cli.console import refuse

PlaybookFile = Annotated[Path, typer.Argument(help="The playbook, a YAML file.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("check")(check)
    app.command("adopt")(adopt)
    app.command("schema")(schema)


def check(playbook: PlaybookFile) -> None:
    """Read a playbook and list every mistake with its line.

    Exit status 1 where there is one.
    """
    from pfflow.playbook import read_playbook

    reading = read_playbook(playbook)
    for problem in reading.problems:
        typer.echo(str(problem), err=True)
    if reading.playbook is None:
        raise refuse(f"{playbook} is not usable")
    refuse_unknown_calendars(playbook, reading.playbook.calendars)
    typer.echo(f"{playbook}: {reading.playbook.name}, version {reading.playbook.version}, is good")


def adopt(
    playbook: PlaybookFile,
    by: Annotated[str, typer.Option(help="Who puts it in force; goes into the record.")] = "operations",
) -> None:
    """Put a playbook in force; every decision from now on follows it."""
    from pfflow.bootstrap import now, opened_store
    from pfflow.playbook import read_playbook
    from pfflow.settings import Settings

    reading = read_playbook(playbook)
    for problem in reading.problems:
        typer.echo(str(problem), err=True)
    if reading.playbook is None:
        raise refuse(f"{playbook} is not usable and was not adopted")
    refuse_unknown_calendars(playbook, reading.playbook.calendars)
    with opened_store(Settings()) as store:
        stored = store.adopt_playbook(
            playbook.read_text(encoding="utf-8"), reading.playbook.name, reading.playbook.version, now(), by
        )
    typer.echo(f"{stored.name}, version {stored.version}, is in force (sha256 {stored.sha256[:12]})")


def refuse_unknown_calendars(playbook: Path, codes: Sequence[str]) -> None:
    """Refuse a playbook that names calendars nobody knows."""
    from pfflow.bootstrap import now
    from pfflow.calendars import CalendarError, business_calendar

    year = now().year
    try:
        business_calendar(codes, year, year)
    except CalendarError as error:
        raise refuse(f"{playbook}: calendars: {error}") from None


def schema() -> None:
    """Print the JSON Schema of playbooks, for editors.

    An editor that knows it checks while one types.
    """
    from pfflow.playbook import playbook_schema

    typer.echo(json.dumps(playbook_schema(), ensure_ascii=False, indent=2))
