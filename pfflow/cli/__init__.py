"""The command line. Commands import what they need when they run, so that `pfflow --help` answers at once."""

from __future__ import annotations

import typer

from pfflow.cli import answers, ledger, letters, playbooks, registers, runs

app = typer.Typer(
    name="pfflow",
    help="Run the relationship side of a project financing: a register and a playbook in, the relationship run.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for module in (registers, playbooks, runs, letters, answers, ledger):
    module.add_to(app)


def main() -> None:
    """Run the command line; a refusal is one sentence on standard error and exit status 1 or 2, never a traceback."""
    from pfflow.cli.console import refused

    with refused():
        app()
