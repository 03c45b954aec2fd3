"""A process killed at any moment and run again ends with exactly the letters of an undisturbed run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest

from pfflow.store import SqlStore

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "expressway"
FIRST, LAST = "2026-01-05", "2026-01-09"
MOMENTS = 20


def pfflow(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), env=environment(home), capture_output=True, text=True, check=True)


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from pfflow.cli import main; main()", *words]


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PFFLOW_")}  # noqa: TID251 - a child process gets the parent's environment
    return kept | {"PFFLOW_HOME": str(home), "PFFLOW_MAIL_LEASE": "2", "PYTHONUNBUFFERED": "1"}


RUN = ("run", "--from", FIRST, "--until", LAST)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("begun")
    pfflow(home, "import", str(EXAMPLE / "register.xlsx"))
    pfflow(home, "adopt", str(EXAMPLE / "playbook.yaml"))
    return home


@pytest.fixture(scope="module")
def undisturbed(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[frozenset[str], int]:
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    shutil.copytree(begun, home)
    lines = pfflow(home, *RUN).stdout.splitlines()
    return message_ids(home), len(lines)


def message_ids(home: Path) -> frozenset[str]:
    """Parse every letter; a half-written file would not parse to a Message-ID."""
    parser = BytesParser(policy=policy.default)
    return frozenset(str(parser.parsebytes(f.read_bytes())["Message-ID"]) for f in (home / "mailbox").glob("*.eml"))


def killed_when(home: Path, reached: Callable[[], bool]) -> None:
    """Start the run and kill it with SIGKILL as soon as something is reached."""
    log = home / "run.log"
    with log.open("w") as output, subprocess.Popen(command(*RUN), env=environment(home), stdout=output) as process:
        while not reached() and process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"


def letters_in(home: Path) -> int:
    return sum(1 for _ in (home / "mailbox").glob("*.eml"))


def lines_in(home: Path) -> int:
    log = home / "run.log"
    return log.read_text().count("\n") if log.exists() else 0


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_kill_at_any_moment_and_a_rerun_send_exactly_the_letters_of_an_undisturbed_run(
    moment: int, begun: Path, undisturbed: tuple[frozenset[str], int], tmp_path: Path
) -> None:
    """Half of the moments lie within the sending, after so many letters; half after so many decisions."""
    expected, lines = undisturbed
    home = tmp_path / "home"
    shutil.copytree(begun, home)
    step = moment // 2
    if moment % 2:
        after = 1 + step * (lines - 3) // (MOMENTS // 2)
        killed_when(home, lambda: lines_in(home) >= after)
    else:
        after = 1 + step * (len(expected) - 6) // (MOMENTS // 2)
        killed_when(home, lambda: letters_in(home) >= after)
    assert letters_in(home) < len(expected)

    pfflow(home, *RUN)

    assert message_ids(home) == expected
    with SqlStore.open(f"sqlite:///{home / 'pfflow.db'}") as store:
        assert store.verify() == ()


def test_the_same_days_again_send_no_new_letter(
    begun: Path, undisturbed: tuple[frozenset[str], int], tmp_path: Path
) -> None:
    expected, _ = undisturbed
    assert len(expected) > 50
    home = tmp_path / "home"
    shutil.copytree(begun, home)
    pfflow(home, *RUN)

    again = pfflow(home, *RUN)

    assert "5 days, 1 project: 0 decisions; 0 letters sent" in again.stdout.splitlines()
    assert message_ids(home) == expected
