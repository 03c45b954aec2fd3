from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pfflow.delivery.reading import list_mailbox
from tests.command_line import EXPRESSWAY, done, pfflow, settle_in

ASKED = "EXP-01/information/P-11/1"
REPORT = "EXP-01/fund-use-report/2026-01-15"
"""Asked of finance (C-32) on 2026-01-08, reminded of on the 14th."""


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the home of a motorway whose first day, 2026-01-05, has been lived through."""
    home = tmp_path_factory.mktemp("first-day") / "home"
    with pytest.MonkeyPatch.context() as patched:
        settle_in(patched, home)
        done("import", EXPRESSWAY / "register.xlsx")
        done("adopt", EXPRESSWAY / "playbook.yaml")
        done("run", "--from", "2026-01-05", "--until", "2026-01-05")
    return home


@pytest.fixture
def home(first_day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of that home, and let the command line live in it."""
    shutil.copytree(first_day, tmp_path / "home")
    return settle_in(monkeypatch, tmp_path / "home")


def told(home: Path, about: str) -> set[str]:
    """Give the letters about an obligation: their ids without it, and without the domain."""
    ids = (line.message_id.strip("<>").rpartition("@")[0] for line in list_mailbox(home / "mailbox"))
    return {one.removeprefix(f"{about}/") for one in ids if one.startswith(f"{about}/")}


def written_to(home: Path) -> str:
    """Give who was asked for the information of P-11."""
    (asked,) = told(home, ASKED)
    return asked.rpartition("/")[2]


def test_what_is_handed_over_goes_to_the_other_at_once_and_from_then_on(home: Path) -> None:
    said = done("handover", REPORT, "--by", "C-32", "--to", "C-51", "--because", "休假", "--at", "2026-01-06")
    assert said == f"handover of {REPORT} recorded; the next sweep acts on it\n"
    for day in ("2026-01-06", "2026-01-08", "2026-01-14"):
        done("sweep", "communication", "--as-of", day)
    done("dispatch")
    asked = {one for one in told(home, REPORT) if not one.startswith("escalate")}
    assert {one.rpartition("/")[2] for one in asked} == {"C-51"}
    assert {one.partition("-")[0] for one in asked} == {"heard", "request", "remind"}


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (("--by", "C-07", "--to", "C-51", "--because", "x"), "C-07 is written nothing of"),
        (("--by", "C-51", "--to", "C-510", "--because", "x"), "there is no contact 'C-510'"),
        (("--by", "C-51", "--to", "C-51", "--because", "x"), "C-51 has it already"),
        (("--by", "C-51", "--to", "C-52", "--because", " "), "a hand-over says why"),
        (
            ("--by", "C-21", "--to", "C-17", "--because", "x"),
            "C-17 is of P-08 and C-21 of P-11: nothing is handed over",
        ),
        (("--by", "C-21", "--to", "C-51", "--because", "x"), "it may go to nobody: the register has no other of"),
    ],
)
def test_a_hand_over_that_cannot_be_is_refused_in_a_sentence(
    home: Path,  # noqa: ARG001 - where it is lived
    call: tuple[str, ...],
    refusal: str,
) -> None:
    said = pfflow("handover", ASKED, *call)
    assert (said.status, said.out) == (1, "")
    assert refusal in said.err


def test_who_is_away_is_stood_in_for_and_a_hand_over_says_so(home: Path) -> None:
    away = ("absent", "C-51", "--from", "2026-01-05", "--until", "2026-01-30", "--substitute", "C-52", "--by", "C-51")
    assert done(*away) == "C-51 is away 2026-01-05 to 2026-01-30; C-52 stands in\n"
    said = done("handover", REPORT, "--by", "C-32", "--to", "C-51", "--because", "休假", "--at", "2026-01-06")
    assert said.splitlines()[0] == "C-51 is away; C-52 gets it in their place"
    done("sweep", "communication", "--as-of", "2026-01-06")
    done("dispatch")
    assert {one.rpartition("/")[2] for one in told(home, REPORT)} == {"C-52"}
    strange = pfflow(*away[:-3], "C-01", "--by", "C-51")
    assert "C-01 is of P-01 and C-51 of D-CRM: nobody of another company stands in" in strange.err
    assert "there is no contact 'C-99'" in pfflow(*away[:-1], "C-99").err
    wrong = pfflow("absent", "C-51", "--from", "2026-01-30", "--until", "2026-01-05", "--by", "C-51")
    assert (wrong.status, wrong.err) == (1, "2026-01-05 is before 2026-01-30; exchange the two\n")


def test_a_problem_is_answered_solved_and_confirmed_by_who_reported_it(home: Path) -> None:
    call = ("issue", "EXP-01", "--by", "C-01", "--text", "三月五日的提款没有到账")
    assert "write one of high, normal" in pfflow(*call, "--severity", "dreadful").err
    said = done(*call, "--severity", "high", "--at", "2026-01-06T10:00")
    part = said.splitlines()[1].partition("pfflow ack ")[2].partition("/response")[0]
    done("sweep", "communication", "--as-of", "2026-01-06T10:10")
    assert {f"{part}/response", f"{part}/solution"} <= set(done("owed").split())
    assert "only P-01, who reported it" in pfflow("confirm", f"{part}/solution", "--by", "C-51").err
    assert "no solution was given yet" in pfflow("reject", f"{part}/solution", "--by", "C-01").err
    assert "is part of a reported problem" in pfflow("approve", f"{part}/solution", "--by", "C-01").err
    done("resolve", f"{part}/solution", "--by", "C-51", "--because", "已重新划付", "--at", "2026-01-06T15:00")
    done("sweep", "communication", "--as-of", "2026-01-06T15:10")
    assert f"{part}/response" not in done("owed")
    done("confirm", f"{part}/solution", "--by", "C-01", "--at", "2026-01-07T09:00")
    done("sweep", "communication", "--as-of", "2026-01-07T09:10")
    assert part not in done("owed")
    assert {"request-3bd-debtor/C-01"} <= told(home, f"{part}/confirmation-1")


def test_the_watchdog_is_silent_while_all_is_swept_and_loud_when_it_is_not(home: Path) -> None:  # noqa: ARG001 - where it is lived
    assert done("watchdog", "--as-of", "2026-01-05T20:00") == "nothing stands still\n"
    said = pfflow("watchdog", "--as-of", "2026-01-20")
    assert said.status == 1
    assert f"{ASKED}/remind-3bd-debtor" in said.out
    assert "EXP-01/communication" in said.out
    assert "stood still" in said.err
