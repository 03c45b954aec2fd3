"""Commands on playbooks: check one, put it in force, print the schema for editors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pfflow.cli.console import refuse, remark_on_roles

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
    *,
    without_plan: Annotated[
        bool, typer.Option("--without-plan", help="Adopt it although its dates differ; what is planned stays as it is.")
    ] = False,
) -> None:
    """Put a playbook in force; every decision from now on follows it.

    One whose dates differ from the one in force goes by plan and apply, so that nobody's calendar changes unseen.
    """
    from pfflow.bootstrap import now, opened_store, playbook_in_force
    from pfflow.domain.replanning.reasons import date_lines
    from pfflow.playbook import read_playbook
    from pfflow.settings import Settings

    reading = read_playbook(playbook)
    for problem in reading.problems:
        typer.echo(str(problem), err=True)
    if reading.playbook is None:
        raise refuse(f"{playbook} is not usable and was not adopted")
    refuse_unknown_calendars(playbook, reading.playbook.calendars)
    with opened_store(Settings()) as store:
        if not without_plan and store.playbook() and store.project_refs():
            _refuse_other_dates(playbook, date_lines(playbook_in_force(store), reading.playbook))
        before = store.playbook()
        stored = store.adopt_playbook(
            playbook.read_text(encoding="utf-8"), reading.playbook.name, reading.playbook.version, now(), by
        )
        typer.echo(f"{stored.name}, version {stored.version}, is in force (sha256 {stored.sha256[:12]})")
        if before and (before.name, before.version) == (stored.name, stored.version) and before.sha256 != stored.sha256:
            typer.echo(
                f"remark: version {stored.version} reads otherwise than before (sha256 {before.sha256[:12]}); "
                "count the version up, so that people can tell the two apart"
            )
        if store.project_refs():
            remark_on_roles(reading.playbook, store.facts())


def _refuse_other_dates(playbook: Path, lines: Sequence[str]) -> None:
    if not lines:
        return
    for line in lines:
        typer.echo(line, err=True)
    raise refuse(
        f"{playbook} changes dates and was not adopted; see what it would change by: pfflow plan {playbook}, "
        "and put it in force by pfflow apply (or adopt it --without-plan and leave what is planned as it is)"
    )


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
