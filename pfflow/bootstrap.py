"""Wiring: the only place that knows all the classes and reads a clock."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from pfflow.calendars import CalendarError, codes_in, house_calendar
from pfflow.cycle import Cycle
from pfflow.delivery.compose import Sender
from pfflow.delivery.connection import Security, SmtpServer
from pfflow.delivery.limits import MailPolicy
from pfflow.delivery.mailbox import local_mailbox
from pfflow.delivery.smtp import SmtpMailer
from pfflow.domain.audience import accountable_for
from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.decision import Dossier, Holdings
from pfflow.domain.facts import Facts, Interaction, Touch
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Move, Phase, PhaseError, gate_of, next_phase, unsettled
from pfflow.intake import VERDICTS, AnswerError, answer_to, require_contact
from pfflow.playbook import parse_playbook
from pfflow.rendering.letters import Renderer
from pfflow.settings import Settings
from pfflow.store import SqlStore

_LONGEST_OFFSET = timedelta(days=400)
"""How far beyond the planning horizon a rolled date or the anchor of an undertaking may lie."""


class NotReadyError(RuntimeError):
    """Something must be done first: a register imported, a playbook adopted."""


def now() -> datetime:
    """Give the current instant in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one clock


def worker_name() -> str:
    """Give a name for this process that no other live process on any machine has."""
    return f"{socket.gethostname()}-{os.getpid()}"


def calendar_of(playbook: Playbook, holdings: Holdings, as_of: datetime) -> BusinessCalendar:
    """Give a project's calendar: the playbook's joint with the project's own, as wide as a decision may look.

    The house's lists are laid over the package's, each over its own calendar before they are joined.
    """
    codes = tuple(dict.fromkeys((*playbook.calendars, *codes_in(holdings.project.calendars))))
    first = min(as_of, holdings.engaged_at or as_of).year - 1
    last = (as_of + timedelta(days=playbook.horizon_days) + _LONGEST_OFFSET).year
    return house_calendar(codes, first, last, holdings.holiday_lists)


def unknown_calendars(facts: Facts, lists: Sequence[HouseList]) -> tuple[str, ...]:
    """Give a sentence for each project that names a calendar nobody knows: every decision for it would fail."""
    year = now().year
    found = []
    for project in facts.projects:
        codes = codes_in(project.calendars)
        try:
            house_calendar(codes or ("WEEKENDS",), year, year, lists)
        except CalendarError as error:
            found.append(f"project {project.project_ref}: calendars {project.calendars!r}: {error}")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Engine:
    """A store that is open, and a cycle over it."""

    store: SqlStore
    cycle: Cycle
    playbook: Playbook
    settings: Settings


@contextmanager
def opened_store(settings: Settings) -> Iterator[SqlStore]:
    """Open the store, its schema brought up to date, for as long as the block runs."""
    if not settings.db:
        _make_home(settings)
    with SqlStore.open(settings.database_url) as store:
        store.migrate()
        yield store


def _make_home(settings: Settings) -> None:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotReadyError(f"PFFLOW_HOME: the folder {settings.home} cannot be made: {error.strerror}") from error


def home_zone(store: SqlStore) -> str:
    """Give the IANA name of the zone the house reads its dates in: the playbook's in force; UTC where none is."""
    return playbook_in_force(store).timezone if store.playbook() else "UTC"


def playbook_in_force(store: SqlStore) -> Playbook:
    """Give the playbook last adopted; raises NotReadyError where none is, or where it no longer reads."""
    stored = store.playbook()
    if stored is None:
        raise NotReadyError("no playbook is adopted yet; run: pfflow adopt PLAYBOOK.yaml")
    reading = parse_playbook(stored.text, stored.name)
    if reading.playbook is None:
        raise NotReadyError(
            f"the adopted playbook {stored.name} does not read: {'; '.join(map(str, reading.problems))}"
        )
    return reading.playbook


