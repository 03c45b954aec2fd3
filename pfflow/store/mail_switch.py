"""The stop switch: kept in the database, so that it holds for every worker and flow from its next lease on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from pfflow.store.statements import table_of
from pfflow.store.tables import MailSwitchRow

_SWITCH = table_of(MailSwitchRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTurn:
    """One turn of the switch: whether mail stopped or started, who turned it, when and why."""

    stopped: bool
    turned_at: datetime
    turned_by: str
    because: str


def turn(connection: Connection, made: MailTurn) -> bool:
    """Turn the switch; gives whether that changed anything. Every turn that did is kept."""
    if made.stopped == is_stopped(connection):
        return False
    values = {name: getattr(made, name) for name in ("stopped", "turned_at", "turned_by", "because")}
    connection.execute(insert(_SWITCH).values(values))
    return True


def is_stopped(connection: Connection) -> bool:
    """Whether no letter may leave now."""
    last = select(_SWITCH.c.stopped).order_by(_SWITCH.c.turn.desc()).limit(1)
    return bool(connection.execute(last).scalar())


def turns(connection: Connection) -> tuple[MailTurn, ...]:
    """Give every turn of the switch, the last one first."""
    rows = connection.execute(select(_SWITCH).order_by(_SWITCH.c.turn.desc()))
    return tuple(
        MailTurn(stopped=row.stopped, turned_at=row.turned_at, turned_by=row.turned_by, because=row.because)
        for row in rows
    )
