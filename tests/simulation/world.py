"""A small world: one or two projects, five parties, short ladders, and editions of a playbook to change in flight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random  # noqa: TID251 - the seed
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.facts import Absence, Facts, Undertaking
from pfflow.domain.manners import FREE, Manners
from pfflow.domain.parties import Contact, Level, Participation, Party, PartyKind, Realm
from pfflow.domain.playbook import Playbook, QuietHours
from pfflow.domain.project import Phase, Project

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York")
BEGINNINGS = (
    date(2026, 1, 5),
    date(2026, 3, 5),  # the clocks of New York go forward on the 8th
    date(2026, 3, 25),  # those of Berlin on the 29th
    date(2026, 10, 21),  # back in Berlin on the 25th
    date(2026, 10, 29),  # back in New York on the 1st
)
EDITIONS = 4
CAPS = Manners(recipient_cap=2, domain_cap=5)
"""How many letters a reader gets in a day and the house's one domain in an hour, where the seed has caps."""
QUIET = (
    ("20:00", "07:30", False),
    ("18:00", "10:00", True),
    ("08:30", "13:00", False),  # rungs counted in days are reached at nine
    ("23:00", "09:30", True),
)
"""When readers are left alone, where the seed has quiet hours: from, until, and whether weekends are quiet."""
HOLD_DAYS = 7
"""No acknowledgement holds a ladder for longer than this in any edition: two business days and the longest weekend."""

_ROLES = {"relationship": "REL", "head": "HEAD", "finance": "FIN", "operations": "OPS", "lender": "BANK"}
_LADDERS: Mapping[str, Any] = {
    "meeting": [
        {"at": "-2bd", "do": "invite", "to": "responsible"},
        {"at": "-24h", "do": "remind", "to": "responsible", "late": "skip"},
    ],
    "report": [
        {"at": "-2bd", "do": "request", "to": "responsible"},
        {"at": "-1bd", "do": "remind", "to": "responsible", "late": "merge"},
        {"at": "0bd", "do": "send", "to": "informed"},
        {"at": "+4bh", "do": "escalate", "to": "accountable"},
        {"at": "+1bd", "do": "escalate", "to": "head", "repeat": "1bd", "limit": 3},
    ],
    "request": {
        "hold": "1bd",
        "rungs": [
            {"at": "-1bd", "do": "request", "to": "debtor"},
            {"at": "+1bd", "do": "remind", "to": "debtor"},
            {"at": "+2bd", "do": "escalate", "to": "head", "level": "management"},
        ],
    },
    "notice": [{"at": "0bd", "do": "send", "to": "informed"}],
}


@dataclass(frozen=True, slots=True)
class Habits:
    """How a house writes: whose actions' letters are merged, whose are urgent, when readers are left alone, and where.

    Where it `releases`, operators let letters that failed go again; where it `dozes`, machines are shut while sending.
    """

    merged: frozenset[str] = frozenset()
    urgent: frozenset[str] = frozenset()
    quiet: tuple[str, str, bool] | None = None
    zones: tuple[tuple[str, str], ...] = ()
    releases: bool = False
    dozes: bool = False

    def manners(self, zone: str, quiet: QuietHours | None, *, capped: bool) -> Manners:
        """Give what a worker keeps to with a playbook, as the house's wiring does for live mail."""
        if self == PLAIN:
            return CAPS if capped else FREE
        return replace(CAPS if capped else FREE, timezone=zone, quiet=quiet, punctual=True)

    def __str__(self) -> str:
        said = [
            f"merged: {', '.join(sorted(self.merged))}" if self.merged else "",
            f"urgent: {', '.join(sorted(self.urgent))}" if self.urgent else "",
            "quiet {}-{}{}".format(*self.quiet[:2], " and weekends" * self.quiet[2]) if self.quiet else "",
            *(f"{ref} in {zone}" for ref, zone in self.zones),
            "failed letters are released" if self.releases else "",
            "the machine dozes" if self.dozes else "",
        ]
        return "; ".join(one for one in said if one) or "plain"


PLAIN = Habits()
"""Each letter by itself, at any hour."""


