from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from pfflow.store import SqlStore, UnsupportedDatabaseError
from pfflow.store.engine import open_engines
from pfflow.store.tables import Base

DOCUMENT = Path(__file__).parents[2] / "docs" / "store.md"


def test_the_migrations_make_the_tables_the_code_reads(store_url: str) -> None:
    engine = open_engines(store_url).writing
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


def test_constraints_and_indexes_carry_the_names_a_later_migration_will_ask_for(store_url: str) -> None:
    engine = create_engine(store_url)
    inspector = inspect(engine)
    for table in Base.metadata.sorted_tables:
        assert inspector.get_pk_constraint(table.name)["name"] == f"pk_{table.name}"
        assert {index["name"] for index in inspector.get_indexes(table.name)} == {one.name for one in table.indexes}
    engine.dispose()


def test_migrating_a_database_that_is_up_to_date_changes_nothing(store: SqlStore) -> None:
    store.migrate()
    assert store.project_refs() == ()


def test_a_new_file_becomes_a_store_in_one_step(tmp_path: Path) -> None:
    with SqlStore.open(f"sqlite:///{tmp_path / 'new.db'}") as store:
        store.migrate()
        assert store.projects() == ()
        assert store.verify() == ()


def test_importing_the_package_opens_nothing(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-W", "error", "-c", "import pfflow.store"],
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["mysql://root@localhost/pfflow", "postgresql+asyncpg://localhost/x", "pfflow.db", ""])
def test_another_kind_of_database_is_refused_with_what_would_be_right(url: str) -> None:
    with pytest.raises(UnsupportedDatabaseError, match="sqlite:///path"):
        SqlStore.open(url)


def test_a_committed_transaction_of_sqlite_is_on_the_disk_and_references_are_held(sqlite_url: str) -> None:
    engine = open_engines(sqlite_url).writing
    with engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_the_document_has_one_line_for_each_table(store_url: str) -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    documented = [line.split("`")[1] for line in lines if line.startswith("| `")]
    engine = create_engine(store_url)
    assert sorted(documented) == sorted(inspect(engine).get_table_names())
    engine.dispose()


def test_the_document_names_each_tables_key() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    documented = {cells[0].strip("`"): cells[-1] for cells in rows}
    keys = {table.name: ", ".join(column.name for column in table.primary_key) for table in Base.metadata.sorted_tables}
    assert documented == keys | {"alembic_version": "version_num"}
