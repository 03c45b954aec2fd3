"""The command that rehearses a register and a playbook: thirty years in seconds, before anybody is mailed."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pfflow.cli.console import REFUSED, WRONG_CALL, day, refuse, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from pfflow.domain.facts import Facts
    from pfflow.domain.playbook import Playbook
    from pfflow.domain.reports import Report
    from pfflow.rehearsal.comparing import Compared
    from pfflow.rehearsal.figures import Rehearsed
    from pfflow.rehearsal.keeping import Keeper
    from pfflow.rehearsal.running import Stage
    from pfflow.rehearsal.script import Script


_LOOKED_AHEAD = 4
"""Years beyond the last day that a decision on it may look at."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rehearse")(rehearse)


def rehearse(  # noqa: PLR0917 - a command's options have names where they are written
    folder: Annotated[
        Path | None, typer.Argument(help="A folder with register.xlsx and playbook.yaml, and maybe rehearsal.yaml.")
    ] = None,
    register: Annotated[Path | None, typer.Option("--register", help="The register, instead of the folder's.")] = None,
    playbook: Annotated[Path | None, typer.Option("--playbook", help="The playbook, instead of the folder's.")] = None,
    script: Annotated[
        Path | None, typer.Option("--script", help="How people answer and what happens; the folder's if not given.")
    ] = None,
    until: Annotated[str, typer.Option("--until", help="The last day, such as 2056-12-31.")] = "",
    begin: Annotated[
        str, typer.Option("--from", help="The first day; the playbook's effective day if not given.")
    ] = "",
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", help="Another playbook, or another script, to compare with; may be repeated."),
    ] = None,
    project: Annotated[list[str] | None, typer.Option("--project", help="Only this project; may be repeated.")] = None,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", help="Keep the decisions in this new SQLite file, so that pfflow why can explain them."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write HTML, XLSX, ICS and JSON into this folder.")] = None,
    language: Annotated[str, typer.Option("--language", help="zh-CN or en.")] = "zh-CN",
    cores: Annotated[int | None, typer.Option("--cores", min=1, help="On how many cores; all if not given.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Write the findings as JSON, for machines.")] = False,
) -> None:
    """Live a register and a playbook through the years, with no mail and no server, and say what comes of it.

    The real decisions are made under a simulated clock. People answer on time unless a script says otherwise.
    """
    from pfflow.domain.words import LANGUAGES
    from pfflow.rehearsal.comparing import Compared, comparison_of
    from pfflow.rehearsal.files import as_json as json_of
    from pfflow.rehearsal.files import comparison_json, files_of, files_of_comparison

    if language not in LANGUAGES:
        raise refuse(f"{language!r} is no language of a report; write {' or '.join(LANGUAGES)}", WRONG_CALL)
    if not until:
        raise refuse("say up to which day: --until 2056-12-31", WRONG_CALL)
    text = _named(folder, playbook, "playbook.yaml")
    stage = _stage(_named(folder, register, "register.xlsx"), text, project)
    stage = _through(_scripted(stage, script or _beside(folder)), begin, until)
    found = _run(stage, cores, _keeper(keep, stage, text, against))
    if not against:
        if as_json:
            typer.echo(json.dumps(json_of(found), ensure_ascii=False, indent=2))
        else:
            _say(found, language)
        _write(out, files_of(found, stage.playbook, language) if out else ())
        _say_kept(keep, found, language)
        return
    compared = [Compared(found, _run(_changed(stage, one), cores)) for one in against]
    if as_json:
        said = [comparison_json(both) for both in compared]
        typer.echo(json.dumps(said[0] if len(said) == 1 else said, ensure_ascii=False, indent=2))
    else:
        for number, both in enumerate(compared):
            if number:
                typer.echo("")
            _say_comparison(both, comparison_of(both), language)
    if out is not None:
        files = [*files_of(found, stage.playbook, language)]
        for number, both in enumerate(compared, 1):
            files += files_of_comparison(both, language, number)
        _write(out, files)


def _named(folder: Path | None, given: Path | None, name: str) -> Path:
    if given is not None:
        return given
    if folder is None:
        raise refuse(
            "name a folder with register.xlsx and playbook.yaml, or give --register and --playbook", WRONG_CALL
        )
    return folder / name


def _beside(folder: Path | None) -> Path | None:
    path = folder / "rehearsal.yaml" if folder is not None else None
    return path if path is not None and path.is_file() else None


def _stage(register: Path, playbook: Path, projects: list[str] | None) -> Stage:
    from dataclasses import replace
    from datetime import date

    from pfflow.cli.console import known_projects
    from pfflow.register import read_register
    from pfflow.rehearsal.living import Span
    from pfflow.rehearsal.running import Stage

    if not register.exists():
        raise refuse(f"{register}: there is no such file", WRONG_CALL)
    reading = read_register(register)
    if not reading.can_be_written:
        for problem in reading.problems:
            typer.echo(str(problem), err=True)
        raise refuse(f"{register} is not usable")
    facts = reading.facts
    refs = known_projects(tuple(one.project_ref for one in facts.projects), projects)
    facts = replace(facts, projects=tuple(one for one in facts.projects if one.project_ref in refs))
    return Stage(facts, _playbook(playbook), Span(date.max, date.max))


def _playbook(path: Path) -> Playbook:
    from pfflow.cli.playbooks import refuse_unknown_calendars
    from pfflow.playbook import read_playbook

    reading = read_playbook(path)
    if reading.playbook is None:
        for problem in reading.problems:
            typer.echo(str(problem), err=True)
        raise refuse(f"{path} is not usable")
    refuse_unknown_calendars(path, reading.playbook.calendars)
    return reading.playbook