@lru_cache(maxsize=64)
def playbook(zone: str, edition: int, habits: Habits = PLAIN) -> Playbook:
    """Give an edition of the playbook: 1 as begun, 2 with another offset, 3 without a rung, 4 without a cadence."""
    ladders = dict(_LADDERS)
    report = list(_LADDERS["report"])
    if edition == 2:
        report[1] = {**report[1], "at": "-4h"}
        report[4] = {**report[4], "at": "+2bd"}
    if edition == 3:
        del report[3]
    ladders["report"] = report
    cadences: dict[str, Any] = {
        "standup": {
            "kind": "meeting",
            "title": {"en": "Stand-up"},
            "rule": "FREQ=WEEKLY;BYDAY=MO,TH",
            "at": "10:00",
            "ladder": "meeting",
            "activity": "progress",
        },
        "accounts": {
            "kind": "report",
            "title": {"en": "Accounts"},
            "rule": "FREQ=WEEKLY;BYDAY=TU,FR",
            "at": "17:00",
            "ladder": "report",
            "activity": "reporting",
        },
        "progress": {
            "kind": "report",
            "title": {"en": "Progress"},
            "rule": "FREQ=WEEKLY;BYDAY=WE",
            "at": "12:00",
            "ladder": "report",
            "activity": "reporting",
            "content": "progress",
        },
    }
    if edition == 4:
        del cadences["standup"]
    return Playbook.model_validate(
        {
            "playbook": "small",
            "version": edition,
            "effective": "2026-01-01",
            "house": {"name": {"en": "House"}, "email": "desk@house.example", "head": "head"},
            "calendars": ["CN"],
            "timezone": zone,
            "horizon_days": 7,
            "activities": {
                "progress": {"A": "operations", "R": ["finance"], "I": ["lender"]},
                "reporting": {"A": "operations", "R": ["finance"], "I": ["lender"]},
            },
            "segments": [
                {
                    "name": "bank",
                    "title": {"en": "Bank"},
                    "when": 'party.kind == "lender"',
                    "tier": "A",
                    "strategy": "care",
                }
                | {"checklist": "bank", "owner": "relationship"},
            ],
            "kickoff": {
                "title": {"en": "Kick-off"},
                "after": "+2bd",
                "at": "10:00",
                "ladder": "meeting",
                "activity": "progress",
            },
            "checklists": {"bank": [{"field": "support_level", "title": {"en": "Support"}}]},
            "gathering": {
                "ladder": "request",
                "due": "+2bd",
                "activity": "reporting",
                "warning_ladder": "notice",
                "warning_activity": "reporting",
                "milestone_slip_days": 30,
            },
            "service_design": {
                "target_dscr": 1.3,
                "max_gearing": 0.75,
                "high_risk_from": "weak",
                "catalogue": [
                    {"name": "loan", "title": {"en": "Loan"}, "family": "traditional", "kind": "debt", "when": "true"}
                ],
                "activity": "reporting",
                "due": "+1bd",
                "approval_ladder": "request",
                "offer_ladder": "notice",
                "offer_to": "lender",
            },
            "cadences": cadences,
            "undertakings": {"ladder": "request", "at": "17:00"},
            "scorecard": {
                "rows": [{"name": "on-time", "title": {"en": "On time"}, "weight": 100, "measure": "on-time"}],
                "departments": ["finance"],
                "due": "+1bd",
                "ladder": "notice",
                "activity": "reporting",
            },
            "ladders": {name: _with(habits, ladder) for name, ladder in ladders.items()},
        }
        | ({"quiet": dict(zip(("from", "until", "weekends"), habits.quiet, strict=True))} if habits.quiet else {})
    )


def _with(habits: Habits, ladder: Any) -> Any:
    """Give a ladder whose rungs say what is merged and what is urgent."""
    if isinstance(ladder, Mapping):
        return {**ladder, "rungs": _with(habits, ladder["rungs"])}
    merged = [{"merge": True} if rung["do"] in habits.merged else {} for rung in ladder]
    urgent = [{"urgent": True} if rung["do"] in habits.urgent else {} for rung in ladder]
    return [rung | one | two for rung, one, two in zip(ladder, merged, urgent, strict=True)]


def facts(
    projects: int, begins_on: date, away: tuple[Absence, ...] = (), zones: Mapping[str, str] = MappingProxyType({})
) -> Facts:
    """Give the parties and projects; each project has an undertaking that falls due in its first week."""
    parties, contacts = [], []
    for ref in _ROLES.values():
        external = ref == "BANK"
        kind = PartyKind.LENDER if external else PartyKind.DEPARTMENT
        parties.append(Party(party_ref=ref, name=ref, kind=kind, realm=Realm.EXTERNAL if external else Realm.INTERNAL))
        levels = (Level.WORKING, Level.MANAGEMENT) if ref in ("FIN", "HEAD") else (Level.WORKING,)
        for level in levels:
            who = f"C-{ref}" if level is Level.WORKING else f"M-{ref}"
            contact = Contact(
                contact_ref=who, party_ref=ref, name=who, email=f"{who.lower()}@house.example", level=level
            )
            contacts.append(replace(contact, timezone=zones.get(who, "")))
    refs = [f"G{number + 1}" for number in range(projects)]
    return Facts(
        parties=tuple(sorted(parties, key=lambda one: one.party_ref)),
        contacts=tuple(sorted(contacts, key=lambda one: one.contact_ref)),
        projects=tuple(Project(project_ref=ref, name=ref, phase=Phase.IMPLEMENTATION) for ref in refs),
        participations=tuple(
            Participation(project_ref=ref, party_ref=party, role=role)
            for ref in refs
            for role, party in sorted(_ROLES.items(), key=lambda one: (one[1], one[0]))
        ),
        absences=away,
        obligations=tuple(
            Undertaking(
                obligation_ref="U-1",
                project_ref=ref,
                kind="report",
                description="Certificate",
                debtor_ref="BANK",
                frequency="once",
                offset_days=1,
                first=begins_on + timedelta(days=4),
            )
            for ref in refs
        ),
    )


