"""A feed: everything a person, a party or a project owes and attends, as one iCalendar file (RFC 5545).

A feed has no METHOD: it is to be looked at or subscribed to, and there is nothing to answer, so it names no ORGANIZER
and no ATTENDEE. A meeting has the UID and SEQUENCE of its invitation. Every date is an event of its own, because rolled
dates are no RRULE. What is owed is an all-day event that leaves the day free; a VTODO many programs do not show. Equal
data give equal bytes: DTSTAMP is the instant of the last change, as RFC 5545 section 3.8.7.2 has it without a METHOD.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vText

from pfflow.delivery.calendar import PRODID, timezone_of
from pfflow.delivery.headers import header_text
from pfflow.domain.audience import audience, creditors, names_of, parties_in
from pfflow.domain.courses import rungs_of
from pfflow.domain.decision import Dossier
from pfflow.domain.ladder import Action
from pfflow.domain.ledger import Entry
from pfflow.domain.obligations import INVITED, Obligation, ObligationKind, Status
from pfflow.domain.parties import Contact, Party
from pfflow.domain.words import NO_WORDS, Words

_STATUS: Mapping[Status, Words] = MappingProxyType(
    {
        Status.PLANNED: Words("已排期", "planned"),
        Status.OPEN: Words("进行中", "open"),
        Status.FULFILLED: Words("已完成", "fulfilled"),
        Status.WAIVED: Words("已豁免", "waived"),
        Status.CANCELLED: Words("已取消", "cancelled"),
    }
)
_PROVISIONAL = Words("暂定", "provisional")
_MARK = Words("〔{}〕", " [{}]")
_LINE = Words("{}：{}", "{}: {}")
_UNSETTLED = Words(
    "该年度节假日安排尚未公布，日期可能调整", "the holiday list of that year is not yet published, so the date may move"
)
_WITHOUT_A_DAY = frozenset({ObligationKind.NOTICE})
"""A warning has no day of its own, so it has no place in a calendar."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One date of a feed: the obligation, its project, who owes it to whom, and when it last changed (UTC)."""

    obligation: Obligation
    project: Words
    debtor: Words
    creditor: Words
    changed_at: datetime


def feed_entries(
    dossier: Dossier, ledger: Iterable[Entry], reader: Party | Contact | None = None
) -> Iterator[FeedEntry]:
    """Give what a reader owes and attends in a project, or all of the project, in order of due instant and key.

    See `concerns` for what that is.
    """
    changed = _last_changes(ledger)
    engaged_at = dossier.held.engaged_at
    project = Words(dossier.project.name_zh or dossier.project.name, dossier.project.name)
    for one in sorted(dossier.held.obligations.values(), key=lambda o: (o.due_at, o.key)):
        if one.kind in _WITHOUT_A_DAY or not (reader is None or concerns(dossier, one, reader)):
            continue
        yield FeedEntry(
            obligation=one,
            project=project,
            debtor=names_of(dossier, [one.debtor] if one.debtor else (), one.due_on),
            creditor=creditors(dossier, one, one.due_on),
            changed_at=changed.get(one.key) or engaged_at or one.due_at,
        )


def concerns(dossier: Dossier, obligation: Obligation, reader: Party | Contact) -> bool:
    """Tell whether a reader owes or attends an obligation, by the roles held on the day it is due.

    A meeting concerns whoever was invited, and before that whom its ladder will invite. Anything else concerns whoever
    of the debtor's party asks, and whom a rung of its ladder writes to; escalations left out, since they are not to be
    seen coming. What concerns a contact of a party concerns the party.
    """
    on = obligation.due_on
    if obligation.kind is ObligationKind.MEETING:
        told = _guests(dossier, obligation)
    else:
        if obligation.debtor and reader.party_ref in {p.party_ref for p in parties_in(dossier, obligation.debtor, on)}:
            return True
        told = _written_to(dossier, obligation, frozenset(Action) - {Action.ESCALATE})
    if isinstance(reader, Contact):
        # Who stands in the register twice is told once, under either record: it is the address that counts.
        return any(contact.email.lower() == reader.email.lower() for contact in told)
    return any(contact.party_ref == reader.party_ref for contact in told)


def _guests(dossier: Dossier, meeting: Obligation) -> Iterable[Contact]:
    invited = meeting.told(INVITED)
    if invited:
        return (contact for contact in dossier.facts.contacts if contact.contact_ref in invited)
    return _written_to(dossier, meeting, frozenset({Action.INVITE}))


def _written_to(dossier: Dossier, obligation: Obligation, actions: frozenset[Action]) -> Iterator[Contact]:
    """Give the contacts that rungs with these actions write to, by the roles held on the day it is due."""
    for rung in rungs_of(dossier.playbook, obligation):
        if rung.do in actions:
            yield from audience(dossier, rung.to, obligation, rung.level, obligation.due_on)


