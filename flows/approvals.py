"""Approvals between pfflow's tables and Prefect's form: what is asked, showing it, and hearing the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import unquote

from prefect import get_client, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.input import RunInput
from prefect.states import Completed
from pydantic import Field

from flows.reader import Reader, markdown_of, text
from flows.sweeping import in_zone
from pfflow.answers import answer
from pfflow.bootstrap import Engine, engine, now, opened_store
from pfflow.domain.audience import accountable_for
from pfflow.domain.decision import Dossier
from pfflow.domain.facts import Touch
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.service_package import Package, package_of, proposal
from pfflow.domain.words import Stage
from pfflow.intake import AnswerError
from pfflow.settings import Settings

FORM = "service-design-approval/form"
"""The deployment whose runs are the forms."""

FACE_LASTS = timedelta(days=30)
"""How long a form waits; the obligation waits on, and the next sweep shows another form."""

_FLOW = FORM.partition("/")[0]
_TOUCHES = {"approve": Touch.APPROVAL, "reject": Touch.REJECTION, "rework": Touch.REWORK}
_DONE = {"approve": "approved", "reject": "rejected", "rework": "sent back for rework"}


class Approval(RunInput):
    """批准、否决或退回 / Approve, reject or send back."""

    decision: Literal["approve", "reject", "rework"] = Field(
        title="决定 / Decision", description="approve 批准 · reject 否决 · rework 退回修改"
    )
    approver: str = Field(
        title="审批人编号 / Approver",
        description="登记表联系人编号，须为负责人（A） / Your contact reference; only the Accountable counts.",
        pattern=r"^[^\s/]{1,64}$",
    )
    comment: str = Field(default="", title="意见 / Comment", max_length=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a form asks: `description` in Markdown, `standing` says where the approval stands."""

    name: str
    live: bool
    standing: str
    description: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer counted, and what to say of it."""

    counted: bool
    text: str


class ProjectHeldError(RuntimeError):
    """Another worker decides for the project at this moment; the answer is recorded and can be heard again."""


def asked_for(obligation_key: str, as_of: datetime | None, objection: str = "") -> Asked:
    """Read what an approval asks for; raises LookupError where there is no such approval."""
    with engine() as opened:
        obligation = _approval(opened, obligation_key)
        at = in_zone(as_of, opened.playbook.zone) if as_of else now()
        dossier = opened.cycle.dossier(opened.store.holdings(obligation.project_ref), at)
        return Asked(
            name=form_name(obligation),
            live=obligation.live,
            standing=f"{obligation.status}, {obligation.closed_because}".rstrip(", "),
            description=asking(dossier, obligation, at, objection),
        )


def _approval(opened: Engine, obligation_key: str) -> Obligation:
    found = (o for o in opened.store.obligations(project_of(obligation_key)) if o.key == obligation_key)
    obligation = next(found, None)
    if obligation is None or obligation.kind is not ObligationKind.APPROVAL:
        raise LookupError(f"there is no approval {obligation_key!r}")
    return obligation


def project_of(obligation_key: str) -> str:
    """Give the project an obligation's key begins with.

    >>> project_of("EXP-01/package-approval/1a2b")
    'EXP-01'
    """
    return unquote(obligation_key.partition("/")[0])


def form_name(obligation: Obligation) -> str:
    """Give the name of a form's run: project, package and the day the approval is due."""
    return f"approval · {obligation.project_ref} · {obligation.subject} · {obligation.due_on.isoformat()}"


def asking(dossier: Dossier, obligation: Obligation, as_of: datetime, objection: str = "") -> str:
    """Give what the form says above its fields, in Markdown: the proposal, who may approve, by when."""
    reader = Reader(dossier, as_of)
    package = package_of(dossier, as_of)
    approvers = [reader.person(c.contact_ref) for c in accountable_for(dossier, obligation, reader.today)]
    lines = [f"## {text(reader.say(obligation.title))}", ""]
    if objection:
        lines += [f"**⚠ {text(objection)}**", ""]
    lines += [
        f"- {reader.label('须于', 'Due')} {reader.due(obligation)}{_unsure(reader, obligation)}",
        f"- {reader.label('可审批', 'May approve')}: {text(', '.join(approvers) or '—')}",
        f"- {reader.label('编号', 'Reference')} {text(obligation.key)}",
        "",
    ]
    if isinstance(package, Package):
        lines += markdown_of(proposal(package, for_customer=False), reader.language)
    return "\n".join(lines)


