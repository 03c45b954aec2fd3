"""Commands that plan and apply: what would change in the calendars of every project, and doing exactly that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pfflow.cli.console import REFUSED, WRONG_CALL, counted, instant, known_projects, refuse

if TYPE_CHECKING:
    from pfflow.bootstrap import Engine
    from pfflow.domain.replanning import HousePlan
    from pfflow.plans import Candidate

CHANGES = 3
"""Exit status of `pfflow plan --exit-code` where there is something to apply; 1 and 2 are refusals."""

Playbook = Annotated[Path | None, typer.Argument(help="The playbook that is to be; the one in force if left out.")]
Projects = Annotated[list[str] | None, typer.Option("--project", help="A project; all if not said. Repeatable.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="2026-01-15 (18:00 there), or an instant; now if not said.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("plan")(plan)
    app.command("apply")(apply)


def plan(
    playbook: Playbook = None,
    project: Projects = None,
    as_of: AsOf = None,
    *,
    language: Annotated[str, typer.Option(help="zh-CN or en.")] = "zh-CN",
    machine: Annotated[bool, typer.Option("--json", help="For machines: the whole plan as JSON.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Keep the plan in a file for pfflow apply.")] = None,
    every: Annotated[bool, typer.Option("--all", help="List every date, not the first five of each kind.")] = False,
    meetings_a_day: Annotated[int, typer.Option(min=1, help="More meetings a day than this is a conflict.")] = 3,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 3 where there is something to apply.")
    ] = False,
) -> None:
    """Show which dates, people and letters a playbook, the register and the holiday lists would change.

    Writes nothing but the file named by --out.
    """
    from pfflow.bootstrap import engine
    from pfflow.cli.plan_text import plan_text
    from pfflow.plans import planned, stands_later

    if language not in ("zh-CN", "en"):
        raise refuse(f"{language!r} is no language of a plan; write zh-CN or en", WRONG_CALL)
    if out is not None and out.exists():
        _kept(out)  # a plan may be written anew, anything else is not overwritten
    with engine() as opened:
        candidate = _candidate(opened, playbook)
        refs = known_projects(opened.store.project_refs(), project)
        at = instant(as_of, candidate.playbook.timezone)
        later = stands_later(opened, at, refs)
        found = planned(opened, candidate, at, refs, meetings_a_day=meetings_a_day)
        zone = candidate.playbook.zone
    if later is not None:
        typer.echo(later.in_language(language), err=True)
    written = {**found.as_json(), "playbook_text": candidate.text}
    if out is not None:
        out.write_text(json.dumps(written, ensure_ascii=False, indent=1), encoding="utf-8")
    if machine:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
    else:
        for line in plan_text(found, language, zone, every=every):
            typer.echo(line)
    if exit_code and not found.is_empty:
        raise typer.Exit(CHANGES)


def apply(
    plan_or_playbook: Annotated[
        Path | None, typer.Argument(help="The file pfflow plan --out wrote; with --digest, the playbook if it is new.")
    ] = None,
    digest: Annotated[
        str | None, typer.Option("--digest", help="The digest a plan ended with, instead of a file.")
    ] = None,
    project: Projects = None,
    as_of: AsOf = None,
    by: Annotated[str, typer.Option(help="Who applies; goes into the record.")] = "operations",
) -> None:
    """Do exactly what a plan showed; refuse if the world has changed since.

    Puts the plan's playbook in force, changes the dates of each project in one transaction, and sends the letters.
    """
    from pfflow.bootstrap import engine, now
    from pfflow.plans import apply as applied
    from pfflow.plans import planned, read_candidate

    if (digest is None) and plan_or_playbook is None:
        raise refuse("name the file that pfflow plan --out wrote, or give --digest", WRONG_CALL)
    kept = _kept(plan_or_playbook) if digest is None and plan_or_playbook is not None else {}
    with engine() as opened:
        if kept:
            candidate = read_candidate(str(kept["playbook_text"]), str(plan_or_playbook))
            if candidate is None:
                raise refuse(f"{plan_or_playbook}: the playbook in it does not read; plan again")
        else:
            candidate = _candidate(opened, plan_or_playbook)
        at = instant(as_of, candidate.playbook.timezone)
        refs = [str(one["project"]) for one in kept["projects"]] if kept else project
        found = planned(opened, candidate, at, known_projects(opened.store.project_refs(), refs), until=_until(kept))
        if found.is_empty:
            typer.echo("nothing to apply: all is as the plan has it")
            return
        wanted = digest or str(kept["digest"])
        if len(wanted) < SHORTEST or not found.digest.startswith(wanted):
            _say_what_changed(kept, found)
            raise refuse("nothing was applied; look at the new plan (pfflow plan) and apply that")
        results = applied(opened, candidate, found, by=by, at=now())
        for one in results:
            said = one.refused or f"{counted(one.changes, 'change')}, {counted(one.letters, 'letter')}"
            typer.echo(f"{one.project_ref}: {said}", err=bool(one.refused))
        sent = asyncio.run(opened.cycle.dispatch(patience=opened.settings.mail_lease + 1))
    typer.echo(f"{counted(sent.sent, 'letter')} sent" + (f", {sent.held} held back" if sent.held else ""))
    if sent.failed or any(one.refused for one in results):
        raise typer.Exit(REFUSED)


SHORTEST = 12
"""How much of a digest must be given."""


def _until(kept: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a date, or None
    from datetime import date

    return date.fromisoformat(str(kept["until"])) if kept else None


def _kept(path: Path) -> dict[str, Any]:
    from pfflow.domain.replanning.plan import FORMAT

    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError):
        kept = None
    if not isinstance(kept, dict) or kept.get("format") != FORMAT or "playbook_text" not in kept:
        raise refuse(f"{path} is no plan; write one by: pfflow plan --out plan.json", WRONG_CALL)
    return kept


def _candidate(opened: Engine, path: Path | None) -> Candidate:
    from pfflow.cli.playbooks import refuse_unknown_calendars
    from pfflow.plans import Candidate, in_force
    from pfflow.playbook import read_playbook

    if path is None:
        return in_force(opened)
    reading = read_playbook(path)
    for problem in reading.problems:
        typer.echo(str(problem), err=True)
    if reading.playbook is None:
        raise refuse(f"{path} is not usable")
    refuse_unknown_calendars(path, reading.playbook.calendars)
    return Candidate(reading.playbook, path.read_text(encoding="utf-8"))


def _say_what_changed(kept: Mapping[str, Any], found: HousePlan) -> None:
    """Say in which projects the world is another than the one the plan was made on."""
    if not kept:
        typer.echo(f"the plan is now {found.digest[:SHORTEST]}", err=True)
        return
    if kept["playbook"]["in_force"] != found.in_force:
        typer.echo("another playbook was put in force since the plan was made", err=True)
    then = {one["project"]: one for one in kept["projects"]}
    what = {
        "version": "the facts or the playbook",
        "calendar": "the holiday list",
        "held": "what is owed",
        "changes": "the changes",
    }
    for one in found.projects:
        now = one.as_json()
        differ = [said for name, said in what.items() if now[name] != then[one.project_ref][name]]
        if differ:
            typer.echo(f"{one.project_ref}: not as planned any more: {', '.join(differ)}", err=True)
