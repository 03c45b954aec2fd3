"""What no single model of a playbook can see: names that lead nowhere, roles nobody has, what is never used.

A list of functions; each gives its findings with their lines, none raises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import pairwise
from types import MappingProxyType
from typing import TypeAlias

from pfflow.domain.audience import AUDIENCES
from pfflow.domain.channels import CHAT, OWN_CHATS, channels_of
from pfflow.domain.conditions import near
from pfflow.domain.ladder import Action, Ladder
from pfflow.domain.notices import EMAIL
from pfflow.domain.obligations import ObligationKind
from pfflow.domain.parties import Party, PartyKind
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Phase
from pfflow.domain.recurrence import check
from pfflow.domain.rules import RecurrenceError
from pfflow.playbook.problems import Path, PlaybookProblem
from pfflow.playbook.source import Source

Findings: TypeAlias = Iterator[PlaybookProblem]

PARTICIPATIONS = frozenset(PartyKind) | {
    "mandated-lead-arranger",
    "facility-agent",
    "security-agent",
    "account-bank",
    "hedge-provider",
    "technical-adviser",
    "legal-adviser",
    "insurance-adviser",
    "operator",
    "insurer",
    "guarantor",
}
"""The roles a party can hold in a project without being named among the activities."""

PARTY_FIELDS = tuple(field.name for field in fields(Party))


def validate_ladders_exist(playbook: Playbook, source: Source) -> Findings:
    """Every ladder that is named is written."""
    for path, name in _ladders_named(playbook):
        if name not in playbook.ladders:
            yield _unknown(source, (path, name), "ladder", playbook.ladders)


def validate_activities_exist(playbook: Playbook, source: Source) -> Findings:
    """Every activity that is named has its RACI roles."""
    for path, name in _activities_named(playbook):
        if name not in playbook.activities:
            yield _unknown(source, (path, name), "activity", playbook.activities)


def validate_checklists_exist(playbook: Playbook, source: Source) -> Findings:
    """Every checklist that a segment names is written."""
    for index, segment in enumerate(playbook.segments):
        if segment.checklist and segment.checklist not in playbook.checklists:
            path = ("segments", index, "checklist")
            yield _unknown(source, (path, segment.checklist), "checklist", playbook.checklists)


def validate_raci(playbook: Playbook, source: Source) -> Findings:
    """No role stands in an activity twice, save that who is Accountable may be Responsible as well."""
    for name, activity in playbook.activities.items():
        seen = {activity.accountable: "A"}
        columns = (("R", activity.responsible), ("C", activity.consulted), ("I", activity.informed))
        for code, roles in columns:
            key = code if ("activities", name, code) in source.places else _LONG[code]
            for index, role in enumerate(roles):
                first = seen.get(role)
                if first is not None and (first, code) != ("A", "R"):
                    what = f"{role!r} stands under {first} already"
                    yield source.finding(("activities", name, key, index), what, "give a role one letter an activity")
                seen[role] = code


_LONG: Mapping[str, str] = MappingProxyType({"R": "responsible", "C": "consulted", "I": "informed"})


def validate_rules(playbook: Playbook, source: Source) -> Findings:
    """Every cadence's rule can be read, and read in one way only."""
    for name, cadence in playbook.cadences.items():
        try:
            if cadence.rule:
                check(cadence.rule, cadence.start)
        except RecurrenceError as error:
            what = str(error)
            right = "" if ": " in what else "write a rule such as FREQ=MONTHLY;BYMONTHDAY=15,-1"
            yield source.finding(("cadences", name, "rule"), what, right)


def validate_checklist_items(playbook: Playbook, source: Source) -> Findings:
    """Every checklist asks for columns of the parties sheet, each once."""
    for name, items in playbook.checklists.items():
        for index, item in enumerate(items):
            if item.field and item.field not in PARTY_FIELDS:
                path = ("checklists", name, index, "field")
                yield _unknown(source, (path, item.field), "column of the parties sheet", PARTY_FIELDS)
        yield from _twice(source, ("checklists", name), [item.name for item in items])


def validate_names_are_unique(playbook: Playbook, source: Source) -> Findings:
    """Segments, services and scorecard rows have names of their own."""
    yield from _twice(source, ("segments",), [segment.name for segment in playbook.segments])
    catalogue = [item.name for item in playbook.service_design.catalogue]
    yield from _twice(source, ("service_design", "catalogue"), catalogue)
    yield from _twice(source, ("scorecard", "rows"), [row.name for row in playbook.scorecard.rows])


