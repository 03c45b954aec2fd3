"""The links that need the dossier of then: which rung, which playbook, which facts, and why this person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from pfflow.domain.audience import owner_of, parties_in, readers_of, roles_meant
from pfflow.domain.business_days import Convention
from pfflow.domain.courses import rungs_of
from pfflow.domain.decision import Dossier
from pfflow.domain.facts import Record, key_of
from pfflow.domain.ladder import Firing, Rung, bare_name
from pfflow.domain.ledger import Entry
from pfflow.domain.notices import Notice
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.offsets import OffsetUnit
from pfflow.domain.parties import LEVEL_WORDS, Contact, Level
from pfflow.domain.planning import CONDITION, source_of
from pfflow.domain.project import ConditionItem
from pfflow.domain.register_words import SHEET_WORDS
from pfflow.domain.role_words import audience_words
from pfflow.domain.words import Json, Stage, Words
from pfflow.replay.links import Link
from pfflow.replay.said import CONVENTION_WORDS, because_words, kind_words
from pfflow.store import DecisionRecord, SqlStore

_UNITS = {
    OffsetUnit.BUSINESS_DAYS: Words("个工作日", "business days"),
    OffsetUnit.CALENDAR_DAYS: Words("天", "days"),
    OffsetUnit.BUSINESS_HOURS: Words("个工作小时", "business hours"),
    OffsetUnit.HOURS: Words("小时", "hours"),
}
_REGISTER = ("register", "phase", "playbook", "calendar")


def rung_of(dossier: Dossier, obligation: Obligation | None, rung: str) -> Rung | None:
    """Give the rung of an obligation's ladder with a name; None where the letter is of no rung, as a plan's are."""
    rungs = rungs_of(dossier.playbook, obligation) if obligation else ()
    return next((one for one in rungs if one.name == bare_name(rung)), None)


def rung_link(dossier: Dossier, obligation: Obligation | None, notice: Notice, firing: Firing | None) -> Link:
    """Say which rung of which ladder was reached, how it is counted and from what."""
    if obligation is None or firing is None:
        return Link("rung", (), missing=True)
    rung = rung_of(dossier, obligation, notice.rung)
    zone = dossier.playbook.zone
    reached = f"{firing.due_at.astimezone(zone):%Y-%m-%d %H:%M}"
    if rung is None:
        line = Words(
            f"不在阶梯上：{notice.rung}（{because_words(firing.because).zh}）",
            f"of no rung: {notice.rung} ({firing.because})",
        )
        return Link("rung", (line,), {"rung": notice.rung, "because": firing.because, "reached_at": reached})
    due, version = f"{obligation.due_at.astimezone(zone):%Y-%m-%d %H:%M}", dossier.calendar.version[:12]
    count, unit = rung.at.count, _UNITS[rung.at.unit]
    zh = "到期时刻" if count == 0 else f"到期{'前' if count < 0 else '后'} {abs(count)} {unit.zh}"
    en = "at the due date" if count == 0 else f"{abs(count)} {unit.en} {'before' if count < 0 else 'after'} it is due"
    lines = [
        Words(
            f"阶梯 {obligation.ladder}，{notice.rung}：{zh}（{rung.at}），到期 {due}，应于 {reached} 采取",
            f"ladder {obligation.ladder}, {notice.rung}: {en} ({rung.at}), due {due}, to be taken at {reached}",
        ),
        Words(
            f"按日历 {dossier.calendar.code} 版本 {version} 计算，时区 {dossier.playbook.timezone}",
            f"counted over calendar {dossier.calendar.code}, edition {version}, in {dossier.playbook.timezone}",
        ),
        _convention(dossier, obligation),
    ]
    return Link(
        "rung",
        tuple(lines),
        {
            "ladder": obligation.ladder,
            "rung": notice.rung,
            "offset": str(rung.at),
            "do": str(rung.do),
            "to": rung.to,
            "due_at": obligation.due_at.isoformat(),
            "reached_at": firing.due_at.isoformat(),
            "fired_at": firing.fired_at.isoformat(),
            "calendar": dossier.calendar.version,
            "convention": str(convention_of(dossier, obligation)),
            "provisional": obligation.provisional,
        },
    )


def convention_of(dossier: Dossier, obligation: Obligation) -> Convention:
    """Give the convention an obligation's date was rolled by."""
    source = source_of(obligation.key)
    if obligation.stage is Stage.COMMUNICATION and source in dossier.playbook.cadences:
        return dossier.playbook.cadences[source].roll
    named = [one.convention for one in dossier.facts.obligations if one.obligation_ref == source]
    named += [dossier.project.convention for one in _conditions(dossier, source)]
    if obligation.stage is Stage.COMMUNICATION and named:
        return Convention.parse(named[0] or dossier.project.convention or Convention.FOLLOWING)
    return Convention.FOLLOWING


