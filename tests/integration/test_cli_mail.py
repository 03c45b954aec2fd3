"""Stopping all mail, seeing what is kept and why, and a dry run, as people call them. On both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pfflow.domain.facts import Facts
from pfflow.domain.notices import Notice, bundle_key
from pfflow.domain.obligations import Status
from pfflow.store import SqlStore
from tests.command_line import done, every_row, pfflow, settle_in
from tests.factories import PLAYBOOK
from tests.integration import test_overtaken as overtaken
from tests.integration.samples import AT, FACTS
from tests.integration.test_overtaken import HOUR, closed
from tests.integration.test_store_manners import post
from tests.unit.sample_letters import make_notice

REASON = "a wrong figure in the report"


@pytest.fixture
def home(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house with a playbook and three letters that wait, two of which may share a mail."""
    with SqlStore.open(store_url) as store:
        store.import_facts(FACTS, AT, "test")
        store.adopt_playbook(PLAYBOOK.read_text(encoding="utf-8"), "playbook.yaml", 1, AT, "C-OPS")
        post(store, letter(1, merges_with="notices"), letter(2, merges_with="notices"), letter(3, contact="C-OTHER"))
    monkeypatch.delenv("PFFLOW_MAIL_STOP", raising=False)
    return settle_in(monkeypatch, tmp_path / "home", store_url)


def letter(number: int, contact: str = "C-OPS", merges_with: str = "") -> Notice:
    key = f"G1/report/{number}"
    return make_notice(
        key=f"{key}/remind/{contact}", obligation_key=key, contact_ref=contact, merges_with=merges_with, noticed_at=AT
    )


def mails(home: Path) -> int:
    return len(list((home / "mailbox").glob("*.eml")))


def test_mail_that_is_stopped_waits_and_leaves_after_it_starts(home: Path) -> None:
    assert "say why" in pfflow("mail", "stop", "--because", " ").err
    assert "3 letters waiting" in done("mail", "stop", "--because", REASON, "--by", "C-OPS")
    assert "already stopped" in done("mail", "stop", "--because", "again")
    assert done("dispatch").startswith("0 letters sent\nmail is stopped")
    assert mails(home) == 0
    assert "mail is stopped" in done("outbox")
    said = done("mail", "status")
    assert "mail is stopped (by C-OPS" in said
    assert REASON in said
    assert "the stop switch is on" in said
    assert "waiting to be sent" not in said
    assert done("mail", "start", "--by", "C-OPS") == "mail is started; 3 letters waiting\n"
    assert done("dispatch") == "2 letters sent\n"
    assert mails(home) == 2
    assert "no letter waits" in done("mail", "status")