def _unsure(reader: Reader, obligation: Obligation) -> str:
    return reader.label("（日期暂定）", " (provisional)") if obligation.provisional else ""


@task(name="hear", retries=5, retry_delay_seconds=2, cache_policy=NO_CACHE)
async def heard(obligation_key: str, decision: str, approver: str, comment: str, as_of: datetime | None) -> Verdict:
    """Record what a person decided, and let service design decide on it; an answer that does not count says why."""
    return await asyncio.to_thread(_heard, obligation_key, decision, approver, comment, as_of)


def _heard(obligation_key: str, decision: str, approver: str, comment: str, as_of: datetime | None) -> Verdict:
    with engine() as opened:
        project_ref = project_of(obligation_key)
        held = opened.store.holdings(project_ref)
        at = in_zone(as_of, opened.playbook.zone) if as_of else now()
        try:
            touch = answer(opened.store, _TOUCHES[decision], obligation_key, by=approver, because=comment, at=at)
        except AnswerError as error:
            return Verdict(not held.obligations[obligation_key].live, str(error))
        # The same person deciding the same counts once, however often the form's run is started again.
        ext_id = f"approval/{obligation_key}/{approver}/{decision}"
        opened.store.report_touch(replace(touch, ext_id=ext_id), approver, now())
        outcome = opened.cycle.decide(Stage.SERVICE_DESIGN, project_ref, at)
        if outcome.status in ("busy", "failed"):
            raise ProjectHeldError(f"{project_ref} is held by another worker {outcome.error}".rstrip())
        if outcome.status == "past":
            return Verdict(
                True, f"{decision} by {approver} is recorded; a later decision stands: the next sweep hears it"
            )
        if _approval(opened, obligation_key).live:
            return Verdict(False, f"{approver} is not Accountable here (不是负责人), so the answer does not count")
        return Verdict(True, f"{_DONE[decision]} by {approver}")


@task(name="forms", cache_policy=NO_CACHE)
async def faces_shown(refs: Sequence[str], as_of: datetime | None) -> int:
    """Show a form for each approval that is waited for and has none, close those answered elsewhere; gives the new."""
    logger = get_run_logger()
    waiting = await asyncio.to_thread(_waiting, frozenset(refs))
    async with get_client() as client:
        try:
            await client.read_deployment_by_name(FORM)
        except ObjectNotFound:
            for obligation in waiting:
                logger.info("answer with: pfflow approve %s --by CONTACT (or pfflow reject)", obligation.key)
            return 0
        await _close_answered(client, frozenset(refs), {o.key for o in waiting})
        return sum([await _shown(client, obligation, as_of) for obligation in waiting])


def _waiting(refs: frozenset[str]) -> tuple[Obligation, ...]:
    with opened_store(Settings()) as store:
        live = (*store.obligations(status=Status.PLANNED), *store.obligations(status=Status.OPEN))
    return tuple(
        o
        for o in live
        if o.kind is ObligationKind.APPROVAL and o.stage is Stage.SERVICE_DESIGN and o.project_ref in refs
    )


async def _shown(client: PrefectClient, obligation: Obligation, as_of: datetime | None) -> bool:
    tag = f"approval:{obligation.key}"
    runs = await client.read_flow_runs(flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[tag])))
    if any(not _ended(run) for run in runs):
        return False
    run = await arun_deployment(
        FORM,
        parameters={"obligation_key": obligation.key, "as_of": as_of.isoformat() if as_of else None},
        flow_run_name=form_name(obligation),
        timeout=0,
        idempotency_key=f"{tag}:{len(runs)}",
        tags=[tag],
        as_subflow=False,
    )
    get_run_logger().info("%s waits for approval: %s", obligation.key, run.name)
    return True


async def _close_answered(client: PrefectClient, refs: frozenset[str], waiting: set[str]) -> None:
    """End the forms of approvals that were answered elsewhere, so that nobody is asked for nothing."""
    forms = await client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=[_FLOW])))
    for run in forms:
        key = str(run.parameters.get("obligation_key", ""))
        paused = run.state is not None and run.state.is_paused()
        if paused and project_of(key) in refs and key not in waiting:
            await client.set_flow_run_state(run.id, Completed(message="answered elsewhere"), force=True)


def _ended(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()
