"""Wrong playbooks: the good one with one thing changed, and what the loader says, to the letter where it matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfflow.playbook import PlaybookReading, parse_playbook, read_playbook

FILE = Path(__file__).parent / "data" / "playbook.yaml"
GOOD = FILE.read_text(encoding="utf-8")


def changed(old: str, new: str) -> PlaybookReading:
    """Read the good playbook with the first `old` made `new`."""
    assert old in GOOD
    return parse_playbook(GOOD.replace(old, new, 1))


def line_of(text: str) -> int:
    """Give the line in the good playbook that the text stands in first, so that the tests survive a new key above."""
    return GOOD[: GOOD.index(text)].count("\n") + 1


MODELS = [
    ("channels: [chat]", "channels: []", 69, "channels: it is empty; write at least one"),
    ("channels: [chat]", "channels: [chat, chat]", 69, "chat stands here twice; write it once"),
    ("language: zh-CN}", "language: fr}", 68, "'fr' is not one of the choices"),
    ("version: 3", 'version: "3"', 10, "version: '3' is not a whole number; write digits without quotation marks"),
    ("version: 3", "version: true", 10, "version: true is not a whole number"),
    ("horizon_days: 90", "horizon_dayz: 90", 1, "no key is called 'horizon_dayz' here; write horizon_days"),
    ("horizon_days: 90", "horizon_days: 3", 15, "horizon_days: 3 is out of bounds; write a number of at least 7"),
    ("effective: 2026-01-01", "effective: 2026-02-30", 12, "'2026-02-30' is no date; write a day that exists"),
    ("effective: 2026-01-01", 'effective: "2026-02-30"', 12, "no date: day is out of range for month; write a day"),
    ("effective: 2026-01-01", "effective: 20260101", 12, "20260101 is no date; write year, month and day"),
    ("timezone: Asia/Shanghai", "timezone: Asia/Beijing", 11, "no IANA time zone; write a name such as Asia/Shanghai"),
    ("calendars: [CN]", "calendars: CN", 12, "calendars: 'CN' is not a list; write it in brackets, [CN]"),
    ("calendars: [CN]", "calendars: []", 12, "calendars: it is empty; write at least one (Business calendars"),
    ("email: relations@expressway.example", "email: relations", 10, "no e-mail address; write one such as"),
    ("email: relations@expressway.example", "email: a..b@expressway.example", 10, "no e-mail address"),
    ("email: relations@expressway.example", 'email: "a@b.example\\nBcc: c@d.example"', 10, "no e-mail address"),
    (
        'opens: "09:00"',
        "opens: 9",
        16,
        '9 is no time of day; write hours and minutes in quotation marks, such as "09:30"',
    ),
    ('closes: "18:00"', 'closes: "08:00"', 8, "hours: it closes at 08:00, not after it opens at 09:00"),
    ("realms: [external, internal]", "realms: [external, inner]", 20, "'inner' is not one of the choices; write inte"),
    (
        "{A: engineering,",
        "{A: [engineering, finance],",
        24,
        "exactly one role is Accountable for an activity, here are 2",
    ),
    (
        "{A: engineering, R",
        "{R",
        3,
        "activities.weekly-progress: the key 'A' is missing; add A (Accountable: the one role",
    ),
    ("  kickoff-meeting: {", "  Kick Off: {", 3, "'Kick Off' is no name; write lower case letters, digits, - and _"),
    ("tier: A", "tier: a", 11, "segments[0].tier: 'a' is not one of the choices; write A (of A, B, C)"),
    ("strategy: coverage-and-return", "strategy:", 5, "nothing stands here; give a value (How the house serves the s"),
    ("{zh: 机构投资者, en: Institutional investors}", "{zh: 2026}", 17, "title.zh: 2026 is not a text"),
    (
        "{zh: 机构投资者, en: Institutional investors}",
        "{}",
        12,
        "it says nothing; write the text under zh, under en, or",
    ),
    (
        "{zh: 机构投资者, en: Institutional investors}",
        "机构投资者",
        12,
        "stands where keys should; write the keys zh, en",
    ),
    ("after: +5bd", "after: -5bd", 10, "kickoff.after: -5bd goes back; write how long after, such as +5bd"),
    ("minutes: 90", "minutes: ninety", 12, "'ninety' is not a whole number"),
    ("due: +10bd", "due: ten days", 8, "'ten days' is no offset: write - or +"),
    ("due: +10bd", "due: +4bh", 8, "gathering.due: +4bh counts hours; write days or business days"),
    (
        "{field: preference,",
        "{field: preference, metric: mood,",
        7,
        "write either field, a column of the party, or metric",
    ),
    ("target_dscr: 1.30", "target_dscr: 0.9", 16, "target_dscr: 0.9 is out of bounds; write a number above 1"),
    ("target_dscr: 1.30", "target_dscr: 130", 16, "target_dscr: 130 is out of bounds; write a number below 100"),
    ("version: 3", "version: 0x" + "F" * 6000, 10, "…' is too large a number; write fewer digits"),
    ("version: 3", "version: " + "9" * 6000, 10, "…' is no number; write digits"),
    ("max_gearing: 0.75", 'max_gearing: "75%"', 16, "'75%' is not a number; write digits, such as 1.30"),
    ("max_gearing: 0.75", "max_gearing: .nan", 16, "nan is not a number"),
    ("family: value-added", "family: value", 15, "'value' is not one of the choices; write value-added"),
    ("roll: preceding", "roll: previous", 11, "no business day convention: write one of unadjusted, following"),
    ("phases: [implementation]", "phases: [operation]", 14, "write implementation (of identification, assessment"),
    ("content: fund-use", "content: funds", 14, "content: 'funds' is not one of the choices; write fund-use"),
    (
        "do: escalate, to: accountable}",
        "do: escalte, to: accountable}",
        22,
        "'escalte' is not one of the choices; write esc",
    ),
    (
        "at: +1bd, do: escalate, to: acc",
        "at: 1 week, do: escalate, to: acc",
        12,
        "ladders.report[3].at: '1 week' is no off",
    ),
    ("repeat: 2bd", "repeat: -2bd", 7, "ladders.report[5]: repeat -2bd does not go forward; write an interval"),
    ("    hold: 1bd", "    hodl: 1bd", 5, "ladders.approval.hodl: no key is called 'hodl' here; write hold"),
    (
        "  fundraising: [CP",
        "  fundrasing: [CP",
        3,
        "gates.fundrasing: 'fundrasing' is not one of the choices; write fundraising",
    ),
]


@pytest.mark.parametrize(("old", "new", "column", "sentence"), MODELS, ids=[case[1].strip()[:40] for case in MODELS])
def test_what_a_model_refuses_has_its_line_and_a_sentence(old: str, new: str, column: int, sentence: str) -> None:
    reading = changed(old, new)
    assert reading.playbook is None
    assert len(reading.problems) == 1
    said = str(reading.problems[0])
    assert said.startswith(f"playbook.yaml:{line_of(old)}:{column}: ")
    assert sentence in said


def test_weights_that_do_not_sum_to_100_are_a_problem_of_the_scorecard() -> None:
    """40 + 15 + 20 + 15 + 10 = 100, so 50 for the first makes 110."""
    (problem,) = changed("weight: 40", "weight: 50").problems
    assert problem.line == line_of("  target: 80")
    assert str(problem).endswith(": scorecard: the weights of the rows sum to 110; they must sum to 100")


NAMES = [
    ("channels: [chat]", "channels: [chta]", 70, "no channel is called 'chta'; write chat"),
    ("[email, joint-command]", "[email, joint-comand]", 21, "'joint-comand'; write joint-command"),
    ("    ladder: report\n", "    ladder: reprot\n", 13, "no ladder is called 'reprot'; write report"),
    (
        "warning_ladder: warning",
        "warning_ladder: alarm",
        19,
        "no ladder is called 'alarm'; write one of approval, kickoff",
    ),
    (
        "approval_ladder: approval",
        "approval_ladder: aproval",
        20,
        "service_design.approval_ladder: no ladder is called",
    ),
    (
        "    activity: fund-use-report",
        "    activity: fund-use",
        15,
        "no activity is called 'fund-use'; write fund-use-report",
    ),
    (
        "warning_activity: risk-warning",
        "warning_activity: risk",
        21,
        "gathering.warning_activity: no activity is called",
    ),
    ("checklist: investor", "checklist: investors", 16, "no checklist is called 'investors'; write investor"),
    (
        "field: preference",
        "field: prefrence",
        15,
        "no column of the parties sheet is called 'prefrence'; write preference",
    ),
    ("{field: preference,", "{field: risk_tolerance,", 7, "checklists.investor[2]: 'risk_tolerance' stands here twice"),
    ("name: policy-bank", "name: institutional-investor", 5, "segments[1]: 'institutional-investor' stands here twice"),
    (
        "C: [finance], I: [sponsor, investor]",
        "C: [finance], I: [sponsor, finance]",
        103,
        "'finance' stands under C already",
    ),
    ("R: [finance], C: [engineering], I: [len", "R: [finance], C: [operations], I: [len", 54, "under A already"),
    ("FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=XX", 11, "BYDAY=XX is no weekday"),
    ("FREQ=WEEKLY;BYDAY=MO", "every monday", 11, "cadences.weekly-progress.rule: "),
    (
        "to: joint-command, repeat",
        "to: joint-comand, repeat",
        36,
        "no role is called 'joint-comand'; write joint-command",
    ),
    (
        "to: joint-command, repeat",
        "to: boss, repeat",
        36,
        "write one of accountable, consulted, creditor, debtor, everyone, head",
    ),
    (
        "offer_to: borrower",
        "offer_to: borower",
        13,
        "service_design.offer_to: no role is called 'borower'; write borrower",
    ),
    ("[CP-01, CP-02]", "[CP-01, CP-01]", 24, "gates.fundraising[1]: 'CP-01' stands here twice"),
]


@pytest.mark.parametrize(("old", "new", "column", "sentence"), NAMES, ids=[case[1].strip() for case in NAMES])
def test_a_name_that_leads_nowhere_has_its_line_and_a_near_name(old: str, new: str, column: int, sentence: str) -> None:
    reading = changed(old, new)
    assert reading.playbook is None
    problems = [problem for problem in reading.problems if not problem.remark]
    assert len(problems) == 1
    said = str(problems[0])
    assert said.startswith(f"playbook.yaml:{line_of(old)}:{column}: ")
    assert sentence in said


CONDITIONS = [
    (
        'kind == "investor" &&',
        'kind = "investor" &&',
        22,
        "not a CEL expression: a single = compares nothing; write ==",
    ),
    ('kind == "investor" &&', 'kind == "investor" and', 36, "'and' is no operator here; write &&"),
    ("party.capital_size", "party.capital", 39, "party has no field 'capital'; write capital_size"),
    ('"investor" &&', '"inverstor" &&', 11, "party.kind is never 'inverstor'; write investor"),
    (
        "party.capital_size",
        "capital_size",
        39,
        "nothing called 'capital_size' is offered here; write party.capital_size",
    ),
    ("project.capex > 0", "today() > 0", 13, "no function is called 'today'; the functions are"),
    ("project.capex > 0", "party.tier == 'A'", 13, "nothing called 'party' is offered here"),
    ("project.capex > 0", "project.name > 0", 13, "values of different kinds meet"),
    ("project.capex > 0", "project.capex", 13, "gives 1.0, not true or false"),
    ("project.capex > 0", '"project.capex > 0', 13, "this is not YAML"),
    ("project.capex > 0", "'project.capex >'", 29, "it ends too early; write a condition such as"),
    ("n.kind == ", "n.knd == ", 29, "needs has no field 'knd'; write kind"),
    ('grade == "weak"', 'grade == "bad"', 13, "grade is never 'bad'; it can be strong, good, satisfactory, weak"),
    ('grade == "weak"', 'grade.category == "weak"', 13, "grade has no field 'category'; compare grade itself"),
    ('grade == "weak"', "ratios.minimum_dcsr < 1.15", 13, "ratios has no field 'minimum_dcsr'; write minimum_dscr"),
    ('grade == "weak"', "capacity.debt > 'much'", 13, "values of different kinds meet"),
    ('party.realm == "internal"', "size(party.role) > 0", 16, "party has no field 'role'; write roles"),
    ('project.phase != "exit"', 'projct.phase != "exit"', 38, "nothing called 'projct' is offered here; write project"),
    (
        'project.phase != "exit"',
        'project.phase != "ended"',
        38,
        "project.phase is never 'ended'; it can be identificat",
    ),
    ('"designer", "supervisor"]', '"designer" "supervisor"]', 33, "not a CEL expression"),
    ('|| (party.kind == "sponsor"', '|| (party.knd == "sponsor"', 11, "party has no field 'knd'; write kind"),
]


@pytest.mark.parametrize(("old", "new", "column", "sentence"), CONDITIONS, ids=[case[1] for case in CONDITIONS])
def test_a_condition_that_cannot_be_answered_has_its_place_within_the_text(
    old: str, new: str, column: int, sentence: str
) -> None:
    problem = changed(old, new).problems[0]
    assert sentence in str(problem)
    if "not YAML" not in sentence:
        assert (problem.line, problem.column) == (line_of(old), column)


REMARKS = [
    ("- {at: -2bd, do: invite,", "- {channels: [chat], at: -2bd, do: invite,", "goes by e-mail in any case; add email"),
    ("  steering: [email, joint-command]\n", "", "remark: rooms.joint-command: nothing names this room"),
    ("departments: [finance,", "departments: [finanse,", "the role 'finanse' takes part in no activity; write finance"),
    ("  ladder: scorecard\n", "  ladder: offer\n", "remark: ladders.scorecard: nothing names this ladder"),
    ("    ladder: report\n", "    ladder: meeting\n", "the ladder 'meeting' of this report has no rung that does send"),
    ("{at: +2bd, do: escalate, to: head}", "{at: -3bd, do: remind, to: head}", "after the one at +1bd; put the rungs"),
    ("  fundraising: [CP", "  identification: [CP", "every project begins in this phase"),
]


def test_a_room_is_not_called_what_a_person_s_own_chat_is_called() -> None:
    text = GOOD.replace("  joint-command: {title", "  wecom: {title").replace(
        "[email, joint-command]", "[email, wecom]"
    )
    (problem,) = parse_playbook(text).problems
    assert "'wecom' is how the register says a person is reached; give the room another name" in str(problem)


@pytest.mark.parametrize(("old", "new", "sentence"), REMARKS, ids=[case[1].strip() for case in REMARKS])
def test_a_remark_is_said_and_does_not_stop_the_playbook(old: str, new: str, sentence: str) -> None:
    reading = changed(old, new)
    assert reading.playbook is not None
    assert any(sentence in str(problem) for problem in reading.problems)
    assert all(problem.remark for problem in reading.problems)


YAMLS = [
    ("", "1:1: the file is empty"),
    ("[]", "1:1: the file holds no keys"),
    ("a: b: c", "1:5: this is not YAML: mapping values are not allowed here"),
    ('a: "b', "1:6: this is not YAML: while scanning a quoted scalar"),
    ("a:\n\tb: 1", "2:1: this is not YAML"),
    ("a: *x", "1:4: this is not YAML: found undefined alias"),
    ("a: 1\n---\nb: 2", "2:1: this is not YAML: expected a single document"),
    ("[" * 3000, "1:1: lists or keys lie too deeply"),
    ("\x00", "1:1: this is not YAML: unacceptable character"),
    ("version: 1\nkickoff: {}\nversion: 2", "3:1: version: the key 'version' stands in line 1 already; keep one"),
    ("gates: &a [*a]", "1:8: gates[0]: an alias that holds itself"),
    ("house: !!python/object:os.system x", "1:8: house: 'x' is not what its tag"),
    ("house: !!int x", "1:8: house: 'x' is no number"),
    ("<<: {a: 1}", "1:1: << merges keys"),
    ("? [a]\n: b", "1:3: a list or mapping stands as a key"),
    ("a: " + "x" * 1_000_001, "1:1: the file has 1000004 characters; a playbook has at most 1000000"),
]


@pytest.mark.parametrize(("text", "sentence"), YAMLS, ids=[case[1] for case in YAMLS])
def test_what_is_no_yaml_or_no_playbook_is_a_problem_with_its_line(text: str, sentence: str) -> None:
    reading = parse_playbook(text, "p.yaml")
    assert reading.playbook is None
    assert any(str(problem).startswith(f"p.yaml:{sentence}") for problem in reading.problems)


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    """Nine lines that would be a thousand million values."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    reading = parse_playbook("\n".join(lines))
    assert [problem.what for problem in reading.problems] == [
        "more than 50000 keys and values, aliases counted each time"
    ]


