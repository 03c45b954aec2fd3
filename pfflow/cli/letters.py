"""Commands on letters: the local mailbox, and what waits or was held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, get_args

import typer

from pfflow.cli.console import refuse, table

if TYPE_CHECKING:
    from pfflow.delivery.reading import Mail


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("mailbox")(mailbox)
    app.command("outbox")(outbox)


def mailbox(
    read: Annotated[str | None, typer.Argument(help="The number or Message-ID of the letter to read.")] = None,
    to: Annotated[str, typer.Option("--to", help="Only letters whose recipient contains this.")] = "",
    subject: Annotated[str, typer.Option("--subject", help="Only letters whose subject contains this.")] = "",
) -> None:
    """List the letters in the local mailbox, or read one."""
    from pfflow.delivery.errors import MailboxError
    from pfflow.delivery.reading import list_mailbox, read_message
    from pfflow.settings import Settings

    folder = Settings().mailbox_folder
    if read is not None:
        try:
            _show(read_message(folder, read))
        except MailboxError as error:
            raise refuse(str(error)) from None
        return
    listed = [line for line in list_mailbox(folder) if to in line.to and subject in line.subject]
    table(
        ("no.", "date", "to", "subject", ""),
        (
            (
                str(line.number),
                f"{line.sent_at:%Y-%m-%d %H:%M}" if line.sent_at else "",
                line.to,
                line.subject,
                " ".join(filter(None, (line.invitation, "report" if line.report else ""))),
            )
            for line in listed
        ),
    )
    typer.echo(f"{len(listed)} letters in {folder}")


def _show(mail: Mail) -> None:
    for name, value in mail.headers:
        typer.echo(f"{name}: {value}")
    typer.echo(f"\n{mail.text}")
    for name, value in mail.meeting:
        typer.echo(f"{name}: {value}")
    for attachment in mail.attachments:
        typer.echo(f"attached: {attachment}")


def outbox(
    status: Annotated[str, typer.Option(help="waiting, held, failed or sent.")] = "waiting",
) -> None:
    """List letters that have not left, and why."""
    from pfflow.bootstrap import opened_store
    from pfflow.settings import Settings
    from pfflow.store import LetterStatus

    if status not in get_args(LetterStatus):
        raise refuse(f"{status!r} is no status; write one of {', '.join(get_args(LetterStatus))}", 2)
    with opened_store(Settings()) as store:
        letters = [letter for letter in store.letters() if letter.status == status]
    table(
        ("letter", "attempts", "said"),
        ((letter.notice.key, str(letter.attempts), letter.last_response or "") for letter in letters),
    )