def test_the_environments_switch_stands_above_the_one_in_the_database(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PFFLOW_MAIL_STOP", "true")
    assert "PFFLOW_MAIL_STOP is set here" in done("mail", "start")
    assert done("dispatch").startswith("0 letters sent\nmail is stopped")
    said = done("mail", "status")
    assert "PFFLOW_MAIL_STOP is set" in said
    assert "the stop switch is on" in said
    monkeypatch.delenv("PFFLOW_MAIL_STOP")
    assert done("dispatch") == "2 letters sent\n"
    assert mails(home) == 2


def test_a_dry_run_tells_and_touches_nothing(home: Path, store_url: str) -> None:
    before = every_row(store_url)
    said = done("dispatch", "--dry-run")
    assert "2 mails would leave now; nothing was sent or changed" in said
    assert "li@house.example  bundle/" in said
    assert "(G1/report/1/remind/C-OPS, G1/report/2/remind/C-OPS)" in said
    assert "xu@other.example" in said
    done("mail", "stop", "--because", REASON)
    stopped = done("dispatch", "--dry-run")
    assert "0 mails would leave" in stopped
    assert stopped.count("the stop switch is on") == 3
    after = dict(every_row(store_url))
    assert after.pop("mail_switch") != before["mail_switch"]
    assert after == {name: rows for name, rows in before.items() if name != "mail_switch"}
    assert mails(home) == 0


@pytest.mark.usefixtures("home")
def test_dispatch_says_what_it_held_and_what_failed_before_it_could_be_sent(store_url: str) -> None:
    with SqlStore.open(store_url) as store:
        chasing = overtaken.letter("remind-1bd-responsible")
        gone = make_notice(key="G1/x/r/C-GONE", contact_ref="C-GONE", noticed_at=AT)
        overtaken.decided(store, AT + HOUR, closed(Status.FULFILLED), notices=(chasing, gone))
    said = pfflow("dispatch")
    assert said.status == 1
    assert "2 letters sent, 1 held back (pfflow outbox --status held says why), 1 failed" in said.out
    assert "what it asks for was done before it left" in done("outbox", "--status", "held")


@pytest.mark.usefixtures("home")
def test_why_finds_what_the_ledger_says_of_a_letter_that_shared_a_mail() -> None:
    assert "2 letters sent" in done("dispatch")
    said = pfflow("why", "G1/report/1/remind/C-OPS", "--language", "en").out
    assert " sent G1/report/1/remind/C-OPS (entry " in said
    mail = bundle_key(["G1/report/1/remind/C-OPS", "G1/report/2/remind/C-OPS"])
    assert f"told with others in one mail: {mail}" in said
    assert pfflow("why", f"<{mail}@house.example>", "--language", "en").out == said


@pytest.mark.usefixtures("home")
def test_dispatch_says_what_waits_and_until_when(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PLAYBOOK.read_text(encoding="utf-8")
    always = text.replace('"21:00", until: "08:00"', '"00:00", until: "23:59"')  # whatever the hour of this test
    with SqlStore.open(store_url) as store:
        store.adopt_playbook(always.replace("Asia/Shanghai", "Etc/UTC"), "playbook.yaml", 2, AT, "C-OPS")
    for name, value in {"MAIL": "live", "SMTP_HOST": "relay.example", "MAIL_ALLOW": "@nobody.example"}.items():
        monkeypatch.setenv(f"PFFLOW_{name}", value)
    said = done("dispatch")
    if datetime.now(UTC).strftime("%H:%M") != "23:59":  # noqa: TID251 - the one minute that is not quiet
        assert said.startswith("0 letters sent\n3 letters waiting: it is the reader's quiet hours, the first until 20")


@pytest.mark.usefixtures("home")
def test_a_dry_run_of_live_mail_names_what_the_allow_list_and_the_night_keep(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PLAYBOOK.read_text(encoding="utf-8")
    assert '"21:00", until: "08:00"' in text
    always = text.replace('"21:00", until: "08:00"', '"00:00", until: "23:59"')  # whatever the hour of this test
    with SqlStore.open(store_url) as store:
        store.adopt_playbook(always.replace("Asia/Shanghai", "Etc/UTC"), "playbook.yaml", 2, AT, "C-OPS")
        post(store, make_notice(key="G1/u/r/C-OTHER", contact_ref="C-OTHER", urgent=True, noticed_at=AT))
    for name, value in {"MAIL": "live", "SMTP_HOST": "relay.example", "MAIL_ALLOW": "@house.example"}.items():
        monkeypatch.setenv(f"PFFLOW_{name}", value)
    said = done("dispatch", "--dry-run")
    if datetime.now(UTC).strftime("%H:%M") != "23:59":  # noqa: TID251 - the one minute that is not quiet
        assert said.count("it is the reader's quiet hours") == 3
    assert "not on the allow-list" in said
    assert "quiet hours: 00:00–23:59 and weekends" in done("mail", "status")


@pytest.mark.usefixtures("home")
def test_what_is_said_is_in_chinese_where_the_house_writes_chinese(store_url: str) -> None:
    with SqlStore.open(store_url) as store:
        store.import_facts(Facts(contacts=tuple(replace(c, language="zh-CN") for c in FACTS.contacts)), AT, "test")
    assert done("mail", "stop", "--because", "报告数字有误", "--by", "C-OPS") == "发信已停止；3 封待发\n"
    said = done("mail", "status")
    assert "发信：已停止（C-OPS，" in said
    assert "原因：报告数字有误" in said
    assert "待发  3     已停止发信" in said
    assert done("dispatch", "--dry-run").endswith("现在可发 0 封；未发送、未改动任何内容\n")
    assert done("mail", "start") == "发信已开启；3 封待发\n"
    assert done("mail", "start") == "发信此前已开启；3 封待发\n"


@pytest.mark.usefixtures("home")
def test_a_stop_says_why() -> None:
    said = pfflow("mail", "stop")
    assert said.status == 2
    assert "--because" in said.err
