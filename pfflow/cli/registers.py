"""Commands on registers: import, export, an empty one to begin with."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from pfflow.cli.console import counted, refuse, remark_on_roles

_SHOWN = 5
"""How many records of a sheet are listed before the rest are counted."""
_SIGNS = {"+": "new", "~": "changed", "-": "replaced", "=": "not in the file, kept"}

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
    every: Annotated[
        bool, typer.Option("--all", help="List every record that changes, not the first of each sheet.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who imports; goes into the ledger.")] = "operations",
) -> None:
    """Read a register and write it: all of it or nothing.

    Says what is wrong, each with its sheet, row and column, or what changes: + new, ~ changed, - replaced, = kept.
    """
    from pfflow.bootstrap import now, opened_store, playbook_in_force, unknown_calendars
    from pfflow.register import changes, merged, read_register
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        before = store.facts()
        reading = read_register(register, before)
        unknown = unknown_calendars(reading.facts, store.house_lists())
        for problem in (*reading.problems, *unknown):
            typer.echo(str(problem), err=True)
        if not reading.can_be_written or unknown:
            mistakes = len(unknown) + sum(problem.stops_the_import for problem in reading.problems)
            raise refuse(f"{register}: {counted(mistakes, 'problem')}; nothing was written; mend them and import again")
        found = changes(before, reading.facts)
        _show(found.lines(), every=every)
        if dry_run:
            typer.echo("dry run: nothing would change" if found.is_empty else "dry run: nothing was written")
            return
        written = store.import_facts(merged(before, reading.facts), now(), by)
        typer.echo(f"{counted(written, 'record')} written" if written else "nothing changed")
        if store.playbook():
            remark_on_roles(playbook_in_force(store), store.facts())


def _show(lines: Iterable[str], *, every: bool) -> None:
    """Print the changes, the first of each sheet and kind of change, then how many more there are."""
    for (sign, sheet), group in groupby(lines, key=lambda line: tuple(line.split(" ", 2)[:2])):
        some = list(group)
        shown = len(some) if every else _SHOWN
        for line in some[:shown]:
            typer.echo(line)
        if len(some) > shown:
            typer.echo(f"{sign} {sheet} … and {len(some) - shown} more {_SIGNS[sign]}; --all lists them")


def export_register(
    register: Annotated[Path, typer.Argument(help="The workbook to write; it must not exist.")],
    language: Language = "zh-CN",
) -> None:
    """Write what is held as a workbook that imports without a change."""
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
    """Write an empty register, every sheet and column, to fill in."""
    from pfflow.register import blank_register

    _refuse_existing(register)
    blank_register(register, _language(language))
    typer.echo(f"{register} written")


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise refuse(f"{path} exists; name another file")
    if path.suffix.lower() != ".xlsx":
        raise refuse(f"{path}: a register is written as a workbook; let its name end in .xlsx", 2)
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise refuse(f"{path.parent} is no folder that can be written to")


def _language(language: str) -> str:
    if language not in ("zh-CN", "en"):
        raise refuse(f"{language!r} is no language of the register; write zh-CN or en", 2)
    return language