def _convention(dossier: Dossier, obligation: Obligation) -> Words:
    if obligation.kind is ObligationKind.NOTICE:
        return Words(
            f"{obligation.due_on} 为作出之日，不作调整",
            f"{obligation.due_on}, the day it was made, which nothing rolls",
        )
    by = CONVENTION_WORDS[convention_of(dossier, obligation)]
    if obligation.due_on == obligation.unadjusted_on:
        return Words(
            f"{obligation.due_on} 无须调整（惯例：{by.zh}）", f"{obligation.due_on} needed no rolling ({by.en})"
        )
    return Words(
        f"{obligation.unadjusted_on} 按惯例“{by.zh}”调整为 {obligation.due_on}",
        f"{obligation.unadjusted_on} rolled to {obligation.due_on} by {by.en}",
    )


def playbook_link(store: SqlStore, record: DecisionRecord) -> Link:
    """Say by which edition of which playbook it was decided."""
    stored = store.adopted(record.playbook)
    if stored is None:
        return Link("playbook", (), {"sha256": record.playbook}, missing=True)
    name = f"{stored.name}/{stored.version}"
    return Link(
        "playbook",
        (Words(f"{name}，SHA-256 {stored.sha256}", f"{name}, SHA-256 {stored.sha256}"),),
        {"name": stored.name, "version": stored.version, "sha256": stored.sha256},
    )


def facts_link(
    dossier: Dossier, obligation: Obligation | None, notice: Notice, earlier: Sequence[Entry], record: DecisionRecord
) -> Link:
    """Say which version of the facts it was decided on, what changed them last, and the rows it concerns."""
    last = next((e for e in reversed(earlier) if e.stage in _REGISTER), None)
    rows = _rows(dossier, obligation, notice)
    if last is None:
        return Link("facts", (), missing=True)
    by = json.loads(last.data).get("by", "")
    called = [(SHEET_WORDS[sheet], key) for sheet, key in rows]
    zh, en = ("、".join(f"{w.zh} {key}" for w, key in called), ", ".join(f"{w.en} {key}" for w, key in called))
    return Link(
        "facts",
        (
            Words(
                f"事实第 {record.version} 版，最近一次变更：台账第 {last.seq} 条"
                f"（{kind_words(last.kind).zh} {last.subject}，{by}）",
                f"version {record.version} of the facts, last changed by entry {last.seq} "
                f"({last.kind} {last.subject} by {by})",
            ),
            Words(f"涉及：{zh}", f"rows concerned: {en}"),
        ),
        {"version": record.version, "entry": last.seq, "rows": [list(row) for row in rows]},
    )


def _rows(dossier: Dossier, obligation: Obligation | None, notice: Notice) -> list[tuple[str, str]]:
    """Give the records the letter depends on: what is owed and when, who takes part, the contact, what was said."""
    facts = dossier.facts
    contact = _contact(dossier, notice.contact_ref)
    source = source_of(notice.obligation_key)
    activity = obligation.activity if obligation else ""
    milestone = obligation.details.get("milestone") if obligation else None
    chosen: dict[str, Sequence[Record]] = {
        "projects": facts.projects,
        "milestones": [one for one in facts.milestones if one.milestone == milestone],
        "conditions": _conditions(dossier, source),
        "obligations": [one for one in facts.obligations if one.obligation_ref == source],
        "participations": [one for one in facts.participations if contact and one.party_ref == contact.party_ref],
        "raci": [one for one in facts.raci if one.phase is dossier.project.phase and one.activity == activity],
        "contacts": [contact] if contact else [],
        "interactions": [one for one in facts.interactions if one.obligation_key == notice.obligation_key],
    }
    return [(sheet, " / ".join(key_of(sheet, record))) for sheet, some in chosen.items() for record in some]


