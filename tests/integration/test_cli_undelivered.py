"""A letter that fails, as people meet it on the command line: said, told to the owner, mended and sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfflow.delivery.reading import list_mailbox, read_message
from tests.command_line import EXPRESSWAY, done, pfflow, settle_in

ASKED = "EXP-01/information/P-01/1"


def test_a_letter_that_fails_is_said_told_to_its_owner_and_sent_once_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = settle_in(monkeypatch, tmp_path / "home")
    done("import", EXPRESSWAY / "register.xlsx")
    done("adopt", EXPRESSWAY / "playbook.yaml")
    own = tmp_path / "templates" / "information_gathering" / "request" / "zh-CN"
    own.mkdir(parents=True)
    words = own / "words.txt"
    words.write_text("{{ obligation.no_such_word }}", encoding="utf-8")
    monkeypatch.setenv("PFFLOW_TEMPLATES", str(tmp_path / "templates"))

    done("sweep", "identification", "--as-of", "2026-01-05")
    failed = pfflow("sweep", "information_gathering", "--as-of", "2026-01-05")
    assert failed.status == 1
    assert "failed (pfflow outbox --status failed says why)" in failed.out
    listed = done("outbox", "--status", "failed")
    assert "information_gathering/request/zh-CN/words.txt, line 1" in listed
    owed = next(line for line in done("owed", "--as-of", "2026-01-06").splitlines() if ASKED in line)
    assert "进行中，1 封未能送达" in owed

    said = pfflow("sweep", "communication", "--as-of", "2026-01-06")
    assert "undelivered: " in said.out
    assert "函件未能写成，模板或内容有误" in said.out
    told = [line for line in list_mailbox(home / "mailbox") if "/undelivered/2026-01-06/" in line.message_id]
    assert told
    letter = read_message(home / "mailbox", told[0].number)
    assert "函件未送达，请协助处理" in letter.line.subject
    assert "原因：函件未能写成，模板或内容有误" in letter.text
    again = pfflow("sweep", "communication", "--as-of", "2026-01-07")
    assert "undelivered: " in again.out
    assert not [line for line in list_mailbox(home / "mailbox") if "/undelivered/2026-01-07/" in line.message_id]

    words.write_text("{{ obligation.title|words }}", encoding="utf-8")
    assert "wait again" in done("release", "--failed", "--by", "C-20")
    done("dispatch")
    assert done("outbox", "--status", "failed") == "没有失败的函件\n"
    assert any(f"{ASKED}/request" in line.message_id for line in list_mailbox(home / "mailbox"))
    assert "undelivered: " not in pfflow("sweep", "communication", "--as-of", "2026-01-08").out
    assert "unbroken" in done("verify")
