"""Statements the databases share: insert or update by key, insert unless there, lists in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any, TypeVar, cast

from sqlalchemy import JSON, Boolean, ColumnElement, Connection, Date, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from pfflow.store.column_types import EnumText, UtcInstant

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


BindColumn = Callable[[Sequence[Any]], Iterable[Any]]
"""Makes parameters of the values of one column."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """A statement compiled once, and how values become its parameters: what is written in great number.

    SQLAlchemy would look at every parameter of every row; here a column is bound at a time, and only those columns
    that have something to be done.
    """

    sql: str
    get: Callable[[Any], tuple[Any, ...]]
    binding: tuple[tuple[int, BindColumn], ...]
    names: tuple[str, ...]

    def execute(self, connection: Connection, values: Sequence[Any]) -> None:
        """Write the values in one go."""
        if values:
            connection.exec_driver_sql(self.sql, self._parameters(values))

    def _parameters(self, values: Sequence[object]) -> Any:  # noqa: ANN401 - tuples, or mappings where parameters have names
        columns: list[Any] = list(zip(*map(self.get, values), strict=True))
        for index, bind in self.binding:
            columns[index] = bind(columns[index])
        rows = zip(*columns, strict=True)
        return [dict(zip(self.names, row, strict=True)) for row in rows] if self.names else list(rows)


def bulk_insert(connection: Connection, table: Table, attributes: Sequence[str]) -> Bulk:
    """Give a statement that inserts values with these attributes, one a column, in the columns' order.

    A key that is there is an IntegrityError; whoever knows that none is spares the database the question.
    """
    return _bulk(connection.dialect, table, tuple(attributes), _insert)


def bulk_upsert(connection: Connection, table: Table, attributes: Sequence[str]) -> Bulk:
    """Give the statement of `upsert` for values that have these attributes, one a column, in the columns' order."""
    return _bulk(connection.dialect, table, tuple(attributes), _upserting)


@lru_cache(maxsize=32)
def _bulk(dialect: Dialect, table: Table, attributes: tuple[str, ...], statement: Callable[..., Any]) -> Bulk:
    columns = list(table.columns)
    of_column = dict(zip((column.name for column in columns), attributes, strict=True))
    compiled = statement(dialect, table).compile(dialect=dialect, column_keys=list(of_column))
    order = [table.columns[name] for name in compiled.positiontup or of_column]
    binds = [_binding(column.type, dialect) for column in order]
    return Bulk(
        sql=str(compiled),
        get=attrgetter(*(of_column[column.name] for column in order)),
        binding=tuple((index, bind) for index, bind in enumerate(binds) if bind is not None),
        names=() if compiled.positional else tuple(of_column),
    )


def _binding(kind: TypeEngine[Any], dialect: Dialect) -> BindColumn | None:
    """Give what makes parameters of a column; None where the driver takes the values as they are.

    Dates, instants and words come again and again, and so do the details of what one cadence asks for. SQLite's driver
    looks for an adapter of everything but plain numbers and texts, so a truth value is made a number before.
    """
    bind = kind.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return None
    if isinstance(kind, Boolean):
        return None if dialect.supports_native_boolean else partial(map, int)
    if isinstance(kind, JSON):
        return partial(_each_object_once, bind)
    if not isinstance(kind, Date | EnumText | UtcInstant):
        return partial(map, bind)
    kept = lru_cache(maxsize=4096)(bind)
    return partial(_instants, kept, bind) if isinstance(kind, UtcInstant) else partial(map, kept)


def _each_object_once(bind: Callable[[Any], Any], column: Sequence[Any]) -> Iterable[Any]:
    each = {id(value): value for value in column}  # by identity, which holds as long as the column does
    if len(each) == 1:
        return [bind(column[0])] * len(column)
    nothing = bind({})
    bound = {key: nothing if value == {} else bind(value) for key, value in each.items()}
    return [bound[id(value)] for value in column]


def _instants(
    kept: Callable[[Any], Any], bind: Callable[[Any], Any], column: Sequence[datetime | None]
) -> Sequence[Any]:
    if not any(column):
        return column
    # In other zones the two hours that the clocks show twice are equal keys and different instants.
    return [kept(value) if value is None or value.tzinfo is UTC else bind(value) for value in column]


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or update those whose primary key is there."""
    if rows:
        connection.execute(_upserting(connection.dialect, table), rows)


def _upserting(dialect: Dialect, table: Table) -> postgresql.Insert | sqlite.Insert:
    statement = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    if others:
        return statement.on_conflict_do_update(index_elements=keys, set_=others)
    return statement.on_conflict_do_nothing(index_elements=keys)


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows whose primary key is not there; the others stay as they are."""
    if rows:
        keys = [column.name for column in table.primary_key]
        connection.execute(_insert(connection.dialect, table).on_conflict_do_nothing(index_elements=keys), rows)


def insert_unless_there(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert one row unless its primary key is there; gives whether it was not, whoever else is inserting it."""
    keys = [column.name for column in table.primary_key]
    statement = (
        _insert(connection.dialect, table).on_conflict_do_nothing(index_elements=keys).returning(*table.primary_key)
    )
    return connection.execute(statement, row).first() is not None


def _insert(dialect: Dialect, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)
