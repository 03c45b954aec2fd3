"""A rung that names e-mail and a room gives one mail and one text, whatever becomes of the other."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pfflow.delivery.reading import list_mailbox
from pfflow.domain.overtaken import WHY
from pfflow.store import SqlStore
from tests.integration.webhooks import Hook, webhook

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "expressway"
RUN = ("run", "--from", "2026-01-05", "--until", "2026-01-08")
CHANNELS = """
rooms:
  ops: {title: {zh: 项目群, en: Project room}, language: zh-CN}
channels:
  working: [email, ops]
"""
UNMARKED = 8
"""Texts that are sent and not yet marked at any instant, as docs/chat.md says."""


def pfflow(home: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), env=environment(home, **settings), capture_output=True, text=True, check=True
    )


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from pfflow.cli import main; main()", *words]


def environment(home: Path, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PFFLOW_")}  # noqa: TID251 - a child process gets the parent's environment
    ours = {"PFFLOW_HOME": str(home), "PFFLOW_MAIL_LEASE": "2", "PYTHONUNBUFFERED": "1"}
    return kept | ours | {f"PFFLOW_{name}": value for name, value in settings.items()}


def live(hook: Hook) -> dict[str, str]:
    return {"CHAT": "live", "CHAT_OPS": f"json://{hook.origin}/ops"}


def references(hook: Hook) -> Counter[str]:
    """Count the texts by the line that tells them apart."""
    return Counter(hook.json(number)["message"].splitlines()[-1] for number in range(len(hook.bodies)))


def letters(home: Path) -> set[str]:
    return {line.message_id for line in list_mailbox(home / "mailbox") if not line.channel}


def texts_to_send(home: Path) -> int:
    """Count the texts but for those that were overtaken while nothing could leave; each of them says so."""
    with SqlStore.open(f"sqlite:///{home / 'pfflow.db'}") as store:
        assert store.verify() == ()
        letters = store.letters()
    assert {letter.last_response for letter in letters if letter.status == "held"} <= WHY.keys()
    return sum(letter.notice.channel != "email" and letter.status != "held" for letter in letters)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("begun")
    playbook = home / "playbook.yaml"
    playbook.write_text((EXAMPLE / "playbook.yaml").read_text(encoding="utf-8") + CHANNELS, encoding="utf-8")
    pfflow(home, "import", str(EXAMPLE / "register.xlsx"))
    pfflow(home, "adopt", str(playbook))
    return home


@pytest.fixture(scope="module")
def decided(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four days lived through while nothing may leave: every letter and every text is held."""
    home = tmp_path_factory.mktemp("decided") / "home"
    shutil.copytree(begun, home)
    pfflow(home, *RUN, MAIL_STOP="true")
    pfflow(home, "release", "--by", "C-OPS-1")
    assert texts_to_send(home) > UNMARKED
    return home


def copied(home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(home, tmp_path / "home"))


def test_a_rung_with_two_channels_gives_each_reader_one_mail_and_the_room_one_text(
    decided: Path, tmp_path: Path
) -> None:
    home = copied(decided, tmp_path)
    with webhook() as hook:
        pfflow(home, "dispatch", **live(hook))
        once, mails = references(hook), letters(home)
        pfflow(home, "dispatch", **live(hook))
        pfflow(home, *RUN, **live(hook))
        assert references(hook) == once, "living through the same days again tells nothing again"
    assert letters(home) == mails
    assert len(once) == texts_to_send(home)
    assert set(once.values()) == {1}
    with SqlStore.open(f"sqlite:///{home / 'pfflow.db'}") as store:
        told = store.letters()
        rungs = {(one.notice.obligation_key, one.notice.rung) for one in told if one.notice.channel == "email"}
        rooms = [(one.notice.obligation_key, one.notice.rung) for one in told if one.notice.channel == "ops"]
    assert len(rooms) == len(set(rooms))
    assert set(rooms) <= rungs


def test_a_chat_service_that_fails_fails_no_letter(decided: Path, tmp_path: Path) -> None:
    home = copied(decided, tmp_path)
    with webhook("no", *[(500, "no")] * 1000) as hook:
        pfflow(home, "dispatch", **live(hook))
    with SqlStore.open(f"sqlite:///{home / 'pfflow.db'}") as store:
        going = [one for one in store.letters() if one.last_response not in WHY]
        stood = Counter((one.notice.channel, one.status) for one in going)
    assert set(stood) == {("email", "sent"), ("ops", "waiting")}
    assert "ops" in pfflow(home, "outbox").stdout


def test_unless_chat_is_live_a_text_is_seen_in_the_local_mailbox(decided: Path, tmp_path: Path) -> None:
    home = copied(decided, tmp_path)
    with webhook() as hook:
        pfflow(home, "dispatch", **{**live(hook), "CHAT": "local"})
        assert hook.paths == []
    shown = pfflow(home, "mailbox", "--to", "chat to 项目群").stdout
    assert shown.count("ops@chat.invalid") == texts_to_send(home)


def test_a_kill_between_sending_and_marking_repeats_only_what_was_not_marked(decided: Path, tmp_path: Path) -> None:
    home = copied(decided, tmp_path)
    with webhook("ok", *[(200, "ok")] * 3, *[(0, "")] * 4) as hook:
        with subprocess.Popen(command("dispatch"), env=environment(home, **live(hook))) as process:
            hook.hanging.wait()
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        before = references(hook)
        hook.answers.clear()  # as many hung as had asked when it was killed
        pfflow(home, "dispatch", **live(hook))
        after = references(hook)
    assert len(after) == texts_to_send(home), "none is lost"
    assert max(after.values()) <= 2
    assert sum(after.values()) - len(after) <= UNMARKED
    assert {one for one, times in after.items() if times > 1} <= set(before)
