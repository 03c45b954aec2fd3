"""The flow by which people answer an obligation in a form: acknowledge, fulfil, waive, hand over, resolve, confirm."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.approvals import project_of
from flows.sweeping import dispatched
from pfflow.answers import answered, standing_in
from pfflow.bootstrap import engine, now
from pfflow.domain.facts import Touch
from pfflow.intake import AnswerError

What = Literal["acknowledge", "fulfil", "waive", "hand over", "resolve", "confirm", "reject", "approve", "rework"]
_TOUCHES: Mapping[str, Touch] = {
    "acknowledge": Touch.ACKNOWLEDGEMENT,
    "fulfil": Touch.FULFILMENT,
    "waive": Touch.WAIVER,
    "hand over": Touch.HANDOVER,
    "resolve": Touch.RESOLUTION,
    "confirm": Touch.CONFIRMATION,
    "reject": Touch.REJECTION,
    "approve": Touch.APPROVAL,
    "rework": Touch.REWORK,
}


@flow(name="answer", flow_run_name="answer · {what} · {key}")
async def answer(key: str, what: What, by: str, because: str = "", to: str = "") -> State[Any]:
    """Answer an obligation, and let its stage act on it at once; an answer that does not count says why.

    Args:
        key: 编号 / The reference in the letter, such as EXP-01/fund-use-report/2026-02-28.
        what: 确认收到 acknowledge · 完成 fulfil · 豁免 waive · 移交 hand over · 已解决 resolve · 确认解决 confirm ·
            未解决或否决 reject · 批准 approve · 退回修改 rework.
        by: 答复人（联系人编号，须与该事项有关） / The contact who answers (contact_ref), who must have to do with it.
        because: 说明；豁免、移交与退回必填 / What was said; a waiver, a hand-over and a rework need it.
        to: 移交给（联系人编号，须为同事） / To whom it is handed over (contact_ref); empty otherwise.
    """
    try:
        said = await asyncio.to_thread(_answered, key.strip(), what, by.strip(), because, to.strip())
    except AnswerError as error:
        return Failed(message=str(error))
    await dispatched()
    return Completed(message=said)


def _answered(key: str, what: What, by: str, because: str, to: str) -> str:
    with engine() as opened:
        at = now()
        news = answered(opened.store, _TOUCHES[what], key, by=by, because=because, at=at, to=to)
        if not news:
            return f"{what} of {key} was recorded before"
        reader = standing_in(opened.store, to, at) if to else ""
        project_ref = project_of(key)
        stage = opened.store.holdings(project_ref).obligations[key].stage
        outcome = opened.cycle.decide(stage, project_ref, at)
        heard = "" if outcome.status in ("decided", "quiet") else f"; {outcome.status}: the next sweep acts on it"
        away = f"; {to} is away, {reader or 'the head'} gets it" if to and reader != to else ""
        return f"{what} of {key} by {by} is recorded{away}{heard}"