def test_an_alias_may_share_a_ladder() -> None:
    text = GOOD.replace(
        "  offer:\n    - {at: 0bd, do: send, to: creditor}", "  offer: &once [{at: 0bd, do: send, to: creditor}]"
    )
    text = text.replace("  scorecard:\n    - {at: 0bd, do: send, to: creditor}", "  scorecard: *once")
    assert text != GOOD
    assert parse_playbook(text).problems == ()


def test_all_mistakes_are_named_at_once_in_the_order_of_their_lines() -> None:
    text = (
        GOOD.replace("tier: A", "tier: Z", 1).replace("minutes: 90", "minutes: 0").replace("version: 3", "version: x")
    )
    lines = [problem.line for problem in parse_playbook(text).problems]
    assert lines == [line_of("version: 3"), line_of("tier: A"), line_of("minutes: 90")]


def test_a_folded_condition_is_placed_at_its_beginning() -> None:
    text = GOOD.replace("when: project.capex > 0", "when: >-\n        project.capex\n        = 0")
    (problem,) = parse_playbook(text).problems
    assert (problem.line, problem.column) == (line_of("when: project.capex > 0"), 13)


def test_an_empty_file_name_or_bytes_that_are_no_text_are_problems_too(tmp_path: Path) -> None:
    missing = read_playbook(tmp_path / "none.yaml")
    assert (
        str(missing.problems[0]) == "none.yaml:1:1: the file cannot be read: No such file or directory; check its name"
    )
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"playbook: a\nhouse: caf\xe9\n")
    assert str(read_playbook(latin).problems[0]) == "latin.yaml:2:11: the file is not UTF-8; save it as UTF-8"


@pytest.mark.parametrize("cut", range(0, len(GOOD), 400))
def test_a_playbook_cut_off_anywhere_gives_problems_and_no_error(cut: int) -> None:
    reading = parse_playbook(GOOD[:cut])
    assert reading.playbook is None
    assert reading.problems
