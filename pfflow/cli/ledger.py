"""Commands on the ledger: verify the chains, read a project's history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

import typer

from pfflow.cli.console import REFUSED, WRONG_CALL, counted, known_projects, refuse, table

_TOLD_APART = frozenset({"by", "because"})


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("verify")(verify)
    app.command("history")(history)
    app.command("why")(why)


def verify() -> None:
    """Recompute every project's chain and name the first broken entry.

    Exit status 1 where an entry was changed, removed or reordered.
    """
    from pfflow.bootstrap import opened_store
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        broken = store.verify()
        projects = store.projects()
    for one in broken:
        typer.echo(f"{one.project_ref}: {one.what}", err=True)
    if broken:
        raise typer.Exit(REFUSED)
    entries = sum(project.entries for project in projects)
    many = counted(len(projects), "project")
    typer.echo(f"unbroken: {counted(entries, 'entry', 'entries')} of {many}")


def history(
    project: Annotated[str, typer.Argument(help="A project.")],
    about: Annotated[str, typer.Option("--about", help="Only entries whose subject begins with this.")] = "",
    last: Annotated[int | None, typer.Option(min=1, help="Only the last so many.")] = None,
) -> None:
    """Print a project's ledger, oldest first: when, what, who, why."""
    from pfflow.bootstrap import opened_store
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        known_projects(store.project_refs(), [project])
        entries = [entry for entry in store.ledger(project) if entry.subject.startswith(about)]
        words = {t.ext_id: ": ".join(filter(None, (t.kind, t.outcome))) for t in store.facts(project).interactions}
    table(
        ("no.", "at (UTC)", "stage", "kind", "subject", "by", "because"),
        (
            (
                str(entry.seq),
                entry.at[:16].replace("T", " "),
                entry.stage,
                entry.kind,
                entry.subject,
                *_said(entry.data, words),
            )
            for entry in entries[-last if last else None :]
        ),
        none=f"nothing is written about {about!r}" if about else "nothing is written yet",
    )


def why(
    subject: Annotated[str, typer.Argument(help="A letter's Message-ID or key, or an obligation's reference.")],
    *,
    language: Annotated[str, typer.Option(help="zh-CN or en.")] = "zh-CN",
    machine: Annotated[bool, typer.Option("--json", help="For machines: the whole chain as JSON.")] = False,
) -> None:
    """Explain a letter or an obligation from the ledger, and decide it again to show that the answer is the same.

    Exit status 1 where deciding again gives another answer, or where the chain has a gap.
    """
    from pfflow.bootstrap import opened_store
    from pfflow.replay import Archive, UnknownSubjectError, explained
    from pfflow.settings import Settings

    if language not in ("zh-CN", "en"):
        raise refuse(f"{language!r} is no language of an explanation; write zh-CN or en", WRONG_CALL)
    with opened_store(Settings()) as store:
        try:
            found = explained(Archive(store), subject)
        except UnknownSubjectError as error:
            raise refuse(str(error)) from None
    if machine:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
    else:
        for line in found.text(language):
            typer.echo(line)
    if not (found.same and found.complete):
        raise typer.Exit(REFUSED)


def _said(data: str, words: Mapping[str, str]) -> tuple[str, str]:
    """Give who did it, and why with whatever else the entry says; a person's words are looked up by their touch."""
    said = json.loads(data)
    said["because"] = said.get("because") or words.get(str(said.pop("touch", "")), "")
    rest = {name: value for name, value in said.items() if name not in _TOLD_APART and name != "value"}
    told = [str(said["because"])] if said.get("because") else []
    told += [f"{name}={_shown(name, value)}" for name, value in rest.items() if value not in ("", [], None, False)]
    return str(said.get("by", "")), "; ".join(told)


def _shown(name: str, value: object) -> str:
    if name == "sha256":
        return str(value)[:12]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