def validate_roles(playbook: Playbook, source: Source) -> Findings:
    """Rungs and offers go to an audience, a role of the activities or a role a party can hold."""
    roles = _roles(playbook) | PARTICIPATIONS
    for name, ladder in playbook.ladders.items():
        for index, rung in enumerate(ladder.rungs):
            if rung.to not in roles | AUDIENCES:
                path = (*rung_path(source, name, index), "to")
                yield _unknown(source, (path, rung.to), "role", roles | AUDIENCES, listed=AUDIENCES)
    offer_to = playbook.service_design.offer_to
    if offer_to not in roles:
        yield _unknown(source, (("service_design", "offer_to"), offer_to), "role", roles, listed=PARTICIPATIONS)


def validate_roles_take_part(playbook: Playbook, source: Source) -> Findings:
    """Who is assessed or owns a relationship should appear in an activity: a remark where not."""
    roles = _roles(playbook)
    for index, department in enumerate(playbook.scorecard.departments):
        if department not in roles:
            yield _bystander(source, ("scorecard", "departments", index), department, roles)
    yield from _twice(source, ("scorecard", "departments"), playbook.scorecard.departments)
    for index, segment in enumerate(playbook.segments):
        if segment.owner and segment.owner not in roles:
            yield _bystander(source, ("segments", index, "owner"), segment.owner, roles)


def validate_channels(playbook: Playbook, source: Source) -> Findings:
    """Channels are e-mail, the reader's own chat or a room; rooms have names of their own; files go by e-mail."""
    known = {EMAIL, CHAT, *playbook.rooms}
    for path, names in _channels_named(playbook, source):
        for index, name in enumerate(names):
            if name not in known:
                yield _unknown(source, ((*path, index), name), "channel", known)
    for name in playbook.rooms:
        if name in OWN_CHATS | {EMAIL, "phone"}:
            what = f"{name!r} is how the register says a person is reached"
            yield source.finding(("rooms", name), what, "give the room another name", at_key=True)
        elif not any(name in names for _, names in _channels_named(playbook, source)):
            what = "nothing names this room"
            yield source.finding(("rooms", name), what, "name it, or leave it out", at_key=True, remark=True)
    for name, ladder in playbook.ladders.items():
        for index, rung in enumerate(ladder.rungs):
            if rung.do in _CARRYING and EMAIL not in channels_of(playbook, rung):
                what = f"{rung.do} carries a file, which goes by e-mail in any case"
                yield source.finding(rung_path(source, name, index), what, f"add {EMAIL} to its channels", remark=True)


_CARRYING = frozenset({Action.INVITE, Action.SEND})
"""What comes with a file: an invitation, a report."""


def validate_rungs_in_order(playbook: Playbook, source: Source) -> Findings:
    """Rungs read best in the order of their offsets: a remark where two that count alike do not stand so."""
    for name, ladder in playbook.ladders.items():
        for index, (before, after) in enumerate(pairwise(ladder.rungs), start=1):
            if before.at.unit is after.at.unit and after.at.count < before.at.count:
                what = f"the rung at {after.at} stands after the one at {before.at}"
                path = (*rung_path(source, name, index), "at")
                yield source.finding(path, what, "put the rungs in the order of their offsets", remark=True)


def validate_ladders_fit(playbook: Playbook, source: Source) -> Findings:
    """Ladders of meetings invite, ladders of reports send: a remark where one does not."""
    wanted = {ObligationKind.MEETING: Action.INVITE, ObligationKind.REPORT: Action.SEND}
    for name, cadence in playbook.cadences.items():
        action, ladder = wanted.get(cadence.kind), playbook.ladders.get(cadence.ladder)
        if action is not None and ladder is not None and not _does(ladder, action):
            what = f"the ladder {cadence.ladder!r} of this {cadence.kind} has no rung that does {action}"
            yield source.finding(("cadences", name, "ladder"), what, "add one, or name another ladder", remark=True)


def validate_catalogue_covers(playbook: Playbook, source: Source) -> Findings:
    """High risk needs a guarantee or an insurance to offer: a remark where the catalogue has none."""
    kinds = {item.kind for item in playbook.service_design.catalogue}
    if not kinds & {"guarantee", "insurance"}:
        what = "the catalogue has neither a guarantee nor an insurance, so a project of high risk gets no package"
        right = "add a service of kind guarantee or insurance"
        yield source.finding(("service_design", "catalogue"), what, right, at_key=True, remark=True)


def validate_gates(playbook: Playbook, source: Source) -> Findings:
    """Gates stand before phases that are entered from another and ask for a condition once: a remark where not."""
    for phase, conditions in playbook.gates.items():
        path = ("gates", str(phase))
        if phase is Phase.IDENTIFICATION:
            what, right = "every project begins in this phase, so nothing passes its gate", "leave it out"
            yield source.finding(path, what, right, at_key=True, remark=True)
        yield from _twice(source, path, conditions)


