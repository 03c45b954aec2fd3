"""Wiring: the only place that knows all the classes and reads a clock."""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial

from pydantic import SecretStr

from pfflow.calendars import CalendarError, codes_in, house_calendar
from pfflow.cycle import Cycle
from pfflow.delivery.chat import ChatMessenger, ChatPolicy, Service
from pfflow.delivery.compose import Sender
from pfflow.delivery.connection import Security, SmtpServer
from pfflow.delivery.limits import MailPolicy
from pfflow.delivery.mailbox import local_mailbox
from pfflow.delivery.signing import DkimSigner, SigningKeyError
from pfflow.delivery.smtp import SmtpMailer
from pfflow.delivery.unsubscribing import Unsubscribing, UnsubscribingError
from pfflow.dispatching import Terms
from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.decision import Holdings
from pfflow.domain.facts import Facts
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.manners import Manners
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Move, Phase, PhaseError, gate_of, next_phase, unsettled
from pfflow.intake import AnswerError, require_contact
from pfflow.playbook import parse_playbook
from pfflow.ports import Clock
from pfflow.rendering.bundles import bundled_letter
from pfflow.rendering.letters import Renderer
from pfflow.settings import Settings
from pfflow.store import SqlStore, StoredPlaybook

_LONGEST_OFFSET = timedelta(days=400)
"""How far beyond the planning horizon a rolled date or the anchor of an undertaking may lie."""


class NotReadyError(RuntimeError):
    """Something must be done first: a register imported, a playbook adopted."""


def now() -> datetime:
    """Give the current instant in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one clock


def collect_rarely() -> None:
    """Let Python look for reference cycles rarely, and not among what is there for good (modules, templates).

    Writing a letter makes and drops thousands of objects without a cycle in them; looking through everything again and
    again was a fifth of the time of sending.
    """
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def worker_name() -> str:
    """Give a name that no other worker on any machine has, nor one that was killed and had the same process id."""
    return f"{socket.gethostname()}-{os.getpid()}-{now():%H%M%S%f}"


def shared_clock(store: SqlStore) -> Clock:
    """Give a clock that shows the same on every machine that works on one database: the database server's.

    Claims on letters end by it, so a worker whose own clock is fast takes nobody's letters before their time. The
    server is asked once; an answer that took long to come makes the clock slow by half of that at most.
    """
    asked = now()
    there = store.instant()
    if there is None:
        return now
    ahead = there - (asked + (now() - asked) / 2)
    return lambda: now() + ahead


def calendar_of(playbook: Playbook, holdings: Holdings, as_of: datetime) -> BusinessCalendar:
    """Give a project's calendar: the playbook's joint with the project's own, as wide as a decision may look.

    The house's lists are laid over the package's, each over its own calendar before they are joined.
    """
    codes = tuple(dict.fromkeys((*playbook.calendars, *codes_in(holdings.project.calendars))))
    return house_calendar(codes, *calendar_years(playbook, holdings, as_of), holdings.holiday_lists)


def calendar_years(playbook: Playbook, holdings: Holdings, as_of: datetime) -> tuple[int, int]:
    """Give the first and the last year a project's calendar spans for a decision at an instant."""
    first = min(as_of, holdings.engaged_at or as_of).year - 1
    return first, (as_of + timedelta(days=playbook.horizon_days) + _LONGEST_OFFSET).year


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
    return _in_force(store)[0]


def _in_force(store: SqlStore) -> tuple[Playbook, str]:
    """Give the playbook last adopted and the SHA-256 of its text; raises as `playbook_in_force` does."""
    stored = store.playbook()
    if stored is None:
        raise NotReadyError("no playbook is adopted yet; run: pfflow adopt PLAYBOOK.yaml")
    return read_stored(stored), stored.sha256


@lru_cache(maxsize=8)
def read_stored(stored: StoredPlaybook) -> Playbook:
    """Read a playbook as it was adopted, once in a process; raises NotReadyError where it no longer reads."""
    reading = parse_playbook(stored.text, stored.name)
    if reading.playbook is None:
        raise NotReadyError(
            f"the adopted playbook {stored.name} does not read: {'; '.join(map(str, reading.problems))}"
        )
    return reading.playbook


