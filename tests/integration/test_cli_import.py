from __future__ import annotations

import csv
import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.command_line import ROOT, SOLAR, done, every_row, pfflow, settle_in

REGISTER = SOLAR / "register.xlsx"
HEADERS = 2
"""The row of the headers in the example's sheets; a title stands above them."""


@pytest.fixture
def url(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    settle_in(monkeypatch, tmp_path / "home", store_url)
    return store_url


def csv_folder(register: Path, folder: Path) -> Path:
    """Save a workbook's sheets as CSV files, one a sheet, headers first."""
    folder.mkdir()
    for sheet in load_workbook(register):
        if sheet.title == "Guide":
            continue
        with (folder / f"{sheet.title}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            for row in sheet.iter_rows(min_row=HEADERS, values_only=True):
                csv.writer(file).writerow([f"{v:%Y-%m-%d}" if isinstance(v, dt.datetime) else v for v in row])
    return folder


def dirty_workbook(folder: Path) -> Path:
    """Write the example's workbook with dirt of six kinds."""
    book = load_workbook(REGISTER)
    book["Contacts"]["D3"] = "lucia at brisa"
    book["Projects"]["I3"] = "a lot"
    book["Fund use"]["E4"] = -261000
    book["Fund use"]["A5"] = "2026-02-31"
    book["Participations"]["B4"] = "P-404"
    twice = [cell.value for cell in book["Parties"][3]]
    book["Parties"].append([twice[0], "Somebody else", *twice[2:]])
    book.save(folder / "dirty.xlsx")
    return folder / "dirty.xlsx"


PLACES = (
    ("Contacts", "row 3", "column D", '"lucia at brisa"'),
    ("Projects", "row 3", "column I", '"a lot"'),
    ("Fund use", "row 4", "column E", '"-261000"'),
    ("Fund use", "row 5", "column A", '"2026-02-31"'),
    ("Participations", "row 4", "column B", '"P-404"'),
    ("Parties", "row 15", "column A", '"P-01"'),
)


def test_a_dry_run_says_what_would_be_new_and_writes_nothing(url: str) -> None:
    before = every_row(url)
    said = done("import", REGISTER, "--dry-run")
    assert "+ projects SOL-01" in said.splitlines()
    assert said.splitlines()[-1] == "dry run: nothing was written"
    assert every_row(url) == before


def test_a_dry_run_of_what_is_held_says_that_nothing_would_change(url: str) -> None:  # noqa: ARG001 - the database
    done("import", REGISTER)
    assert done("import", REGISTER, "--dry-run") == "dry run: nothing would change\n"


def test_a_long_list_of_changes_is_cut_unless_all_are_asked_for(url: str) -> None:  # noqa: ARG001 - the database
    short = done("import", REGISTER, "--dry-run").splitlines()
    full = done("import", REGISTER, "--dry-run", "--all").splitlines()
    assert sum(line.startswith("+ parties P-") for line in short) == 5
    assert sum(line.startswith("+ parties P-") for line in full) == 7
    assert "+ parties … and 7 more new; --all lists them" in short
    assert not [line for line in full if "…" in line]
    assert len(short) < 80 < len(full)


def test_the_same_file_twice_changes_nothing_at_all(url: str) -> None:
    assert done("import", REGISTER).splitlines()[-1].endswith("records written")
    before = every_row(url)
    assert before["party"]
    assert before["ledger_entry"]
    assert done("import", REGISTER) == "nothing changed\n"
    assert every_row(url) == before


def test_one_changed_cell_is_shown_as_it_was_and_as_it_becomes(url: str, tmp_path: Path) -> None:
    done("import", REGISTER)
    before = every_row(url)
    book = load_workbook(REGISTER)
    book["Fund use"]["E3"] = 142900
    book.save(tmp_path / "edited.xlsx")
    shown = "~ fund_use SOL-01 / V-0001: amount: 142800 → 142900"
    assert shown in done("import", tmp_path / "edited.xlsx", "--dry-run").splitlines()
    assert every_row(url) == before
    assert done("import", tmp_path / "edited.xlsx").splitlines() == [shown, "1 record written"]
    after = every_row(url)
    # The payment, what it was before, the version of its project, and the ledger with its head; nothing else.
    assert {name for name in after if after[name] != before[name]} == {
        "fact_before",
        "fund_use",
        "project_head",
        "ledger_entry",
        "ledger_head",
    }


@pytest.mark.parametrize("save", [Path, csv_folder], ids=["workbook", "folder"])
@pytest.mark.parametrize("held", [False, True], ids=["empty", "filled"])
def test_dirt_is_named_place_by_place_and_nothing_is_written(
    url: str, tmp_path: Path, save: Callable[..., Path], *, held: bool
) -> None:
    if held:
        done("import", REGISTER)
    before = every_row(url)
    dirty = dirty_workbook(tmp_path)
    in_folder = save is csv_folder
    said = pfflow("import", csv_folder(dirty, tmp_path / "dirty") if in_folder else dirty)
    assert said.status == 1
    assert said.out == ""
    assert "Traceback" not in said.err
    lines = said.err.splitlines()
    for sheet, row, column, value in PLACES:
        # A CSV file begins with its headers, a row higher than the sheet under its title.
        at = f"row {int(row.split()[1]) - 1}" if in_folder else row
        place = f"{sheet}.csv · " if in_folder else "dirty.xlsx · "
        place += f"{sheet} · {at} · {column} "
        assert [line for line in lines if line.startswith(place) and value in line], (place, value, said.err)
    assert lines[-1].endswith("nothing was written; mend them and import again")
    assert every_row(url) == before


def test_a_folder_of_csv_files_says_the_same_as_the_workbook(url: str, tmp_path: Path) -> None:
    done("import", csv_folder(REGISTER, tmp_path / "folder"))
    before = every_row(url)
    assert done("import", REGISTER) == "nothing changed\n"
    assert every_row(url) == before


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_what_is_exported_imports_again_without_a_change(url: str, tmp_path: Path, language: str) -> None:
    done("import", REGISTER)
    before = every_row(url)
    assert done("export", tmp_path / "out.xlsx", "--language", language) == f"{tmp_path / 'out.xlsx'} written\n"
    assert done("import", tmp_path / "out.xlsx") == "nothing changed\n"
    assert every_row(url) == before


def test_an_export_of_one_house_fills_another(
    url: str, sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done("import", REGISTER)
    done("export", tmp_path / "out.xlsx")
    other = f"sqlite:///{tmp_path / 'other.db'}"
    (tmp_path / "other.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("PFFLOW_DB", other)
    done("import", tmp_path / "out.xlsx")
    assert done("import", REGISTER) == "nothing changed\n"
    for name, rows in every_row(url).items():
        if name in ("party", "contact", "fund_use", "survey_answer", "milestone"):
            assert len(every_row(other)[name]) == len(rows)


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("import", "nowhere.xlsx"), 1, "nowhere.xlsx: is not there; check the path"),
        (("import", ROOT / "README.md"), 1, "README.md: is no workbook"),
        (("export", ROOT / "README.md"), 1, "exists; name another file"),
        (("export", "nowhere/out.xlsx"), 1, "nowhere is no folder that can be written to"),
        (("export", "out.csv"), 2, "let its name end in .xlsx"),
        (("template", "out.xlsx", "--language", "fr"), 2, "'fr' is no language of the register; write zh-CN or en"),
        (("import",), 2, "Missing argument 'register'"),
    ],
)
def test_a_wrong_call_is_refused_in_a_sentence(
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    arguments: tuple[object, ...],
    status: int,
    sentence: str,
) -> None:
    settle_in(monkeypatch, tmp_path / "home", sqlite_url)
    monkeypatch.chdir(tmp_path)
    said = pfflow(*arguments)
    assert said.status == status
    assert sentence in said.err
    assert "Traceback" not in said.err


def test_an_empty_register_to_fill_in_imports_as_nothing(url: str, tmp_path: Path) -> None:
    done("template", tmp_path / "empty.xlsx")
    before = every_row(url)
    assert done("import", tmp_path / "empty.xlsx").splitlines()[-1] == "nothing changed"
    assert every_row(url) == before


@pytest.mark.parametrize(
    ("settings", "status", "sentence"),
    [
        ({"PFFLOW_DB": "mysql://h/x"}, 1, "mysql is not supported; write sqlite:///path or postgresql://"),
        ({"PFFLOW_DB": "somewhere"}, 1, "'somewhere' is no database URL"),
        ({"PFFLOW_DB": "sqlite:///no/such/folder/x.db"}, 1, "cannot be opened: unable to open database file"),
        ({"PFFLOW_DB": "postgresql://me:secret@127.0.0.1:1/x"}, 1, "me:***@127.0.0.1:1/x cannot be opened"),
        ({"PFFLOW_HOME": "a-file"}, 1, "PFFLOW_HOME: the folder a-file cannot be made: File exists"),
        ({"PFFLOW_HOME": "no-database"}, 1, "no-database/pfflow.db cannot be opened: file is not a database"),
        ({"PFFLOW_MAIL": "live"}, 2, "PFFLOW_MAIL=live needs PFFLOW_SMTP_HOST"),
        ({"PFFLOW_MAIL": "live", "PFFLOW_SMTP_HOST": "relay.example"}, 2, "PFFLOW_MAIL=live needs PFFLOW_MAIL_ALLOW"),
        ({"PFFLOW_MAIL": "loud"}, 2, "settings: PFFLOW_MAIL: Input should be 'local' or 'live'"),
        ({"PFFLOW_SMTP_PORT": "many"}, 2, "settings: PFFLOW_SMTP_PORT: Input should be a valid integer"),
        ({"PFFLOW_TEMPLATES": "nowhere"}, 2, "PFFLOW_TEMPLATES=nowhere is no folder"),
    ],
)
def test_a_setting_that_cannot_work_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], status: int, sentence: str
) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "no-database").mkdir()
    (tmp_path / "no-database" / "pfflow.db").write_text("This was a letter to a friend. " * 20)
    settle_in(monkeypatch, tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    said = pfflow("verify")
    assert said.status == status
    assert said.out == ""
    assert sentence in said.err
    assert "secret" not in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("projects", "there are no projects yet; run: pfflow import REGISTER.xlsx"),
        ("mailbox", "no letters in"),
        ("outbox", "no letter is waiting"),
        ("owed", "nothing is owed"),
        ("verify", "unbroken: 0 entries of 0 projects"),
    ],
)
def test_a_house_without_anything_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, sentence: str
) -> None:
    settle_in(monkeypatch, tmp_path / "home")
    assert done(command).startswith(sentence)


