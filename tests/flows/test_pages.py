"""What people read of the expressway after its first two months, made without Prefect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from flows.approvals import asking
from flows.artifacts import legend
from flows.pages import project_page
from flows.reader import Reader, artifact_key, table, text
from flows.tables import stage_rows
from pfflow.bootstrap import engine
from pfflow.cycle import STAGES
from pfflow.domain.decision import Dossier
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.playbook import Room, Text
from pfflow.domain.words import Stage
from pfflow.store import Deliveries
from tests.flows.cockpit import expressway_in

FIRST, LAST = date(2026, 1, 5), date(2026, 2, 10)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dossier, datetime]:
    """Give the expressway's dossier after five weeks lived day by day, and the instant."""
    with engine(expressway_in(tmp_path_factory.mktemp("home"))) as opened:
        as_of = datetime.combine(FIRST, time(18), opened.playbook.zone)
        for day in range((LAST - FIRST).days + 1):
            as_of = datetime.combine(FIRST + timedelta(days=day), time(18), opened.playbook.zone)
            for stage in STAGES:
                (outcome,) = opened.cycle.sweep(stage, as_of, ["EXP-01"])
                assert outcome.error == ""
        return opened.cycle.dossier(opened.store.holdings("EXP-01"), as_of), as_of


def _section(page: str, title: str) -> str:
    return page.partition(f"## {title}")[2].partition("\n## ")[0]


def _row(rows: list[Mapping[str, str]], label: str, begins: str) -> Mapping[str, str]:
    return next(row for row in rows if row[label].startswith(begins))


def test_a_page_says_where_the_project_stands_and_what_is_owed_by_whom(lived: tuple[Dossier, datetime]) -> None:
    page = project_page(*lived)

    assert page.startswith("# EXP-01 · 岚陵至清河高速公路\n")
    assert "| 实施 |" in page
    assert "2026-02-10 18:00 (Asia/Shanghai)" in page
    # The half-monthly report of 2026-02-15, a Sunday in the Spring Festival, is due on make-up Saturday the 14th.
    assert "| 2026-02-14 | 资金使用半月报 | 财务部 |" in _section(page, "欠办事项 / Owed")


def test_a_page_names_the_next_meeting_on_a_day_that_is_worked(lived: tuple[Dossier, datetime]) -> None:
    # Monday 2026-02-16 and the 23rd lie in the Spring Festival (02-15 to 02-23): the 24th it is.
    meeting = _section(project_page(*lived), "下次会议 / Next meeting")

    assert "**周进度例会** · 2026-02-24 10:00" in meeting
    assert "工程部" in meeting


def test_what_is_overdue_says_for_how_long_and_how_far_it_climbed(lived: tuple[Dossier, datetime]) -> None:
    overdue = _section(project_page(*lived), "逾期 / Overdue")

    assert "服务方案审批" in overdue
    approval = next(line for line in overdue.splitlines() if "服务方案审批" in line)
    # Due Monday 01-12 (five business days after 01-05); 01-13 to 02-10 has 21 business days, no holiday among them.
    assert approval.startswith("| 2026-01-12 | 21 |")
    assert "联合指挥部" in approval


def test_warnings_carry_their_numbers(lived: tuple[Dossier, datetime]) -> None:
    warnings = _section(project_page(*lived), "预警 / Warnings")

    assert "DSCR 1.12" in warnings
    assert "319,480,000.00" in warnings
    assert "2026-12-20" in warnings


def test_a_page_says_by_which_channel_letters_went(lived: tuple[Dossier, datetime]) -> None:
    dossier, as_of = lived
    room = Room(title=Text(zh="指挥组", en="Command"), language="zh-CN")
    dossier = replace(dossier, playbook=dossier.playbook.model_copy(update={"rooms": {"command": room}}))
    went = [
        Deliveries(project_ref="EXP-01", channel="command", sent=2, failed=1),
        Deliveries(project_ref="EXP-01", channel="email", sent=40, waiting=3),
        Deliveries(project_ref="EXP-01", channel="wecom", sent=5),
    ]
    letters = _section(project_page(dossier, as_of, went), "函件 / Letters")

    assert "| 指挥组 (群聊 / chat room) | 2 | 0 | 0 | 1 |" in letters
    assert "| 邮件 / e-mail | 40 | 3 | 0 | 0 |" in letters
    assert "| wecom | 5 | 0 | 0 | 0 |" in letters


def test_an_ended_month_shows_every_departments_score(lived: tuple[Dossier, datetime]) -> None:
    scores = _section(project_page(*lived), "部门考核 / Department scorecards")

    assert scores.startswith(" 2026-01\n")
    for department in ("财务部", "工程部", "法务部", "运营部"):
        assert f"| {department} |" in scores


def test_no_page_or_table_names_a_person_or_an_address(lived: tuple[Dossier, datetime]) -> None:
    dossier, as_of = lived
    approval = next(o for o in dossier.of_stage(Stage.SERVICE_DESIGN) if o.kind is ObligationKind.APPROVAL)
    said = project_page(dossier, as_of) + asking(dossier, approval, as_of)
    said += "".join(str(row) for stage in Stage for row in stage_rows(stage, [dossier], as_of))

    for contact in dossier.facts.contacts:
        assert contact.name not in said
        assert contact.email not in said