@contextmanager
def engine(settings: Settings | None = None) -> Iterator[Engine]:
    """Open everything a sweep needs: store, playbook in force, and a mailer that keeps to the mail policy.

    The local mailbox starts with the first letter, so who only decides starts none. Raises KeptRehearsalError for a
    database that keeps a rehearsal: it is only read.
    """
    settings = settings or Settings()
    collect_rarely()
    with opened_store(settings) as store, ExitStack() as servers:
        store.refuse_rehearsal()
        playbook, edition = _in_force(store)
        house, clock = playbook.house, shared_clock(store)
        sender = Sender(
            house.name.words,
            house.email,
            domain=house.email.rpartition("@")[2],
            unsubscribing=unsubscribing_of(settings),
        )
        renderer = Renderer.of_house(settings.templates)
        mailer = SmtpMailer(
            lambda: servers.enter_context(_server(settings)),
            policy_of(settings),
            sender,
            renderer.letter,
            clock,
            write_bundle=partial(bundled_letter, renderer),
            sign=_signing(settings),
            connections=settings.smtp_connections,
        )
        cycle = Cycle(
            store=store,
            playbook=playbook,
            calendar_of=calendar_of,
            mailer=mailer,
            messenger=ChatMessenger(_chat_policy(settings), sender, renderer.chat, clock, _service),
            clock=clock,
            worker=worker_name(),
            edition=edition,
            terms=Terms(batch=settings.mail_batch, lease=settings.mail_lease, manners=manners_of(settings, playbook)),
        )
        yield Engine(store, cycle, playbook, settings)


def policy_of(settings: Settings) -> MailPolicy:
    """Give what may leave. The cap is for live mail; the local mailbox takes everything."""
    live = settings.mail == "live"
    return MailPolicy(
        live=live,
        allow=settings.mail_allow,
        cap_per_run=settings.mail_cap if live else sys.maxsize,
        stopped=settings.mail_stop,
    )


def _chat_policy(settings: Settings) -> ChatPolicy:
    """Give which chat texts may leave, and where to; live mail alone lets none leave."""
    live = settings.chat == "live"
    return ChatPolicy(
        mailbox=settings.mailbox_folder,
        live=live,
        addresses=settings.chat_addresses,
        cap_per_run=settings.mail_cap if live else sys.maxsize,
        stopped=settings.mail_stop,
    )


def _service(address: str, timeout: float) -> Service:
    """Give the chat service of an address; raises ChatAddressError."""
    from pfflow.delivery import services  # noqa: PLC0415 - Apprise takes a while to load; only live chat needs it

    return services.Service(address, timeout)


def _signing(settings: Settings) -> Callable[[bytes], bytes]:
    """Give what signs a message; raises NotReadyError now for a key with which no letter could be signed later."""
    if settings.dkim_key is None:
        return bytes
    try:
        key = SecretStr(settings.dkim_key.read_text(encoding="ascii"))
        return DkimSigner(settings.dkim_domain, settings.dkim_selector, key).signed
    except OSError as error:
        raise NotReadyError(f"PFFLOW_DKIM_KEY={settings.dkim_key}: {error.strerror}") from error
    except SigningKeyError as error:
        raise NotReadyError(f"PFFLOW_DKIM_KEY={settings.dkim_key}: {error}") from None
    except UnicodeError:
        raise NotReadyError(f"PFFLOW_DKIM_KEY={settings.dkim_key} is no PEM file") from None


def unsubscribing_of(settings: Settings) -> Unsubscribing | None:
    """Give what lets readers leave surveys and digests; None where no portal is set up. Raises NotReadyError."""
    if not settings.portal_url and not settings.portal_secret.get_secret_value():
        return None
    try:
        return Unsubscribing(settings.portal_url, settings.portal_secret)
    except UnsubscribingError as error:
        raise NotReadyError(f"PFFLOW_PORTAL_URL and PFFLOW_PORTAL_SECRET: {error}") from None


def manners_of(settings: Settings, playbook: Playbook | None) -> Manners:
    """Give what live mail keeps to. The local mailbox is nobody's, so letters to it wait for nothing but the switch."""
    if settings.mail != "live":
        return Manners(stopped=settings.mail_stop)
    return Manners(
        timezone=playbook.timezone if playbook else "UTC",
        quiet=playbook.quiet if playbook else None,
        recipient_cap=settings.mail_cap_recipient,
        domain_cap=settings.mail_cap_domain,
        punctual=True,
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
