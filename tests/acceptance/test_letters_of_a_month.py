"""Every letter of January 2026, read as a mail program would, from both examples and on both databases."""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path

import psycopg
import pytest
from icalendar import Calendar, Event
from sqlalchemy import make_url

from pfflow.bootstrap import engine, now, opened_store
from pfflow.cycle import STAGES
from pfflow.domain.obligations import Obligation
from pfflow.domain.parties import Contact
from pfflow.playbook import read_playbook
from pfflow.register import read_register
from pfflow.settings import Settings
from pfflow.store import Letter
from tests.integration.conftest import DEFAULT_POSTGRES

EXAMPLES = Path(__file__).parents[2] / "examples"
FIRST, DAYS = date(2026, 1, 1), 31
AT = time(18)


@dataclass(frozen=True)
class Month:
    """What a month left behind: letters by Message-ID, as they lie in the outbox and as they lie in the mailbox."""

    domain: str
    contacts: Mapping[str, Contact]
    obligations: Mapping[str, Obligation]
    letters: Mapping[str, Letter]
    mails: Mapping[str, EmailMessage]
    files: int

    def pairs(self) -> Iterator[tuple[str, Letter, EmailMessage]]:
        """Give each letter with its mail, in order of Message-ID."""
        for one, mail in sorted(self.mails.items()):
            yield one, self.letters[one], mail


@contextmanager
def _postgres_database(name: str) -> Iterator[str]:
    server = make_url(os.environ.get("PFFLOW_TEST_POSTGRES", DEFAULT_POSTGRES))  # noqa: TID251 - where the tests' server is
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = psycopg.connect(plain, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        reason = f"no PostgreSQL server answers at {server.render_as_string()}: {str(error).strip()}"
        if "postgresql" in os.environ.get("PFFLOW_REQUIRE", ""):  # noqa: TID251 - says that a skip is a failure
            pytest.fail(reason)
        pytest.skip(reason)
    with connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8')
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _lived(example: str, settings: Settings) -> Month:
    """Live through January with an example, and read what it left behind."""
    folder = EXAMPLES / example
    read = read_playbook(folder / "playbook.yaml").playbook
    assert read is not None
    with opened_store(settings) as store:
        store.import_facts(read_register(folder / "register.xlsx").facts, now(), "the month")
        text = (folder / "playbook.yaml").read_text("utf-8")
        store.adopt_playbook(text, read.name, read.version, now(), "the month")
    with engine(settings) as opened:
        for number in range(DAYS):
            at = datetime.combine(FIRST + timedelta(days=number), AT, read.zone).astimezone(UTC)
            for stage in STAGES:
                for outcome in opened.cycle.sweep(stage, at, opened.store.project_refs()):
                    assert outcome.error == ""
            asyncio.run(opened.cycle.dispatch())
        domain = read.house.email.rpartition("@")[2]
        files = sorted(settings.mailbox_folder.glob("*.eml"))
        parsed = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
        return Month(
            domain=domain,
            contacts={contact.contact_ref: contact for contact in opened.store.facts().contacts},
            obligations={o.key: o for o in opened.store.obligations()},
            letters={f"<{letter.notice.key}@{domain}>": letter for letter in opened.store.letters()},
            mails={str(mail["Message-ID"]): mail for mail in parsed},
            files=len(files),
        )


MONTHS = [
    pytest.param((example, database), id=f"{example}-{database}", marks=marks)
    for example in ("expressway", "solar")
    for database, marks in (("sqlite", ()), ("postgresql", pytest.mark.postgresql))
]


@pytest.fixture(scope="module")
def kept() -> dict[tuple[str, str], Month]:
    return {}


@pytest.fixture(scope="module", params=MONTHS)
def month(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    kept: dict[tuple[str, str], Month],
) -> Month:
    example, database = request.param
    if (example, database) not in kept:
        home = tmp_path_factory.mktemp(example) / "home"
        if database == "sqlite":
            kept[example, database] = _lived(example, Settings(home=home, db=""))
        else:
            with _postgres_database(f"pfflow_month_{example}_{os.getpid()}") as url:
                kept[example, database] = _lived(example, Settings(home=home, db=url))
    return kept[example, database]


pytestmark = pytest.mark.xdist_group("letters-of-a-month")


def test_every_letter_that_was_decided_lies_in_the_mailbox_once(month: Month) -> None:
    assert month.files > 10
    assert Counter(letter.status for letter in month.letters.values()) == {"sent": month.files}
    assert month.mails.keys() == month.letters.keys()


def test_no_mail_has_a_defect(month: Month) -> None:
    found = [
        (one, defect)
        for one, _, mail in month.pairs()
        for part in mail.walk()
        for defect in (*part.defects, *(d for header in part.values() for d in header.defects))
    ]
    assert found == []


def test_every_mail_has_a_text_and_an_html_body(month: Month) -> None:
    for one, _, mail in month.pairs():
        assert bodies(mail).keys() == {"plain", "html"}, one
        assert all(len(body.split()) > 10 or len(body) > 100 for body in bodies(mail).values()), one


def test_every_mail_says_that_a_program_wrote_it(month: Month) -> None:
    # RFC 3834 section 5: what answers by itself does not answer this.
    assert {str(mail["Auto-Submitted"]) for mail in month.mails.values()} == {"auto-generated"}


def test_the_message_id_is_the_obligation_the_rung_and_the_contact(month: Month) -> None:
    for one, letter, mail in month.pairs():
        notice = letter.notice
        assert one == f"<{notice.obligation_key}/{notice.rung}/{notice.contact_ref}@{month.domain}>"
        assert notice.obligation_key in month.obligations
        assert parseaddr(str(mail["To"]))[1] == month.contacts[notice.contact_ref].email
        assert parsedate_to_datetime(str(mail["Date"])) == notice.noticed_at


def test_each_is_written_in_its_readers_language(month: Month) -> None:
    spoken = Counter[str]()
    for one, letter, mail in month.pairs():
        contact, subject = month.contacts[letter.notice.contact_ref], str(mail["Subject"])
        spoken[contact.language] += 1
        assert str(mail["Content-Language"]) == contact.language, one
        if contact.language.startswith("zh"):
            project, _, rest = subject.removeprefix("【").partition("】")
            assert re.search(r"[\u4e00-\u9fff]{2}", rest), subject
            assert project
        else:
            assert subject.startswith("["), subject
            assert not re.search(r"[\u3000-\u9fff]", subject), subject
    assert len(spoken) >= 1


_LEFT_OVER = re.compile(
    r"\bNone\b|\bnull\b|\bnan\b|\bTrue\b|\bFalse\b|\{\{|\}\}|\{%|[Uu]ndefined|\{[\"']|[\"']: |\[\{|datetime\.|Decimal\("
)


def test_nothing_of_the_machinery_shows_in_the_words(month: Month) -> None:
    found = [
        (one, kind, body[max(0, match.start() - 30) : match.end() + 30])
        for one, _, mail in month.pairs()
        for kind, body in (("subject", str(mail["Subject"])), *bodies(mail).items())
        if (match := _LEFT_OVER.search(_visible(body) if kind == "html" else body))
    ]
    assert found == []


def test_a_letter_that_chases_says_its_reference(month: Month) -> None:
    for one, letter, mail in month.pairs():
        assert letter.notice.obligation_key in bodies(mail)["plain"], one


def test_every_warning_was_written_to_somebody_before_it_was_acknowledged(month: Month) -> None:
    warnings = {key for key in month.obligations if key.split("/")[1] in ("warning", "milestone")}
    assert len(warnings) == (4 if any(key.startswith("EXP-01/") for key in month.obligations) else 0)
    assert warnings == {
        letter.notice.obligation_key for letter in month.letters.values() if letter.notice.obligation_key in warnings
    }


def test_invitations_are_read_back_as_meetings_at_the_instant_they_are_due(month: Month) -> None:
    invited = 0
    for one, letter, mail in month.pairs():
        calendars = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
        assert len(calendars) == (1 if letter.notice.invitation else 0), one
        if not calendars:
            continue
        invited += 1
        part = calendars[0]
        assert part.get_param("method") == "REQUEST", one
        read = Calendar.from_ical(part.get_content())
        assert str(read["METHOD"]) == "REQUEST"
        assert not read.errors
        (zone,) = read.walk("VTIMEZONE")
        (event,) = read.walk("VEVENT")
        assert isinstance(event, Event)
        obligation = month.obligations[letter.notice.obligation_key]
        assert str(event["UID"])
        assert event.decoded("SEQUENCE") == 0
        assert str(event["ORGANIZER"]).lower() == f"mailto:{parseaddr(str(mail['From']))[1]}".lower()
        assert str(event["DTSTART"].params["TZID"]) == str(zone["TZID"]) == obligation.timezone
        assert event.decoded("DTSTART") == obligation.due_at
        assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=obligation.minutes)
        attendees = event["ATTENDEE"] if isinstance(event["ATTENDEE"], list) else [event["ATTENDEE"]]
        assert {str(attendee.params["RSVP"]) for attendee in attendees} == {"TRUE"}
        assert f"mailto:{parseaddr(str(mail['To']))[1]}" in {str(attendee) for attendee in attendees}
        (attached,) = [a for a in mail.iter_attachments() if a.get_content_type() == "application/ics"]
        assert Calendar.from_ical(attached.get_content()) == read
    assert invited


