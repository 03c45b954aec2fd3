"""Commands on calendars: show one, roll a date, expand a rule, bring in an official list or a house's own days."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, TextIO, cast

import typer

from pfflow.cli.console import WRONG_CALL, counted, refuse, table
from pfflow.cli.holiday_lists import WEEKDAYS, import_list

if TYPE_CHECKING:
    from pfflow.cli.calendar_lines import Almanacs, Answer
    from pfflow.domain.holiday_lists import HouseList

Code = Annotated[str, typer.Argument(help="CN, GB-ENG, an exchange such as XNYS, WEEKENDS, or joint: CN+HK.")]
House = Annotated[bool, typer.Option("--house", help="With the lists imported into the store.")]
Lines = Annotated[str, typer.Option("--json", help="Answer JSON lines: - for standard input, or a file.")]
Convention = Annotated[str, typer.Argument(help="following, modified-following, preceding, …")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    calendars = typer.Typer(
        help="Answer on holidays and business days, and bring in official lists.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    calendars.command("show")(show)
    calendars.command("roll")(roll)
    calendars.command("expand")(expand)
    calendars.command("import")(import_list)
    app.add_typer(calendars, name="calendar")


def show(
    calendar: Code,
    year: Annotated[int, typer.Argument(help="The year, such as 2026.", min=1950, max=2200)],
    *,
    house: House = False,
) -> None:
    """List a year's holidays and make-up working days, and say how far the list is published."""
    from pfflow.calendars import almanac, codes_in

    with _lists(house=house) as lists, _refused():
        codes = codes_in(calendar)
        found = almanac(codes, year, year, tuple(lists))
        provisional = ", provisional" if year in found.unlisted else ""
        rows = [(on, weekday, kind + provisional, name) for on, weekday, kind, name in _rows(codes, year, lists)]
        table(("date", "", "", "name"), rows, none=f"{calendar} has no holidays in {year}")
        days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
        worked = sum(one.year == year and found.calendar.is_business_day(one) for one in days)
        off = sum(one.year == year for one in found.calendar.holidays)
        make_up = sum(one.year == year for one in found.calendar.make_up_workdays)
        typer.echo(
            f"{calendar.upper()} {year}: {counted(worked, 'business day')}, {counted(off, 'holiday')}, "
            f"{counted(make_up, 'make-up working day')}"
        )
        typer.echo(_published(codes, year, lists, provisional=year in found.unlisted))


def _rows(codes: Sequence[str], year: int, lists: Sequence[HouseList]) -> Iterator[tuple[str, str, str, str]]:
    """Give a row for each day that is no ordinary one: date, weekday, what it is, its names."""
    from pfflow.calendars import almanac, holiday_names
    from pfflow.domain.holiday_lists import HOUSE

    named: dict[tuple[date, str], list[str]] = {}
    for code in codes:
        entered = next((one for one in lists if one.calendar == code), None)
        found = almanac((code,), year, year, (entered,) if entered else ())
        names = {one: " / ".join(filter(None, both)) for one, both in holiday_names(code, year).items()}
        names |= {one.on: one.name for one in (entered.days if entered else ())}
        mark = f" ({code})" if len(codes) > 1 else ""
        for days, kind in ((found.calendar.holidays, "holiday"), (found.calendar.make_up_workdays, "working day")):
            for one in days:
                if one.year == year:
                    named.setdefault((one, kind), []).append(names.get(one, "") + mark)
    for own in (own for entered in lists if entered.calendar == HOUSE for own in entered.days):
        if own.on.year == year:
            kind = "holiday" if own.kind == "holiday" else "working day"
            named.setdefault((own.on, kind), []).append(f"{own.name} ({HOUSE})")
    for (one, kind), names_of_day in sorted(named.items()):
        yield one.isoformat(), WEEKDAYS[one.weekday()], kind, ", ".join(names_of_day)


def _published(codes: Sequence[str], year: int, lists: Sequence[HouseList], *, provisional: bool) -> str:
    from pfflow.calendars import LAST_YEAR, house_calendar

    until = house_calendar(codes, year, LAST_YEAR, lists).published_until
    if until == date.max:
        return "no list is needed: weekends are certain"
    if not provisional:
        return f"published until {until}"
    known = f"published until {until}; " if until.year < year else ""
    return f"{known}{year} is provisional: its official list is not known, and its dates may move when it is"


