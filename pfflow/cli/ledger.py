"""Commands on the ledger: verify the chains, read a project's history."""

from __future__ import annotations

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("verify")(verify)
    app.command("history")(history)


def verify() -> None:
    """Recompute every project's chain; exit status 1 where an entry was changed, removed or reordered."""
    from pfflow.bootstrap import opened_store
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        broken = store.verify()
        for one in broken:
            typer.echo(f"{one.project_ref}: {one.what}", err=True)
        if broken:
            raise typer.Exit(1)
        typer.echo(f"{len(store.project_refs())} chains are unbroken")


def history(
    project: Annotated[str, typer.Argument(help="A project.")],
    about: Annotated[str, typer.Option("--about", help="Only entries whose subject begins with this.")] = "",
) -> None:
    """Print a project's ledger, oldest first."""
    from pfflow.bootstrap import opened_store
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        for entry in store.ledger(project):
            if entry.subject.startswith(about):
                typer.echo(f"{entry.seq:6} {entry.at} {entry.stage:22} {entry.kind:10} {entry.subject} {entry.data}")
