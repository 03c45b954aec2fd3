"""What a house entered about holidays, and the calendars that dates were planned by.

A list is kept by its calendar's code and replaced by year; `calendar_list` says who entered which version of it. An
edition is a whole calendar as a decision used it, kept once under its version, which is a digest of it: what is read
back is computed anew and must have the same digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text

from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.holiday_lists import HouseList, OwnHoliday
from pfflow.domain.ledger import EntryDraft, canonical_json
from pfflow.store import chain
from pfflow.store.errors import BrokenEditionError, UnknownEditionError
from pfflow.store.fact_tables import FACT_TABLES
from pfflow.store.fact_writes import raise_versions
from pfflow.store.statements import insert_missing, table_of
from pfflow.store.tables import CalendarEditionRow, CalendarListRow, OwnHolidayRow

CALENDAR = "calendar"
"""The `stage` of ledger entries about holiday lists."""

_SHORTEST = 12
"""How many characters of a version name an edition: as many as ledger entries have."""
_LIST_LOCK = 7066_1003  # any number, the same in every version: two imports of one list would count one version twice


@dataclass(frozen=True, slots=True, kw_only=True)
class ListImport:
    """What an import of a list did: its version, and the projects that decide anew. `changed` is false for none."""

    version: int
    projects: tuple[str, ...] = ()
    changed: bool = True


def import_list(connection: Connection, entered: HouseList, *, everywhere: bool, at: datetime, by: str) -> ListImport:
    """Put a list's years in place of what was entered for them; the same list again changes nothing.

    The projects concerned get a higher version and an entry in their ledger: all of them if `everywhere`, else those
    whose own calendars name the list's.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LIST_LOCK})
    version, before = _held(connection, entered.calendar)
    after = before.with_years(entered.days, entered.published_until)
    if after == before:
        return ListImport(version=version, changed=False)
    rows = table_of(OwnHolidayRow)
    connection.execute(delete(rows).where(rows.c.calendar == entered.calendar))
    connection.execute(
        insert(rows),
        [{"calendar": entered.calendar, "day": one.on, "name": one.name, "kind": one.kind} for one in after.days],
    )
    digest = _digest(after)
    connection.execute(
        insert(table_of(CalendarListRow)),
        {
            "calendar": entered.calendar,
            "version": version + 1,
            "published_until": after.published_until,
            "imported_at": at,
            "imported_by": by,
            "sha256": digest,
        },
    )
    concerned = _concerned(connection, entered.calendar, everywhere=everywhere)
    raise_versions(connection, concerned)
    draft = EntryDraft(
        at=at,
        stage=CALENDAR,
        kind="imported",
        subject=f"{entered.calendar}/{version + 1}",
        data={
            "years": sorted(entered.years()),
            "published_until": after.published_until.isoformat() if after.published_until else None,
            "sha256": digest,
            "by": by,
        },
    )
    chain.append(connection, {ref: [draft] for ref in concerned})
    return ListImport(version=version + 1, projects=concerned)


def lists(connection: Connection) -> tuple[HouseList, ...]:
    """Give all lists as they now stand, in order of their calendars."""
    versions = select(CalendarListRow.calendar, CalendarListRow.published_until).order_by(CalendarListRow.version)
    until = {row.calendar: row.published_until for row in connection.execute(versions)}
    days: dict[str, list[OwnHoliday]] = {calendar: [] for calendar in until}
    for row in connection.execute(select(OwnHolidayRow.__table__).order_by(OwnHolidayRow.day)):
        days[row.calendar].append(OwnHoliday(row.day, row.name, row.kind))
    return tuple(HouseList(calendar, tuple(days[calendar]), until[calendar]) for calendar in sorted(until))


class KeptLists:
    """The lists as they were last read; read again only when one was imported. Safe to share between threads."""

    def __init__(self) -> None:
        self._kept: tuple[object, tuple[HouseList, ...]] = ((), ())

    def of(self, connection: Connection) -> tuple[HouseList, ...]:
        """Give the lists as the connection's transaction sees them."""
        newest = select(CalendarListRow.calendar, func.max(CalendarListRow.version)).group_by(CalendarListRow.calendar)
        versions = tuple(sorted(map(tuple, connection.execute(newest))))
        kept = self._kept
        if kept[0] != versions:
            kept = self._kept = (versions, lists(connection))
        return kept[1]


def keep_edition(connection: Connection, calendar: BusinessCalendar) -> None:
    """Keep a calendar under its version, unless it is kept already."""
    here = select(CalendarEditionRow.version).where(CalendarEditionRow.version == calendar.version)
    if connection.execute(here).first() is not None:
        return
    days = sorted(calendar.holidays | calendar.make_up_workdays)
    row = {
        "version": calendar.version,
        "code": calendar.code,
        "first_year": days[0].year if days else None,
        "last_year": days[-1].year if days else None,
        "holidays": _texts(calendar.holidays),
        "make_up_workdays": _texts(calendar.make_up_workdays),
        "weekend": sorted(calendar.weekend),
        "published_until": calendar.published_until,
    }
    insert_missing(connection, table_of(CalendarEditionRow), [row])


def edition(connection: Connection, version: str) -> BusinessCalendar:
    """Give the calendar of a version, or of its first twelve characters or more as ledger entries have them.

    Raises UnknownEditionError, and BrokenEditionError where what is kept no longer has the digest it is kept under.
    """
    kept = CalendarEditionRow.version
    condition = kept.startswith(version, autoescape=True) if len(version) >= _SHORTEST else kept == version
    found = connection.execute(select(CalendarEditionRow.__table__).where(condition)).all()
    if len(found) != 1:
        raise UnknownEditionError(version)
    row = found[0]
    calendar = BusinessCalendar(
        code=row.code,
        holidays=_dates(row.holidays),
        make_up_workdays=_dates(row.make_up_workdays),
        weekend=frozenset(row.weekend),
        published_until=row.published_until,
    )
    if calendar.version != row.version:
        raise BrokenEditionError(row.version)
    return calendar


def _held(connection: Connection, calendar: str) -> tuple[int, HouseList]:
    columns = select(CalendarListRow.version, CalendarListRow.published_until)
    mine = columns.where(CalendarListRow.calendar == calendar).order_by(CalendarListRow.version.desc()).limit(1)
    last = connection.execute(mine).first()
    rows = select(OwnHolidayRow.__table__).where(OwnHolidayRow.calendar == calendar).order_by(OwnHolidayRow.day)
    days = tuple(OwnHoliday(row.day, row.name, row.kind) for row in connection.execute(rows))
    return (last.version, HouseList(calendar, days, last.published_until)) if last else (0, HouseList(calendar))


def _concerned(connection: Connection, calendar: str, *, everywhere: bool) -> tuple[str, ...]:
    projects = FACT_TABLES["projects"].c
    rows = connection.execute(select(projects.project_ref, projects.calendars)).all()
    return tuple(sorted(ref for ref, own in rows if everywhere or calendar in _codes(own)))


def _codes(calendars: str) -> set[str]:
    return {code.strip().upper() for code in calendars.replace("+", ",").split(",")}


def _digest(entered: HouseList) -> str:
    rows = [[one.on.isoformat(), one.name, one.kind] for one in entered.days]
    until = entered.published_until.isoformat() if entered.published_until else None
    return sha256(canonical_json([entered.calendar, until, rows]).encode()).hexdigest()


def _texts(days: Iterable[date]) -> list[str]:
    return [one.isoformat() for one in sorted(days)]


def _dates(texts: Sequence[Any]) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, texts))
