"""Commands on registers: import, export, an empty one to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pfflow.cli.console import refuse

Language = Annotated[str, typer.Option(help="zh-CN or en: the language of sheet names and headers.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_register)
    app.command("export")(export_register)
    app.command("template")(blank)


def import_register(
    register: Annotated[Path, typer.Argument(help="A workbook (.xlsx), or a folder of CSV files, one a sheet.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
    by: Annotated[str, typer.Option(help="Who imports; goes into the ledger.")] = "operations",
) -> None:
    """Read a register, say what is wrong with it or what it changes, and write it: all of it or nothing."""
    from pfflow.bootstrap import now, opened_store
    from pfflow.register import changes, merged, read_register
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        before = store.facts()
        reading = read_register(register, before)
        for problem in reading.problems:
            typer.echo(str(problem), err=True)
        if not reading.can_be_written:
            raise refuse(f"{register}: nothing was written; mend what is listed above and import again")
        found = changes(before, reading.facts)
        for line in found.lines():
            typer.echo(line)
        if dry_run:
            typer.echo("dry run: nothing was written")
            return
        written = store.import_facts(merged(before, reading.facts), now(), by)
        typer.echo(f"{written} records written" if written else "nothing changed")


def export_register(
    register: Annotated[Path, typer.Argument(help="The workbook to write; it must not exist.")],
    language: Language = "zh-CN",
) -> None:
    """Write everything the register holds as a workbook that imports again without a change."""
    from pfflow.bootstrap import opened_store
    from pfflow.register import write_register
    from pfflow.settings import Settings

    _refuse_existing(register)
    with opened_store(Settings()) as store:
        write_register(store.facts(), register, _language(language))
    typer.echo(f"{register} written")


def blank(
    register: Annotated[Path, typer.Argument(help="The workbook to write; it must not exist.")],
    language: Language = "zh-CN",
) -> None:
    """Write an empty register with every sheet and column, ready to be filled in."""
    from pfflow.register import blank_register

    _refuse_existing(register)
    blank_register(register, _language(language))
    typer.echo(f"{register} written")


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise refuse(f"{path} exists; name another file")


def _language(language: str) -> str:
    if language not in ("zh-CN", "en"):
        raise refuse(f"{language!r} is no language of the register; write zh-CN or en", 2)
    return language
