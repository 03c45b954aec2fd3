"""Commands by which people answer: acknowledge, fulfil, waive, hand over, approve, reject; report problems; be away.

Moving a project to another phase is here too.
"""

from __future__ import annotations

from typing import Annotated

import typer

from pfflow.cli.console import WRONG_CALL, refuse

Key = Annotated[str, typer.Argument(help="The reference in the letter, such as EXP-01/fund-use-report/2026-02-28.")]
By = Annotated[str, typer.Option("--by", help="The contact who answers (contact_ref).")]
Because = Annotated[str, typer.Option("--because", help="What was said, in a sentence.")]
At = Annotated[
    str | None,
    typer.Option("--at", help="When it was said: 2026-01-15 (18:00 there), or an instant; now if not given."),
]
_TAKES_EFFECT = "the next sweep acts on it"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("ack")(acknowledge)
    app.command("fulfil")(fulfil)
    app.command("waive")(waive)
    app.command("approve")(approve)
    app.command("reject")(reject)
    app.command("rework")(rework)
    app.command("survey")(survey)
    app.command("handover")(hand_over)
    app.command("issue")(issue)
    app.command("resolve")(resolve)
    app.command("confirm")(confirm)
    app.command("absent")(absent)
    app.command("phase")(phase)


def acknowledge(key: Key, by: By, because: Because = "", at: At = None) -> None:
    """Acknowledge an obligation: its ladder holds for a time.

    The time is what the playbook grants.
    """
    _answer("acknowledgement", key, by, because, at)


def fulfil(key: Key, by: By, because: Because = "", at: At = None) -> None:
    """Say that an obligation is fulfilled."""
    _answer("fulfilment", key, by, because, at)


def waive(key: Key, by: By, because: Because, at: At = None) -> None:
    """Waive an obligation, with who and why."""
    _answer("waiver", key, by, because, at)


def approve(key: Key, by: By, because: Because = "", at: At = None) -> None:
    """Approve what an approval asks for; only its Accountable can."""
    _answer("approval", key, by, because, at)


def reject(key: Key, by: By, because: Because = "", at: At = None) -> None:
    """Reject what an approval asks for, which its Accountable can, or a solution, which the customer can."""
    _answer("rejection", key, by, because, at)


def rework(key: Key, by: By, because: Because, at: At = None) -> None:
    """Send what an approval asks for back for changes, with the reason; only its Accountable can."""
    _answer("rework", key, by, because, at)


def survey(  # noqa: PLR0917 - each is an argument or option of the command
    key: Key,
    by: By,
    nps: Annotated[int | None, typer.Option("--nps", help="How likely to recommend the house, 0 to 10.")] = None,
    csat: Annotated[int | None, typer.Option("--csat", help="How satisfied, 1 to 5.")] = None,
    ces: Annotated[int | None, typer.Option("--ces", help="How easy it was, 1 to 7.")] = None,
    about: Annotated[str, typer.Option("--about", help="The party or department; the house if left out.")] = "",
    because: Because = "",
    at: At = None,
) -> None:
    """Enter a party's answer to a survey, as its reply says; a later answer takes the place of an earlier one."""
    from pfflow.answers import surveyed
    from pfflow.bootstrap import home_zone, opened_store
    from pfflow.cli.console import instant
    from pfflow.intake import AnswerError
    from pfflow.settings import Settings

    given = {"nps": nps, "csat": csat, "ces": ces}
    scores = {question: score for question, score in given.items() if score is not None}
    with opened_store(Settings()) as store:
        try:
            said_at = instant(at, home_zone(store))
            news = surveyed(store, key, scores, by=by, comment=because, at=said_at, about=about)
        except AnswerError as error:
            raise refuse(str(error)) from None
    told = ", ".join(f"{question} {score}" for question, score in scores.items())
    typer.echo(f"answer to {key} recorded: {told}" if news else f"that answer to {key} was recorded before")


def hand_over(
    key: Key,
    by: By,
    because: Because,
    to: Annotated[str, typer.Option("--to", help="The contact who takes it over (contact_ref).")],
    at: At = None,
) -> None:
    """Hand over your part in an obligation: its ladder goes on for the other, and you are told no more.

    Who stands in gets it where the other is away.
    """
    _answer("handover", key, by, because, at, to=to)


def resolve(key: Key, by: By, because: Because, at: At = None) -> None:
    """Say how a reported problem was solved; whoever reported it is asked to confirm it."""
    _answer("resolution", key, by, because, at)


