"""Databases for the tests that need a real one: SQLite always, PostgreSQL where a server answers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import URL

from pfflow.store import SqlStore
from pfflow.store.tables import Base

DEFAULT_POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(scope="session")
def postgres_url(worker_name: str) -> Iterator[str]:
    """Give a migrated database of this process's own on the PostgreSQL server, dropped at the end."""
    server = make_url(os.environ.get("PFFLOW_TEST_POSTGRES", DEFAULT_POSTGRES))  # noqa: TID251 - where the tests' server is
    name = f"pfflow_test_{worker_name}_{os.getpid()}"
    try:
        with _administer(server) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8')
    except psycopg.OperationalError as error:
        reason = f"no PostgreSQL server answers at {server.render_as_string()}: {str(error).strip()}"
        if "postgresql" in os.environ.get("PFFLOW_REQUIRE", ""):  # noqa: TID251 - says that a skip is a failure
            pytest.fail(reason)
        pytest.skip(reason)
    url = server.set(database=name).render_as_string(hide_password=False)
    try:
        with SqlStore.open(url) as store:
            store.migrate()
        yield url
    finally:
        with _administer(server) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    with SqlStore.open(f"sqlite:///{path}") as store:
        store.migrate()
    return path


@pytest.fixture(scope="session")
def worker_name() -> str:
    """Give the name of this pytest-xdist worker, or main."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")  # noqa: TID251 - set by pytest-xdist


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Give the URL of an empty, migrated SQLite database."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'pfflow.db')}"


@pytest.fixture
def empty_postgres_url(postgres_url: str) -> str:
    """Give the URL of the process's PostgreSQL database, emptied."""
    engine = create_engine(postgres_url)
    names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return postgres_url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty, migrated database: each test runs on SQLite and on PostgreSQL."""
    fixture = "sqlite_url" if request.param == "sqlite" else "empty_postgres_url"
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    """Give an open store on an empty database, on SQLite and on PostgreSQL."""
    with SqlStore.open(store_url) as opened:
        yield opened


def _administer(server: URL) -> psycopg.Connection:
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, connect_timeout=5)
