from __future__ import annotations

from pathlib import Path

import pytest

from pfflow.register import Severity, read_register

PARTIES = '参与方编号,名称,中文名称,类型,注册资本\nP1,Bank,银行,政策性银行,"12,000万"\n'
CONTACTS = "contact_ref,party_ref,name,email,consent\nC1,P1,李华,li@bank.example,是\n"
PROJECTS = "project_ref,name,fc_date\nPRJ1,Expressway,2025年12月18日\n"
PARTICIPATIONS = "project_ref,party_ref,role,share\nPRJ1,P1,贷款人,100%\n"


def folder_of(tmp_path: Path, encoding: str = "utf-8", separator: str = ",") -> Path:
    folder = tmp_path / "register"
    folder.mkdir()
    texts = {"参与方": PARTIES, "contacts": CONTACTS, "Projects": PROJECTS, "participations": PARTICIPATIONS}
    for name, with_commas in texts.items():
        text = with_commas
        if separator != ",":
            # The only comma that is not a separator stands inside the quoted amount.
            text = text.replace('"12,000万"', "12#000万").replace(",", separator).replace("#", ",")
        (folder / f"{name}.csv").write_bytes(text.encode(encoding))
    return folder


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_folder_is_read_whatever_its_encoding_and_separator(tmp_path: Path, encoding: str, separator: str) -> None:
    reading = read_register(folder_of(tmp_path, encoding, separator))
    assert reading.can_be_written
    assert reading.facts.parties[0].name_zh == "银行"
    assert str(reading.facts.parties[0].registered_capital) == "120000000"
    assert reading.facts.contacts[0].name == "李华"
    assert reading.facts.projects[0].fc_date is not None
    assert str(reading.facts.participations[0].share) == "100"
    remarked = {problem.file for problem in reading.problems if "GB18030" in problem.what}
    chinese = {"participations.csv", "contacts.csv", "Projects.csv", "参与方.csv"}
    assert remarked == (chinese if encoding == "gb18030" else set())


def test_a_problem_in_a_file_names_the_file_the_row_and_the_column(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "contacts.csv").write_text(CONTACTS.replace("li@bank.example", "nobody"), encoding="utf-8")
    (problem,) = read_register(folder).problems
    assert (problem.file, problem.sheet, problem.row, problem.column) == ("contacts.csv", "contacts", 2, "D")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xff\xff,\x81", "neither UTF-8 nor GB18030"),
        (b'a,b\n"never closed', "no CSV"),
        (b"\n" * 2_000_001, "more than 2,000,000"),
        (b"party_ref,name\n" + b"x" * 10**7, "no CSV"),
    ],
    ids=["not text", "a quote that never closes", "two million lines", "a cell of ten megabytes"],
)
def test_a_file_that_is_no_csv_is_one_problem_of_its_own(tmp_path: Path, data: bytes, says: str) -> None:
    folder = folder_of(tmp_path)
    (folder / "milestones.csv").write_bytes(data)
    (problem,) = read_register(folder).problems
    assert problem.file == "milestones.csv"
    assert says in str(problem)


def test_other_files_are_remarked_and_hidden_ones_passed_over(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    (folder / ".hidden").write_text("x", encoding="utf-8")
    (problem,) = read_register(folder).problems
    assert (problem.file, problem.severity) == ("notes.txt", Severity.REMARK)


def test_an_amount_in_scientific_notation_is_refused_as_rounded(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "参与方.csv").write_text(PARTIES.replace('"12,000万"', "1.2E+08"), encoding="utf-8")
    assert "scientific notation" in str(read_register(folder).problems[0])
