"""The story the demo tells: a quarter of the motorway lived by the real flows, and what happened in each stage."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun, State

from flows.communication import communication
from flows.demo import say
from flows.evaluation import evaluation
from flows.identification import identification
from flows.information_gathering import information_gathering
from flows.lifecycle import lifecycle
from flows.service_design import service_design
from pfflow.bootstrap import opened_store
from pfflow.delivery.reading import list_mailbox
from pfflow.domain.audience import contacts_at, party_words
from pfflow.domain.decision import Holdings
from pfflow.domain.ladder import Action
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.parties import Level
from pfflow.domain.words import Stage
from pfflow.settings import Settings

PROJECT = "EXP-01"
FIRST, SECOND, LAST = date(2026, 1, 5), date(2026, 1, 6), date(2026, 3, 31)
ZONE = ZoneInfo("Asia/Shanghai")
EVENING = datetime.combine(FIRST, time(18), ZONE)
_PATIENCE_S = 90
_SEVERAL = 4


async def tell() -> None:
    """Live the first day stage by stage, let the package be approved in the form, and live the rest of the quarter."""
    say("\nDay 1, stage by stage (each a flow run in Prefect)")
    for stage_flow in (identification, information_gathering, service_design, communication, evaluation):
        await stage_flow(as_of=EVENING)
    _tell_identification(_held())
    _tell_information_gathering(_held())
    await _approve(_held())
    say("\nDays 2 to 86 (flow run lifecycle) …")
    await lifecycle(from_on=SECOND, until_on=LAST)
    held = _held()
    _tell_service_design(held)
    _tell_communication(held)
    _tell_evaluation(held)
    await _tell_letters()


def _held() -> Holdings:
    with opened_store(Settings()) as store:
        return store.holdings(PROJECT)


def _concluded(held: Holdings, stage: Stage, prefix: str) -> dict[str, Mapping[str, Any]]:
    found = held.conclusions.items()
    return {
        subject.removeprefix(prefix): c.value
        for (of, subject), c in sorted(found)
        if of is stage and subject.startswith(prefix)
    }


def _names(held: Holdings) -> dict[str, str]:
    return {party.party_ref: party_words(party).zh for party in held.facts.parties}


def _tell_identification(held: Holdings) -> None:
    parties, names = _concluded(held, Stage.IDENTIFICATION, "party/"), _names(held)
    placed = {ref: value for ref, value in parties.items() if value["segment"]}
    say(f"\n1 identification · 识别: {len(placed)} parties in {len({v['segment'] for v in placed.values()})} segments")
    one_each = {value["segment"]: ref for ref, value in reversed(placed.items()) if value["strategy_title"]}
    for ref in sorted(one_each.values(), reverse=True)[-_SEVERAL:]:
        value = placed[ref]
        because = held.conclusions[Stage.IDENTIFICATION, f"party/{ref}"].because
        say(f"    {names[ref]}: {value['segment']}, tier {value['tier']}, because {because.partition(': ')[2]}")
    for ref in sorted(parties.keys() - placed.keys()):
        say(f"    unclassified · 未归类: {names[ref]}")
    met = (o for o in held.obligations.values() if o.stage is Stage.IDENTIFICATION and o.kind is ObligationKind.MEETING)
    kickoff = next(met)
    say(f"    kick-off meeting on {kickoff.due_on}")


def _tell_information_gathering(held: Holdings) -> None:
    names = _names(held)
    asked = [o for o in held.obligations.values() if o.kind is ObligationKind.FACT]
    warned = [o for o in held.obligations.values() if o.kind is ObligationKind.NOTICE]
    say(f"\n2 information_gathering · 资料收集: {len(asked)} parties asked, {len(warned)} warnings")
    for request in asked:
        items = request.details.get("items", ())
        titles = "、".join(str(item["title"]["zh"]) for item in items)  # type: ignore[union-attr, index, call-overload]  # the shape is the stage's own
        say(f"    {names[request.subject]}: {titles} · by {request.due_on}")
    for warning in warned:
        say(f"    {warning.title.zh}")


async def _approve(held: Holdings) -> None:
    """Answer the form as the person Accountable would, in the UI's place."""
    approval = next(o for o in held.obligations.values() if o.kind is ObligationKind.APPROVAL)
    run = await _form(approval, "is_paused")
    head = next(p.party_ref for p in held.facts.participations if p.role == "head-of-relationship")
    leader = next(p for p in held.facts.parties if p.party_ref == head)
    approver = contacts_at(held.facts.contacts, [leader], Level.MANAGEMENT)[0].contact_ref
    say(f"\n3 service_design · 服务设计: a form waits in Prefect for the approval ({run.name})")
    async with get_client() as client:
        await client.resume_flow_run(run.id, run_input={"decision": "approve", "approver": approver, "comment": "同意"})
    done = await _form(approval, "is_final")
    say(f"    answered as {approver}: {done.state.message if done.state else ''}")


