"""Commands that run stages without Prefect, and that show what is owed."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pfflow.cli.console import day, instant, refuse, table

if TYPE_CHECKING:
    from pfflow.bootstrap import Engine
    from pfflow.cycle import Outcome

Projects = Annotated[list[str] | None, typer.Option("--project", help="A project; all if not said. Repeatable.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="2026-01-15 (18:00 there), or an instant; now if not said.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("sweep")(sweep)
    app.command("run")(run)
    app.command("dispatch")(dispatch)
    app.command("owed")(owed)
    app.command("who")(who)
    app.command("projects")(projects)


def sweep(
    stage: Annotated[str, typer.Argument(help="identification, information_gathering, service_design, …")],
    project: Projects = None,
    as_of: AsOf = None,
) -> None:
    """Decide one stage for the projects, then send what waits."""
    from pfflow.bootstrap import engine
    from pfflow.domain.words import Stage

    try:
        chosen = Stage(stage)
    except ValueError:
        raise refuse(f"{stage!r} is no stage; the stages are {', '.join(Stage)}", 2) from None
    with engine() as opened:
        at = instant(as_of, opened.playbook.timezone)
        outcomes = list(opened.cycle.sweep(chosen, at, project or opened.store.project_refs()))
        for outcome in outcomes:
            typer.echo(_line(outcome))
            for finding in outcome.findings:
                typer.echo(f"  {finding.kind}: {finding.text.zh} / {finding.text.en}")
        _send(opened)
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(1)


def run(
    first: Annotated[str, typer.Option("--from", help="The first day, 2026-01-05.")],
    until: Annotated[str, typer.Option("--until", help="The last day, 2026-03-31.")],
    project: Projects = None,
) -> None:
    """Live through days: every stage at 18:00 of each, for every project, sending as the days go by."""
    from pfflow.bootstrap import engine
    from pfflow.cycle import STAGES

    start, end = day(first), day(until)
    failed = False
    with engine() as opened:
        refs = project or opened.store.project_refs()
        for number in range((end - start).days + 1):
            at = instant((start + timedelta(days=number)).isoformat(), opened.playbook.timezone)
            for stage in STAGES:
                for outcome in opened.cycle.sweep(stage, at, refs):
                    failed = failed or bool(outcome.error)
                    if outcome.status in ("decided", "failed"):
                        typer.echo(_line(outcome))
            _send(opened, quiet=True)
        _send(opened)
    if failed:
        raise typer.Exit(1)


def _line(outcome: Outcome) -> str:
    if outcome.error:
        return f"{outcome.as_of:%Y-%m-%d} {outcome.project_ref} {outcome.stage}: {outcome.error}"
    counted = outcome.recorded
    return (
        f"{outcome.as_of:%Y-%m-%d} {outcome.project_ref} {outcome.stage}: {outcome.status}; "
        f"{counted.obligations} obligations, {counted.firings} rungs, {counted.notices} letters"
    )


def _send(opened: Engine, *, quiet: bool = False) -> None:
    sent = asyncio.run(opened.cycle.dispatch(patience=opened.settings.mail_lease + 1))
    if not quiet or sent.failed or sent.held:
        typer.echo(f"letters: {sent.sent} sent, {sent.held} held, {sent.retry} to be tried again, {sent.failed} failed")


def dispatch() -> None:
    """Send what waits in the outbox."""
    from pfflow.bootstrap import engine

    with engine() as opened:
        _send(opened)


def owed(
    project: Annotated[str | None, typer.Option("--project", help="A project; all if not said.")] = None,
    as_of: AsOf = None,
    *,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is past its due date.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 50,
) -> None:
    """List what is still owed, by whom, by when."""
    from pfflow.bootstrap import opened_store
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        at: datetime = instant(as_of, "UTC")
        live = [o for o in store.obligations(project) if o.live and (not overdue or o.overdue(at))]
    table(
        ("due", "", "owed by", "what", "reference"),
        (
            (
                f"{o.due_on}{'*' if o.provisional else ''}",
                "overdue" if o.overdue(at) else str(o.status),
                o.debtor,
                str(o.title.zh or o.title.en),
                o.key,
            )
            for o in sorted(live, key=lambda o: (o.due_at, o.key))[:limit]
        ),
    )
    if len(live) > limit:
        typer.echo(f"… and {len(live) - limit} more")
    if any(o.provisional for o in live[:limit]):
        typer.echo("* provisional: that year's holiday list is not published yet")


def who(project: Annotated[str, typer.Argument(help="A project.")]) -> None:
    """Show who is who in a project: segment, tier, owner, and the rule that fired."""
    from pfflow.bootstrap import opened_store
    from pfflow.domain.words import Stage
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        held = store.holdings(project)
        names = {p.party_ref: p.name_zh or p.name for p in held.facts.parties}
        table(
            ("party", "name", "segment", "tier", "owner", "because"),
            (
                (
                    ref,
                    names.get(ref, ""),
                    str(conclusion.value["segment"] or "-"),
                    str(conclusion.value["tier"] or "-"),
                    str(conclusion.value["owner"] or "-"),
                    conclusion.because,
                )
                for (stage, subject), conclusion in sorted(held.conclusions.items())
                if stage is Stage.IDENTIFICATION and (ref := subject.removeprefix("party/")) != subject
            ),
        )


def projects() -> None:
    """List the projects, how much each owes, and what comes next."""
    from pfflow.bootstrap import opened_store
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        table(
            ("project", "name", "phase", "owed", "next due"),
            (
                (
                    p.project_ref,
                    p.name_zh or p.name,
                    str(p.phase),
                    str(p.live),
                    f"{p.next_due_at:%Y-%m-%d}" if p.next_due_at else "-",
                )
                for p in store.projects()
            ),
        )
