from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.command_line import SOLAR, done, pfflow, settle_in


@pytest.fixture
def url(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the database of a solar park that has been lived with for two days."""
    settle_in(monkeypatch, tmp_path / "home", store_url)
    done("import", SOLAR / "register.xlsx")
    done("adopt", SOLAR / "playbook.yaml")
    done("run", "--from", "2026-01-05", "--until", "2026-01-06")
    return store_url


def alter(url: str, statement: str, **values: object) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        assert connection.execute(text(statement), values).rowcount >= 1
    engine.dispose()


def test_each_byte_of_an_entry_counts(url: str) -> None:
    good = done("verify")
    assert good.startswith("unbroken: ")
    assert good.endswith(" entries of 1 project\n")
    assert int(good.split()[1]) > 20
    engine = create_engine(url)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM ledger_entry WHERE seq = 5")).mappings().one()
    engine.dispose()
    for column in ("at", "stage", "kind", "subject", "data", "digest"):
        whole = str(row[column])
        middle = len(whole) // 2
        changed = whole[:middle] + ("1" if whole[middle] == "0" else "0") + whole[middle + 1 :]
        alter(url, f'UPDATE ledger_entry SET "{column}" = :v WHERE seq = 5', v=changed)  # noqa: S608 - a fixed list of columns
        said = pfflow("verify")
        assert (said.status, said.out) == (1, ""), column
        assert said.err == "SOL-01: entry 5 was changed: its content does not match its hash\n", column
        alter(url, f'UPDATE ledger_entry SET "{column}" = :v WHERE seq = 5', v=whole)  # noqa: S608 - a fixed list of columns
        assert done("verify").startswith("unbroken")
    alter(url, "UPDATE ledger_entry SET previous = :v WHERE seq = 5", v="0" * 64)
    said = pfflow("verify")
    assert (said.status, said.err) == (1, "SOL-01: entry 5 does not carry the hash of entry 4\n")


def test_an_entry_that_is_gone_or_changes_places_is_missed(url: str) -> None:
    alter(url, "UPDATE ledger_entry SET seq = 9000 WHERE seq = 5")
    alter(url, "UPDATE ledger_entry SET seq = 5 WHERE seq = 6")
    alter(url, "UPDATE ledger_entry SET seq = 6 WHERE seq = 9000")
    said = pfflow("verify")
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("SOL-01: entry 5 ")
    alter(url, "DELETE FROM ledger_entry WHERE seq = 5")
    said = pfflow("verify")
    assert (said.status, said.err) == (1, "SOL-01: entry 5 is missing: entry 6 follows entry 4\n")


def test_entries_cut_off_at_the_end_are_missed(url: str) -> None:
    alter(url, "DELETE FROM ledger_entry WHERE seq > 5")
    said = pfflow("verify")
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("SOL-01: ")
    assert "5" in said.err
