"""Commands on letters: the local mailbox, and what waits or was held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, get_args

import typer

from pfflow.cli.console import WRONG_CALL, counted, refuse, spoken_language, table

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from pfflow.delivery.reading import Mail, MailLine
    from pfflow.store import Letter


_KINDS = {"REQUEST": "invitation", "CANCEL": "cancellation"}


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("mailbox")(mailbox)
    app.command("outbox")(outbox)
    app.command("release")(release)


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
        ("no.", "date (UTC)", "kind", "to", "subject"),
        (
            (
                str(line.number),
                f"{line.sent_at:%Y-%m-%d %H:%M}" if line.sent_at else "",
                _kind(line),
                line.to,
                line.subject,
            )
            for line in listed
        ),
        none=f"no letter like that in {folder}" if to or subject else f"no letters in {folder} yet",
    )
    if listed:
        typer.echo(f"{counted(len(listed), 'letter')} in {folder}; pfflow mailbox NUMBER reads one")


def _kind(line: MailLine) -> str:
    if line.channel:
        return "chat"
    return _KINDS.get(line.invitation, line.invitation.lower()) or ("report" if line.report else "letter")


def _show(mail: Mail) -> None:
    for name, value in mail.headers:
        typer.echo(f"{name}: {value}")
    typer.echo(f"\n{mail.text}")
    for name, value in mail.meeting:
        typer.echo(f"{name}: {value}")
    for attachment in mail.attachments:
        typer.echo(f"attached: {attachment}")


def release(
    by: Annotated[str, typer.Option("--by", help="Who lets them go; goes into the ledger.")],
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Those that failed, instead of those held back.")] = False,
) -> None:
    """Let letters that were held back wait again; `pfflow dispatch` sends them."""
    from pfflow.bootstrap import now, opened_store
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        count = store.release("failed" if failed else "held", by, now())
    typer.echo(f"{count} letters wait again; send them with: pfflow dispatch" if count else "no letter was held back")


def outbox(
    status: Annotated[str, typer.Option(help="waiting, held, failed or sent.")] = "waiting",
) -> None:
    """List letters that have not left, and why."""
    from zoneinfo import ZoneInfo

    from pfflow.bootstrap import home_zone, opened_store
    from pfflow.domain.kept_letters import STATUS
    from pfflow.domain.words import Words
    from pfflow.settings import Settings
    from pfflow.store import LetterStatus

    headers = (
        Words("决定时间 (UTC)", "decided (UTC)"),
        Words("次数", "attempts"),
        Words("渠道", "channel"),
        Words("函件", "letter"),
        Words("未发出的原因，或对方的答复", "why it has not left, or what was said of it"),
    )
    if status not in get_args(LetterStatus):
        raise refuse(f"{status!r} is no status; write one of {', '.join(get_args(LetterStatus))}", WRONG_CALL)
    with opened_store(Settings()) as store:
        letters = [letter for letter in store.letters() if letter.status == status]
        turns, zone = store.mail_turns(), ZoneInfo(home_zone(store))
        language = spoken_language(store.facts().contacts)
    table(
        [header.in_language(language) for header in headers],
        (
            (
                f"{letter.notice.noticed_at:%Y-%m-%d %H:%M}",
                str(letter.attempts),
                letter.notice.channel,
                letter.notice.key,
                _why(letter, zone, language),
            )
            for letter in letters
        ),
        none=Words(f"没有{STATUS[status].zh}的函件", f"no letter is {status}").in_language(language),
    )
    if status == "waiting" and turns and turns[0].stopped:
        stopped = Words(
            "已停止发信；何人、因何停止，见 pfflow mail status",
            "mail is stopped; pfflow mail status says by whom and why",
        )
        typer.echo(stopped.in_language(language))


def _why(letter: Letter, zone: ZoneInfo, language: str) -> str:
    from pfflow.domain.kept_letters import reason_words
    from pfflow.domain.words import Words

    if letter.put_off is None or letter.next_try_at is None:
        return reason_words(letter.last_response or "").in_language(language)
    until = f"{letter.next_try_at.astimezone(zone):%Y-%m-%d %H:%M}"
    return Words("至", "until").in_language(language) + f" {until}: {letter.put_off.words.in_language(language)}"
