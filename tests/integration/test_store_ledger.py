from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, create_engine, text

from pfflow.domain.facts import Facts
from pfflow.domain.ledger import GENESIS, Entry
from pfflow.store import SqlStore
from tests.integration.samples import AT, FACTS, make_touch


@pytest.fixture
def written(store: SqlStore) -> SqlStore:
    """Five entries for G1, one for G2."""
    store.import_facts(FACTS, AT, "test")
    for number in range(4):
        store.report_touch(make_touch(ext_id=f"T{number}"), "test", AT + timedelta(hours=number))
    return store


@pytest.fixture
def sql(store_url: str) -> Iterator[Connection]:
    """A connection past the store, as a person with the password has it."""
    engine = create_engine(store_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def named(store: SqlStore) -> list[tuple[str, int]]:
    return [(one.project_ref, one.seq) for one in store.verify()]


def test_a_ledger_nobody_touched_verifies(written: SqlStore) -> None:
    assert [entry.seq for entry in written.ledger("G1")] == [1, 2, 3, 4, 5]
    assert written.verify() == ()


@pytest.mark.parametrize("column", ["at", "stage", "kind", "subject", "data", "previous", "digest"])
@pytest.mark.parametrize("seq", [1, 3, 5])
def test_one_changed_byte_names_its_entry(written: SqlStore, sql: Connection, column: str, seq: int) -> None:
    entry = written.ledger("G1")[seq - 1]
    value = getattr(entry, column)
    changed = value[:-1] + ("0" if value[-1] != "0" else "1")
    sql.execute(
        text(f'UPDATE ledger_entry SET "{column}" = :changed WHERE project_ref = :ref AND seq = :seq'),  # noqa: S608 - a column of this test's list
        {"changed": changed, "ref": "G1", "seq": seq},
    )
    sql.commit()
    assert named(written) == [("G1", seq)]


def test_every_column_of_an_entry_is_covered() -> None:
    changed = {"at", "stage", "kind", "subject", "data", "previous", "digest"}
    moved = {"project_ref", "seq"}
    assert set(Entry.__dataclass_fields__) == changed | moved


def test_an_entry_given_another_number_names_the_gap(written: SqlStore, sql: Connection) -> None:
    sql.execute(text("UPDATE ledger_entry SET seq = 9 WHERE project_ref = 'G1' AND seq = 3"))
    sql.commit()
    assert named(written) == [("G1", 3)]


def test_an_entry_moved_to_another_project_names_both(written: SqlStore, sql: Connection) -> None:
    sql.execute(text("UPDATE ledger_entry SET project_ref = 'G2' WHERE project_ref = 'G1' AND seq = 2"))
    sql.commit()
    assert named(written) == [("G1", 2), ("G2", 2)]


@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_deleted_entry_is_named(written: SqlStore, sql: Connection, seq: int) -> None:
    sql.execute(text("DELETE FROM ledger_entry WHERE project_ref = 'G1' AND seq = :seq"), {"seq": seq})
    sql.commit()
    assert named(written) == [("G1", seq)]


def test_a_deleted_chain_is_named(written: SqlStore, sql: Connection) -> None:
    sql.execute(text("DELETE FROM ledger_entry WHERE project_ref = 'G2'"))
    sql.commit()
    assert named(written) == [("G2", 1)]


@pytest.mark.parametrize("head", ["DELETE FROM ledger_head", "UPDATE ledger_head SET seq = 0, digest = :genesis"])
def test_a_ledger_deleted_with_its_heads_is_named(written: SqlStore, sql: Connection, head: str) -> None:
    sql.execute(text("DELETE FROM ledger_entry"))
    sql.execute(text(head), {"genesis": GENESIS} if ":genesis" in head else {})
    sql.commit()
    assert named(written) == [("G1", 1), ("G2", 1)]


def test_two_entries_that_changed_places_are_named(written: SqlStore, sql: Connection) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        change = text("UPDATE ledger_entry SET seq = :new WHERE project_ref = 'G1' AND seq = :old")
        sql.execute(change, {"old": old, "new": new})
    sql.commit()
    assert named(written) == [("G1", 2)]


@pytest.mark.parametrize(("change", "seq"), [("seq = 4", 5), ("seq = 6", 6), ("digest = 'x'", 5)])
def test_a_changed_head_is_named(written: SqlStore, sql: Connection, change: str, seq: int) -> None:
    sql.execute(text(f"UPDATE ledger_head SET {change} WHERE project_ref = 'G1'"))  # noqa: S608 - of this test's list
    sql.commit()
    assert named(written) == [("G1", seq)]


def test_a_deleted_head_is_named(written: SqlStore, sql: Connection) -> None:
    sql.execute(text("DELETE FROM ledger_head WHERE project_ref = 'G1'"))
    sql.commit()
    assert named(written) == [("G1", 1)]


def test_breaks_in_two_projects_are_both_named(written: SqlStore, sql: Connection) -> None:
    sql.execute(text("UPDATE ledger_entry SET subject = 'x' WHERE seq = 1"))
    sql.commit()
    assert named(written) == [("G1", 1), ("G2", 1)]


def test_entries_are_in_utc_whatever_zone_they_were_said_in(written: SqlStore) -> None:
    local = AT.astimezone(ZoneInfo("Asia/Shanghai"))
    written.import_facts(Facts(projects=(replace(FACTS.projects[0], sector="road"),)), local, "test")
    assert written.ledger("G1")[-1].at == "2026-01-05T01:00:00+00:00"
    assert written.verify() == ()