def test_a_process_refuses_live_mail_without_an_allow_list_in_one_line_and_exit_2(tmp_path: Path) -> None:
    said = _in_a_process(tmp_path, "dispatch", {"PFFLOW_MAIL": "live", "PFFLOW_SMTP_HOST": "relay.example"})
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == (
        "settings: PFFLOW_MAIL=live needs PFFLOW_MAIL_ALLOW, the addresses or @domains mail may go to\n"
    )


def test_a_process_without_a_playbook_says_what_to_do_first(tmp_path: Path) -> None:
    said = _in_a_process(tmp_path, "dispatch")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "no playbook is adopted yet; run: pfflow adopt PLAYBOOK.yaml\n"
    assert (tmp_path / ".pfflow" / "pfflow.db").is_file()


def _in_a_process(
    folder: Path, command: str, settings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, in an environment that says nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PFFLOW_")}  # noqa: TID251 - a child's environment
    return subprocess.run(
        [Path(sys.executable).with_name("pfflow"), command],
        cwd=folder,
        env={**kept, **(settings or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_project_whose_calendar_nobody_knows_is_refused_with_what_is_near(url: str, tmp_path: Path) -> None:
    book = load_workbook(REGISTER)
    cells = [cell for row in book["Projects"].iter_rows() for cell in row if str(cell.value).startswith("ES")]
    cells[-1].value = "ESP"
    book.save(tmp_path / "register.xlsx")
    before = every_row(url)

    said = pfflow("import", tmp_path / "register.xlsx")

    assert said.status == 1
    assert "project SOL-01: calendars 'ESP'" in said.err
    assert "nothing was written" in said.err
    assert every_row(url) == before


def test_a_misspelt_role_is_remarked_when_register_and_playbook_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_in(monkeypatch, tmp_path / "home")
    book = load_workbook(REGISTER)
    cell = next(c for row in book["Participations"].iter_rows() for c in row if c.value == "engineering")
    cell.value = "enginering"
    book.save(tmp_path / "register.xlsx")
    done("import", tmp_path / "register.xlsx")

    said = done("adopt", SOLAR / "playbook.yaml").splitlines()

    assert "nobody holds it); is it 'enginering'?" in said[1]
    assert "in project SOL-01); is it 'engineering'?" in said[2]
    assert done("import", tmp_path / "register.xlsx").splitlines()[-2:] == said[1:]


def test_a_stage_may_be_written_with_a_hyphen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle_in(monkeypatch, tmp_path / "home")
    done("import", REGISTER)
    done("adopt", SOLAR / "playbook.yaml")
    assert "information_gathering" in done("sweep", "information-gathering", "--as-of", "2026-01-05")


def test_a_playbook_that_reads_otherwise_under_the_same_version_is_remarked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_in(monkeypatch, tmp_path / "home")
    text = (SOLAR / "playbook.yaml").read_text(encoding="utf-8")
    done("adopt", SOLAR / "playbook.yaml")
    (tmp_path / "again.yaml").write_text(text + "\n# the same dates\n", encoding="utf-8")
    said = done("adopt", tmp_path / "again.yaml")
    assert "remark: version 1 reads otherwise than before" in said
    assert "remark" not in done("adopt", tmp_path / "again.yaml")
