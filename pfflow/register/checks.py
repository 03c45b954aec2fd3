"""What must hold between the rows of a register. Each check gives findings; none raises, none changes anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from itertools import islice

from pfflow.domain.facts import Facts, key_of
from pfflow.register.aliases import REQUIRED_SHEETS, SHEETS
from pfflow.register.problems import Problem, Severity
from pfflow.register.rows import LISTED, Entry

HUNDRED = Decimal(100)

COMPARED = 5000
"""Among how many references the nearest to a wrong one is still looked for."""

FURTHEST = 3660
"""The most days between a period's end and what is due for it."""

SCALES: Mapping[str, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
"""Lowest and highest answer to each question."""

REFERENCES: tuple[tuple[str, str, tuple[str, ...], Severity], ...] = (
    ("parties", "parent_ref", ("parties",), Severity.PROBLEM),
    ("parties", "owner_ref", ("contacts", "parties"), Severity.REMARK),
    ("contacts", "party_ref", ("parties",), Severity.PROBLEM),
    ("projects", "sponsor_ref", ("parties",), Severity.PROBLEM),
    ("projects", "borrower_ref", ("parties",), Severity.PROBLEM),
    ("participations", "project_ref", ("projects",), Severity.PROBLEM),
    ("participations", "party_ref", ("parties",), Severity.PROBLEM),
    ("milestones", "project_ref", ("projects",), Severity.PROBLEM),
    ("conditions", "project_ref", ("projects",), Severity.PROBLEM),
    ("financials", "subject_ref", ("projects", "parties"), Severity.PROBLEM),
    ("budget", "project_ref", ("projects",), Severity.PROBLEM),
    ("fund_use", "project_ref", ("projects",), Severity.PROBLEM),
    ("assessments", "project_ref", ("projects",), Severity.PROBLEM),
    ("needs", "project_ref", ("projects",), Severity.PROBLEM),
    ("needs", "party_ref", ("parties",), Severity.PROBLEM),
    ("obligations", "project_ref", ("projects",), Severity.PROBLEM),
    ("obligations", "debtor_ref", ("parties",), Severity.PROBLEM),
    ("obligations", "creditor_ref", ("parties",), Severity.PROBLEM),
    ("interactions", "project_ref", ("projects",), Severity.PROBLEM),
    ("interactions", "party_ref", ("parties",), Severity.PROBLEM),
    ("interactions", "contact_ref", ("contacts",), Severity.PROBLEM),
    ("surveys", "project_ref", ("projects",), Severity.PROBLEM),
    ("surveys", "respondent_ref", ("parties",), Severity.PROBLEM),
    ("surveys", "about_ref", ("parties",), Severity.PROBLEM),
    ("interactions", "to_ref", ("contacts",), Severity.PROBLEM),
    ("absences", "contact_ref", ("contacts",), Severity.PROBLEM),
    ("absences", "substitute_ref", ("contacts",), Severity.PROBLEM),
)
"""Sheet, column, the sheets one of whose keys it must be, and how bad it is if not.

A relationship owner may be a user of another system, so an unknown one is a remark.
"""


_TOLD_BY: Mapping[str, str] = {
    "parties": "party_ref",
    "contacts": "contact_ref",
    "projects": "project_ref",
    "participations": "role",
    "milestones": "milestone",
    "conditions": "cp_ref",
    "financials": "metric",
    "budget": "budget_line",
    "fund_use": "voucher",
    "assessments": "factor",
    "needs": "need_ref",
    "raci": "code",
    "obligations": "obligation_ref",
    "interactions": "ext_id",
    "surveys": "question",
    "absences": "since",
}
"""The column of a key that tells two rows apart, where a duplicate is shown."""

_ONE_OF = {"parties": "party", "contacts": "contact", "projects": "project"}


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a register by sheet, beside the facts already known."""

    file: str
    entries: Mapping[str, Sequence[Entry]]
    known: Facts
    _keys: dict[str, set[tuple[str, ...]]] = field(default_factory=dict, repr=False, compare=False)

    def of(self, sheet: str) -> Sequence[Entry]:
        """Give the rows of a sheet."""
        return self.entries.get(sheet, ())

    def keys(self, sheet: str) -> set[tuple[str, ...]]:
        """Give the keys of a sheet, known ones and those of rows that have other problems included."""
        if sheet not in self._keys:
            known = {key_of(sheet, record) for record in self.known.sheets()[sheet]}
            self._keys[sheet] = known | {entry.key for entry in self.of(sheet) if entry.key is not None}
        return self._keys[sheet]


def validated(rows: Rows) -> Iterator[Problem]:
    """Give what every check finds, of each check the first findings only."""
    for check in CHECKS:
        found = list(islice(check(rows), LISTED + 1))
        yield from found[:LISTED]
        if len(found) > LISTED:
            what, expected = f"more problems like the {LISTED} above, not listed", "correct these first"
            yield Problem(file=rows.file, sheet=found[-1].sheet, what=what, expected=expected)


def validate_sheets(rows: Rows) -> Iterator[Problem]:
    """Find which of the sheets that everything refers to is missing, in the file and among what is known."""
    for sheet in SHEETS:
        if sheet.name in REQUIRED_SHEETS and sheet.name not in rows.entries and not rows.known.sheets()[sheet.name]:
            what = f"the sheet {sheet.zh} ({sheet.en}) is missing"
            yield Problem(file=rows.file, what=what, expected=f"add a sheet named {sheet.zh} or {sheet.en}")


def validate_keys(rows: Rows) -> Iterator[Problem]:
    """Find rows of a sheet that have one key."""
    for sheet in SHEETS:
        first: dict[tuple[str, ...], Entry] = {}
        for entry in rows.of(sheet.name):
            if entry.key is None:
                continue
            other = first.setdefault(entry.key, entry)
            if other is not entry:
                what = f"rows {other.row + 1} and {entry.row + 1} have the same key {' / '.join(entry.key)}"
                yield entry.problem(_TOLD_BY[sheet.name], what, "keep one of them, or give one another key")


def validate_references(rows: Rows) -> Iterator[Problem]:
    """Find references to what does not exist."""
    for sheet, column, targets, severity in REFERENCES:
        there = {key[0] for target in targets for key in rows.keys(target)}
        names = " or ".join(_ONE_OF[target] for target in targets)
        for entry in rows.of(sheet):
            reference = entry.values.get(column)
            if reference and reference not in there:
                yield entry.problem(column, f"no {names} has this reference", _near(reference, there), severity)


def validate_budget_lines(rows: Rows) -> Iterator[Problem]:
    """Find payments on no line of their project's budget."""
    lines = rows.keys("budget")
    for entry in rows.of("fund_use"):
        project, line = entry.values.get("project_ref"), entry.values.get("budget_line")
        if project and line and (project, line) not in lines:
            of_project = {name for owner, name in lines if owner == project}
            yield entry.problem("budget_line", f"the budget of {project} has no such line", _near(line, of_project))


def validate_refunds(rows: Rows) -> Iterator[Problem]:
    """Remark negative payments: money that came back, unless it is a slip."""
    for entry in rows.of("fund_use"):
        if entry.values.get("amount", Decimal(0)) < 0:
            yield entry.problem("amount", "negative: read as a refund", severity=Severity.REMARK)


def validate_ownership(rows: Rows) -> Iterator[Problem]:
    """Find parties that own themselves, over however many layers."""
    parents = {party.party_ref: party.parent_ref for party in rows.known.parties}
    of_file = {entry.values["party_ref"]: entry for entry in rows.of("parties") if "party_ref" in entry.values}
    for ref, entry in of_file.items():
        if "parent_ref" in entry.values or entry.header.position_of("parent_ref") is not None:
            parents[ref] = entry.values.get("parent_ref", "")
    told: set[str] = set()
    for ref, entry in of_file.items():
        circle = _circle(ref, parents)
        if circle and not told.intersection(circle):
            told.update(circle)
            what = f"a circle of ownership: {' → '.join([*circle, circle[0]])}"
            yield entry.problem("parent_ref", what, "leave out one of these holdings")


def validate_accountable(rows: Rows) -> Iterator[Problem]:
    """Find activities without exactly one Accountable, and remark those with nobody Responsible."""
    activities: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in rows.of("raci"):
        if entry.key is not None:
            activities[entry.key[0], entry.key[1]].append(entry)
    for (phase, activity), entries in activities.items():
        accountable = [entry for entry in entries if entry.values["code"] == "A"]
        numbers = ", ".join(str(entry.row + 1) for entry in (accountable or entries))
        if len(accountable) != 1:
            what = f"{activity} in {phase} has {len(accountable)} Accountable (row{'s' * (',' in numbers)} {numbers})"
            yield (accountable or entries)[-1].problem("code", what, "give exactly one role the code A")
        if not any(entry.values["code"] == "R" for entry in entries):
            what = f"{activity} in {phase} has nobody Responsible"
            yield entries[-1].problem("code", what, "give a role the code R", Severity.REMARK)


def validate_shares(rows: Rows) -> Iterator[Problem]:
    """Find roles of a project whose shares are more than the whole."""
    shares: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in rows.of("participations"):
        if entry.key is not None and entry.values.get("share") is not None:
            shares[entry.key[0], entry.key[2]].append(entry)
    for (project, role), entries in shares.items():
        total = sum((entry.values["share"] for entry in entries if not entry.values.get("until")), Decimal(0))
        if total > HUNDRED:
            numbers = ", ".join(str(entry.row + 1) for entry in entries)
            what = f"the shares of {role} in {project} add up to {total:f}% (rows {numbers})"
            yield entries[-1].problem("share", what, "correct them, or say until when a former share was held")


def validate_order_of_dates(rows: Rows) -> Iterator[Problem]:
    """Find what ends before it begins."""
    pairs = (
        ("participations", "since", "until"),
        ("projects", "fc_date", "maturity_date"),
        ("projects", "cod_date", "maturity_date"),
        ("obligations", "first", "last"),
        ("absences", "since", "until"),
    )
    for sheet, begins, ends in pairs:
        for entry in rows.of(sheet):
            start, end = entry.values.get(begins), entry.values.get(ends)
            if isinstance(start, date) and isinstance(end, date) and end < start:
                yield entry.problem(ends, f"before {begins} ({start.isoformat()})", "correct one of the two dates")


def validate_scores(rows: Rows) -> Iterator[Problem]:
    """Find grades and answers off their scales."""
    for entry in rows.of("surveys"):
        question, score = str(entry.values.get("question", "")), entry.values.get("score")
        if question in SCALES and score is not None and not SCALES[question][0] <= score <= SCALES[question][1]:
            low, high = SCALES[question]
            yield entry.problem("score", f"off the scale of {question}", f"write a number from {low} to {high}")
        elif question in SCALES and score is not None and score != int(score):
            what = f"{question} is answered in whole numbers"
            yield entry.problem("score", what, "write what was chosen, one row an answer, and no average")
    for entry in rows.of("assessments"):
        if not 1 <= entry.values.get("grade", 1) <= 4:
            yield entry.problem("grade", "off the scale", "write 1 (strong) to 4 (weak)")


def validate_covenants(rows: Rows) -> Iterator[Problem]:
    """Find covenants with a part missing, days that lead out of any calendar, and negative days of grace."""
    parts = ("metric", "operator", "threshold")
    for entry in rows.of("obligations"):
        missing = [part for part in parts if part not in entry.values]
        if missing and len(missing) < len(parts):
            what = f"a covenant without {' and '.join(missing)}"
            yield entry.problem(missing[0], what, "fill in metric, operator and threshold, or none of them")
        if abs(entry.values.get("offset_days", 0)) > FURTHEST:
            yield entry.problem("offset_days", "further than ten years from the period's end", "write days, as 45")
        if entry.values.get("grace_days", 0) < 0:
            yield entry.problem("grace_days", "negative days of grace", "write 0 or more")


def validate_milestones(rows: Rows) -> Iterator[Problem]:
    """Find what hangs on a milestone that its project does not have, or on a milestone and a date of its own."""
    there = rows.keys("milestones")
    for sheet, own_date in (("conditions", "due"), ("obligations", "first")):
        for entry in rows.of(sheet):
            project, milestone = entry.values.get("project_ref"), getattr(entry.record, "milestone", "")
            if not milestone:
                continue
            if (project, milestone) not in there:
                known = {name for of_project, name in there if of_project == project}
                yield entry.problem("milestone", f"{project} has no such milestone", _near(milestone, known))
            if getattr(entry.record, own_date) is not None:
                what = f"a date of its own beside the milestone {milestone}"
                yield entry.problem(own_date, what, f"leave {own_date} or milestone empty")
            if getattr(entry.record, "frequency", "once") != "once":
                yield entry.problem("frequency", "what hangs on a milestone is owed once", "write once")
            if getattr(entry.record, "metric", ""):
                yield entry.problem("milestone", "a covenant is tested by its periods", "leave milestone empty")
            if sheet == "conditions" and abs(getattr(entry.record, "offset_days", 0)) > FURTHEST:
                yield entry.problem("offset_days", "further than ten years from the milestone", "write days, as -30")


def validate_substitutes(rows: Rows) -> Iterator[Problem]:
    """Find absences nobody can stand in for: oneself, or a circle of people who are away at once.

    A substitute who is away too is remarked where another stands in for them, since the letter goes on to that one.
    """
    away: dict[str, list[tuple[date, date, str]]] = defaultdict(list)
    for absence in rows.known.absences:
        away[absence.contact_ref].append((absence.since, absence.until, absence.substitute_ref))
    for entry in rows.of("absences"):
        ref, since, until = (entry.values.get(name) for name in ("contact_ref", "since", "until"))
        if isinstance(ref, str) and isinstance(since, date) and isinstance(until, date):
            known = [one for one in away[ref] if one[0] != since]
            away[ref] = [*known, (since, until, str(entry.values.get("substitute_ref") or ""))]
    for entry in rows.of("absences"):
        ref, since = entry.values.get("contact_ref"), entry.values.get("since")
        own = next((one for one in away.get(str(ref), ()) if one[0] == since), None)
        if own is None or not own[2]:
            continue
        if own[2] == ref:
            yield entry.problem("substitute_ref", f"{ref} stands in for themselves", "name somebody else, or nobody")
            continue
        chain = _chain(str(ref), own, away)
        if chain[-1] in chain[:-1]:
            what = f"a circle of people away at once: {' → '.join(chain)}"
            yield entry.problem("substitute_ref", what, "name somebody who is there")
        elif len(chain) > 2:
            what = f"{chain[1]} is away in these days too, so {chain[-1]} stands in"
            yield entry.problem("substitute_ref", what, "name the one who is there", Severity.REMARK)


def _chain(
    ref: str, absence: tuple[date, date, str], away: Mapping[str, Sequence[tuple[date, date, str]]]
) -> list[str]:
    """Give who stands in for whom while an absence lasts, up to one who is there or who was named before."""
    since, until, substitute = absence
    chain = [ref]
    while substitute and substitute not in chain:
        chain.append(substitute)
        over = (one for one in away.get(substitute, ()) if one[0] <= until and since <= one[1])
        since, until, substitute = next(over, (since, until, ""))
    return [*chain, substitute] if substitute else chain


Check = Callable[[Rows], Iterable[Problem]]

CHECKS: tuple[Check, ...] = (
    validate_sheets,
    validate_keys,
    validate_references,
    validate_budget_lines,
    validate_refunds,
    validate_ownership,
    validate_accountable,
    validate_shares,
    validate_order_of_dates,
    validate_scores,
    validate_covenants,
    validate_milestones,
    validate_substitutes,
)


def _near(reference: str, there: Iterable[str]) -> str:
    by_fold = {name.casefold(): name for name in sorted(there)}
    near = get_close_matches(reference.casefold(), by_fold, n=3) if len(by_fold) <= COMPARED else []
    return (
        f"did you mean {' or '.join(by_fold[name] for name in near)}?" if near else "add it, or correct the reference"
    )


def _circle(ref: str, parents: Mapping[str, str]) -> list[str]:
    path: list[str] = []
    while ref and ref not in path:
        path.append(ref)
        ref = parents.get(ref, "")
    return path[path.index(ref) :] if ref else []
