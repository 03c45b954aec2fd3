from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pfflow.domain.decision import Decision
from pfflow.domain.words import Stage
from pfflow.rehearsal.clock import SWEEPS
from pfflow.rehearsal.script import EVERYBODY_ON_TIME, Script
from tests.unit.rehearsing import lived

TROUBLED = Script.model_validate(
    {
        "rehearsal": "troubled",
        "seed": 3,
        "answers": [
            {"obligation": "*/fund-use-report/2026-02-28", "answers": "never"},
            {"kind": "meeting", "answers": "spread",
             "spread": [{"share": "0.5", "late": 0}, {"share": "0.3", "late": 6}]},
            {"party": "P-03", "answers": "as-in-history"},
            {"kind": "notice", "answers": "after", "after": "2bd"},
        ],
        "absences": [{"contact": "C-34", "from": "2026-03-02", "until": "2026-03-20"}],
        "happenings": [
            {"on": "2026-01-20", "hands_over": {"role": "legal", "to": "D-FIN"}},
            {"on": "2026-02-03", "milestone": {"milestone": "bridge-closure", "forecast": "2027-03-31"}},
            {"on": "2026-02-10", "hands_over": {"contact": "C-07", "to": "C-06"}},
            {
                "on": "2026-01-15",
                "missed_payment": {"ref": "fee", "title": {"en": "Agency fee"}, "due": "2026-02-05", "debtor": "P-03",
                                   "creditor": "P-07", "paid": "2026-02-27"},
            },
            {
                "on": "2026-03-03",
                "holidays": {"calendar": "CN", "days": [{"on": "2026-03-16", "name": "a day off"}]},
            },
            {"on": "2026-03-25", "phase": "advance"},
        ],
    }
)  # fmt: skip

ENDED = Script.model_validate({"rehearsal": "ended", "happenings": [{"on": "2026-03-02", "phase": "advance"}]})
"""The project leaves its phase while the register still has meetings held in it."""

UNANSWERED = Script.model_validate(
    {
        "rehearsal": "unanswered",
        "answers": [{"kind": "notice", "answers": "never"}],
        "happenings": [{"on": "2026-01-30", "milestone": {"milestone": "bridge-closure", "forecast": "2027-03-31"}}],
    }
)
"""A warning of a month's last days climbs in the next one, while the month's cards are not sent."""


@pytest.mark.parametrize(
    ("name", "script", "last"),
    [
        pytest.param("expressway", EVERYBODY_ON_TIME, date(2026, 3, 10), id="expressway, on time"),
        pytest.param("expressway", TROUBLED, date(2026, 4, 20), id="expressway, troubled"),
        pytest.param("expressway", ENDED, date(2026, 3, 20), id="expressway, ended"),
        pytest.param("expressway", UNANSWERED, date(2026, 2, 10), id="expressway, unanswered"),
        pytest.param("solar", EVERYBODY_ON_TIME, date(2026, 4, 30), id="solar, on time"),
    ],
)
def test_leaving_quiet_sweeps_out_changes_nothing(name: str, script: Script, last: date) -> None:
    every = lived(name, date(2026, 1, 1), last, script, every_sweep=True)
    some = lived(name, date(2026, 1, 1), last, script)
    assert len(some.living.looked) < len(every.living.looked) / 3
    assert some.life.index.obligations == every.life.index.obligations
    assert some.life.index.firings == every.life.index.firings
    assert some.life.index.conclusions == every.life.index.conclusions
    assert some.letters == every.letters
    assert some.entries == every.entries
    assert some.living.findings.keys() == every.living.findings.keys()
    assert [at for at, _ in some.living.said] == [at for at, _ in every.living.said]


@pytest.mark.parametrize("name", ["expressway", "solar"])
def test_leaving_out_what_letters_say_changes_nothing_else(name: str) -> None:
    span = date(2026, 1, 1), date(2026, 4, 20)
    in_full, counted = lived(name, *span, TROUBLED), lived(name, *span, TROUBLED, written=False)
    assert [_bare(one) for one in counted.decisions] == [_bare(one) for one in in_full.decisions]
    assert all(notice.context["obligation"] for one in in_full.decisions for notice in one.notices)
    assert not any("obligation" in notice.context for one in counted.decisions for notice in one.notices)
    assert counted.living.findings == in_full.living.findings


def _bare(decision: Decision) -> Decision:
    return replace(decision, notices=tuple(replace(notice, context={}) for notice in decision.notices))


def test_sweeps_are_when_the_deployments_have_them() -> None:
    declared = YAML(typ="safe").load((Path(__file__).parents[2] / "prefect.yaml").read_text(encoding="utf-8"))
    found: dict[Stage, tuple[time, ...]] = {}
    for deployment in declared["deployments"]:
        name = deployment["entrypoint"].rpartition(":")[2]
        if name not in set(Stage):
            continue
        (schedule,) = (one for one in deployment["schedules"] if one["active"])
        minute, hours, *days = schedule["cron"].split()
        first, _, last = hours.partition("-")
        assert days == ["*", "*", "*"]
        found[Stage(name)] = tuple(time(hour, int(minute)) for hour in range(int(first), int(last or first) + 1))
    assert found == dict(SWEEPS)