async def _form(approval: Obligation, reached: str) -> FlowRun:
    """Wait for the form's run to be paused or final; the worker takes some seconds to start it."""
    filtered = FlowRunFilter(tags=FlowRunFilterTags(all_=[f"approval:{approval.key}"]))
    async with get_client() as client, asyncio.timeout(_PATIENCE_S):
        while True:
            runs = await client.read_flow_runs(flow_run_filter=filtered)
            for run in runs:
                state: State[Any] | None = run.state
                if state is not None and getattr(state, reached)():
                    return run
            await asyncio.sleep(0.3)


def _tell_service_design(held: Holdings) -> None:
    package = held.conclusions[Stage.SERVICE_DESIGN, "package"]
    offer = next(o for o in held.obligations.values() if o.kind is ObligationKind.OFFER)
    measures = offer.details["measures"]
    say(f"\n3 service_design · 服务设计: package {package.value['digest']} {package.value['status']}, offer sent")
    say(f"    risk grade {offer.details['grade']['en']} ({offer.details['score']})")  # type: ignore[index, call-overload]  # the shape is the stage's own
    for measure in measures:  # type: ignore[union-attr]  # as above
        say(f"    {measure['title']['zh']} ({measure['kind']})")  # type: ignore[index, call-overload]  # as above


def _tell_communication(held: Holdings) -> None:
    mine = [o for o in held.obligations.values() if o.stage is Stage.COMMUNICATION]
    fired = [f for f in held.firings.values() if f.outcome == "fired"]
    sent = [o for o in mine if o.kind is ObligationKind.REPORT and o.status is Status.FULFILLED]
    meetings = [o for o in mine if o.kind is ObligationKind.MEETING and any(f.obligation_key == o.key for f in fired)]
    climbed = [f for f in fired if f.rung.startswith(Action.ESCALATE)]
    counted = f"{len(meetings)} meetings invited, {len(sent)} reports in, {len(climbed)} escalations"
    say(f"\n4 communication · 沟通: {counted}")
    moved = [o for o in meetings if o.due_on != o.unadjusted_on]
    for meeting in moved[:_SEVERAL]:
        say(f"    {meeting.title.zh} {meeting.unadjusted_on} is a holiday: held on {meeting.due_on}")
    key = f"{PROJECT}/fund-use-report/2026-02-28"
    late = held.obligations[key]
    say(f"    {late.title.zh} due {late.due_on} was not there:")
    for firing in (f for f in climbed if f.obligation_key == key):
        to = firing.rung.partition("bd-")[2].partition("/")[0]
        say(f"        {firing.fired_at.astimezone(ZONE):%Y-%m-%d} escalated to {to}")
    say(f"        {late.closed_at:%Y-%m-%d} {late.status} by {late.closed_by}: {late.closed_because}")


def _tell_evaluation(held: Holdings) -> None:
    cards = _concluded(held, Stage.EVALUATION, "scorecard/")
    months = sorted({str(card["month"]) for card in cards.values()})
    say("\n5 evaluation · 评估: scorecards " + "  ".join(months))
    for role in dict.fromkeys(str(card["role"]) for card in cards.values()):
        scored = (str(cards.get(f"{role}/{month}", {}).get("score") or "-") for month in months)
        say(f"    {role:<12} " + "".join(f"{score:<9}" for score in scored))
    measured = _concluded(held, Stage.EVALUATION, "relationship/")
    last = measured[max(measured)]
    say(f"    retention {last['retention']['percent']} %, NPS {last['nps']['value']} of {last['nps']['n']} answers")


async def _tell_letters() -> None:
    """Live the same days once more: nothing may be sent twice."""
    folder = Settings().mailbox_folder
    before = list_mailbox(folder)
    say("\nThe same days once more …")
    await lifecycle(from_on=FIRST, until_on=LAST)
    again = list_mailbox(folder)
    kinds = Counter(
        "invitations" if line.invitation else "reports" if line.report else "other letters" for line in again
    )
    if len(again) != len(before):
        raise SystemExit(f"{len(again) - len(before)} letters were sent again; none should be")
    say("    0 new letters: those days are decided already")
    say(f"In all {len(again)} letters: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))


if __name__ == "__main__":
    asyncio.run(tell())
