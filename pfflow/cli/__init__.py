"""The command line. Commands import what they need when they run, so that `pfflow --help` answers at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from pfflow.cli import (
    answers,
    calendars,
    console,
    feeds,
    ledger,
    letters,
    mail,
    plans,
    playbooks,
    portal,
    registers,
    rehearsals,
    runs,
    watchdog,
)

app = typer.Typer(
    name="pfflow",
    help="Run the relationship side of a project financing: a register and a playbook in, the relationship run.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _begin(
    *,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show the traceback of what fails, for those who mend pfflow.")
    ] = False,
) -> None:
    console.show_tracebacks(shown=traceback)


for module in (
    registers,
    playbooks,
    plans,
    rehearsals,
    runs,
    calendars,
    letters,
    mail,
    portal,
    feeds,
    answers,
    ledger,
    watchdog,
):
    module.add_to(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a refusal is one sentence on standard error and exit status 1 or 2, never a traceback.

    Always raises SystemExit.
    """
    with console.refused():
        app(args=arguments if arguments is None else list(arguments), prog_name="pfflow")
