"""Why a letter was sent, and what became of an obligation: the chain from what was said back to rule, fact and date."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import unquote

from pfflow.domain.kept_letters import KeptLetters
from pfflow.domain.ledger import Entry
from pfflow.domain.obligations import STATUS_WORDS, Obligation
from pfflow.domain.words import Json, Words
from pfflow.replay.again import Again, Archive
from pfflow.replay.links import Explanation, Link
from pfflow.replay.reasons import facts_link, playbook_link, rung_link, who_link
from pfflow.replay.said import STAGE_WORDS, because_words, kind_words
from pfflow.store import DecisionRecord, Letter, SqlStore

_DATED = ("planned", "moved", "replanned", "confirmed", "restated")
_LEFT = {
    "waiting": Words("待发", "waiting to be sent"),
    "sent": Words("已发出", "sent"),
    "held": Words("被扣留", "held back"),
    "failed": Words("未能送达", "failed"),
}


class UnknownSubjectError(LookupError):
    """A text that names no letter and no obligation that is held."""


def explained(archive: Archive, subject: str) -> Explanation:
    """Explain a letter, by its Message-ID or key, or an obligation, by its key. Raises UnknownSubjectError."""
    bare = subject.strip().removeprefix("<").removesuffix(">")
    for key in dict.fromkeys((bare, bare.rpartition("@")[0] or bare)):
        letter = archive.store.letter(key)
        if letter is not None:
            return _letter(archive, letter)
    obligation = _obligation(archive.store, bare)
    if obligation is None:
        raise UnknownSubjectError(
            f"{subject!r} is neither a letter nor an obligation; pfflow outbox --status sent lists the letters, "
            "pfflow owed the obligations"
        )
    return _life(archive, obligation)


def _obligation(store: SqlStore, key: str) -> Obligation | None:
    project_ref = unquote(key.partition("/")[0])
    if project_ref not in store.project_refs():
        return None
    return next((one for one in store.obligations(project_ref) if one.key == key), None)


def _letter(archive: Archive, letter: Letter) -> Explanation:
    notice = letter.notice
    entries = archive.entries(notice.project_ref)
    fired = next((e for e in entries if e.subject == f"{notice.obligation_key}/{notice.rung}"), None)
    record = _record(archive.decisions(notice.project_ref), fired)
    shared = (Words(f"与其他函件合为一封：{letter.bundle}", f"told with others in one mail: {letter.bundle}"),)
    told = Link(
        "letter",
        (
            Words(
                f"{notice.key}，模板 {notice.template}，致 {notice.contact_ref}，{_at(notice.noticed_at)} 决定",
                f"{notice.key}, template {notice.template}, to {notice.contact_ref}, decided {_at(notice.noticed_at)}",
            ),
            *(shared if letter.bundle else ()),
        ),
        {"key": notice.key, "contact": notice.contact_ref, "template": notice.template, "bundle": letter.bundle},
    )
    delivered = _delivery(letter, entries)
    if fired is None or record is None:
        lost = Words(
            "台账中没有记录它的决定：它早于依据的保存",
            "no decision is recorded that made it: it is older than the keeping of what decisions are made by",
        )
        return Explanation(notice.key, "letter", (told, Link("decision", (lost,), missing=True), delivered), same=False)
    again = archive.decided_again(record)
    links = [told, _decision(record, fired)]
    if again.dossier is not None and again.decision is not None:
        dossier, decision = again.dossier, again.decision
        both = {**dossier.held.obligations, **{one.key: one for one in decision.obligations}}
        obligation = both.get(notice.obligation_key)
        firing = next(
            (f for f in decision.firings if (f.obligation_key, f.rung) == (notice.obligation_key, notice.rung)), None
        )
        links += [
            rung_link(dossier, obligation, notice, firing),
            _date(entries[: record.last_seq], notice.obligation_key),
            _planned(archive, entries, notice.obligation_key),
            playbook_link(archive.store, record),
            facts_link(dossier, obligation, notice, entries[: record.first_seq - 1], record),
            who_link(dossier, obligation, notice, firing),
        ]
    links += [delivered, _again([again])]
    return Explanation(notice.key, "letter", tuple(links), same=again.same)


def _life(archive: Archive, obligation: Obligation) -> Explanation:
    key = obligation.key
    entries = archive.entries(obligation.project_ref)
    mine = [e for e in entries if e.subject == key or e.subject.startswith(f"{key}/")]
    records = [
        record
        for record in archive.decisions(obligation.project_ref)
        if any(record.first_seq <= e.seq <= record.last_seq for e in mine)
    ]
    letters = [one for one in archive.store.letters(obligation.project_ref) if one.notice.obligation_key == key]
    again = [archive.decided_again(record) for record in records]
    now = STATUS_WORDS[obligation.status]
    status = Words(f"，现为{now.zh}", f", now {now.en}")
    head = Link(
        "obligation",
        (Words(f"{obligation.title.zh}（{key}）{status.zh}", f"{obligation.title.en} ({key}){status.en}"),),
        {"key": key, "status": obligation.status.value, "title": obligation.title.as_json()},
    )
    links = [
        head,
        _date(entries, key),
        playbook_link(archive.store, records[0]) if records else Link("playbook", (), missing=True),
        Link("life", tuple(_line(e) for e in mine if e.stage != "delivery"), {"entries": [_data(e) for e in mine]}),
        _letters(letters),
        _again(again),
    ]
    return Explanation(key, "obligation", tuple(links), same=bool(again) and all(one.same for one in again))


def _record(records: Sequence[DecisionRecord], entry: Entry | None) -> DecisionRecord | None:
    """Give the decision an entry is of."""
    return next((one for one in records if entry and one.first_seq <= entry.seq <= one.last_seq), None)


def _decision(record: DecisionRecord, fired: Entry) -> Link:
    how = Words("经批准的计划", "an applied plan") if record.is_of_a_plan else Words("阶段", "the stage")
    return Link(
        "decision",
        (
            Words(
                f"第 {record.number} 项决定，{_at(record.as_of)}，{how.zh}“{STAGE_WORDS[record.stage].zh}”，"
                f"台账第 {fired.seq} 条",
                f"decision {record.number} at {_at(record.as_of)} by {how.en} {record.stage}, entry {fired.seq}",
            ),
        ),
        {
            "number": record.number,
            "as_of": record.as_of.isoformat(),
            "stage": record.stage.value,
            "plan": record.is_of_a_plan,
            "entry": fired.seq,
        },
    )


def _date(entries: Iterable[Entry], key: str) -> Link:
    """Say which date it is and where it comes from: the last entry that set it."""
    dated = [e for e in entries if e.subject == key and e.kind in _DATED]
    if not dated:
        return Link("date", (), missing=True)
    lines, data = [], []
    for entry in dated:
        said: dict[str, Any] = json.loads(entry.data)
        on, unadjusted = said["due_on"], said["unadjusted_on"]
        rolled = on != unadjusted
        zh = f"，由规则日 {unadjusted} 顺延而来" if rolled else "，即规则日本身"
        en = f", rolled from {unadjusted}" if rolled else ", the rule's own date"
        provisional = said["provisional"]
        kind, because = kind_words(entry.kind), because_words(str(said["because"]))
        lines.append(
            Words(
                f"{on}{zh}，日历版本 {said['calendar']}{'，暂定' if provisional else ''}"
                f"（台账第 {entry.seq} 条，{kind.zh}：{because.zh}）",
                f"{on}{en}, by calendar edition {said['calendar']}{', provisional' if provisional else ''} "
                f"(entry {entry.seq}, {kind.en}: {because.en})",
            )
        )
        data.append({**said, "entry": entry.seq, "kind": entry.kind, "at": entry.at})
    return Link("date", tuple(lines), {"set": cast("Json", data)})


def _planned(archive: Archive, entries: Sequence[Entry], key: str) -> Link:
    planned = next((e for e in entries if e.subject == key and e.kind == "planned"), None)
    if planned is None:
        return Link("obligation", (), missing=True)
    because = str(json.loads(planned.data)["because"])
    record = _record(archive.decisions(planned.project_ref), planned)
    by = f"{record.playbook[:12]}" if record else "?"
    return Link(
        "obligation",
        (
            Words(
                f"{key}，{_when(planned)} 列入计划，依据：{because_words(because).zh}"
                f"（规则手册 {by}，台账第 {planned.seq} 条）",
                f"{key}, planned {_when(planned)} because: {because} (playbook {by}, entry {planned.seq})",
            ),
        ),
        {"key": key, "planned_at": planned.at, "because": because, "entry": planned.seq},
        missing=record is None,
    )


def _delivery(letter: Letter, entries: Iterable[Entry]) -> Link:
    mine = [e for e in entries if e.stage == "delivery" and e.subject == letter.notice.key]
    state = _state(letter)
    lines = [
        Words(
            f"{state.zh}，尝试 {letter.attempts} 次" + (f"，{_at(letter.sent_at)}" if letter.sent_at else ""),
            f"{state.en} after {letter.attempts} attempts" + (f", {_at(letter.sent_at)}" if letter.sent_at else ""),
        )
    ]
    if letter.digest:
        lines.append(Words(f"所发内容 SHA-256 {letter.digest}", f"SHA-256 of what left: {letter.digest}"))
    lines += [_line(e) for e in mine]
    return Link(
        "delivery",
        tuple(lines),
        {
            "status": letter.status,
            "attempts": letter.attempts,
            "sent_at": letter.sent_at.isoformat() if letter.sent_at else None,
            "sha256": letter.digest,
            "entries": [_data(e) for e in mine],
        },
        missing=letter.status != "waiting" and not mine,
    )


def _state(letter: Letter) -> Words:
    """Say what became of a letter; of one that is held back, why it is."""
    state = _LEFT.get(letter.status, Words(letter.status, letter.status))
    if letter.status != "held" or not letter.last_response:
        return state
    why = KeptLetters(status=letter.status, because=letter.last_response, letters=1).words
    return Words(f"{state.zh}（{why.zh}）", f"{state.en} ({why.en})")


def _letters(letters: Sequence[Letter]) -> Link:
    if not letters:
        return Link("letters", (Words("没有信件", "no letters"),), {"letters": []})
    lines = (
        Words(
            f"{_at(one.notice.noticed_at)} {one.notice.rung} → {one.notice.contact_ref}，{_LEFT[one.status].zh}",
            f"{_at(one.notice.noticed_at)} {one.notice.rung} to {one.notice.contact_ref}, {_LEFT[one.status].en}",
        )
        for one in letters
    )
    return Link("letters", tuple(lines), {"letters": [one.notice.key for one in letters]})


def _again(made: Sequence[Again]) -> Link:
    lines: list[Words] = []
    for one in made:
        number = one.record.number
        if one.impossible is not None:
            lines.append(Words(f"第 {number} 项：{one.impossible.zh}", f"decision {number}: {one.impossible.en}"))
        lines += [Words(f"第 {number} 项：{d.zh}", f"decision {number}: {d.en}") for d in one.differences]
    same = sum(one.same for one in made)
    if made and same == len(made):
        lines = [
            Words(
                f"按当时的事实、规则手册和日历重新决定 {same} 次，结果相同",
                f"decided again on the facts, playbook and calendar of then, {same} of {len(made)}: the same",
            )
        ]
    return Link("again", tuple(lines), {"decisions": [one.as_json() for one in made]}, missing=not made)


def _line(entry: Entry) -> Words:
    said = json.loads(entry.data)
    because = because_words(str(said.get("because") or said.get("touch") or ""))
    by = said.get("by") or ""
    kind = kind_words(entry.kind)
    who = f"（{by}）" if by else ""
    return Words(
        f"{_when(entry)} {kind.zh} {entry.subject}{who}{'：' + because.zh if because.zh else ''}（第 {entry.seq} 条）",
        f"{_when(entry)} {kind.en} {entry.subject}{f' by {by}' if by else ''}"
        f"{f': {because.en}' if because.en else ''} (entry {entry.seq})",
    )


def _data(entry: Entry) -> Json:
    return {
        "entry": entry.seq,
        "at": entry.at,
        "stage": entry.stage,
        "kind": entry.kind,
        "subject": entry.subject,
        "data": json.loads(entry.data),
    }


def _when(entry: Entry) -> str:
    return _at(datetime.fromisoformat(entry.at))


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}Z"
