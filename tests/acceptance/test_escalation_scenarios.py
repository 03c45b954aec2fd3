"""How escalation behaves, as a table: what happened, when, who is written to, and who is not.

Each scenario is lived sweep by sweep with time as an argument, through the very functions that decide live. The rows
of a scenario are all it says: at any other sweep nobody is written to. `docs/escalation.md` holds the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pfflow.domain.decision import Conclusion, Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import climb
from pfflow.domain.facts import Absence, Touch
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.parties import Level
from pfflow.domain.playbook import Playbook
from pfflow.domain.words import Stage
from pfflow.stages import communication, service_design
from tests.factories import (
    SHANGHAI,
    applied,
    assessments,
    at,
    base_case,
    make_contact,
    make_dossier,
    make_facts,
    make_obligation,
    make_playbook,
    make_touch,
    saying,
)

PAGE = Path(__file__).parents[2] / "docs" / "escalation.md"
KEY = "G1/report/2026-01-15"
NAMES = {
    "C-FIN": "finance",
    "C-OPS": "operations",
    "C-HEAD": "head",
    "C-CMD": "command group",
    "C-ENG": "engineering",
    "C-LAW": "legal",
    "C-BANK": "bank",
    "C-BANK2": "bank's manager",
    "C-FUND": "fund",
    "C-CON": "contractor",
}
REPORT: list[dict[str, Any]] = [
    {"at": "-1bd", "do": "remind", "to": "responsible"},
    {"at": "+1bd", "do": "escalate", "to": "accountable"},
    {"at": "+2bd", "do": "escalate", "to": "head"},
    {"at": "+3bd", "do": "escalate", "to": "joint-command", "repeat": "2bd", "limit": 3},
]

Event = tuple[str, Callable[[Dossier], Dossier]]
Row = tuple[str, str, str]
"""When (a sweep, in the scenario's own zone), who is written to, and whom one might expect and who is not."""


def sweep(dossier: Dossier, as_of: datetime) -> Decision:
    """Climb the ladders that are there, and plan nothing."""
    draft = Draft(dossier, Stage.COMMUNICATION, as_of)
    climb(draft)
    return draft.decision()


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What happened; `hours` are those of the sweeps of each day, `silent` days on which nothing was swept."""

    what: str
    dossier: Dossier
    rows: Sequence[Row]
    events: Sequence[Event] = ()
    hours: Sequence[int] = (9, 15)
    silent: tuple[str, str] | None = None
    zone: ZoneInfo = SHANGHAI
    decide: Callable[[Dossier, datetime], Decision] = sweep
    about: str = ""

    def told(self) -> dict[str, set[str]]:
        """Live it from the first row's day to the day after the last; gives who was written to, by sweep."""
        dossier, events = self.dossier, sorted(self.events, key=lambda event: event[0])
        found: dict[str, set[str]] = {}
        day, last = date.fromisoformat(self.rows[0][0][:10]), date.fromisoformat(self.rows[-1][0][:10])
        day = min(day, date(2026, 1, 12)) if self.zone is SHANGHAI and day.year == 2026 and day.month == 1 else day
        while day <= last:
            for hour in self.hours:
                instant = datetime.combine(day, time(hour, 30), self.zone)
                while events and events[0][0] <= f"{instant:%Y-%m-%d %H:%M}":
                    dossier = events.pop(0)[1](dossier)
                if self.silent and self.silent[0] <= day.isoformat() <= self.silent[1]:
                    continue
                decision = self.decide(dossier, instant.astimezone(UTC))
                dossier = applied(dossier, decision)
                told = [n.contact_ref for n in decision.notices if n.obligation_key.startswith(self.about)]
                # A room that a level posts to beside its letters is nobody who is written to.
                read = {NAMES[ref] for ref in told if not ref.startswith("room.")}
                if read:
                    found[f"{instant:%Y-%m-%d %H:%M}"] = read
            day += timedelta(days=1)
        return found


def ladders(**more: Any) -> Playbook:
    return make_playbook(ladders={"report": REPORT, **more})


def of(
    rungs: list[dict[str, Any]] | None = None, obligation: Obligation | None = None, conclusions: Any = (), **facts: Any
) -> Dossier:
    return make_dossier(
        playbook=ladders(report=rungs or REPORT),
        obligations=[obligation or make_obligation()],
        conclusions=conclusions,
        **facts,
    )


def says(kind: Touch, who: str, when: str, **changes: Any) -> Event:
    """Give that somebody says something of the report, known from then on."""
    said_at = at(when[:10], int(when[11:13]), int(when[14:16]))
    given = {"ext_id": f"{kind}-{who}-{when}", "party_ref": who.removeprefix("C-").rstrip("2"), **changes}
    key = given.pop("key", KEY)
    return when, lambda dossier: saying(dossier, make_touch(kind, key, contact_ref=who, at=said_at, **given))


def adopts(when: str, **changed: Any) -> Event:
    return when, lambda dossier: replace(dossier, playbook=ladders(**changed))


def away(ref: str, since: str, until: str, substitute: str = "") -> Absence:
    return Absence(
        contact_ref=ref, since=date.fromisoformat(since), until=date.fromisoformat(until), substitute_ref=substitute
    )


def due(day: str, hour: int = 17, **changes: Any) -> Obligation:
    on = date.fromisoformat(day)
    return make_obligation(due_at=at(day, hour, 0), due_on=on, unadjusted_on=on, **changes)


DAILY = [{"at": "+1bd", "do": "escalate", "to": "accountable", "repeat": "1bd", "limit": 4}]
TO_BANK = [{"at": "+1bd", "do": "escalate", "to": "lender"}]
TO_INFORMED = [
    {"at": "+1bd", "do": "remind", "to": "informed"},
    {"at": "+2bd", "do": "escalate", "to": "accountable"},
]
ISSUES = {
    "activity": "risk-warning",
    "default": "normal",
    "confirm": "+3bd",
    "confirming": "confirming",
    "severities": {
        "normal": {
            "title": {"zh": "一般", "en": "normal"},
            "respond": "+4bh",
            "solve": "+2bd",
            "ladder": "answering",
            "solving": "solving",
        }
    },
}
OF_ISSUES = {
    "answering": [
        {"at": "-4bh", "do": "request", "to": "responsible"},
        {"at": "0h", "do": "escalate", "to": "head"},
    ],
    "solving": [{"at": "+1bd", "do": "escalate", "to": "head"}],
    "confirming": [{"at": "-3bd", "do": "request", "to": "debtor"}, {"at": "+1bd", "do": "escalate", "to": "owner"}],
}
PROBLEM = (
    "2026-01-12 10:00",
    lambda d: saying(d, make_touch(Touch.ISSUE, ext_id="P1", subject="未放款", at=at("2026-01-12", 10, 0))),
)
SOLUTION = "G1/issue/P1/solution"


def with_issues() -> Dossier:
    return make_dossier(playbook=make_playbook(issues=ISSUES, ladders=OF_ISSUES, cadences={}))


def with_package() -> Dossier:
    return make_dossier(assessments=assessments(2), financials=base_case("100", "100", "100", "100", "100", "100"))


def two_ladders() -> Dossier:
    lenders = [
        {"at": "+1bd", "do": "remind", "to": "creditor"},
        {"at": "+2bd", "do": "escalate", "to": "lender", "level": "management"},
    ]
    return make_dossier(playbook=ladders(lenders=lenders), obligations=[make_obligation(ladder="report+lenders")])


def in_madrid() -> Dossier:
    playbook = make_playbook(
        timezone="Europe/Madrid", calendars=["ES"], ladders={"report": [{"at": "+1bd", "do": "escalate", "to": "head"}]}
    )
    friday = datetime(2026, 3, 27, 17, 0, tzinfo=ZoneInfo("Europe/Madrid"))
    owed = make_obligation(
        due_at=friday.astimezone(UTC),
        due_on=date(2026, 3, 27),
        unadjusted_on=date(2026, 3, 27),
        timezone="Europe/Madrid",
    )
    return make_dossier(playbook=playbook, obligations=[owed])


MEETING = make_obligation(
    key="G1/weekly/2026-01-15",
    kind=ObligationKind.MEETING,
    due_at=at("2026-01-15", 10, 0),
    ladder="meeting",
    activity="weekly-progress",
    minutes=60,
)
OWNER = Conclusion(stage=Stage.IDENTIFICATION, subject="party/BANK", value={"owner": "C-LAW"})

SCENARIOS = (
    Scenario(
        what="nobody answers",
        dossier=of(),
        rows=(
            ("2026-01-14 09:30", "finance", "operations, head, command group"),
            ("2026-01-16 09:30", "operations", "finance, head, command group"),
            ("2026-01-19 09:30", "head", "finance, operations, command group"),
            ("2026-01-20 09:30", "command group", "finance, operations, head"),
            ("2026-01-22 09:30", "command group", "head"),
            ("2026-01-26 09:30", "command group", "head"),
            ("2026-01-28 09:30", "", "command group"),
        ),
    ),
    Scenario(
        what="repeat until a limit: two times",
        dossier=of([{**REPORT[3], "limit": 2}]),
        rows=(
            ("2026-01-20 09:30", "command group", "head"),
            ("2026-01-22 09:30", "command group", "head"),
            ("2026-01-26 09:30", "", "command group"),
        ),
    ),
    Scenario(
        what="a hole in the rungs: nothing between one and five business days",
        dossier=of([REPORT[1], {"at": "+5bd", "do": "escalate", "to": "head"}]),
        rows=(
            ("2026-01-16 09:30", "operations", "head"),
            ("2026-01-19 09:30", "", "operations, head"),
            ("2026-01-21 09:30", "", "operations, head"),
            ("2026-01-22 09:30", "head", "operations"),
        ),
    ),
    Scenario(
        what="who owes it acknowledges on the 16th: held two business days, then all that was due",
        dossier=of(),
        events=[says(Touch.ACKNOWLEDGEMENT, "C-FIN", "2026-01-16 08:00")],
        rows=(
            ("2026-01-14 09:30", "finance", "operations"),
            ("2026-01-16 09:30", "", "operations"),
            ("2026-01-19 09:30", "", "operations, head"),
            ("2026-01-20 09:30", "operations, head, command group", "finance"),
        ),
    ),
    Scenario(
        what="two acknowledgements: the second holds from its own instant",
        dossier=of(),
        events=[
            says(Touch.ACKNOWLEDGEMENT, "C-FIN", "2026-01-16 08:00"),
            says(Touch.ACKNOWLEDGEMENT, "C-FIN", "2026-01-19 10:00"),
        ],
        rows=(
            ("2026-01-14 09:30", "finance", "operations"),
            ("2026-01-20 09:30", "", "operations, head, command group"),
            ("2026-01-21 09:30", "operations, head, command group", "finance"),
        ),
    ),
    Scenario(
        what="whoever it was escalated to acknowledges: held as well",
        dossier=of(),
        events=[says(Touch.ACKNOWLEDGEMENT, "C-OPS", "2026-01-16 10:00")],
        rows=(
            ("2026-01-14 09:30", "finance", "operations"),
            ("2026-01-16 09:30", "operations", "head"),
            ("2026-01-19 09:30", "", "head"),
            ("2026-01-20 09:30", "head, command group", "operations"),
        ),
    ),
    Scenario(
        what="one of several who are reminded acknowledges: for itself only",
        dossier=of(TO_INFORMED),
        events=[says(Touch.ACKNOWLEDGEMENT, "C-BANK", "2026-01-16 08:00")],
        rows=(
            ("2026-01-16 09:30", "fund, command group", "bank"),
            ("2026-01-19 09:30", "operations", "bank"),
        ),
    ),
    Scenario(
        what="the same, and who owes it acknowledges: for all",
        dossier=of(TO_INFORMED),
        events=[says(Touch.ACKNOWLEDGEMENT, "C-FIN", "2026-01-16 08:00")],
        rows=(
            ("2026-01-16 09:30", "", "fund, command group, bank"),
            ("2026-01-19 09:30", "", "operations"),
            ("2026-01-20 09:30", "fund, command group, bank, operations", "finance"),
        ),
    ),
    Scenario(
        what="two ladders on one obligation: one is acknowledged, the other climbs on",
        dossier=two_ladders(),
        events=[says(Touch.ACKNOWLEDGEMENT, "C-FIN", "2026-01-16 10:00")],
        rows=(
            ("2026-01-14 09:30", "finance", "bank"),
            ("2026-01-16 09:30", "operations, bank", "head"),
            ("2026-01-19 09:30", "bank's manager", "head"),
            ("2026-01-20 09:30", "head, command group", "bank's manager"),
        ),
    ),
    Scenario(
        what="two ladders: the bank acknowledges its own, the report's climbs on",
        dossier=two_ladders(),
        events=[says(Touch.ACKNOWLEDGEMENT, "C-BANK", "2026-01-16 10:00")],
        rows=(
            ("2026-01-14 09:30", "finance", "bank"),
            ("2026-01-16 09:30", "operations, bank", "head"),
            ("2026-01-19 09:30", "head", "bank's manager"),
            ("2026-01-20 09:30", "command group, bank's manager", "bank"),
        ),
    ),
    Scenario(
        what="handed over to engineering on the 13th: told at once, and from then on",
        dossier=of(),
        events=[says(Touch.HANDOVER, "C-FIN", "2026-01-13 10:00", to_ref="C-ENG", outcome="on leave")],
        rows=(
            ("2026-01-13 15:30", "engineering", "finance"),
            ("2026-01-14 09:30", "engineering", "finance"),
            ("2026-01-16 09:30", "operations", "finance, engineering"),
        ),
    ),
    Scenario(
        what="handed over to someone absent: their substitute",
        dossier=of(absences=(away("C-ENG", "2026-01-12", "2026-01-16", "C-LAW"),)),
        events=[says(Touch.HANDOVER, "C-FIN", "2026-01-13 10:00", to_ref="C-ENG", outcome="on leave")],
        rows=(
            ("2026-01-13 15:30", "legal", "finance, engineering"),
            ("2026-01-14 09:30", "legal", "finance, engineering"),
        ),
    ),
    Scenario(
        what="handed over to someone absent for whom nobody stands in: the head",
        dossier=of(absences=(away("C-ENG", "2026-01-12", "2026-01-16"),)),
        events=[says(Touch.HANDOVER, "C-FIN", "2026-01-13 10:00", to_ref="C-ENG", outcome="on leave")],
        rows=(
            ("2026-01-13 15:30", "head", "finance, engineering"),
            ("2026-01-14 09:30", "head", "finance, engineering"),
        ),
    ),
    Scenario(
        what="handed over and handed back",
        dossier=of(),
        events=[
            says(Touch.HANDOVER, "C-FIN", "2026-01-12 10:00", to_ref="C-ENG", outcome="on leave"),
            says(Touch.HANDOVER, "C-ENG", "2026-01-13 10:00", to_ref="C-FIN", outcome="back"),
        ],
        rows=(
            ("2026-01-12 15:30", "engineering", "finance"),
            ("2026-01-13 15:30", "finance", "engineering"),
            ("2026-01-14 09:30", "finance", "engineering"),
        ),
    ),
    Scenario(
        what="handed over by somebody who is written nothing: it stays where it is",
        dossier=of(),
        events=[says(Touch.HANDOVER, "C-CON", "2026-01-13 10:00", to_ref="C-ENG", outcome="busy")],
        rows=(
            ("2026-01-13 15:30", "", "engineering"),
            ("2026-01-14 09:30", "finance", "engineering"),
        ),
    ),
    Scenario(
        what="the playbook is changed while it is open: the ladder it began with",
        dossier=of(),
        events=[adopts("2026-01-15 12:00", report=[{"at": "+1bd", "do": "escalate", "to": "head"}])],
        rows=(
            ("2026-01-14 09:30", "finance", "head"),
            ("2026-01-16 09:30", "operations", "head"),
            ("2026-01-19 09:30", "head", "operations"),
        ),
    ),
    Scenario(
        what="the playbook is changed before it began: the new ladder",
        dossier=of(),
        events=[adopts("2026-01-13 12:00", report=[{"at": "+1bd", "do": "escalate", "to": "head"}])],
        rows=(
            ("2026-01-14 09:30", "", "finance"),
            ("2026-01-16 09:30", "head", "operations"),
        ),
    ),
    Scenario(
        what="swept ten days late: each audience once, no stale reminder, of the repeated rung the last",
        dossier=of(),
        silent=("2026-01-14", "2026-01-25"),
        rows=(("2026-01-26 09:30", "operations, head, command group", "finance"),),
    ),
    Scenario(
        what="an outage over a meeting: nobody is invited to what is over",
        dossier=of(obligation=MEETING),
        silent=("2026-01-12", "2026-01-15"),
        rows=(("2026-01-16 09:30", "", "contractor, engineering, fund"),),
    ),
    Scenario(
        what="due on a Friday: the weekend does not count",
        dossier=of(obligation=due("2026-01-16")),
        rows=(
            ("2026-01-15 09:30", "finance", "operations"),
            ("2026-01-17 09:30", "", "operations"),
            ("2026-01-18 09:30", "", "operations"),
            ("2026-01-19 09:30", "operations", "head"),
        ),
    ),
    Scenario(
        what="a Saturday that is worked counts, the Spring Festival does not",
        dossier=of(obligation=due("2026-02-13")),
        rows=(
            ("2026-02-12 09:30", "finance", "operations"),
            ("2026-02-14 09:30", "operations", "head"),
            ("2026-02-16 09:30", "", "head"),
            ("2026-02-24 09:30", "head", "command group"),
            ("2026-02-25 09:30", "command group", "head"),
        ),
    ),
    Scenario(
        what="four business hours after Friday 16:00 is Monday 11:00",
        dossier=of([{"at": "+4bh", "do": "escalate", "to": "head"}], due("2026-01-23", 16)),
        hours=(9, 10, 11, 17),
        rows=(
            ("2026-01-23 17:30", "", "head"),
            ("2026-01-26 10:30", "", "head"),
            ("2026-01-26 11:30", "head", "operations"),
        ),
    ),
    Scenario(
        what="four business hours run into a Saturday that is worked",
        dossier=of([{"at": "+4bh", "do": "escalate", "to": "head"}], due("2026-02-13", 16)),
        hours=(10, 11, 17),
        rows=(
            ("2026-02-13 17:30", "", "head"),
            ("2026-02-14 11:30", "head", "operations"),
        ),
    ),
    Scenario(
        what="the clocks go forward at the weekend: nine o'clock stays nine o'clock",
        dossier=in_madrid(),
        zone=ZoneInfo("Europe/Madrid"),
        hours=(8, 9),
        rows=(
            ("2026-03-27 09:30", "", "head"),
            ("2026-03-30 08:30", "", "head"),
            ("2026-03-30 09:30", "head", "operations"),
        ),
    ),
    Scenario(
        what="fulfilled between two rungs",
        dossier=of(),
        events=[says(Touch.FULFILMENT, "C-FIN", "2026-01-16 10:00", outcome="filed")],
        rows=(
            ("2026-01-14 09:30", "finance", "operations"),
            ("2026-01-16 09:30", "operations", "head"),
            ("2026-01-19 09:30", "", "head"),
            ("2026-01-20 09:30", "", "command group"),
        ),
    ),
    Scenario(
        what="waived with who and why",
        dossier=of(),
        events=[says(Touch.WAIVER, "C-HEAD", "2026-01-16 10:00", outcome="not needed this month")],
        rows=(
            ("2026-01-14 09:30", "finance", "operations"),
            ("2026-01-16 09:30", "operations", "head"),
            ("2026-01-19 09:30", "", "head"),
        ),
    ),
    Scenario(
        what="a waiver without a reason is none",
        dossier=of(),
        events=[says(Touch.WAIVER, "C-HEAD", "2026-01-16 10:00")],
        rows=(
            ("2026-01-14 09:30", "finance", "operations"),
            ("2026-01-16 09:30", "operations", "head"),
            ("2026-01-19 09:30", "head", "command group"),
        ),
    ),
    Scenario(
        what="an absence begins and ends between two rungs",
        dossier=of(DAILY, absences=(away("C-OPS", "2026-01-17", "2026-01-20", "C-LAW"),)),
        rows=(
            ("2026-01-16 09:30", "operations", "legal"),
            ("2026-01-19 09:30", "legal", "operations"),
            ("2026-01-20 09:30", "legal", "operations"),
            ("2026-01-21 09:30", "operations", "legal"),
        ),
    ),
    Scenario(
        what="the substitute is away too: who stands in for them",
        dossier=of(
            [REPORT[1]],
            absences=(
                away("C-OPS", "2026-01-12", "2026-01-20", "C-LAW"),
                away("C-LAW", "2026-01-14", "2026-01-18", "C-ENG"),
            ),
        ),
        rows=(("2026-01-16 09:30", "engineering", "operations, legal"),),
    ),
    Scenario(
        what="two stand in for each other and both are away: the head",
        dossier=of(
            [REPORT[1]],
            absences=(
                away("C-OPS", "2026-01-12", "2026-01-20", "C-LAW"),
                away("C-LAW", "2026-01-14", "2026-01-18", "C-OPS"),
            ),
        ),
        rows=(("2026-01-16 09:30", "head", "operations, legal"),),
    ),
    Scenario(
        what="away without a substitute: the next level of the same party",
        dossier=of(TO_BANK, absences=(away("C-BANK", "2026-01-12", "2026-01-20"),)),
        rows=(("2026-01-16 09:30", "bank's manager", "bank, head"),),
    ),
    Scenario(
        what="a level that a party does not have: the nearest it has",
        dossier=of([{"at": "+1bd", "do": "escalate", "to": "lender", "level": Level.STEERING.value}]),
        rows=(("2026-01-16 09:30", "bank's manager", "bank"),),
    ),
    Scenario(
        what="the relationship's owner is away without a substitute: the head",
        dossier=of(
            [{"at": "+1bd", "do": "escalate", "to": "owner"}],
            make_obligation(subject="BANK"),
            [OWNER],
            absences=(away("C-LAW", "2026-01-12", "2026-01-20"),),
        ),
        rows=(("2026-01-16 09:30", "head", "legal"),),
    ),
    Scenario(
        what="nobody holds the role: the head",
        dossier=of([{"at": "+1bd", "do": "escalate", "to": "supervisor"}]),
        rows=(("2026-01-16 09:30", "head", "operations"),),
    ),
    Scenario(
        what="one person holds two roles: told once",
        dossier=of(
            [
                {"at": "+1bd", "do": "escalate", "to": "accountable"},
                {"at": "+1bd", "do": "escalate", "to": "operations"},
            ]
        ),
        rows=(("2026-01-16 09:30", "operations", "head"),),
    ),
    Scenario(
        what="who may not be written to: another of the party",
        dossier=of(
            TO_BANK,
            contacts=(
                *(c for c in make_facts().contacts if c.contact_ref != "C-BANK"),
                make_contact("C-BANK", consent=False),
            ),
        ),
        rows=(("2026-01-16 09:30", "bank's manager", "bank"),),
    ),
    Scenario(
        what="an approval is rejected: its ladder ends",
        dossier=with_package(),
        decide=service_design.decide,
        about="G1/package-approval",
        events=[
            (
                "2026-01-07 12:00",
                lambda d: saying(
                    d,
                    *(
                        make_touch(
                            Touch.REJECTION,
                            o.key,
                            contact_ref="C-FIN",
                            party_ref="FIN",
                            at=at("2026-01-07", 12, 0),
                            outcome="too dear",
                        )
                        for o in d.held.obligations.values()
                    ),
                ),
            )
        ],
        rows=(
            ("2026-01-05 09:30", "finance", "head"),
            ("2026-01-07 09:30", "finance", "head"),
            ("2026-01-09 09:30", "", "head"),
            ("2026-01-12 09:30", "", "command group"),
        ),
    ),
    Scenario(
        what="a problem nobody answers within four business hours",
        dossier=with_issues(),
        decide=communication.decide,
        about="G1/issue",
        events=[PROBLEM],
        hours=(9, 10, 14, 17),
        rows=(
            ("2026-01-12 10:30", "finance", "head"),
            ("2026-01-12 14:30", "head", "finance"),
            ("2026-01-15 09:30", "head", "bank"),
        ),
    ),
    Scenario(
        what="a problem answered, solved, rejected by the customer, and so open again on its old clock",
        dossier=with_issues(),
        decide=communication.decide,
        about="G1/issue",
        events=[
            PROBLEM,
            says(Touch.ACKNOWLEDGEMENT, "C-FIN", "2026-01-12 12:00", key="G1/issue/P1/response"),
            says(Touch.RESOLUTION, "C-FIN", "2026-01-13 12:00", key=SOLUTION, outcome="paid"),
            says(Touch.REJECTION, "C-BANK", "2026-01-16 12:00", key=SOLUTION, outcome="not arrived"),
        ],
        hours=(9, 10, 14, 17),
        rows=(
            ("2026-01-12 10:30", "finance", "head"),
            ("2026-01-12 14:30", "", "head"),
            ("2026-01-13 14:30", "bank", "head"),
            ("2026-01-15 09:30", "", "head"),
            ("2026-01-16 14:30", "finance, head", "bank"),
        ),
    ),
    Scenario(
        what="a solution the customer does not confirm: the customer's ladder climbs, the house's is silent",
        dossier=with_issues(),
        decide=communication.decide,
        about="G1/issue",
        events=[PROBLEM, says(Touch.RESOLUTION, "C-FIN", "2026-01-12 12:00", key=SOLUTION, outcome="paid")],
        hours=(9, 10, 14, 17),
        rows=(
            ("2026-01-12 10:30", "finance", "head"),
            ("2026-01-12 14:30", "bank", "head, finance"),
            ("2026-01-15 09:30", "", "head, finance"),
            ("2026-01-16 09:30", "head", "finance"),
        ),
    ),
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.what)
def test_who_is_written_to_is_what_the_table_says_and_nobody_else(scenario: Scenario) -> None:
    told = scenario.told()
    for when, expected, absent in scenario.rows:
        assert told.get(when, set()) == names(expected), when
        assert not told.get(when, set()) & names(absent), when
    assert set(told) == {when for when, expected, _ in scenario.rows if expected}


def test_the_table_has_forty_rows_and_stands_in_the_documentation() -> None:
    assert sum(len(scenario.rows) for scenario in SCENARIOS) >= 40
    assert len({scenario.what for scenario in SCENARIOS}) == len(SCENARIOS)
    assert "\n".join(table()) in PAGE.read_text(encoding="utf-8")


def names(text: str) -> set[str]:
    return {name for name in text.split(", ") if name}


def table() -> list[str]:
    """Give the scenarios as the page has them."""
    lines = ["| what happened | when | written to | not written to |", "|---|---|---|---|"]
    for scenario in SCENARIOS:
        for number, (when, told, absent) in enumerate(scenario.rows):
            lines.append(f"| {'' if number else scenario.what} | {when} | {told or '–'} | {absent} |")
    return lines
