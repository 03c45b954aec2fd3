from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from pfflow.bootstrap import opened_store
from pfflow.delivery.reading import list_mailbox
from pfflow.settings import Settings
from tests.command_line import EXPRESSWAY, done, pfflow, settle_in

APPROVAL = "EXP-01/package-approval/838d20b8"
SURVEY = "EXP-01/customer-survey/2026-03-20"
REPORT = "EXP-01/fund-use-report/2026-01-15"
ASKED_P01, ASKED_P10, ASKED_P11 = (f"EXP-01/information/{ref}/1" for ref in ("P-01", "P-10", "P-11"))


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


def live_on(day: str) -> None:
    done("run", "--from", day, "--until", day)


# The information was asked for by 2026-01-19, ten business days on. The playbook reminds three business days before,
# on the 14th, and climbs to the owner one after, on the 20th. An acknowledgement holds for 15 business days.


def test_an_acknowledgement_holds_the_ladder_and_others_climb_theirs(home: Path) -> None:
    said = done("ack", ASKED_P01, "--by", "C-01", "--because", "By the end of the month.", "--at", "2026-01-06")
    assert said == f"acknowledgement of {ASKED_P01} recorded; the next sweep acts on it\n"
    for day in ("2026-01-06", "2026-01-14", "2026-01-20"):
        done("sweep", "information_gathering", "--as-of", day)
    assert {rung.partition("/")[0] for rung in told(home, ASKED_P01)} == {"request-10bd-debtor"}
    assert {rung.partition("/")[0] for rung in told(home, ASKED_P11)} == {
        "request-10bd-debtor",
        "remind-3bd-debtor",
        "escalate+1bd-owner",
    }
    assert ASKED_P01 in done("owed", "--as-of", "2026-01-20", "--overdue")


def test_the_same_acknowledgement_twice_is_recorded_once(home: Path) -> None:  # noqa: ARG001 - where it is lived
    call = ("ack", ASKED_P01, "--by", "C-01", "--at", "2026-01-06")
    assert "recorded; " in done(*call)
    assert done(*call) == f"acknowledgement of {ASKED_P01} was recorded before\n"


def test_a_fulfilment_ends_the_ladder(home: Path) -> None:
    done("fulfil", ASKED_P10, "--by", "C-20", "--because", "All of it sent by courier.", "--at", "2026-01-06T09:30")
    assert ASKED_P10 in done("owed")  # not before a sweep has heard it
    for day in ("2026-01-06", "2026-01-14", "2026-01-20"):
        done("sweep", "information_gathering", "--as-of", day)
    assert {rung.partition("/")[0] for rung in told(home, ASKED_P10)} == {"request-10bd-debtor"}
    assert ASKED_P10 not in done("owed")
    again = pfflow("fulfil", ASKED_P10, "--by", "C-20")
    assert (again.status, again.out) == (1, "")
    assert again.err.startswith(f"{ASKED_P10} is fulfilled since 2026-01-06")


def test_history_shows_who_answered_when_and_why(home: Path) -> None:  # noqa: ARG001 - where it is lived
    done("fulfil", ASKED_P10, "--by", "C-20", "--because", "All of it sent by courier.", "--at", "2026-01-06T09:30")
    done("waive", ASKED_P11, "--by", "C-51", "--because", "Known from the tender.", "--at", "2026-01-06T10:00")
    done("sweep", "information_gathering", "--as-of", "2026-01-06")
    lines = done("history", "EXP-01", "--about", "EXP-01/information/").splitlines()
    assert lines[0].split() == ["no.", "at", "(UTC)", "stage", "kind", "subject", "by", "because"]
    fulfilled = next(line for line in lines if " fulfilled " in line)
    assert "2026-01-06 10:00" in fulfilled  # 18:00 in Shanghai, when the sweep heard it
    assert ASKED_P10 in fulfilled
    assert fulfilled.endswith("C-20  fulfilment: All of it sent by courier.")
    waived = next(line for line in lines if " waived " in line)
    assert ASKED_P11 in waived
    assert waived.endswith("C-51  waiver: Known from the tender.")
    reported = next(line for line in lines if " reported " in line and ASKED_P10 in line)
    # The answer itself was given at 09:30 in Shanghai.
    assert "at=2026-01-06T01:30:00+00:00" in reported


