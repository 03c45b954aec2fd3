"""What becomes of letters when a server misbehaves: nothing is lost, nothing is silent, each fault stays alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from pfflow.cycle import Cycle, Dispatched
from pfflow.delivery.compose import Sender
from pfflow.delivery.connection import Security, SmtpServer
from pfflow.delivery.limits import MailPolicy
from pfflow.delivery.smtp import ATTEMPTS, SmtpMailer, retry_at
from pfflow.domain.business_days import WEEKENDS_ONLY
from pfflow.domain.decision import Decision
from pfflow.domain.notices import Notice
from pfflow.domain.trouble import Trouble
from pfflow.domain.words import Stage, Words
from pfflow.ports import NotHeld
from pfflow.store import Letter, SqlStore
from tests.factories import make_playbook
from tests.integration.misbehaving import DROP, HANG, Misbehaving
from tests.integration.samples import FACTS
from tests.integration.smtp import HOST, Recorder, login, smtp_server, tls_options, trusting
from tests.unit.sample_letters import make_notice, shipped

AT = datetime(2026, 1, 14, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SENDER = Sender(Words("项目融资部", "Project Finance Desk"), "house@example.com", "pfflow.example.com")
LIVE = MailPolicy(live=True, allow=("@bank.example", "@house.example", "@other.example"), cap_per_run=10_000)
PATIENCE = 30.0
"""Seconds a server has to answer in these tests, unless it is meant to hang: a loaded machine is slow."""


@dataclass
class Desk:
    """A store with letters in it, whoever sends them, and a clock that stands still until it is moved."""

    store: SqlStore
    at: datetime = AT
    policy: MailPolicy = LIVE

    def __call__(self) -> datetime:
        """Give the instant."""
        return self.at

    async def dispatch(self, server: SmtpServer) -> Dispatched:
        """Send what may go now, as a new process would."""
        mailer = SmtpMailer(server, self.policy, SENDER, shipped().letter, self)
        cycle = Cycle(
            store=self.store,
            playbook=make_playbook(),
            calendar_of=lambda *_: WEEKENDS_ONLY,
            mailer=mailer,
            clock=self,
            worker="w",
        )
        return await cycle.dispatch()

    def later(self, by: timedelta = timedelta(hours=8)) -> None:
        """Let time pass; eight hours are longer than any letter is put off."""
        self.at += by

    def letter(self, number: int = 1) -> Letter:
        """Give what became of one letter."""
        return next(letter for letter in self.store.letters() if letter.message_id == key(number))

    def statuses(self) -> list[str]:
        """Give what became of all letters, in their order."""
        return [letter.status for letter in self.store.letters()]

    def post(self, *notices: Notice) -> None:
        """Put letters in the outbox."""
        as_of = max((notice.noticed_at for notice in notices), default=AT)
        with self.store.deciding("G1", Stage.COMMUNICATION, as_of) as held:
            assert not isinstance(held, NotHeld)
            held.record(Decision(project_ref="G1", stage=Stage.COMMUNICATION, as_of=as_of, notices=notices))


def key(number: int) -> str:
    return f"G1/fund-use-report/2026-01-15/remind-1bd-debtor/{number}"


def numbered(number: int = 1, contact: str = "C-BANK", **changes: Any) -> Notice:
    noticed_at = AT - timedelta(hours=1) + number * timedelta(seconds=1)
    given: dict[str, Any] = {"key": key(number), "contact_ref": contact, "noticed_at": noticed_at}
    return make_notice(**(given | changes))


def message_id(number: int = 1) -> bytes:
    return f"Message-ID: <{key(number)}@{SENDER.domain}>".encode()


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    """Give a desk on SQLite with one letter."""
    with SqlStore.open(sqlite_url) as store:
        facts = replace(FACTS, contacts=tuple(replace(contact, consent=True) for contact in FACTS.contacts))
        store.import_facts(facts, AT, "test")
        given = Desk(store)
        given.post(numbered(1))
        yield given


def plain(port: int, how: str = "") -> SmtpServer:
    """Give the server at a port; where it is meant to hang it has half a second."""
    return SmtpServer(host=HOST, port=port, security=Security.NONE, timeout=0.5 if how == HANG else PATIENCE)


# What a server says to one letter


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "DOT"])
async def test_a_temporary_refusal_at_any_step_is_tried_again_when_its_wait_is_over(desk: Desk, step: str) -> None:
    server = Misbehaving(once={step: ["451 4.3.0 not now"]})
    async with server.listening() as port:
        assert await desk.dispatch(plain(port)) == Dispatched(retry=1)
        put_off = desk.letter()
        assert (put_off.status, put_off.attempts, put_off.trouble) == ("waiting", 1, None)
        assert "451 4.3.0 not now" in put_off.last_response
        assert put_off.next_try_at == retry_at(put_off.message_id, 0, AT)
        desk.later(59 * timedelta(seconds=1))
        assert await desk.dispatch(plain(port)) == Dispatched()
        desk.later(MINUTE)
        assert await desk.dispatch(plain(port)) == Dispatched(sent=1)
    assert server.ids() == [message_id()]


async def test_what_is_put_off_for_ever_is_given_up_after_thirty_attempts(desk: Desk) -> None:
    server = Misbehaving(always={"RCPT": "452 4.2.2 mailbox full"})
    async with server.listening() as port:
        for _ in range(ATTEMPTS - 1):
            assert await desk.dispatch(plain(port)) == Dispatched(retry=1)
            desk.later()
        assert await desk.dispatch(plain(port)) == Dispatched(failed=1)
    letter = desk.letter()
    assert (letter.status, letter.attempts, letter.trouble) == ("failed", ATTEMPTS, Trouble.GIVEN_UP)
    assert server.said["RCPT"] == ATTEMPTS


@pytest.mark.parametrize(
    ("step", "answer", "trouble"),
    [
        ("RCPT", "550 5.1.1 no such user", Trouble.RECIPIENT),
        ("DATA", "554 5.7.1 not wanted here", Trouble.REFUSED),
        ("DOT", "554 5.6.0 looks like spam", Trouble.REFUSED),
        ("DOT", "552 5.3.4 too big", Trouble.SIZE),
        ("MAIL", "552 5.3.4 too big", Trouble.SIZE),
    ],
)
async def test_a_permanent_refusal_stops_that_letter_at_once_and_no_other(
    desk: Desk, step: str, answer: str, trouble: Trouble
) -> None:
    desk.post(numbered(2), numbered(3))
    server = Misbehaving(once={step: [answer]})
    async with server.listening() as port:
        assert await desk.dispatch(plain(port)) == Dispatched(sent=2, failed=1)
        desk.later()
        assert await desk.dispatch(plain(port)) == Dispatched()
    (lost,) = desk.store.undelivered("G1")
    (letter,) = desk.store.letters(status="failed")
    assert (lost.trouble, lost.since, letter.attempts) == (trouble, AT, 1)
    assert answer in letter.last_response
    assert desk.store.verify() == ()


async def test_a_greylisting_server_takes_each_letter_on_the_second_visit(desk: Desk) -> None:
    desk.post(numbered(2, "C-OTHER"), numbered(3, "C-OPS"))
    server = Misbehaving(greylists=True)
    async with server.listening() as port:
        assert await desk.dispatch(plain(port)) == Dispatched(retry=3)
        desk.later(2 * MINUTE)
        assert await desk.dispatch(plain(port)) == Dispatched(sent=3)
    assert sorted(server.ids()) == [message_id(number) for number in (1, 2, 3)]


async def test_a_server_that_closes_in_the_middle_of_a_session_is_called_again_and_loses_nothing(desk: Desk) -> None:
    desk.post(numbered(2), numbered(3))
    server = Misbehaving(once={"RCPT": ["250 OK", "421 4.3.2 shutting down"]})
    async with server.listening() as port:
        first = await desk.dispatch(plain(port))
        desk.later()
        second = await desk.dispatch(plain(port))
    assert first.sent + second.sent == 3
    assert sorted(server.ids()) == [message_id(number) for number in (1, 2, 3)]


# Connections that break off or never answer


@pytest.mark.parametrize("how", [DROP, HANG])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "CONTENT"])
async def test_a_server_that_breaks_off_before_the_message_has_ended_gets_it_once(
    desk: Desk, step: str, how: str
) -> None:
    server = Misbehaving(once={step: [how]})
    async with server.listening() as port:
        assert await desk.dispatch(plain(port, how)) == Dispatched(retry=1)
        assert desk.letter().attempts == 1
        desk.later()
        assert await desk.dispatch(plain(port)) == Dispatched(sent=1)
    assert server.ids() == [message_id()]


@pytest.mark.parametrize("how", [DROP, HANG])
async def test_a_server_that_takes_a_message_and_never_says_so_gets_it_again_under_the_same_id(
    desk: Desk, how: str
) -> None:
    server = Misbehaving(once={"DOT": [how]})
    async with server.listening() as port:
        assert await desk.dispatch(plain(port, how)) == Dispatched(retry=1)
        desk.later()
        assert await desk.dispatch(plain(port)) == Dispatched(sent=1)
    assert server.ids() == [message_id(), message_id()]
    assert server.accepted[0] == server.accepted[1]


@pytest.mark.parametrize("how", [DROP, HANG, "421 4.3.2 come back later", "554 no service"])
@pytest.mark.parametrize("step", ["GREETING", "EHLO"])
async def test_a_server_with_which_nothing_can_be_begun_keeps_every_letter_waiting(
    desk: Desk, step: str, how: str
) -> None:
    desk.post(numbered(2))
    server = Misbehaving(always={step: how, "HELO": how})
    async with server.listening() as port:
        assert await desk.dispatch(plain(port, how)) == Dispatched(retry=2)
    assert_kept(desk, 2)
    polite = Misbehaving()
    async with polite.listening() as port:
        desk.later()
        assert await desk.dispatch(plain(port)) == Dispatched(sent=2)
    assert desk.store.undelivered() == ()


async def test_a_server_that_hangs_when_it_is_left_has_taken_the_letter(desk: Desk) -> None:
    server = Misbehaving(always={"QUIT": HANG})
    async with server.listening() as port:
        assert await desk.dispatch(replace(plain(port), timeout=5)) == Dispatched(sent=1)


# Our own faults: no letter fails for them


def assert_kept(desk: Desk, number: int) -> None:
    """Hold that all letters wait, none has spent an attempt, and that it is said that the fault is ours."""
    letters = desk.store.letters()
    assert [(letter.status, letter.attempts, letter.trouble) for letter in letters] == [
        ("waiting", 0, Trouble.OURS)
    ] * number
    assert [one.kept for one in desk.store.undelivered()] == [True] * number


async def test_a_refused_connection_keeps_the_queue(desk: Desk) -> None:
    with smtp_server(Recorder()) as port:
        pass
    for _ in range(ATTEMPTS + 2):
        assert await desk.dispatch(plain(port)) == Dispatched(retry=1)
        desk.later()
    assert_kept(desk, 1)
    with smtp_server(Recorder()) as again:
        assert await desk.dispatch(plain(again)) == Dispatched(sent=1)


@dataclass
class Faulty:
    """A fault of the house in how it reaches its server: what the server is like, and what we think of it."""

    options: dict[str, Any]
    server: dict[str, Any]
    said: str


def house_fault(name: str) -> Faulty:
    """Give a fault by its name."""
    authority, password = trustme.CA(), SecretStr("s3cret")
    right, theirs = tls_options(authority, HOST), {"tls": trusting(authority)}
    as_us = {**theirs, "username": "house", "password": password}
    ended = datetime(2020, 1, 1, tzinfo=UTC)
    faults = {
        "another authority": Faulty(tls_options(trustme.CA(), HOST), theirs, "certificate is not trusted"),
        "an expired certificate": Faulty(
            tls_options(authority, HOST, valid=(ended, ended + timedelta(days=90))), theirs, "expired"
        ),
        "another host's certificate": Faulty(tls_options(authority, "mail.elsewhere.example"), theirs, "not trusted"),
        "no STARTTLS": Faulty({}, theirs, "offers no STARTTLS"),
        "an expired password": Faulty({**right, **login("house", "the new one")}, as_us, "535"),
        "no login offered": Faulty(
            {**right, "auth_exclude_mechanism": ["LOGIN", "PLAIN"]}, as_us, "No suitable authentication method"
        ),
        "a login we do not have": Faulty({**right, **login("house", "s3cret")}, theirs, "530"),
    }
    return faults[name]


@pytest.mark.parametrize(
    "name",
    [
        "another authority",
        "an expired certificate",
        "another host's certificate",
        "no STARTTLS",
        "an expired password",
        "no login offered",
        "a login we do not have",
    ],
)
async def test_a_fault_of_the_house_fails_no_letter_keeps_the_queue_and_is_said(desk: Desk, name: str) -> None:
    fault, recorder = house_fault(name), Recorder()
    desk.post(*(numbered(number) for number in range(2, 46)))
    with smtp_server(recorder, **fault.options) as port:
        server = SmtpServer(host=HOST, port=port, timeout=30, **fault.server)
        assert await desk.dispatch(server) == Dispatched(retry=45)
    assert_kept(desk, 45)
    assert recorder.messages == []
    assert recorder.connections <= 3, "a server that refuses us is not asked again for every letter"
    assert all(fault.said in letter.last_response for letter in desk.store.letters())
    desk.later()
    with smtp_server(recorder) as port:
        assert await desk.dispatch(plain(port)) == Dispatched(sent=45)
    assert desk.store.undelivered() == ()


# Letters that cannot be sent, whoever is asked


@pytest.mark.parametrize(
    ("poison", "trouble"),
    [
        ({"template": "communication/no-such-notice"}, Trouble.UNWRITABLE),
        ({"context": {"house": {}}}, Trouble.UNWRITABLE),
        ({"contact_ref": "C-OTHER"}, Trouble.ADDRESS),
        ({"contact_ref": "C-GONE"}, Trouble.GONE),
        ({"in_reply_to": "<not an id\r\nBcc: all@example.com>"}, Trouble.UNWRITABLE),
    ],
    ids=["its template is missing", "a word is missing", "its address is none", "nobody is there", "a forged reply"],
)
async def test_a_poisoned_letter_fails_alone_and_is_said(desk: Desk, poison: dict[str, Any], trouble: Trouble) -> None:
    broken = replace(FACTS.contacts[2], email="王芳@other.example")
    desk.store.import_facts(replace(FACTS, contacts=(*FACTS.contacts[:2], broken)), AT, "test")
    desk.post(numbered(0, **poison), numbered(2))
    server = Misbehaving()
    async with server.listening() as port:
        said = await desk.dispatch(plain(port))
    assert said.sent == 2
    assert sorted(server.ids()) == [message_id(1), message_id(2)]
    (lost,) = desk.store.undelivered()
    assert (lost.key, lost.trouble) == (key(0), trouble)


async def test_a_letter_larger_than_the_server_takes_fails_alone(desk: Desk) -> None:
    big = {"zh": "长" * 40_000, "en": "x" * 40_000}
    context = make_notice().context | {"reason": big}  # type: ignore[operator]  # a dict, made there
    desk.post(numbered(2, context=context))
    recorder = Recorder()
    with smtp_server(recorder, data_size_limit=30_000) as port:
        assert await desk.dispatch(plain(port)) == Dispatched(sent=1, failed=1)
    (lost,) = desk.store.undelivered()
    assert (lost.key, lost.trouble) == (key(2), Trouble.SIZE)


async def test_a_failed_letter_goes_once_its_address_is_corrected_and_it_is_let_go(desk: Desk) -> None:
    server = Misbehaving(once={"RCPT": ["550 5.1.1 no such user"]})
    async with server.listening() as port:
        assert await desk.dispatch(plain(port)) == Dispatched(failed=1)
        mended = replace(FACTS.contacts[0], email="fang.wang@bank.example", consent=True)
        desk.store.import_facts(replace(FACTS, contacts=(mended, *FACTS.contacts[1:])), AT, "test")
        assert desk.store.release("failed", "C-OPS", AT) == 1
        assert await desk.dispatch(plain(port)) == Dispatched(sent=1)
    assert server.ids() == [message_id()]
    assert b"fang.wang@bank.example" in server.accepted[0]