def _conditions(dossier: Dossier, source: str) -> list[ConditionItem]:
    return [one for one in dossier.facts.conditions if f"{CONDITION}{one.cp_ref}" == source]


def _contact(dossier: Dossier, contact_ref: str) -> Contact | None:
    return next((one for one in dossier.facts.contacts if one.contact_ref == contact_ref), None)


def who_link(dossier: Dossier, obligation: Obligation | None, notice: Notice, firing: Firing | None) -> Link:
    """Say why this person: the rung's word, the roles it stands for, the party that holds one, the level."""
    contact = _contact(dossier, notice.contact_ref)
    if obligation is None or contact is None:
        return Link("who", (), missing=True)
    rung = rung_of(dossier, obligation, notice.rung)
    if rung is None:
        line = Words(
            f"{contact.contact_ref}：此前已获通知，变更也须告知",
            f"{contact.contact_ref} was told of it before, and hears of the change",
        )
        return Link("who", (line,), {"contact": contact.contact_ref, "party": contact.party_ref, "to": "told before"})
    rerouted = firing.because if firing else ""
    word = "head" if rerouted.startswith("nobody is") else rung.to
    on = notice.noticed_at.astimezone(dossier.playbook.zone).date()
    instead = readers_of(dossier, word, obligation, rung.level, on).instead_of.get(contact.contact_ref, ())
    meant = instead[0] if instead else contact
    lines, data = _audience(dossier, obligation, word, meant, level=rung.level or Level.WORKING, on=on)
    if instead:
        names = [one.contact_ref for one in instead]
        lines.append(
            Words(
                f"{contact.contact_ref} 代替 {'、'.join(names)}（缺勤或已移交）",
                f"{contact.contact_ref} instead of {', '.join(names)}, who is away or handed it over",
            )
        )
        data = {**data, "contact": contact.contact_ref, "instead_of": list(names)}
    if rerouted:
        lines = [Words(f"改送：{because_words(rerouted).zh}", f"rerouted: {rerouted}"), *lines]
    return Link("who", tuple(lines), {**data, "to": rung.to, "rerouted": rerouted})


def _audience(
    dossier: Dossier, obligation: Obligation, word: str, contact: Contact, *, level: Level, on: date
) -> tuple[list[Words], dict[str, Json]]:
    owner = owner_of(dossier, obligation.subject) if word == "owner" else None
    if owner is not None and owner.contact_ref == contact.contact_ref:
        why = str(dossier.concluded(Stage.IDENTIFICATION, f"party/{obligation.subject}").get("owner_because", ""))
        line = Words(
            f"{contact.contact_ref} 是 {obligation.subject} 的关系负责人（{because_words(why).zh}）",
            f"{contact.contact_ref} owns the relationship with {obligation.subject} ({why})",
        )
        return [line], {"contact": contact.contact_ref, "party": contact.party_ref, "roles": ["owner"]}
    roles = roles_meant(dossier, "head" if word == "owner" else word, obligation)
    held = [role for role in roles if contact.party_ref in {party.party_ref for party in parties_in(dossier, role, on)}]
    line = Words(
        f"“{audience_words(word).zh}”指{_called(roles)}；{contact.party_ref} 担任{_called(held) or '（无）'}；"
        f"联系人 {contact.contact_ref} 属{LEVEL_WORDS[contact.level].zh}（要求{LEVEL_WORDS[level].zh}）",
        f"{word} stands for {', '.join(roles)}; {contact.party_ref} is {', '.join(held) or '(none)'}; "
        f"contact {contact.contact_ref} is at {contact.level} level ({level} wanted)",
    )
    return [line], {
        "contact": contact.contact_ref,
        "party": contact.party_ref,
        "roles": list(held),
        "level": str(contact.level),
    }


def _called(roles: Sequence[str]) -> str:
    return "、".join(audience_words(role).zh for role in roles)
