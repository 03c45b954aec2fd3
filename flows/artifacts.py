"""Publishing what people read: a living page a project, a table a stage, as Prefect's artifacts.

The cost grows with what happened: a page is written for a project that something was done for; the table shows all
swept projects while they are few, and those that did something when they are many.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from prefect import get_run_logger, task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.pages import project_page
from flows.reader import artifact_key
from flows.sweeping import Line, Sweep, slug
from flows.tables import LONGEST_TABLE, Row, stage_rows
from pfflow.bootstrap import engine
from pfflow.domain.words import Stage

FEW = 100
"""So many projects are shown whether or not anything was done for them; no sweep writes more pages than this."""

_STARRED = re.compile(r"\d{4}-\d\d-\d\d\*")
_TITLES = {
    Stage.IDENTIFICATION: "识别：谁是谁，为什么 / Identification: who is who, and why",
    Stage.INFORMATION_GATHERING: "资料收集：还缺什么 / Information gathering: what is still unknown",
    Stage.SERVICE_DESIGN: "服务设计：方案与审批 / Service design: packages and approvals",
    Stage.COMMUNICATION: "沟通：十四天内到期与今日函件 / Communication: due within 14 days, and done today",
    Stage.EVALUATION: "评估：部门考核与建议 / Evaluation: scorecards and proposals",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be published: pages by project, and one table."""

    pages: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    left_out: int


async def published(sweep: Sweep, lines: Sequence[Line]) -> None:
    """Publish a sweep's table, and the pages of the projects that something was done for."""
    busy = [line.project_ref for line in lines if line.did and not line.error]
    known = [line.project_ref for line in lines if not line.error]
    await publish(sweep.stage, sweep.as_of, tuple(known if len(known) <= FEW else busy[:FEW]), tuple(busy[:FEW]))
    if len(busy) > FEW:
        get_run_logger().info("%d projects did something; pages are written for the first %d", len(busy), FEW)


@task(name="publish", task_run_name="publish · {stage}", cache_policy=NO_CACHE)
async def publish(stage: Stage, as_of: datetime, in_table: Sequence[str], with_page: Sequence[str]) -> None:
    """Publish one stage's table and some projects' pages."""
    shown = await asyncio.to_thread(_read, stage, as_of, in_table, with_page)
    for ref, page in shown.pages:
        await acreate_markdown_artifact(page, key=artifact_key("project", ref), description=f"{ref} · {as_of:%Y-%m-%d}")
    if shown.rows:
        more = f" · {shown.left_out} 行未列 / rows left out" if shown.left_out else ""
        await acreate_table_artifact(
            [dict(row) for row in shown.rows],
            key=slug(stage),
            description=f"{_TITLES[stage]} · {as_of:%Y-%m-%d}{more}{legend(shown.rows)}",
        )


def legend(rows: Sequence[Row]) -> str:
    """Give what the star beside a due date means, where a row has one."""
    starred = any(_STARRED.fullmatch(str(cell)) for row in rows for cell in row.values())
    return " · * 日期暂定 / provisional: the holiday list is not out yet" if starred else ""


def _read(stage: Stage, as_of: datetime, in_table: Sequence[str], with_page: Sequence[str]) -> Shown:
    with engine() as opened:
        dossiers = {
            ref: opened.cycle.dossier(opened.store.holdings(ref), as_of)
            for ref in dict.fromkeys((*in_table, *with_page))
        }
        went = opened.store.deliveries(with_page)
    rows = stage_rows(stage, (dossiers[ref] for ref in in_table), as_of)
    return Shown(
        pages=tuple(
            (ref, project_page(dossiers[ref], as_of, [one for one in went if one.project_ref == ref]))
            for ref in with_page
        ),
        rows=tuple(rows[:LONGEST_TABLE]),
        left_out=max(0, len(rows) - LONGEST_TABLE),
    )