def test_a_waiver_says_why(home: Path) -> None:  # noqa: ARG001 - where it is lived
    without = pfflow("waive", ASKED_P01, "--by", "C-51")
    assert without.status == 2
    assert "Missing option '--because'" in without.err
    blank = pfflow("waive", ASKED_P01, "--by", "C-51", "--because", "  ")
    assert (blank.status, blank.out, blank.err) == (1, "", "a waiver says why; give the reason\n")
    done("sweep", "information_gathering", "--as-of", "2026-01-06")
    assert ASKED_P01 in done("owed")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ack", "EXP-01/information/P-01", "--by", "C-01"), "did you mean EXP-01/information/P-"),
        (("ack", "EXP-09/information/P-01/1", "--by", "C-01"), "there is no obligation 'EXP-09/information/P-01/1'"),
        (("fulfil", ASKED_P01, "--by", "C-0"), "there is no contact 'C-0'; did you mean C-"),
        (("approve", ASKED_P01, "--by", "C-51"), "is a fact, not an approval; acknowledge, fulfil or waive it"),
        (("fulfil", APPROVAL, "--by", "C-51"), "is an approval; approve, reject or rework it"),
        # A clerk of a bank has nothing to do with what the partner is asked for, nor who is only informed of a report.
        (("fulfil", ASKED_P10, "--by", "C-17"), "C-17 does not answer for EXP-01/information/P-10/1"),
        (("ack", ASKED_P10, "--by", "C-17"), "; ask C-20 罗军, C-51 沈薇, C-52 卢晨 / C-17 与"),
        (("fulfil", REPORT, "--by", "C-17"), "; ask C-31 刘建平, C-32 蒋琳, C-37 任峰, C-38 姜楠, "),
        (("waive", ASKED_P10, "--by", "C-20", "--because", "x"), "is of those who owe EXP-01/information/P-10/1"),
        (("fulfil", ASKED_P10, "--by", "C-20", "--at", "2999-01-01"), "2999-01-01 18:00 lies in the future, now is "),
        (("fulfil", ASKED_P10, "--by", "C-20", "--at", "2026-01-04"), "existed, which is since 2026-01-05 18:00; say"),
        (("issue", "EXP-01", "--by", "C-01", "--text", "x", "--at", "2999-01-01"), "lies in the future"),
        (("issue", "EXP-01", "--by", "C-01", "--text", "x", "--at", "2025-01-01"), "is before EXP-01 existed"),
    ],
)
def test_an_answer_to_nothing_or_by_nobody_is_refused(home: Path, arguments: tuple[str, ...], sentence: str) -> None:
    said = pfflow(*arguments)
    assert (said.status, said.out) == (1, "")
    assert sentence in said.err
    assert home.is_dir()


def test_a_problem_of_the_first_day_counts_at_any_hour(home: Path) -> None:  # noqa: ARG001 - where it is lived
    call = ("issue", "EXP-01", "--by", "C-01", "--text", "x", "--at")
    assert "is before EXP-01 existed, which is since 2026-01-05 00:00" in pfflow(*call, "2026-01-04T23:00").err
    done(*call, "2026-01-05T08:00")


def test_days_that_were_lived_ahead_of_the_clock_are_no_future(home: Path) -> None:  # noqa: ARG001 - where it is lived
    done("sweep", "identification", "--as-of", "2100-01-04")
    done("ack", ASKED_P10, "--by", "C-20", "--at", "2100-01-04")
    assert "lies in the future" in pfflow("ack", ASKED_P10, "--by", "C-20", "--at", "2100-01-05").err


def test_a_date_that_is_none_is_refused(home: Path) -> None:  # noqa: ARG001 - where it is lived
    said = pfflow("ack", ASKED_P01, "--by", "C-01", "--at", "next Monday")
    assert (said.status, said.out) == (2, "")
    assert said.err == "'next Monday' is no date; write 2026-01-15 or 2026-01-15T18:00+08:00\n"


def test_an_approval_by_one_who_is_not_accountable_is_refused_and_names_who_is(home: Path) -> None:
    said = pfflow("approve", APPROVAL, "--by", "C-07")
    assert (said.status, said.out) == (1, "")
    assert said.err == (
        "C-07 is not Accountable for service-package, so the approval would not count; ask C-51 沈薇, C-52 卢晨"
        " / C-07 不是 service-package 的负责人（A），其审批不计；请由C-51 沈薇、C-52 卢晨答复\n"
    )
    live_on("2026-01-06")
    assert not [line for line in list_mailbox(home / "mailbox") if "/offer/" in line.message_id]
    assert APPROVAL in done("owed")


def test_what_the_head_approves_is_offered_once(home: Path) -> None:
    done("approve", APPROVAL, "--by", "C-51", "--because", "As proposed.", "--at", "2026-01-06T10:00+08:00")
    live_on("2026-01-06")
    offers = told(home, "EXP-01/offer/838d20b8")
    assert offers
    assert len(offers) == len({one.rpartition("/")[2] for one in offers})  # one for each contact
    live_on("2026-01-06")
    live_on("2026-01-07")
    assert told(home, "EXP-01/offer/838d20b8") == offers
    assert APPROVAL not in done("owed")
    letter = done("mailbox", f"EXP-01/offer/838d20b8/{min(offers)}")
    assert "lanling-expressway.example" in letter  # the borrower
    approved = next(
        line for line in done("history", "EXP-01", "--about", APPROVAL).splitlines() if " fulfilled " in line
    )
    assert approved.endswith("C-51  approval: As proposed.")
    again = pfflow("reject", APPROVAL, "--by", "C-51")
    assert again.status == 1
    assert "nothing is owed any more" in again.err


