"""The command that brings in a holiday list: an official one on the day it is published, or a house's own days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pfflow.cli.console import WRONG_CALL, counted, day, refuse

if TYPE_CHECKING:
    from pfflow.domain.holiday_lists import HouseList
    from pfflow.store import SqlStore

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def import_list(
    file: Annotated[Path, typer.Argument(help="date, name and kind (holiday or workday), as .csv, .yaml or .yml.")],
    *,
    calendar: Annotated[str, typer.Option(help="Whose list it is, such as CN; without it, the house's own.")] = "",
    published_until: Annotated[
        str, typer.Option(help="The file is the official list up to this day, 2027-12-31.")
    ] = "",
    by: Annotated[str, typer.Option(help="Who imports; goes into the ledger.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
) -> None:
    """Bring in a holiday list; dates are planned anew where it moves them.

    The file replaces what was entered for the calendar in the years it has days in.
    """
    from pfflow.bootstrap import NotReadyError, now, opened_store, playbook_in_force
    from pfflow.calendars import CalendarError, check_house_list, codes_in, read_own_holidays
    from pfflow.domain.holiday_lists import HOUSE, HouseList
    from pfflow.settings import Settings

    until = day(published_until) if published_until else None
    try:
        entered = HouseList(calendar.strip().upper() or HOUSE, read_own_holidays(file), until)
    except CalendarError as error:
        raise refuse(f"{error}\nnothing was written") from None
    with opened_store(Settings()) as store:
        before = next((one for one in store.house_lists() if one.calendar == entered.calendar), None)
        held = before or HouseList(entered.calendar)
        after = held.with_years(entered.days, until)
        try:
            check_house_list(after)
        except CalendarError as error:
            raise refuse(f"{file}: {error}", WRONG_CALL) from None
        if after == held:
            typer.echo("nothing changed" if not dry_run else "dry run: nothing would change")
            return
        _show(held, after, sorted(entered.years()))
        if dry_run:
            typer.echo("dry run: nothing was written")
            return
        try:
            codes = [code for named in playbook_in_force(store).calendars for code in codes_in(named)]
        except NotReadyError:
            codes = []
        done = store.import_holidays(
            entered, now(), by, everywhere=entered.calendar == HOUSE or entered.calendar in codes
        )
        typer.echo(f"{_where(entered.calendar)}: version {done.version}; {_anew(store, done.projects)}")


def _show(held: HouseList, after: HouseList, years: Sequence[int]) -> None:
    """Say which days change, and how far the calendar is published now."""
    from pfflow.calendars import house_calendar
    from pfflow.domain.business_days import WEEKENDS_ONLY
    from pfflow.domain.holiday_lists import HOUSE

    codes = [WEEKENDS_ONLY.code] if after.calendar == HOUSE else [after.calendar]
    old = house_calendar(codes, years[0], years[-1], [held])
    new = house_calendar(codes, years[0], years[-1], [after])
    names = {one.on: f": {one.name}" for one in after.days}
    one, last, changed = date(years[0], 1, 1), date(years[-1], 12, 31), 0
    while one <= last:
        worked = new.is_business_day(one)
        if worked != old.is_business_day(one):
            changed += 1
            now = "worked" if worked else "off"
            typer.echo(f"{'+' if worked else '-'} {one} {WEEKDAYS[one.weekday()]} is now {now}{names.get(one, '')}")
        one += timedelta(days=1)
    if not changed:
        typer.echo("= every day is worked or off as before")
    if new.published_until != old.published_until:
        typer.echo(f"{after.calendar} was published until {old.published_until}, is now until {new.published_until}")


def _where(calendar: str) -> str:
    from pfflow.domain.holiday_lists import HOUSE

    return "the house's own days" if calendar == HOUSE else f"the list of {calendar}"


def _anew(store: SqlStore, projects: Sequence[str]) -> str:
    if projects:
        return f"{counted(len(projects), 'project')} of {len(store.project_refs())} decide anew"
    return "no project's dates depend on it yet"