def validate_all_is_used(playbook: Playbook, source: Source) -> Findings:
    """Ladders and checklists that nothing names are remarked."""
    ladders = {name for _, name in _ladders_named(playbook)}
    checklists = {segment.checklist for segment in playbook.segments}
    for key, written, used in (("ladders", playbook.ladders, ladders), ("checklists", playbook.checklists, checklists)):
        for name in written:
            if name not in used:
                what = f"nothing names this {key.removesuffix('s')}"
                yield source.finding((key, name), what, "name it, or leave it out", at_key=True, remark=True)


VALIDATIONS: tuple[Callable[[Playbook, Source], Findings], ...] = (
    validate_ladders_exist,
    validate_activities_exist,
    validate_checklists_exist,
    validate_raci,
    validate_rules,
    validate_checklist_items,
    validate_names_are_unique,
    validate_roles,
    validate_roles_take_part,
    validate_channels,
    validate_rungs_in_order,
    validate_ladders_fit,
    validate_catalogue_covers,
    validate_gates,
    validate_all_is_used,
)


def rung_path(source: Source, ladder: str, index: int) -> Path:
    """Give a rung's path as the file has it, in a bare list or under the key `rungs`."""
    bare: Path = ("ladders", ladder, index)
    return bare if bare in source.places else ("ladders", ladder, "rungs", index)


def _channels_named(playbook: Playbook, source: Source) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for level, names in playbook.channels.items():
        yield ("channels", str(level)), names
    for name, ladder in playbook.ladders.items():
        for index, rung in enumerate(ladder.rungs):
            yield (*rung_path(source, name, index), "channels"), rung.channels or ()


def _ladders_named(playbook: Playbook) -> Iterator[tuple[Path, str]]:
    yield ("kickoff", "ladder"), playbook.kickoff.ladder
    yield ("gathering", "ladder"), playbook.gathering.ladder
    yield ("gathering", "warning_ladder"), playbook.gathering.warning_ladder
    yield ("service_design", "approval_ladder"), playbook.service_design.approval_ladder
    yield ("service_design", "offer_ladder"), playbook.service_design.offer_ladder
    for name, cadence in playbook.cadences.items():
        yield ("cadences", name, "ladder"), cadence.ladder
        yield from ((("cadences", name, "beside", index), one) for index, one in enumerate(cadence.beside))
    yield ("undertakings", "ladder"), playbook.undertakings.ladder
    yield from ((("undertakings", "beside", index), one) for index, one in enumerate(playbook.undertakings.beside))
    if playbook.issues is not None:
        yield ("issues", "confirming"), playbook.issues.confirming
        for name, severity in playbook.issues.severities.items():
            yield ("issues", "severities", name, "ladder"), severity.ladder
            yield ("issues", "severities", name, "solving"), severity.solving
    yield ("scorecard", "ladder"), playbook.scorecard.ladder


def _activities_named(playbook: Playbook) -> Iterator[tuple[Path, str]]:
    yield ("kickoff", "activity"), playbook.kickoff.activity
    yield ("gathering", "activity"), playbook.gathering.activity
    yield ("gathering", "warning_activity"), playbook.gathering.warning_activity
    yield ("service_design", "activity"), playbook.service_design.activity
    for name, cadence in playbook.cadences.items():
        yield ("cadences", name, "activity"), cadence.activity
    if playbook.issues is not None:
        yield ("issues", "activity"), playbook.issues.activity
    yield ("scorecard", "activity"), playbook.scorecard.activity


def _roles(playbook: Playbook) -> set[str]:
    """Give the roles of the activities and the head's."""
    roles = {playbook.house.head}
    for one in playbook.activities.values():
        roles |= {one.accountable, *one.responsible, *one.consulted, *one.informed}
    return roles


def _does(ladder: Ladder, action: Action) -> bool:
    return any(rung.do is action for rung in ladder.rungs)


def _unknown(
    source: Source, named: tuple[Path, str], kind: str, known: Iterable[str], listed: Iterable[str] | None = None
) -> PlaybookProblem:
    path, name = named
    names = sorted(known)
    meant = near(name, names)
    offered = ", ".join(sorted(listed) if listed is not None else names)
    right = f"write {meant}" if meant else f"write one of {offered}" if offered else f"write the {kind} first"
    return source.finding(path, f"no {kind} is called {name!r}", right)


def _bystander(source: Source, path: Path, role: str, roles: Iterable[str]) -> PlaybookProblem:
    meant = near(role, roles)
    right = f"write {meant}, or give {role} an activity" if meant else "give it an activity, so that it has duties"
    return source.finding(path, f"the role {role!r} takes part in no activity", right, remark=True)


def _twice(source: Source, path: Path, names: Iterable[str]) -> Findings:
    seen: Counter[str] = Counter()
    for index, name in enumerate(names):
        seen[name] += 1
        if seen[name] == 2:
            yield source.finding((*path, index), f"{name!r} stands here twice", "keep one, or name it otherwise")
