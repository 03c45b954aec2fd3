"""Commands on all mail of the house: stop it, start it, and say what keeps letters."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from pfflow.cli.console import WRONG_CALL, counted, refuse, spoken_language, table

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from pfflow.domain.words import Words
    from pfflow.settings import Settings
    from pfflow.store import MailTurn, SqlStore

mail = typer.Typer(help="Stop and start all mail, and see what keeps letters.", no_args_is_help=True)

Because = Annotated[str, typer.Option("--because", help="Why; it is kept with who and when.")]
By = Annotated[str, typer.Option("--by", help="Who; the login name if not said.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(mail, name="mail")


@mail.command("stop")
def stop(because: Because, by: By = "") -> None:
    """Stop all mail, of every worker and flow, from their next lease on; letters wait until `pfflow mail start`."""
    if not because.strip():
        raise refuse("say why mail is stopped: whoever finds it stopped will ask", WRONG_CALL)
    _turn(stopped=True, by=by, because=because)


@mail.command("start")
def start(because: Because = "", by: By = "") -> None:
    """Let mail go again; what waited leaves with the next dispatch."""
    _turn(stopped=False, by=by, because=because)


def _turn(*, stopped: bool, by: str, because: str) -> None:
    from pfflow.bootstrap import now, opened_store
    from pfflow.domain.words import Words
    from pfflow.settings import Settings
    from pfflow.store import MailTurn

    settings = Settings()
    turn = MailTurn(stopped=stopped, turned_at=now(), turned_by=by or getpass.getuser(), because=because)
    with opened_store(settings) as store:
        news = store.turn_mail(turn)
        waiting = sum(one.letters for one in store.kept_letters(now()) if one.status == "waiting")
        language = spoken_language(store.facts().contacts)
    state = Words("停止", "stopped") if stopped else Words("开启", "started")
    said = Words(
        f"发信{'已' if news else '此前已'}{state.zh}；{waiting} 封待发",
        f"mail {'is' if news else 'was already'} {state.en}; {counted(waiting, 'letter')} waiting",
    )
    typer.echo(said.in_language(language))
    if not stopped and settings.mail_stop:
        above = Words(
            "本环境设有 PFFLOW_MAIL_STOP，以其为准：仍不发信",
            "PFFLOW_MAIL_STOP is set here and stands above: nothing leaves from this environment",
        )
        typer.echo(above.in_language(language))


@mail.command("status")
def status() -> None:
    """Say whether mail goes, what bounds it, and what keeps the letters that have not left."""
    from pfflow.bootstrap import home_zone, now, opened_store
    from pfflow.domain.kept_letters import STATUS
    from pfflow.domain.words import Words
    from pfflow.settings import Settings

    settings = Settings()
    with opened_store(settings) as store:
        turns, kept = store.mail_turns(), store.kept_letters(now(), stopped=settings.mail_stop)
        language, zone = spoken_language(store.facts().contacts), home_zone(store)
        bounds = _bounds(store, settings)
    for line in (_switch(turns[0] if turns else None, zone), _environment(settings), bounds):
        if line is not None:
            typer.echo(line.in_language(language))
    headers = (Words("状态", "status"), Words("函件", "letters"), Words("原因", "why"), Words("最早", "earliest"))
    table(
        [header.in_language(language) for header in headers],
        (
            (
                STATUS[one.status].in_language(language),
                str(one.letters),
                one.words.in_language(language),
                f"{one.until.astimezone(_zone(zone)):%Y-%m-%d %H:%M}" if one.until else "",
            )
            for one in kept
        ),
        none=Words("没有待发函件", "no letter waits").in_language(language),
    )


def _switch(turn: MailTurn | None, zone: str) -> Words:
    from pfflow.domain.words import Words

    if turn is None:
        return Words("发信：开启", "mail goes")
    on = f"{turn.turned_at.astimezone(_zone(zone)):%Y-%m-%d %H:%M}"
    state = Words("已停止", "is stopped") if turn.stopped else Words("开启", "goes")
    why_zh, why_en = (f"，原因：{turn.because}", f": {turn.because}") if turn.because else ("", "")
    return Words(
        f"发信：{state.zh}（{turn.turned_by}，{on}{why_zh}）", f"mail {state.en} (by {turn.turned_by}, {on}{why_en})"
    )


def _environment(settings: Settings) -> Words | None:
    from pfflow.domain.words import Words

    if not settings.mail_stop:
        return None
    return Words(
        "PFFLOW_MAIL_STOP 已设置：本环境不发信，pfflow mail start 不能解除",
        "PFFLOW_MAIL_STOP is set: nothing leaves from this environment, and pfflow mail start does not change that",
    )


def _bounds(store: SqlStore, settings: Settings) -> Words | None:
    """Say what bounds live mail; the local mailbox takes everything at once."""
    from pfflow.bootstrap import manners_of, playbook_in_force
    from pfflow.domain.words import Words

    if settings.mail != "live":
        return Words("发往本机邮箱：不设上限与免打扰时段", "to the local mailbox: no caps and no quiet hours")
    manners = manners_of(settings, playbook_in_force(store) if store.playbook() else None)
    quiet = manners.quiet
    span = f"{quiet.begins:%H:%M}–{quiet.until:%H:%M}" if quiet else ""
    weekends = Words("及周末", " and weekends") if quiet and quiet.weekends else Words("", "")
    return Words(
        f"上限：每次运行 {settings.mail_cap} 封，每收件人每日 {manners.recipient_cap} 封，"
        f"每域名每小时 {manners.domain_cap} 封；免打扰：{span + weekends.zh if quiet else '无'}",
        f"caps: {settings.mail_cap} a run, {manners.recipient_cap} a reader and day, "
        f"{manners.domain_cap} a domain and hour; quiet hours: {span + weekends.en if quiet else 'none'}",
    )


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