def test_what_the_head_rejects_is_not_offered(home: Path) -> None:
    done("reject", APPROVAL, "--by", "C-51", "--because", "Too dear.", "--at", "2026-01-06T10:00+08:00")
    live_on("2026-01-06")
    live_on("2026-01-07")
    assert not [line for line in list_mailbox(home / "mailbox") if "/offer/" in line.message_id]
    closed = next(line for line in done("history", "EXP-01", "--about", APPROVAL).splitlines() if " fulfilled " in line)
    assert closed.endswith("C-51  rejection: Too dear.")


def test_what_the_head_sends_back_is_not_offered_and_says_what_to_change(home: Path) -> None:
    call = ("rework", APPROVAL, "--by", "C-51", "--at", "2026-01-06T10:00+08:00", "--because")
    assert pfflow(*call, " ").err == "what is sent back says what to change; give the reason\n"
    done(*call, "Without the guarantee.")
    live_on("2026-01-06")
    assert not [line for line in list_mailbox(home / "mailbox") if "/offer/" in line.message_id]
    closed = next(line for line in done("history", "EXP-01", "--about", APPROVAL).splitlines() if " fulfilled " in line)
    assert closed.endswith("C-51  rework: Without the guarantee.")


def test_a_survey_asks_its_questions_and_its_answer_is_entered_by_its_reference(home: Path) -> None:
    done("sweep", "communication", "--as-of", "2026-01-20")
    call = ("survey", SURVEY, "--at", "2026-01-20T19:00", "--by")
    for wrong, why in (
        (("C-09", "--nps", "11"), "a recommendation of 11 is off the scale: write 0 to 10"),
        (("C-09", "--csat", "0"), "a satisfaction of 0 is off the scale: write 1 to 5"),
        (("C-09",), "an answer has a score; give --nps (0 to 10), --csat (1 to 5) or --ces (1 to 7)"),
        (("C-20", "--nps", "9", "--about", "D-X"), "there is no party 'D-X' to answer about"),
        (("C-26", "--nps", "9"), "P-15 was not asked by EXP-01/customer-survey/2026-03-20"),
    ):
        assert why in pfflow(*call, *wrong).err
    assert "not a survey" in pfflow("survey", ASKED_P10, "--by", "C-20", "--nps", "9").err
    said = done(*call, "C-09", "--nps", "9", "--csat", "4", "--because", "Quick answers.")
    assert said == f"answer to {SURVEY} recorded: nps 9, csat 4\n"
    assert "was recorded before" in done(*call, "C-09", "--nps", "9", "--csat", "4", "--because", "Quick answers.")
    with opened_store(Settings()) as store:
        rows = [one for one in store.facts("EXP-01").surveys if one.survey_ref.startswith("EXP-01.customer-survey")]
    assert [(one.respondent_ref, one.question, one.score, one.comment) for one in rows] == [
        ("P-04", "csat", Decimal(4), "Quick answers."),
        ("P-04", "nps", Decimal(9), "Quick answers."),
    ]
    assert home.is_dir()


def test_a_phase_is_not_left_while_its_gate_asks_for_something(home: Path) -> None:  # noqa: ARG001 - where it is lived
    said = pfflow("phase", "EXP-01", "advance", "--by", "C-51", "--evidence", "Handover minutes")
    assert (said.status, said.out) == (1, "")
    assert said.err == ("EXP-01 cannot enter exit: not settled yet: EXIT-01, EXIT-02, EXIT-03, EXIT-04, EXIT-05\n")
    assert "implementation" in done("projects")


def test_once_the_gates_conditions_are_settled_the_move_is_written_down_with_who_when_and_on_what(
    home: Path, tmp_path: Path
) -> None:
    book = load_workbook(EXPRESSWAY / "register.xlsx")
    conditions = book["先决条件"]
    for row in range(3, conditions.max_row + 1):
        if str(conditions[f"B{row}"].value).startswith("EXIT-"):
            conditions[f"F{row}"] = "已落实"
    book.save(tmp_path / "settled.xlsx")
    done("import", tmp_path / "settled.xlsx")
    call = ("phase", "EXP-01", "advance", "--evidence", "Handover minutes of 6 January")
    nobody = pfflow(*call, "--by", "C-99")
    assert (nobody.status, nobody.out) == (1, "")
    assert nobody.err.startswith("there is no contact 'C-99'")
    assert done(*call, "--by", "C-51") == "EXP-01 is now in phase exit\n"
    assert " exit " in done("projects")
    moved = done("history", "EXP-01", "--last", "1").splitlines()[1]
    for part in (" phase ", " moved ", " C-51 ", "evidence=Handover minutes of 6 January", "from=implementation"):
        assert part in moved
    onward = pfflow(*call, "--by", "C-51")
    assert (onward.status, onward.out) == (1, "")
    assert home.is_dir()
