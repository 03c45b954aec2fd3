"""Reading a rehearsal's script: YAML as the playbook's, each mistake with its line and what would be right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pfflow.domain.facts import Facts
from pfflow.playbook.mistakes import mistakes
from pfflow.playbook.problems import PlaybookProblem
from pfflow.playbook.source import Source, read_source
from pfflow.rehearsal.script import Script

_BEGIN = "begin with the key rehearsal and the script's name"


@dataclass(frozen=True, slots=True)
class ScriptReading:
    """What became of a script: it, unless a problem stands; and the problems in the order of their lines."""

    script: Script | None
    problems: tuple[PlaybookProblem, ...]


def read_script(path: Path, facts: Facts) -> ScriptReading:
    """Read a script's file; a file that cannot be opened or is not UTF-8 is a problem too.

    Names in it are looked up in the register's facts.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return _unreadable(path.name, f"the file cannot be read: {error.strerror or error}", "check its name")
    except UnicodeDecodeError:
        return _unreadable(path.name, "the file is not UTF-8", "save it as UTF-8")
    return parse_script(text, path.name, facts)


def parse_script(text: str, name: str, facts: Facts) -> ScriptReading:
    """Read a script's text; `name` is the file's name in problems."""
    source = read_source(text, name, begin=_BEGIN)
    problems = list(source.problems)
    script: Script | None = None
    if isinstance(source.data, dict):
        try:
            script = Script.model_validate(source.data)
        except ValidationError as error:
            said = {(problem.line, problem.column) for problem in problems}
            problems += [one for one in mistakes(error, source, Script) if (one.line, one.column) not in said]
    elif not problems:
        problems.append(source.finding((), "the file holds no keys", _BEGIN))
    if script is not None:
        problems += _unknown(script, source, facts)
    ordered = tuple(sorted(problems, key=lambda one: (one.line, one.column, one.what)))
    return ScriptReading(None if ordered else script, ordered)


def _unknown(script: Script, source: Source, facts: Facts) -> list[PlaybookProblem]:
    """Find the names that the register does not have: a rule for nobody would silently do nothing."""
    contacts = {one.contact_ref for one in facts.contacts}
    parties = {one.party_ref for one in facts.parties}
    roles = {one.role for one in facts.participations}
    projects = {one.project_ref for one in facts.projects}
    milestones = {one.milestone for one in facts.milestones}
    asked: list[tuple[tuple[str | int, ...], str, set[str], str]] = []
    for number, rule in enumerate(script.answers):
        at = ("answers", number)
        asked += [((*at, "contact"), rule.contact, contacts, "contact"), ((*at, "party"), rule.party, parties, "party")]
        asked.append(((*at, "role"), rule.role, roles, "role"))
    for number, away in enumerate(script.absences):
        at = ("absences", number)
        asked.append(((*at, "contact"), away.contact, contacts, "contact"))
        asked.append(((*at, "substitute"), away.substitute, contacts, "contact"))
    for number, happening in enumerate(script.happenings):
        at = ("happenings", number)
        asked.append(((*at, "project"), happening.project, projects, "project"))
        if (passes := happening.hands_over) is not None:
            to = parties if passes.role else contacts
            asked.append(((*at, "hands_over", "role"), passes.role, roles, "role"))
            asked.append(((*at, "hands_over", "contact"), passes.contact, contacts, "contact"))
            asked.append(((*at, "hands_over", "to"), passes.to, to, "party" if passes.role else "contact"))
        if (slip := happening.milestone) is not None:
            asked.append(((*at, "milestone", "milestone"), slip.milestone, milestones, "milestone"))
        if (missed := happening.missed_payment) is not None:
            asked.append(((*at, "missed_payment", "debtor"), missed.debtor, parties, "party"))
            asked.append(((*at, "missed_payment", "creditor"), missed.creditor, parties, "party"))
        if (figure := happening.figure) is not None:
            asked.append(((*at, "figure", "subject"), figure.subject, projects | parties, "project or party"))
    return [
        source.finding(path, f"the register has no {what} {name!r}", _known(known, what))
        for path, name, known, what in asked
        if name and name not in known
    ]


def _known(known: set[str], what: str) -> str:
    some = sorted(known)
    rest = f" and {len(some) - 8} more" if len(some) > 8 else ""
    return f"write one of {', '.join(some[:8])}{rest}" if some else f"the register names no {what} at all"


def _unreadable(name: str, what: str, right: str) -> ScriptReading:
    return ScriptReading(None, (PlaybookProblem(file=name, line=1, column=1, what=what, right=right),))