@lru_cache(maxsize=8)
def calendar(begins_on: date) -> BusinessCalendar:
    """Give a calendar with the weekends and one holiday in the first week, worked off on the Saturday."""
    saturday = begins_on + timedelta(days=(5 - begins_on.weekday()) % 7)
    holiday = begins_on + timedelta(days=1)
    holidays = frozenset({holiday} if holiday.weekday() < 5 else ())
    return BusinessCalendar("CN", holidays, frozenset({saturday}), published_until=date(2026, 12, 31))


@dataclass(frozen=True, slots=True)
class World:
    """What a seed chose: where, when, how many projects, and which faults there are at all."""

    zone: str
    begins_on: date
    days: int
    projects: int
    workers: int
    faults: frozenset[str]
    habits: Habits = PLAIN

    @property
    def begins_at(self) -> datetime:
        """The instant the simulated seconds count from: eight in the morning."""
        return datetime.combine(self.begins_on, time(8), ZoneInfo(self.zone)).astimezone(UTC)

    def __str__(self) -> str:
        return (
            f"{self.projects} project(s), {self.workers} worker(s), {self.days} days from {self.begins_on} "
            f"in {self.zone}; "
            f"faults: {', '.join(sorted(self.faults)) or 'none'}; habits: {self.habits}"
        )


FAULTS = (
    "crash",
    "kill",
    "pause",
    "clock-forward",
    "clock-back",
    "refused",
    "rejected",
    "slow",
    "reply-lost",
    "accepted-late",
    "playbook",
    "plan",
    "stale-playbook",
    "duplicate-run",
    "double-answer",
    "late-answer",
    "busy",
    "absence",
    "handover",
    "stop",
    "caps",
)


def drawn_absences(random: Random, begins_on: date) -> tuple[Absence, ...]:
    """Draw who is away in the first days, and who stands in, if anybody: somebody who is away as well, perhaps."""
    since = begins_on + timedelta(days=random.randint(0, 2))
    until = since + timedelta(days=random.randint(0, 4))
    refs = sorted(random.sample(("C-BANK", "C-FIN", "C-HEAD", "C-OPS"), random.randint(1, 2)))
    return tuple(
        Absence(
            contact_ref=ref, since=since, until=until, substitute_ref=random.choice(("", "C-REL", "C-OPS", "M-FIN"))
        )
        for ref in refs
    )


def drawn_habits(seed: int) -> Habits:
    """Draw how a seed's house writes, by a chance of its own: four seeds in ten are plain, as all were once."""
    random = Random(f"habits/{seed}")  # noqa: S311 - the seed
    quiet = random.choice(QUIET) if random.random() < 0.4 else None
    merges = random.random() < 0.4
    if quiet is None and not merges:
        return PLAIN
    actions = ("request", "remind", "send", "escalate")
    merged = frozenset(one for one in actions if random.random() < 0.7) if merges else frozenset[str]()
    urgent = frozenset(one for one in actions if random.random() < 0.2)
    abroad = random.sample(("C-BANK", "C-FIN", "C-HEAD", "C-OPS", "C-REL", "M-FIN", "M-HEAD"), random.randint(0, 4))
    zones = tuple((ref, random.choice(ZONES)) for ref in sorted(abroad))
    releases, dozes = random.random() < 0.5, random.random() < 0.3
    return Habits(merged, urgent, quiet, zones if quiet else (), releases=releases, dozes=dozes)


def drawn_world(random: Random, habits: Habits) -> World:
    """Draw a world. Each seed has some kinds of faults and not others, so that rare mixtures come too."""
    share = random.choice((0.0, 0.3, 0.6, 1.0))
    return World(
        zone=random.choice(ZONES),
        begins_on=random.choice(BEGINNINGS),
        days=random.choice((3, 4, 5, 7)),
        projects=random.choice((1, 1, 1, 2)),
        workers=random.choice((1, 2, 2)),
        faults=frozenset(name for name in FAULTS if random.random() < share),
        habits=habits,
    )
