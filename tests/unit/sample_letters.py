"""Notices, contacts and letters to try rendering and delivery with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pfflow.domain.letters import Letter
from pfflow.domain.notices import Attendee, Invitation, Method, Notice
from pfflow.domain.parties import Contact
from pfflow.domain.reports import CellKind, Column, Figure, Report, Table
from pfflow.domain.trouble import WHY, Trouble
from pfflow.domain.words import EN, ZH, Words
from pfflow.rendering.letters import Renderer

CONTACTS = {
    ZH: Contact(contact_ref="C-01", party_ref="P-01", name="王建国", email="wang@example.com", language="zh-CN"),
    EN: Contact(
        contact_ref="C-02",
        party_ref="P-02",
        name="Ana Martín",
        email="ana@example.com",
        language="en-GB",
        timezone="Europe/Madrid",
    ),
}
REPORT = Report(
    name="fund-use",
    title=Words("资金使用报告", "Fund-use report"),
    figures=(Figure(Words("本期支出", "Paid this period"), "128000000", CellKind.AMOUNT, "CNY"),),
    tables=(
        Table(
            name="lines",
            title=Words("按预算科目", "By budget line"),
            columns=(Column(Words("科目", "Budget line")), Column(Words("金额", "Amount"), CellKind.AMOUNT)),
            rows=((Words("路基工程", "Earthworks"), "1234567.8"), (Words("桥梁", "Bridges"), None)),
        ),
    ),
    paragraphs=(Words("各项支出均有凭证。", "Each payment has its voucher."),),
    sources=("fund_use 2026-01",),
)
INVITATION = Invitation(
    uid="G1/weekly/2026-01-15@pfflow.example.com",
    sequence=0,
    method=Method.REQUEST,
    starts_at=datetime(2026, 1, 15, 9, tzinfo=UTC),
    ends_at=datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
    timezone="Asia/Shanghai",
    summary=Words("周例会", "Weekly meeting"),
    description=Words("本周进展", "Progress of the week"),
    organizer_name=Words("融资部", "Financing team"),
    organizer_email="house@example.com",
    attendees=(Attendee("C-01", "王建国", "wang@example.com"),),
    location=Words("三楼会议室", "Room 3"),
)
MEASURES = [
    {
        "title": {"zh": "完工担保", "en": "Completion guarantee"},
        "family": "guarantee",
        "kind": "completion",
        "because": {"zh": "评级为三级", "en": "the grade is satisfactory"},
        "steps": [{"zh": "出具保函", "en": "issue the guarantee"}],
        "documents": [{"zh": "保函", "en": "guarantee deed"}],
    }
]
DETAILS: Mapping[str, Mapping[str, Any]] = {
    "gathering": {
        "party": {"zh": "华路投资", "en": "Hualu Capital"},
        "items": [
            {
                "name": "audited",
                "title": {"zh": "审计报告", "en": "Audited accounts"},
                "state": "stale",
                "as_of": "2024-12-31",
            },
            {"name": "capital", "title": {"zh": "资本规模", "en": "Capital size"}, "state": "missing", "as_of": None},
        ],
        "have": 5,
        "of": 7,
    },
    "risk_warning": {
        "metric": "DSCR",
        "value": "1.12",
        "threshold": "1.15",
        "operator": ">=",
        "period_end": "2025-12-31",
        "basis": "actual",
        "clause_ref": "20.2",
        "description": {"zh": "连续第一期低于约定。", "en": "It is the first period below."},
        "numbers": [
            {"label": {"zh": "可用现金流", "en": "CFADS"}, "value": "112000000", "kind": "amount", "unit": "CNY"},
            {"label": {"zh": "偿债额", "en": "Debt service"}, "value": "100000000", "kind": "amount", "unit": "CNY"},
        ],
        "sources": ["financials 2025-12-31"],
        "consequence": {"zh": "暂停分红。", "en": "Distributions are locked up."},
    },
    "milestone_warning": {
        "milestone": {"zh": "桥梁合龙", "en": "Bridge closure"},
        "planned_on": "2026-03-01",
        "forecast_on": "2026-04-15",
        "slip_days": 45,
        "why": "2026-01",
    },
    "service_design": {
        "grade": {"zh": "三级", "en": "satisfactory"},
        "score": "2.60",
        "measures": MEASURES,
        "problems": [{"zh": "缺少担保", "en": "no guarantee yet"}],
    },
    "update": {
        "was": {"due_at": "2026-01-14T09:00:00+00:00", "due_on": "2026-01-14", "place": {"zh": "", "en": ""}},
        "uninvited": False,
    },
    "undeliverable": {
        "failed": 1,
        "kept": 1,
        "more": 0,
        "letters": [
            {
                "what": {"zh": "资金使用报告", "en": "Fund-use report"},
                "action": action,
                "to": "王建国",
                "ref": "C-01",
                "party": {"zh": "华路投资", "en": "Hualu Capital"},
                "why": WHY[trouble].as_json(),
                "kept": trouble is Trouble.OURS,
                "since": "2026-01-14",
                "reference": "G1/fund-use-report/2026-01-15",
            }
            for action, trouble in (("remind", Trouble.RECIPIENT), ("escalate", Trouble.OURS))
        ],
    },
    "issue": {
        "severity": {"zh": "严重", "en": "high"},
        "text": {"zh": "提款单迟迟未放款", "en": "The utilisation is not paid out"},
        "reported_by": {"zh": "开发银行", "en": "Development Bank"},
        "respond_by": "2026-01-14T09:00:00+00:00",
        "solve_by": "2026-01-15T09:00:00+00:00",
        "part": "solution",
    },
    "issue_solved": {
        "text": {"zh": "提款单迟迟未放款", "en": "The utilisation is not paid out"},
        "solution": {"zh": "已于今日放款", "en": "It was paid out today"},
    },
    "scorecard": {
        "department": {"zh": "财务部", "en": "Finance"},
        "month": "2026-01",
        "score": "86.5",
        "target": "85",
        "proposals": [{"zh": "缩短回复时间", "en": "answer sooner"}],
    },
}


ACTIONS = {
    "kickoff": "invite",
    "invitation": "invite",
    "announcement": "announce",
    "update": "announce",
    "cancellation": "announce",
    "request": "request",
    "approval_request": "request",
    "report": "send",
    "offer": "send",
    "scorecard": "send",
    "handover": "request",
    "issue": "request",
    "issue_solved": "request",
    "outage_summary": "send",
    "risk_warning": "send",
    "milestone_warning": "send",
    "escalation": "escalate",
    "undeliverable": "escalate",
}


def make_context(template: str = "communication/reminder", **changes: Any) -> dict[str, Any]:
    stage, name = template.split("/")
    kinds = {
        "kickoff": "meeting",
        "invitation": "meeting",
        "update": "meeting",
        "cancellation": "meeting",
        "approval_request": "approval",
    }
    more: dict[str, Any] = {"handed_over": {"by": "王建国", "to": "王建国"}} if name == "handover" else {}
    if name == "outage_summary":
        more = {"outage": {"since": "2026-01-05", "until": "2026-01-15", "fired": 2, "skipped": 3, "merged": 1}}
    details = DETAILS.get(name) or (DETAILS["gathering"] if stage == "information_gathering" else {})
    return (
        {
            "house": {"name": {"zh": "项目融资部", "en": "Project Finance Desk"}, "email": "house@example.com"},
            "project": {"ref": "G1", "name": {"zh": "沿江高速", "en": "River Motorway"}, "phase": "implementation"},
            "obligation": {
                "key": "G1/fund-use-report/2026-01-15",
                "kind": kinds.get(name, "report"),
                "title": {"zh": "资金使用报告", "en": "Fund-use report"},
                "due_at": "2026-01-15T09:00:00+00:00",
                "due_on": "2026-01-15",
                "unadjusted_on": "2026-01-15",
                "provisional": False,
                "timezone": "Asia/Shanghai",
                "period_start": "2026-01-01",
                "period_end": "2026-01-15",
                "minutes": 0,
            },
            "rung": {"name": "remind-1bd-debtor", "action": ACTIONS.get(name, "remind"), "number": 1, "to": "debtor"},
            "debtor": {"zh": "财务部", "en": "Finance"},
            "creditor": {"zh": "开发银行", "en": "Development Bank"},
            "overdue_days": 3 if name == "escalation" else 0,
            "said": [{"action": "remind", "on": "2026-01-14"}] if name == "escalation" else [],
            "next": {
                "action": "escalate",
                "on": "2026-01-16",
                "to": {"zh": "联合指挥组", "en": "the joint command group"},
            },
            "reason": {"zh": "合同约定。", "en": "The agreement says so."},
            "details": {**details, **(DETAILS["service_design"] if stage == "service_design" else {})},
            "instead_of": [],
            "delayed": None,
        }
        | more
        | changes
    )


def make_notice(template: str = "communication/reminder", **changes: Any) -> Notice:
    name = template.split("/")[1]
    given: dict[str, Any] = {
        "key": "G1/fund-use-report/2026-01-15/remind-1bd-debtor/C-01",
        "project_ref": "G1",
        "obligation_key": "G1/fund-use-report/2026-01-15",
        "rung": "remind-1bd-debtor",
        "contact_ref": "C-01",
        "template": template,
        "noticed_at": datetime(2026, 1, 14, 1, tzinfo=UTC),
        "context": make_context(template),
        "invitation": {
            "kickoff": INVITATION,
            "invitation": INVITATION,
            "update": replace(INVITATION, sequence=1),
            "cancellation": replace(INVITATION, method=Method.CANCEL, sequence=1),
        }.get(name),
        "report": REPORT if name in {"report", "scorecard", "approval_request", "offer"} else None,
    } | changes
    return Notice(**given)


@cache
def shipped() -> Renderer:
    return Renderer.of_house()


def written(notice: Notice, language: str = EN) -> Letter:
    return shipped().letter(notice, CONTACTS[language])