def feed_of(
    entries: Sequence[FeedEntry], *, name: Words, language: str, domain: str, of_one_project: bool = False
) -> bytes:
    """Give the feed as the bytes of an iCalendar object: CRLF, folded at 75 octets, in the order of the entries.

    `domain` is that of the house's invitations. Unless the feed is of one project, each summary names its project.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    shown = header_text(name.in_language(language))
    calendar.add("name", shown)  # RFC 7986 section 5.1
    calendar.add("x-wr-calname", shown)  # its older name, which most programs read
    for zone, instants in sorted(_zones(entries).items()):
        calendar.add_component(timezone_of(ZoneInfo(zone), min(instants), max(instants)))
    for entry in entries:
        calendar.add_component(_event(entry, language, domain, names_project=not of_one_project))
    written: bytes = calendar.to_ical()
    return written


def _last_changes(ledger: Iterable[Entry]) -> dict[str, datetime]:
    changed: dict[str, datetime] = {}
    for entry in ledger:
        at = datetime.fromisoformat(entry.at)
        # An entry is on an obligation or on a rung of its ladder: what is sent later changes nothing of the date.
        for key in (entry.subject, entry.subject.rpartition("/")[0]):
            changed[key] = max(at, changed.get(key, at))
    return changed


def _zones(entries: Iterable[FeedEntry]) -> dict[str, list[datetime]]:
    zones: dict[str, list[datetime]] = {}
    for entry in entries:
        one = entry.obligation
        if one.kind is ObligationKind.MEETING and one.timezone not in {"UTC", "Etc/UTC"}:
            zones.setdefault(one.timezone, []).append(one.due_at)
    return zones


def _event(entry: FeedEntry, language: str, domain: str, *, names_project: bool) -> Event:
    one = entry.obligation
    meeting = one.kind is ObligationKind.MEETING
    event = Event()
    event.add("uid", header_text(f"{one.key}@{domain}"))
    event.add("sequence", one.sequence)
    stamp = entry.changed_at.astimezone(UTC).replace(microsecond=0)
    event.add("dtstamp", stamp)
    event.add("last-modified", stamp)
    if meeting:
        starts_at = one.due_at.astimezone(ZoneInfo(one.timezone)).replace(microsecond=0)
        event.add("dtstart", starts_at)
        ends_at = one.due_at + timedelta(minutes=one.minutes)
        event.add("dtend", ends_at.astimezone(ZoneInfo(one.timezone)).replace(microsecond=0))
    else:
        event.add("dtstart", one.due_on)
        event.add("dtend", one.due_on + timedelta(days=1))
    summary = header_text(_summary(entry, language, names_project=names_project))
    event.add("summary", vText(summary, params={"LANGUAGE": language}))
    event.add("description", "\n".join(header_text(line) for line in _lines(entry, language)))
    location = header_text(_location(one).in_language(language))
    if location:
        event.add("location", location)
    event.add("status", _ical_status(one))
    event.add("transp", "OPAQUE" if meeting and one.live else "TRANSPARENT")
    event.add("categories", [str(one.kind).upper()])
    return event


def _ical_status(one: Obligation) -> str:
    if one.status is Status.CANCELLED:
        return "CANCELLED"
    return "TENTATIVE" if one.provisional and one.live else "CONFIRMED"


def _summary(entry: FeedEntry, language: str, *, names_project: bool) -> str:
    one = entry.obligation
    parts = [one.title.in_language(language)]
    if names_project:
        parts.append(entry.project.in_language(language))
    marks = [_STATUS[one.status]] if not one.live else [_PROVISIONAL] if one.provisional else []
    return " · ".join(parts) + "".join(_MARK.in_language(language).format(mark.in_language(language)) for mark in marks)


def _lines(entry: FeedEntry, language: str) -> Iterator[str]:
    one = entry.obligation
    due = one.due_at.astimezone(ZoneInfo(one.timezone))
    said = [(Words("项目", "Project"), entry.project)]
    if one.kind is ObligationKind.MEETING:
        said.append((Words("负责方", "Responsible"), entry.debtor))
    else:
        due_at = f"{due:%Y-%m-%d %H:%M} {one.timezone}"
        said.append((Words("到期", "Due"), Words(due_at, due_at)))
        said.append((Words("责任方", "Owed by"), entry.debtor))
        said.append((Words("接收方", "Owed to"), entry.creditor))
    said.append((Words("状态", "Status"), _STATUS[one.status]))
    if one.unadjusted_on != one.due_on:
        rule_date = one.unadjusted_on.isoformat()
        said.append((Words("规则日期", "Date of the rule"), Words(rule_date, rule_date)))
    if one.provisional and one.live:
        said.append((_PROVISIONAL, _UNSETTLED))
    said.append((Words("编号", "Reference"), Words(one.key, one.key)))
    for label, value in said:
        text = value.in_language(language)
        if text:
            yield _LINE.in_language(language).format(label.in_language(language), text)


def _location(one: Obligation) -> Words:
    said = one.details.get("location")
    return Words(str(said.get("zh", "")), str(said.get("en", ""))) if isinstance(said, Mapping) else NO_WORDS