def roll(
    calendar: Annotated[str, typer.Argument(help="As in calendar show.")] = "",
    on: Annotated[str, typer.Argument(metavar="DATE", help="The date, 2026-02-16.")] = "",
    convention: Convention = "",
    *,
    lines: Lines = "",
    house: House = False,
) -> None:
    """Say where a date rolls to, for one date or for JSON lines.

    A line is {"calendar", "date", "convention"}; its answer is {"on", "provisional"}, or {"error"}.
    """
    from pfflow.cli.calendar_lines import ROLL_LIKE

    with _almanacs(house=house) as almanacs:
        if lines:
            if calendar or on or convention:
                raise refuse(
                    "with --json the lines say which dates; leave calendar, date and convention out", WRONG_CALL
                )
            _answer(lines, almanacs.roll, ROLL_LIKE)
            return
        if not (calendar and on and convention):
            raise refuse(
                "write a calendar, a date and a convention, such as CN 2026-02-16 following; or --json -", WRONG_CALL
            )
        with _refused():
            said = almanacs.roll({"calendar": calendar, "date": on, "convention": convention})
    rolled = date.fromisoformat(said["on"])
    typer.echo(f"{_named(rolled)}{', provisional' if said['provisional'] else ''}")


def expand(
    calendar: Annotated[str, typer.Argument(help="As in calendar show.")] = "",
    rule: Annotated[str, typer.Argument(help="An RFC 5545 rule, such as FREQ=MONTHLY;BYMONTHDAY=15,-1.")] = "",
    start: Annotated[str, typer.Argument(help="The first day, 2026-01-01; INTERVAL and COUNT begin there.")] = "",
    until: Annotated[str, typer.Argument(help="The last day, 2026-12-31.")] = "",
    roll: Annotated[str, typer.Option("--roll", help="Where a date goes that is no business day.")] = "following",
    *,
    lines: Lines = "",
    house: House = False,
) -> None:
    """List a rule's dates, each rolled from its own unadjusted date; for one rule or for JSON lines.

    A line is {"rule", "start", "until"}; its answer is {"dates"} as the rule has them, or {"error"}. With "calendar" in
    the line, and "convention" if it is not following, the dates are rolled.
    """
    from pfflow.cli.calendar_lines import EXPAND_LIKE

    with _almanacs(house=house) as almanacs:
        if lines:
            if calendar or rule or start or until:
                raise refuse("with --json the lines say what to expand; leave the rule and its days out", WRONG_CALL)
            _answer(lines, almanacs.expand, EXPAND_LIKE)
            return
        if not (calendar and rule and start and until):
            raise refuse(
                "write a calendar, a rule, a first day and a last day, such as CN FREQ=MONTHLY;BYMONTHDAY=-1 "
                "2026-01-01 2026-12-31; or --json -",
                WRONG_CALL,
            )
        asked = {"calendar": calendar, "rule": rule, "start": start, "until": until, "convention": roll}
        with _refused():
            said = almanacs.expand(asked)
    dates = [tuple(map(date.fromisoformat, pair)) for pair in zip(said["unadjusted"], said["dates"], strict=True)]
    table(
        ("rule's date", "on", ""),
        (
            (
                _named(rule_on),
                _named(on),
                ", ".join(filter(None, ("moved" * (on != rule_on), "provisional" * provisional))),
            )
            for (rule_on, on), provisional in zip(dates, said["provisional"], strict=True)
        ),
        none=f"{rule} has no date from {start} to {until}",
    )
    if dates:
        typer.echo(f"{counted(len(dates), 'date')}, {sum(on != own for own, on in dates)} moved")


def _named(one: date) -> str:
    return f"{one} {WEEKDAYS[one.weekday()]}"


@contextmanager
def _refused() -> Iterator[None]:
    """Turn what is wrong with a calendar, date, convention or rule into a sentence."""
    from pfflow.calendars import CalendarError
    from pfflow.cli.calendar_lines import LineError
    from pfflow.domain.business_days import ConventionError
    from pfflow.domain.rules import RecurrenceError

    try:
        yield
    except (CalendarError, LineError, ConventionError, RecurrenceError) as error:
        raise refuse(str(error), WRONG_CALL) from None


@contextmanager
def _lists(*, house: bool) -> Iterator[Sequence[HouseList]]:
    """Give what the house has entered, or nothing; the store is opened only if it is asked for."""
    if not house:
        yield ()
        return
    from pfflow.bootstrap import opened_store
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        yield store.house_lists()


@contextmanager
def _almanacs(*, house: bool) -> Iterator[Almanacs]:
    from pfflow.cli.calendar_lines import Almanacs

    with _lists(house=house) as lists:
        yield Almanacs(lists)


def _answer(source: str, answer: Callable[[Mapping[str, Any]], Answer], like: str) -> None:
    """Answer each line as soon as it is read, so that a program may ask and wait."""
    from pfflow.cli.calendar_lines import answers

    write, flush = sys.stdout.write, sys.stdout.flush
    with _opened(source) as lines:
        for text in answers(lines, answer, like):
            write(text + "\n")
            flush()


@contextmanager
def _opened(source: str) -> Iterator[Iterable[bytes | str]]:
    if source == "-":
        yield cast("BinaryIO | TextIO", getattr(sys.stdin, "buffer", sys.stdin))
        return
    with Path(source).open("rb") as lines:
        yield lines