def confirm(key: Key, by: By, because: Because = "", at: At = None) -> None:
    """Confirm that a reported problem is solved; only who reported it can."""
    _answer("confirmation", key, by, because, at)


def issue(
    project: Annotated[str, typer.Argument(help="A project.")],
    by: By,
    text: Annotated[str, typer.Option("--text", help="What the problem is, in a sentence.")],
    severity: Annotated[
        str, typer.Option("--severity", help="One of the playbook's severities; its default if not given.")
    ] = "",
    at: At = None,
) -> None:
    """Report a problem: an answer is owed soon, a solution later, by the playbook's clocks."""
    from pfflow.answers import reported
    from pfflow.bootstrap import home_zone, opened_store
    from pfflow.cli.console import instant
    from pfflow.domain.obligations import derived_key
    from pfflow.intake import AnswerError
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        try:
            said_at = instant(at, home_zone(store))
            touch = reported(store, project, by=by, text=text, severity=severity, at=said_at)
        except AnswerError as error:
            raise refuse(str(error)) from None
    part = derived_key(project, "issue", touch.ext_id)
    typer.echo(f"problem {touch.ext_id} ({touch.severity}) recorded; the next sweep of communication opens it")
    typer.echo(f"answer with: pfflow ack {part}/response; once solved: pfflow resolve {part}/solution")


def absent(  # noqa: PLR0917 - each is an argument or option of the command
    contact: Annotated[str, typer.Argument(help="Who is away (contact_ref).")],
    since: Annotated[str, typer.Option("--from", help="The first day away.")],
    until: Annotated[str, typer.Option("--until", help="The last day away.")],
    by: By,
    substitute: Annotated[
        str, typer.Option("--substitute", help="Who stands in (contact_ref); nobody if left out.")
    ] = "",
    because: Because = "",
) -> None:
    """Say that a contact is away and who stands in; what is sent in those days goes to the substitute."""
    from pfflow.answers import away
    from pfflow.bootstrap import opened_store
    from pfflow.cli.console import day
    from pfflow.domain.facts import Absence
    from pfflow.intake import AnswerError
    from pfflow.settings import Settings

    days = Absence(
        contact_ref=contact, since=day(since), until=day(until), substitute_ref=substitute, reason=because.strip()
    )
    with opened_store(Settings()) as store:
        try:
            news = away(store, days, by=by)
        except AnswerError as error:
            raise refuse(str(error)) from None
    who = f"{substitute} stands in" if substitute else "nobody stands in"
    typer.echo(
        f"{contact} is away {since} to {until}; {who}" if news else f"the absence of {contact} was recorded before"
    )


def _answer(kind: str, key: str, by: str, because: str, at: str | None, *, to: str = "") -> None:
    from pfflow.answers import answered, standing_in
    from pfflow.bootstrap import home_zone, opened_store
    from pfflow.cli.console import instant
    from pfflow.domain.facts import Touch
    from pfflow.intake import AnswerError
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        try:
            said_at = instant(at, home_zone(store))
            news = answered(store, Touch(kind), key, by=by, because=because, at=said_at, to=to)
            reader = standing_in(store, to, said_at) if to else ""
        except AnswerError as error:
            raise refuse(str(error)) from None
    if to and reader != to:
        typer.echo(f"{to} is away; {reader or 'the head of relationship'} gets it in their place")
    typer.echo(f"{kind} of {key} recorded; {_TAKES_EFFECT}" if news else f"{kind} of {key} was recorded before")


def phase(
    project: Annotated[str, typer.Argument(help="A project.")],
    move: Annotated[str, typer.Argument(help="advance, return or abandon.")],
    by: By,
    evidence: Annotated[str, typer.Option("--evidence", help="What shows that the gate is passed.")],
) -> None:
    """Move a project to another phase, through its gate."""
    from pfflow.bootstrap import moved_phase, opened_store
    from pfflow.domain.project import Move, PhaseError
    from pfflow.intake import AnswerError
    from pfflow.settings import Settings

    try:
        chosen = Move(move)
    except ValueError:
        raise refuse(f"{move!r} is no move; write one of {', '.join(Move)}", WRONG_CALL) from None
    with opened_store(Settings()) as store:
        try:
            reached = moved_phase(store, project, chosen, by=by, evidence=evidence)
        except (PhaseError, AnswerError) as error:
            raise refuse(str(error)) from None
    typer.echo(f"{project} is now in phase {reached}")
