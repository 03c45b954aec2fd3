"""Commands by which people answer: acknowledge, fulfil, waive, approve, reject; and move a project's phase."""

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
    """Reject what an approval asks for; only its Accountable can."""
    _answer("rejection", key, by, because, at)


def _answer(kind: str, key: str, by: str, because: str, at: str | None) -> None:
    from pfflow.bootstrap import answered, home_zone, opened_store
    from pfflow.cli.console import instant
    from pfflow.domain.facts import Touch
    from pfflow.intake import AnswerError
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        try:
            said_at = instant(at, home_zone(store))
            news = answered(store, Touch(kind), key, by=by, because=because, at=said_at)
        except AnswerError as error:
            raise refuse(str(error)) from None
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
