"""Commands that run stages without Prefect, and that show what is owed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pfflow.cli.console import (
    REFUSED,
    WRONG_CALL,
    counted,
    day,
    instant,
    known_projects,
    refuse,
    spoken_language,
    table,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from pfflow.bootstrap import Engine
    from pfflow.cycle import Dispatched, Outcome
    from pfflow.domain.obligations import Obligation
    from pfflow.domain.parties import Party
    from pfflow.domain.trouble import Undelivered
    from pfflow.domain.words import Words

Projects = Annotated[list[str] | None, typer.Option("--project", help="A project; all if not said. Repeatable.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="2026-01-15 (18:00 there), or an instant; now if not said.")]

_WHY = {
    "quiet": "nothing to do",
    "busy": "another worker is deciding; try again",
    "unchanged": "nothing is new",
    "past": "a decision for a later time stands, and time does not go back",
}
"""What the statuses mean under which nothing is recorded."""


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
        chosen = Stage(stage.replace("-", "_"))
    except ValueError:
        raise refuse(f"{stage!r} is no stage; the stages are {', '.join(Stage)}", WRONG_CALL) from None
    with engine() as opened:
        at = instant(as_of, opened.playbook.timezone)
        outcomes = list(opened.cycle.sweep(chosen, at, known_projects(opened.store.project_refs(), project)))
        for outcome in outcomes:
            _say(outcome, opened.playbook.zone)
            for finding in outcome.findings:
                typer.echo(f"  {finding.kind}: {finding.text.zh} / {finding.text.en}")
        sent = _sent(opened)
        typer.echo(_letters(sent))
        _say_waiting(opened)
        kept = _say_kept(opened)
    if sent.failed or kept or any(outcome.error for outcome in outcomes):
        raise typer.Exit(REFUSED)


def run(
    first: Annotated[str, typer.Option("--from", help="The first day, 2026-01-05.")],
    until: Annotated[str, typer.Option("--until", help="The last day, 2026-03-31.")],
    project: Projects = None,
) -> None:
    """Live through days: every stage, every project, at 18:00 of each.

    Letters go out as the days go by. Days that were lived through before change nothing.
    """
    from pfflow.bootstrap import engine
    from pfflow.cycle import STAGES

    start, end = day(first), day(until)
    if end < start:
        raise refuse(f"{until} is before {first}; --from is the first day, --until the last", WRONG_CALL)
    days = (end - start).days + 1
    statuses: Counter[str] = Counter()
    sent: list[Dispatched] = []
    with engine() as opened:
        refs = known_projects(opened.store.project_refs(), project)
        for number in range(days):
            at = instant((start + timedelta(days=number)).isoformat(), opened.playbook.timezone)
            for stage in STAGES:
                for outcome in opened.cycle.sweep(stage, at, refs):
                    statuses[outcome.status] += 1
                    if outcome.status in ("decided", "failed", "busy"):
                        _say(outcome, opened.playbook.zone)
            sent.append(_sent(opened))
        _say_waiting(opened)
        _say_kept(opened)
    total = _added(sent)
    typer.echo(
        f"{counted(days, 'day')}, {counted(len(refs), 'project')}: "
        f"{counted(statuses['decided'], 'decision')}; {_letters(total)}"
    )
    if statuses["past"]:
        typer.echo(f"{counted(statuses['past'], 'time')} nothing was decided: {_WHY['past']}")
    if statuses["failed"] or total.failed:
        raise typer.Exit(REFUSED)


def _say(outcome: Outcome, zone: ZoneInfo) -> None:
    """Say what became of a project; a failure goes to standard error."""
    head = f"{outcome.as_of.astimezone(zone):%Y-%m-%d} {outcome.project_ref} {outcome.stage}"
    if outcome.error:
        typer.echo(f"{head}: failed: {outcome.error}", err=True)
        return
    done = outcome.recorded
    said = [
        f"{counted(done.obligations, 'obligation')} written" if done.obligations else "",
        f"{counted(done.firings, 'rung')} reached" if done.firings else "",
        f"{counted(done.notices, 'letter')}" if done.notices else "",
    ]
    what = ", ".join(filter(None, said)) or f"{counted(done.entries, 'ledger entry', 'ledger entries')}"
    typer.echo(f"{head}: {what if outcome.status == 'decided' else _WHY.get(outcome.status, outcome.status)}")


def _sent(opened: Engine) -> Dispatched:
    import asyncio

    return asyncio.run(opened.cycle.dispatch(patience=opened.settings.mail_lease + 1))


def _say_waiting(opened: Engine) -> None:
    """Say what keeps letters waiting: that mail is stopped, and by what; quiet hours and caps, and until when."""
    from pfflow.bootstrap import now
    from pfflow.domain.manners import Wait

    turns = opened.store.mail_turns()
    zone = opened.playbook.zone
    for one in opened.store.kept_letters(now()):
        if one.status == "waiting" and one.because in set(Wait):
            until = f", the first until {one.until.astimezone(zone):%Y-%m-%d %H:%M}" if one.until else ""
            typer.echo(f"{counted(one.letters, 'letter')} waiting: {one.words.en}{until}")
    if opened.settings.mail_stop:
        typer.echo("mail is stopped by PFFLOW_MAIL_STOP; letters wait and leave once it is off")
    elif turns and turns[0].stopped:
        typer.echo("mail is stopped; pfflow mail status says by whom and why")


def _added(some: Sequence[Dispatched]) -> Dispatched:
    from pfflow.cycle import Dispatched

    return Dispatched(
        sent=sum(one.sent for one in some),
        texts=sum(one.texts for one in some),
        held=sum(one.held for one in some),
        retry=sum(one.retry for one in some),
        failed=sum(one.failed for one in some),
    )


def _letters(sent: Dispatched) -> str:
    """Say what became of the letters; held and failed ones, and those put off, are named only where there are any."""
    said = [
        f"{counted(sent.sent, 'letter')} sent",
        f"{counted(sent.texts, 'chat text')} sent" if sent.texts else "",
        f"{sent.held} held back (pfflow outbox --status held says why)" if sent.held else "",
        f"{sent.retry} to be tried again" if sent.retry else "",
        f"{sent.failed} failed (pfflow outbox --status failed says why)" if sent.failed else "",
    ]
    return ", ".join(filter(None, said))


def _say_kept(opened: Engine) -> bool:
    """Say on standard error that a fault of ours keeps letters back; gives whether one does."""
    kept = [one for one in opened.store.undelivered() if one.kept]
    if kept:
        since = min(one.since for one in kept)
        typer.echo(
            f"{counted(len(kept), 'letter')} kept back by a fault of ours since {since:%Y-%m-%d %H:%M} UTC; "
            "none is lost, they go once it is mended: pfflow outbox says what it is",
            err=True,
        )
    return bool(kept)


def dispatch(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would leave, to whom, when, and what would not and why.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many letters a dry run looks at.")] = 1000,
) -> None:
    """Send what waits in the outbox."""
    from pfflow.bootstrap import engine
    from pfflow.cli.dry_run import dry_run as tell
    from pfflow.settings import Settings

    if dry_run:
        tell(Settings(), limit)
        return
    with engine() as opened:
        sent = _sent(opened)
        kept = _say_kept(opened)
        typer.echo(_letters(sent))
        _say_waiting(opened)
    if sent.failed or kept:
        raise typer.Exit(REFUSED)


def owed(
    project: Annotated[str | None, typer.Option("--project", help="A project; all if not said.")] = None,
    as_of: AsOf = None,
    *,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is past its due date.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 50,
) -> None:
    """List what is still owed, by whom, by when."""
    from pfflow.bootstrap import home_zone, opened_store
    from pfflow.domain.words import NO_WORDS, Words
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        if project is not None:
            known_projects(store.project_refs(), [project])
        at: datetime = instant(as_of, home_zone(store))
        live = [o for o in store.obligations(project) if o.live and (not overdue or o.overdue(at))]
        undelivered = store.undelivered(project)
        facts = store.facts(project)
    language = spoken_language(facts.contacts)
    named, comma = _debtors(facts.parties, language), Words("，", ", ").in_language(language)
    headers = (
        Words("到期", "due"),
        NO_WORDS,
        Words("责任方", "owed by"),
        Words("事项", "what"),
        Words("编号", "reference"),
    )
    table(
        [header.in_language(language) for header in headers],
        (
            (
                f"{o.due_on}{'*' if o.provisional else ''}",
                comma.join(filter(None, (_state(o, at, language), _undelivered(undelivered, o.key, language)))),
                named(o.debtor),
                o.title.in_language(language),
                o.key,
            )
            for o in sorted(live, key=lambda o: (o.due_at, o.key))[:limit]
        ),
        none=_nothing(overdue=overdue).in_language(language),
    )
    if len(live) > limit:
        more = len(live) - limit
        typer.echo(
            Words(f"……另有 {more} 项；--limit 可显示更多", f"… and {more} more; --limit shows more").in_language(
                language
            )
        )
    for said in _why_undelivered(undelivered, language):
        typer.echo(said)
    if any(o.provisional for o in live[:limit]):
        typer.echo(_provisional(language))


def _nothing(*, overdue: bool) -> Words:
    from pfflow.domain.words import Words

    return Words("没有逾期事项", "nothing is overdue") if overdue else Words("没有待办事项", "nothing is owed")


def _state(obligation: Obligation, at: datetime, language: str) -> str:
    from pfflow.domain.obligations import STATUS_WORDS
    from pfflow.domain.words import Words

    words = Words("逾期", "overdue") if obligation.overdue(at) else STATUS_WORDS[obligation.status]
    return words.in_language(language)


def _debtors(parties: Iterable[Party], language: str) -> Callable[[str], str]:
    """Give what names who owes something: a party by its name, a role by what it is called."""
    from pfflow.domain.role_words import ROLE_WORDS

    names = _names(parties, language)

    def named(debtor: str) -> str:
        role = ROLE_WORDS.get(debtor)
        return names.get(debtor) or (role.zh if role and language.lower().startswith("zh") else debtor)

    return named


def _why_undelivered(undelivered: Sequence[Undelivered], language: str) -> Iterable[str]:
    from pfflow.domain.trouble import summary
    from pfflow.domain.words import Words

    if undelivered:
        said = summary(undelivered)
        yield Words(
            f"{said.zh}；详见 pfflow outbox，重新放行用 pfflow release --failed",
            f"{said.en}; pfflow outbox says more, pfflow release --failed lets them go again",
        ).in_language(language)


def _undelivered(letters: Sequence[Undelivered], key: str, language: str) -> str:
    from pfflow.domain.words import Words

    kept = [one.kept for one in letters if one.obligation_key == key]
    failed, back = kept.count(False), kept.count(True)
    said = (
        Words(f"{failed} 封未能送达", f"{counted(failed, 'letter')} failed") if failed else None,
        Words(f"{back} 封因我方故障未发", f"{counted(back, 'letter')} kept back") if back else None,
    )
    return Words("，", ", ").in_language(language).join(words.in_language(language) for words in said if words)


def _provisional(language: str) -> str:
    from pfflow.domain.words import Words

    return Words(
        "* 暂定：该年度节假日安排尚未公布", "* provisional: that year's holiday list is not published yet"
    ).in_language(language)


def _names(parties: Iterable[Party], language: str) -> dict[str, str]:
    from pfflow.domain.words import Words

    return {party.party_ref: Words(party.name_zh, party.name).in_language(language) for party in parties}


def who(project: Annotated[str, typer.Argument(help="A project.")]) -> None:
    """Show who is who in a project, and the rule that says so."""
    from pfflow.bootstrap import opened_store
    from pfflow.domain.words import Stage
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        known_projects(store.project_refs(), [project])
        held = store.holdings(project)
    names = _names(held.facts.parties, spoken_language(held.facts.contacts))
    people = {contact.contact_ref: contact.name for contact in held.facts.contacts}
    table(
        ("party", "name", "segment", "tier", "owner", "because"),
        (
            (
                ref,
                names.get(ref, ""),
                str(conclusion.value["segment"] or "-"),
                str(conclusion.value["tier"] or "-"),
                people.get(str(conclusion.value["owner"]), "-"),
                conclusion.because.removeprefix(f"{conclusion.value['segment']}: "),
            )
            for (stage, subject), conclusion in sorted(held.conclusions.items())
            if stage is Stage.IDENTIFICATION and (ref := subject.removeprefix("party/")) != subject
        ),
        none="nobody is segmented yet; run: pfflow sweep identification",
    )


def projects() -> None:
    """List the projects, how much each owes, what comes next, and by which channels its letters went."""
    from pfflow.bootstrap import opened_store
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        sent: dict[str, list[str]] = {}
        for one in store.deliveries():
            sent.setdefault(one.project_ref, []).extend([f"{one.channel} {one.sent}"] if one.sent else [])
        found = store.projects()
    table(
        ("project", "name", "phase", "owed", "earliest due", "sent by"),
        (
            (
                p.project_ref,
                " / ".join(filter(None, (p.name_zh, p.name))),
                str(p.phase),
                str(p.live),
                f"{p.next_due_at:%Y-%m-%d}{'*' if p.next_provisional else ''}" if p.next_due_at else "-",
                ", ".join(sent.get(p.project_ref, ())) or "-",
            )
            for p in found
        ),
        none="there are no projects yet; run: pfflow import REGISTER.xlsx",
    )
    if any(p.next_provisional for p in found):
        typer.echo(_provisional("en"))
