"""What keeps letters, as an artifact: the stop switch with who and why, what waits, is held or failed, and for what."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

from prefect.artifacts import Artifact, acreate_markdown_artifact

from flows.reader import table, text
from pfflow.bootstrap import home_zone, now, opened_store
from pfflow.domain.kept_letters import STATUS, KeptLetters
from pfflow.settings import Settings
from pfflow.store import MailTurn

KEY = "mail"
NOTHING = "没有函件在等待 / No letter waits"


async def show_kept_letters() -> None:
    """Publish what keeps letters; where nothing does, say so once, so that no old page stands."""
    page = await asyncio.to_thread(_page)
    if page == NOTHING:
        before = await Artifact.aget(KEY)
        if before is None or before.data == NOTHING:
            return
    await acreate_markdown_artifact(page, key=KEY, description="函件去留 / What keeps letters")


def _page() -> str:
    settings = Settings()
    with opened_store(settings) as store:
        kept = store.kept_letters(now(), stopped=settings.mail_stop)
        turns, zone = store.mail_turns(), home_zone(store)
    stopped = turns[0] if turns and turns[0].stopped else None
    if not kept and stopped is None:
        return NOTHING
    headers = ("状态 / Status", "函件 / Letters", "原因 / Why", "最早 / Earliest")
    rows = [_row(one, ZoneInfo(zone)) for one in kept]
    return "\n".join([*([_switch(stopped)] if stopped else []), *table(headers, rows)])


def _switch(turn: MailTurn) -> str:
    by, why = text(turn.turned_by), text(turn.because)
    return f"**发信已停止 / Mail is stopped** ({by}, {turn.turned_at:%Y-%m-%d %H:%M} UTC): {why}\n"


def _row(one: KeptLetters, zone: ZoneInfo) -> tuple[str, ...]:
    status, why = STATUS[one.status], one.words
    return (
        f"{status.zh} / {status.en}",
        str(one.letters),
        why.zh if why.zh == why.en else f"{why.zh} / {why.en}",
        f"{one.until.astimezone(zone):%Y-%m-%d %H:%M}" if one.until else "",
    )
