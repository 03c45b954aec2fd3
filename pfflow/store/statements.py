"""Statements the databases share: insert or update by key, insert unless there, lists in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute

T = TypeVar("T")

BATCH = 500
"""How many values a statement carries: well below SQLite's 32,766 and PostgreSQL's 65,535 parameters."""


def batches(values: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Give the values in runs of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def table_of(declared: type[Any]) -> Table:
    """Give the table of a declared class."""
    return cast("Table", declared.__table__)


def in_byte_order(connection: Connection, column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """Give the column to order by as Python orders text, whatever language the database sorts in.

    Locks taken in batches are in one order for everybody only if batches are cut in the order rows are locked in.
    """
    return column.collate("C" if connection.dialect.name == "postgresql" else "BINARY")


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or update those whose primary key is there."""
    if not rows:
        return
    statement = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    if others:
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), rows)
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=keys), rows)


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows whose primary key is not there; the others stay as they are."""
    if rows:
        keys = [column.name for column in table.primary_key]
        connection.execute(_insert(connection, table).on_conflict_do_nothing(index_elements=keys), rows)


def insert_unless_there(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert one row unless its primary key is there; gives whether it was not, whoever else is inserting it."""
    keys = [column.name for column in table.primary_key]
    statement = _insert(connection, table).on_conflict_do_nothing(index_elements=keys).returning(*table.primary_key)
    return connection.execute(statement, row).first() is not None


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