def test_nobody_is_invited_to_one_meeting_twice(month: Month) -> None:
    invited: Counter[tuple[str, str]] = Counter()
    for _, letter, mail in month.pairs():
        if letter.notice.invitation is not None:
            invited[letter.notice.invitation.uid, parseaddr(str(mail["To"]))[1].lower()] += 1
    assert invited
    assert [who for who, times in invited.items() if times > 1] == []


@pytest.mark.postgresql
@pytest.mark.parametrize("example", ["expressway", "solar"])
def test_both_databases_give_the_same_letters_word_for_word(example: str, kept: dict[tuple[str, str], Month]) -> None:
    if (example, "postgresql") not in kept or (example, "sqlite") not in kept:
        pytest.skip("the month was lived on one database only")
    on_sqlite, on_postgresql = kept[example, "sqlite"], kept[example, "postgresql"]
    assert on_sqlite.mails.keys() == on_postgresql.mails.keys()
    for one, mail in on_sqlite.mails.items():
        assert bodies(mail) == bodies(on_postgresql.mails[one]), one
        assert str(mail["Subject"]) == str(on_postgresql.mails[one]["Subject"])


def bodies(mail: EmailMessage) -> dict[str, str]:
    """Give the bodies a mail has, by subtype."""
    found = {kind: mail.get_body(preferencelist=(kind,)) for kind in ("plain", "html")}
    return {kind: str(part.get_content()) for kind, part in found.items() if part is not None}


def _visible(html: str) -> str:
    """Give what a reader sees of HTML: no styles, no tags."""
    return re.sub(r"<[^>]*>", " ", re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL))