@contextmanager
def engine(settings: Settings | None = None) -> Iterator[Engine]:
    """Open everything a sweep needs: store, playbook in force, and a mailer that keeps to the mail policy."""
    settings = settings or Settings()
    with opened_store(settings) as store:
        playbook = playbook_in_force(store)
        house = playbook.house
        with _server(settings) as server:
            mailer = SmtpMailer(
                server,
                _policy(settings),
                Sender(house.name.words, house.email, domain=house.email.rpartition("@")[2]),
                Renderer.of_house(settings.templates).letter,
                now,
            )
            cycle = Cycle(
                store=store,
                playbook=playbook,
                calendar_of=calendar_of,
                mailer=mailer,
                clock=now,
                worker=worker_name(),
                lease_seconds=settings.mail_lease,
            )
            yield Engine(store, cycle, playbook, settings)


def _policy(settings: Settings) -> MailPolicy:
    """Give what may leave. The cap is for live mail; the local mailbox takes everything."""
    live = settings.mail == "live"
    return MailPolicy(
        live=live,
        allow=settings.mail_allow,
        cap_per_run=settings.mail_cap if live else sys.maxsize,
        stopped=settings.mail_stop,
    )


@contextmanager
def _server(settings: Settings) -> Iterator[SmtpServer]:
    """Give where letters go: the local mailbox, a real SMTP server in this process, unless mail is live."""
    if settings.mail == "live":
        yield SmtpServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=Security(settings.smtp_tls),
            username=settings.smtp_user,
            password=settings.smtp_password,
            timeout=settings.smtp_timeout,
        )
        return
    with local_mailbox(settings.mailbox_folder) as server:
        yield server


def answered(store: SqlStore, kind: Touch, key: str, *, by: str, because: str, at: datetime) -> bool:
    """Record what a contact answers to an obligation; gives whether it is news.

    Raises AnswerError, also for a verdict by one who is not Accountable: it would not count, and is better said so
    at once than found out when the approval is overdue.
    """
    project_ref = unquote(key.partition("/")[0])
    known = project_ref in store.project_refs()
    held = store.holdings(project_ref) if known else None
    touch = answer_to(
        key,
        kind,
        by=by,
        because=because,
        at=at,
        obligations=held.obligations.values() if held else (),
        contacts=held.facts.contacts if held else (),
    )
    if held is not None and kind in VERDICTS:
        _refuse_unless_accountable(store, held, touch)
    return store.report_touch(touch, by, now())


def _refuse_unless_accountable(store: SqlStore, held: Holdings, touch: Interaction) -> None:
    playbook = playbook_in_force(store)
    obligation = held.obligations[touch.obligation_key]
    on = touch.at.astimezone(playbook.zone).date()
    dossier = Dossier(held=held, playbook=playbook, calendar=calendar_of(playbook, held, touch.at), engaged_on=on)
    accountable = accountable_for(dossier, obligation, on)
    if touch.contact_ref not in {contact.contact_ref for contact in accountable}:
        who = ", ".join(f"{contact.contact_ref} {contact.name}" for contact in accountable)
        raise AnswerError(
            f"{touch.contact_ref} is not Accountable for {obligation.activity}, so the {touch.kind} would not count; "
            f"ask {who or 'nobody: no contact holds that role'}"
        )


def moved_phase(store: SqlStore, project_ref: str, move: Move, *, by: str, evidence: str) -> Phase:
    """Move a project's phase if the playbook's gate is passed, and write down who, when and on what evidence.

    Raises PhaseError naming what the gate still asks for, and AnswerError for somebody unknown.
    """
    held = store.holdings(project_ref)
    require_contact(by, held.facts.contacts)
    if not evidence.strip():
        raise AnswerError("a move says what shows that the gate is passed; give the evidence")
    target = next_phase(held.project.phase, move)
    lacking = unsettled(gate_of(move, target, playbook_in_force(store).gates), held.facts.conditions)
    if lacking:
        raise PhaseError(f"{project_ref} cannot enter {target}: not settled yet: {', '.join(lacking)}")
    return store.move_phase(project_ref, move, by, evidence, now())
