"""The command that looks for what stood still."""

from __future__ import annotations

from typing import Annotated

import typer

from pfflow.cli.console import REFUSED, counted, instant, table


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watchdog")(watchdog)


def watchdog(
    hours: Annotated[int, typer.Option(min=1, help="How many hours late a rung or a daily sweep may be.")] = 26,
    letters: Annotated[int, typer.Option(min=1, help="How many hours a letter may wait for somebody to send it.")] = 4,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Look from this instant; now if not given.")] = None,
) -> None:
    """Look for ladders that should have moved and did not, projects not swept, and letters nobody sends.

    Exit status 1 where something is found, so that cron can mail it.
    """
    from datetime import timedelta

    from pfflow.bootstrap import engine, home_zone
    from pfflow.watchdog import watched

    with engine() as opened:
        at = instant(as_of, home_zone(opened.store))
        found = watched(opened, at, tolerance=timedelta(hours=hours), letters_wait=timedelta(hours=letters))
        zone = opened.playbook.zone
    table(
        ("what", "which", "since", "because"),
        ((one.kind, one.subject, f"{one.since.astimezone(zone):%Y-%m-%d %H:%M}", one.text.en) for one in found),
        none="nothing stands still",
    )
    if found:
        typer.echo(f"{counted(len(found), 'thing')} stood still; pfflow sweep STAGE takes what is due", err=True)
        raise typer.Exit(REFUSED)
