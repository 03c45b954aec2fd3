"""The sheet a stage writes its decision on: it collects, keeps the life of obligations, and gives a frozen Decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from operator import attrgetter

from pfflow.domain.decision import Conclusion, Decision, Dossier, Finding
from pfflow.domain.ladder import Firing
from pfflow.domain.ledger import EntryDraft
from pfflow.domain.notices import Notice
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.words import Json, Stage, Words

_in_order, _as_fired = attrgetter("due_at", "key"), attrgetter("fired_at", "due_at", "rung")


class Draft:
    """A decision being written; it sees the dossier with its own changes laid over it.

    `today` is the day of `as_of` in the playbook's time zone.
    """

    def __init__(self, dossier: Dossier, stage: Stage, as_of: datetime) -> None:
        self.dossier = dossier
        self.stage = stage
        self.as_of = as_of
        self.today: date = as_of.astimezone(dossier.playbook.zone).date()
        self._entries: list[EntryDraft] = []
        self._obligations: dict[str, Obligation] = {}
        self._firings: dict[tuple[str, str], Firing] = {}
        self._notices: list[Notice] = []
        self._conclusions: dict[str, Conclusion] = {}
        self._findings: list[Finding] = []

    def obligation(self, key: str) -> Obligation | None:
        """Give an obligation as it now stands."""
        return self._obligations.get(key) or self.dossier.held.obligations.get(key)

    def live(self) -> tuple[Obligation, ...]:
        """Give this stage's obligations that are still owed, in order of due instant and key."""
        return self._standing(self.dossier.held.live(self.stage))

    def live_of(self, kind: ObligationKind) -> tuple[Obligation, ...]:
        """Give those of them that are of a kind, in the same order."""
        held = [one for one in self.dossier.held.live(self.stage) if one.kind is kind]
        if not held and not self._obligations:
            return ()
        return tuple(one for one in self._standing(held) if one.kind is kind)

    def stirring(self) -> tuple[Obligation, ...]:
        """Give those of them of which something may be said now, in the same order."""
        return self._standing(self.dossier.held.stirring(self.stage, self.as_of))

    def _standing(self, held: Iterable[Obligation]) -> tuple[Obligation, ...]:
        merged = ({o.key: o for o in held} | self._obligations).values() if self._obligations else held
        return tuple(sorted([o for o in merged if o.live], key=_in_order))

    def fired(self, obligation_key: str, rung: str) -> bool:
        """Whether a rung was reached before, or in this decision."""
        pair = (obligation_key, rung)
        return pair in self._firings or pair in self.dossier.held.firings

    def firings_of(self, obligation_key: str) -> tuple[Firing, ...]:
        """Give the firings of an obligation, oldest first."""
        mine = {firing.rung: firing for firing in self.dossier.held.firings_of(obligation_key)}
        mine |= {rung: firing for (key, rung), firing in self._firings.items() if key == obligation_key}
        return tuple(sorted(mine.values(), key=_as_fired))

    def firings(self) -> tuple[Firing, ...]:
        """Give every firing of the project, this decision's included."""
        return tuple({**self.dossier.held.firings, **self._firings}.values())

    def notices_of(self, obligation_key: str) -> tuple[Notice, ...]:
        """Give the notices of an obligation in this decision, in the order they were made."""
        return tuple(notice for notice in self._notices if notice.obligation_key == obligation_key)

    def notices(self) -> tuple[Notice, ...]:
        """Give the notices of this decision so far."""
        return tuple(self._notices)

    def enter(self, kind: str, subject: str, data: Mapping[str, Json] | None = None) -> None:
        """Write an entry for the ledger: ids and numbers, no personal data."""
        self._entries.append(EntryDraft(at=self.as_of, stage=self.stage, kind=kind, subject=subject, data=data or {}))

    def plan(self, obligation: Obligation, because: str) -> bool:
        """Add an obligation that is not there yet; gives whether it was added."""
        if self.obligation(obligation.key) is not None:
            return False
        self._obligations[obligation.key] = obligation
        self.enter(
            "planned",
            obligation.key,
            {
                "due_on": obligation.due_on.isoformat(),
                "unadjusted_on": obligation.unadjusted_on.isoformat(),
                "provisional": obligation.provisional,
                "calendar": self.dossier.calendar.version[:12],
                "because": because,
            },
        )
        return True

    def plan_again(self, obligation: Obligation, because: str) -> None:
        """Put an obligation that was cancelled, and is wanted again, back in the plan."""
        back = obligation.moved_to(Status.PLANNED, at=self.as_of)
        self.shift(back, "replanned", because)

    def shift(self, obligation: Obligation, kind: str, because: str) -> None:
        """Put an obligation's new terms in place of its old ones, and write down which they are and why."""
        self._obligations[obligation.key] = obligation
        self.enter(
            kind,
            obligation.key,
            {
                "due_at": obligation.due_at.isoformat(),
                "due_on": obligation.due_on.isoformat(),
                "unadjusted_on": obligation.unadjusted_on.isoformat(),
                "provisional": obligation.provisional,
                "calendar": self.dossier.calendar.version[:12],
                "sequence": obligation.sequence,
                "because": because,
            },
        )

    def change(self, obligation: Obligation) -> None:
        """Put an obligation in place of the one with its key, without a move of its life."""
        self._obligations[obligation.key] = obligation

    def move(
        self,
        obligation: Obligation,
        status: Status,
        *,
        by: str = "",
        because: str = "",
        touch: str = "",
        at: datetime | None = None,
    ) -> Obligation:
        """Move an obligation along its life and write that down; it closes `at` an instant, now if not said.

        What a person said stays with the obligation; the ledger names the `touch` (its ext_id), so that the person can
        be erased and the chain still verifies.
        """
        moved = obligation.moved_to(status, at=at or self.as_of, by=by, because=because)
        self._obligations[moved.key] = moved
        if status is not Status.OPEN:
            self.enter(str(status), moved.key, {"by": by, **({"touch": touch} if touch else {"because": because})})
        return moved

    def hold(self, obligation: Obligation, until: datetime, *, by: str) -> Obligation:
        """Hold an obligation's ladder until an instant."""
        held = replace(obligation, held_until=until)
        self._obligations[held.key] = held
        self.enter("held", held.key, {"by": by, "until": until.isoformat()})
        return held

    def fire(self, firing: Firing, notices: Iterable[Notice]) -> None:
        """Write down that a rung was reached, with the notices that go out for it."""
        told = list(notices)
        self._firings[firing.obligation_key, firing.rung] = firing
        self._notices.extend(told)
        self.enter(
            firing.outcome,
            f"{firing.obligation_key}/{firing.rung}",
            {
                "due_at": firing.due_at.isoformat(),
                "to": list(dict.fromkeys(notice.contact_ref for notice in told)),
                "because": firing.because,
            },
        )

    def post(self, notice: Notice) -> None:
        """Send a notice that no rung was reached for; who posts it writes down why."""
        self._notices.append(notice)

    def conclude(self, subject: str, value: Mapping[str, Json], because: str) -> bool:
        """Keep what is concluded on a subject; gives whether it is news."""
        before = self._conclusions.get(subject) or self.dossier.held.conclusions.get((self.stage, subject))
        if before is not None and before.value == value and before.because == because:
            return False
        self._conclusions[subject] = Conclusion(
            stage=self.stage, subject=subject, value=value, because=because, concluded_at=self.as_of
        )
        self.enter("concluded", subject, {"value": value, "because": because})
        return True

    def concluded(self, subject: str) -> Mapping[str, Json]:
        """Give what this stage last concluded on a subject, in this decision or before."""
        mine = self._conclusions.get(subject)
        return mine.value if mine else self.dossier.concluded(self.stage, subject)

    def find(self, kind: str, subject: str, zh: str, en: str) -> None:
        """List something people should see."""
        self._findings.append(Finding(stage=self.stage, kind=kind, subject=subject, text=Words(zh, en)))

    def decision(self) -> Decision:
        """Give what was collected as a decision."""
        return Decision(
            project_ref=self.dossier.project.project_ref,
            stage=self.stage,
            as_of=self.as_of,
            entries=tuple(self._entries),
            obligations=tuple(self._obligations.values()),
            firings=tuple(self._firings.values()),
            notices=tuple(self._notices),
            conclusions=tuple(self._conclusions.values()),
            findings=tuple(self._findings),
            calendar=self.dossier.calendar if any("calendar" in entry.data for entry in self._entries) else None,
        )