def _scripted(stage: Stage, path: Path | None) -> Stage:
    from dataclasses import replace

    return replace(stage, script=_script(path, stage.facts)) if path is not None else stage


def _script(path: Path, facts: Facts) -> Script:
    from pfflow.rehearsal.reading import read_script

    reading = read_script(path, facts)
    for problem in reading.problems:
        typer.echo(str(problem), err=True)
    if reading.script is None:
        raise refuse(f"{path} is not usable")
    return reading.script


def _through(stage: Stage, begin: str, until: str) -> Stage:
    from dataclasses import replace

    from pfflow.calendars import LAST_YEAR
    from pfflow.rehearsal.living import Span

    first, last = day(begin) if begin else stage.playbook.effective, day(until)
    furthest = LAST_YEAR - _LOOKED_AHEAD
    if last.year > furthest:
        raise refuse(f"--until {last} is too far ahead: calendars reach as far as {furthest}", WRONG_CALL)
    if last < first:
        raise refuse(f"--until {last} is before the first day, {first}; exchange the two, or give --from", WRONG_CALL)
    return replace(stage, span=Span(first, last))


def _changed(stage: Stage, against: Path) -> Stage:
    """Give the other rehearsal: with another playbook, or with another script where the file is one."""
    from dataclasses import replace

    text = against.read_text(encoding="utf-8-sig", errors="replace") if against.is_file() else ""
    if any(line.startswith("rehearsal:") for line in text.splitlines()):
        return replace(stage, script=_script(against, stage.facts))
    return replace(stage, playbook=_playbook(against))


def _keeper(path: Path | None, stage: Stage, playbook: Path, against: list[Path] | None) -> Keeper | None:
    """Give what keeps a rehearsal in a file, where one is named; refuses before anything is lived."""
    from pfflow.rehearsal.keeping import Keeper

    if path is None:
        return None
    if against:
        raise refuse(
            "--keep keeps one rehearsal, and --against compares it with others; rehearse and keep each by itself, "
            "in a file of its own",
            WRONG_CALL,
        )
    refs = [one.project_ref for one in stage.facts.projects]
    if len(refs) > 1:
        raise refuse(
            f"--keep keeps one project, since each is rehearsed by itself; name it with --project: {', '.join(refs)}",
            WRONG_CALL,
        )
    if "?" in str(path.resolve()):
        raise refuse(
            f"{path}: a database's name, and those of its folders, may have no question mark; name another file",
            WRONG_CALL,
        )
    if path.exists():
        raise refuse(f"{path} exists; name another file")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise refuse(f"{path.parent} is no folder that can be written to")
    return Keeper(path, playbook.read_text(encoding="utf-8"), _year_begins(stage.span.first.year))


def _year_begins(first: int) -> Callable[[date], None]:
    """Give what says on standard error that another year than the first is being lived."""

    def say(on: date) -> None:
        if on.year > first:
            typer.echo(f"{on.year} …", err=True)

    return say


def _say_kept(kept: Path | None, found: Rehearsed, language: str) -> None:
    """Say on standard error where it is kept, if it is, and how to ask it."""
    from pfflow.domain.words import Words

    if kept is None:
        return
    late = next(iter(found.late or found.dates), None)
    which = late.obligation.key if late else "REFERENCE"
    url = shlex.quote(f"sqlite:///{kept}")
    ask = f"PFFLOW_DB={url} pfflow why {which}"
    said = Words(f"已存入 {kept}，仅供查阅，永不发出：{ask}", f"{kept} keeps it, to be read and never sent: {ask}")
    typer.echo(said.in_language(language), err=True)


def _run(stage: Stage, cores: int | None, keeper: Keeper | None = None) -> Rehearsed:
    from pfflow.rehearsal.living import RehearsalError
    from pfflow.rehearsal.running import rehearse as run

    try:
        return run(stage, cores=cores or os.cpu_count() or 1, keeper=keeper)
    except RehearsalError as error:
        raise refuse(str(error), REFUSED) from None


def _say(found: Rehearsed, language: str) -> None:
    """Say it on one screen: the sentences, and the people with the most to do."""
    from pfflow.rehearsal.saying import sentences
    from pfflow.rehearsal.tables import report_of
    from pfflow.rendering.reports import shown

    view = shown(report_of(found), language, 6)
    typer.echo(view.title)
    for sentence in sentences(found):
        typer.echo(f"  {sentence.in_language(language)}")
    for shown_table in view.tables[:1]:
        typer.echo("")
        table([title for title, _ in shown_table.columns], shown_table.rows, none="")


def _say_comparison(both: Compared, report: Report, language: str) -> None:
    from pfflow.rehearsal.saying import sentences
    from pfflow.rendering.reports import shown

    view = shown(report, language, 16)
    typer.echo(view.title)
    for found in (both.now, both.then):
        typer.echo(f"  {found.playbook} · {found.script}: {next(iter(sentences(found))).in_language(language)}")
    for shown_table in view.tables[:3]:
        typer.echo("")
        typer.echo(shown_table.title)
        table([title for title, _ in shown_table.columns], shown_table.rows, none="")


def _write(out: Path | None, files: object) -> None:
    from collections.abc import Iterable
    from typing import cast

    if out is None:
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, written in cast("Iterable[tuple[str, bytes]]", files):
        (out / name).write_bytes(written)
        typer.echo(f"{out / name}", err=True)