def test_the_table_of_identification_gives_the_rule_and_leaves_the_unclassified_open(
    lived: tuple[Dossier, datetime],
) -> None:
    dossier, as_of = lived
    rows = stage_rows(Stage.IDENTIFICATION, [dossier], as_of)

    investor = _row(rows, "参与方 / Party", "P-04")
    assert investor["客群 / Segment"] == "机构投资者"
    assert investor["依据 / Because"].startswith("institutional-investor: party.kind == ")
    toll = _row(rows, "参与方 / Party", "P-15")
    assert toll["客群 / Segment"] == "未归类 / unclassified"


def test_the_table_of_information_gathering_says_what_is_lacking(lived: tuple[Dossier, datetime]) -> None:
    dossier, as_of = lived
    rows = stage_rows(Stage.INFORMATION_GATHERING, [dossier], as_of)

    lacking = [row for row in rows if row["缺 / Lacking"]]
    assert lacking
    assert all(not row["完整度 / Complete"].startswith("100%") for row in lacking)


def test_the_table_of_communication_shows_two_weeks_and_todays_steps(lived: tuple[Dossier, datetime]) -> None:
    dossier, as_of = lived
    rows = stage_rows(Stage.COMMUNICATION, [dossier], as_of)

    assert all(row["到期 / Due"] <= "2026-02-24" or row["今日函件 / Done today"] for row in rows)
    # The report due on 02-14 is asked for five business days before: 02-09. Nothing of it happens on the 10th.
    report = next(row for row in rows if row["到期 / Due"] == "2026-02-14" and "半月报" in row["事项 / What"])
    assert report["今日函件 / Done today"] == ""


def test_the_form_tells_the_approver_what_is_asked_and_who_may_answer(lived: tuple[Dossier, datetime]) -> None:
    dossier, as_of = lived
    approval = next(o for o in dossier.of_stage(Stage.SERVICE_DESIGN) if o.kind is ObligationKind.APPROVAL)
    form = asking(dossier, approval, as_of, objection="C-01 does not count")

    assert "C-51 · 客户关系总监" in form
    assert "**⚠ C-01 does not count**" in form
    assert "- **分段完工担保**" in form
    assert "风险评级: **尚可**" in form


def test_a_tables_text_cannot_become_markup(lived: tuple[Dossier, datetime]) -> None:
    dossier, as_of = lived
    hostile = "![x](https://example.com/pixel.png) | <script>"
    held = replace(dossier.held, project=replace(dossier.project, name_zh=hostile))
    page = project_page(replace(dossier, held=held), as_of)

    assert r"!\[x\](https://example.com/pixel.png) \| &lt;script&gt;" in page
    assert hostile not in page
    assert table(["a"], [["x|y"]])[-1] == r"| x\|y |"


def test_an_english_house_reads_english_first(lived: tuple[Dossier, datetime]) -> None:
    dossier, as_of = lived
    contacts = tuple(replace(contact, language="en") for contact in dossier.facts.contacts)
    held = replace(dossier.held, facts=replace(dossier.facts, contacts=contacts))

    assert "## Owed / 欠办事项" in project_page(replace(dossier, held=held), as_of)


def test_a_provisional_date_wears_a_star(lived: tuple[Dossier, datetime]) -> None:
    dossier, as_of = lived
    some: Obligation = next(iter(dossier.of_stage(Stage.COMMUNICATION)))

    assert Reader(dossier, as_of).due(replace(some, provisional=True)) == f"{some.due_on}*"


def test_whatever_lists_provisional_dates_says_what_the_star_means(lived: tuple[Dossier, datetime]) -> None:
    dossier, as_of = lived
    star = "provisional: the holiday list is not out yet"
    assert star not in project_page(dossier, as_of)
    some = {key: replace(one, provisional=True) for key, one in dossier.held.obligations.items()}
    unsure = replace(dossier, held=replace(dossier.held, obligations=some))
    page = project_page(unsure, as_of)
    for title in ("逾期", "预警", "欠办事项"):
        assert star in _section(page, title)
    assert legend(stage_rows(Stage.COMMUNICATION, [dossier], as_of)) == ""
    assert star in legend(stage_rows(Stage.COMMUNICATION, [unsure], as_of))
    approval = next(o for o in unsure.of_stage(Stage.SERVICE_DESIGN) if o.kind is ObligationKind.APPROVAL)
    assert f"{approval.due_on}*（日期暂定）" in asking(unsure, approval, as_of)


def test_artifact_keys_of_refs_that_differ_only_in_what_keys_cannot_hold_are_different() -> None:
    keys = {artifact_key("project", ref) for ref in ("EXP-01", "exp-01", "EXP 01", "EXP_01", "高速", "铁路")}

    assert len(keys) == 6
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for key in keys)


def test_an_empty_project_has_a_page_too(tmp_path: Path) -> None:
    as_of = datetime(2026, 1, 5, tzinfo=UTC)
    with engine(expressway_in(tmp_path)) as opened:
        page = project_page(opened.cycle.dossier(opened.store.holdings("EXP-01"), as_of), as_of)

    assert "没有已安排的会议 / no meeting is planned" in page
    assert text("没有") in page
