"""The benchmark's letters, written and composed by hand: Jinja as it comes, and the email package as its docs show.

Each is the reminder that pfflow's own template gives for the same facts, word for word, with the same HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

HERE = Path(__file__).parent
ZONES = {"Asia/Shanghai": ("北京时间", "Beijing time"), "Europe/Madrid": ("马德里时间", "Madrid time")}
WEEKDAYS = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")
WRITTEN_ON = date(2026, 1, 14)
NOTICED_AT = datetime(2026, 1, 14, 1, tzinfo=UTC)
HOUSE = {"zh": "项目融资部", "en": "Project Finance Desk"}
SENDER = "house@example.com"
DOMAIN = "example.com"


@dataclass(frozen=True)
class Composed:
    """A letter ready to leave."""

    key: str
    recipient: str
    content: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 of the bytes."""
        return sha256(self.content).hexdigest()


def facts(number: int) -> dict[str, Any]:
    """Give what letter `number` tells: every second reader reads Chinese, each sits in a zone of their own."""
    project = number // 20
    obligation = f"G{project:04}/fund-use-report-{number % 20}/2026-01-15"
    zh = number % 2 == 0
    return {
        "key": f"{obligation}/remind-1bd-debtor/C-{number % 200}",
        "obligation": obligation,
        "project_ref": f"G{project:04}",
        "project": {"zh": f"沿江高速{project}号", "en": f"River Motorway {project}"},
        "title": {"zh": "资金使用报告", "en": "Fund-use report"},
        "due_at": "2026-01-15T09:00:00+00:00",
        "due_on": "2026-01-15",
        "timezone": "Asia/Shanghai",
        "period_start": "2026-01-01",
        "period_end": "2026-01-15",
        "debtor": {"zh": "财务部", "en": "Finance"},
        "creditor": {"zh": "开发银行", "en": "Development Bank"},
        "next_on": "2026-01-16",
        "next_to": {"zh": "联合指挥组", "en": "the joint command group"},
        "reason": {"zh": "贷款合同第 18.3 条约定。", "en": "The facility agreement, clause 18.3, says so."},
        "name": f"王建国{number % 200}" if zh else f"Ana Martín {number % 200}",
        "email": f"c{number % 200}@bank.example",
        "language": "zh" if zh else "en",
        "reader_zone": "Asia/Shanghai" if zh else "Europe/Madrid",
    }


@cache
def template(name: str) -> Template:
    """Give a template, compiled once."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    return environment.get_template(name)


def composed(told: dict[str, Any]) -> Composed:
    """Write a letter and compose its message."""
    reading = _reading(told)
    message = EmailMessage(policy=SMTP)
    message["From"] = f"{reading['house']} <{SENDER}>"
    message["To"] = f"{told['name']} <{told['email']}>"
    message["Subject"] = template("subject.txt").render(reading)
    message["Date"] = format_datetime(NOTICED_AT)
    message["Message-ID"] = f"<{told['key']}@{DOMAIN}>"
    message["References"] = message["In-Reply-To"] = f"<{told['obligation']}@{DOMAIN}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(template("body.txt").render(reading), cte="quoted-printable" if not reading["zh"] else "base64")
    html = template("body.html").render(reading)
    message.add_alternative(html, subtype="html", cte="quoted-printable" if not reading["zh"] else "base64")
    return Composed(told["key"], told["email"], message.as_bytes())


def _reading(told: dict[str, Any]) -> dict[str, Any]:
    language = told["language"]
    zh = language == "zh"
    due_at = datetime.fromisoformat(told["due_at"])
    words = {name: told[name][language] for name in ("project", "title", "debtor", "creditor", "next_to", "reason")}
    next_on = _day(date.fromisoformat(told["next_on"]), zh=zh)
    step = (
        f"如至{next_on}仍未完成，将提请{words['next_to']}协调"
        if zh
        else f"If this is still open on {next_on}, {words['next_to']} will be asked to step in"
    )
    period = [_day(date.fromisoformat(told[name]), zh=zh) for name in ("period_start", "period_end")]
    lines = [
        (
            "项目" if zh else "Project",
            f"{words['project']}（{told['project_ref']}）" if zh else f"{words['project']} ({told['project_ref']})",
        ),
        ("事项" if zh else "Subject", words["title"]),
        ("所属期间" if zh else "Period", ("至" if zh else " to ").join(period)),
        ("截止时间" if zh else "Due", _moment(due_at, told["reader_zone"], zh=zh)),
    ]
    if told["reader_zone"] != told["timezone"]:
        lines.append(
            ("截止时间（项目所在地）" if zh else "Due, project time", _moment(due_at, told["timezone"], zh=zh))
        )
    lines += [
        ("责任方" if zh else "Owed by", words["debtor"]),
        ("接收方" if zh else "Owed to", words["creditor"]),
        ("后续安排" if zh else "What happens next", step),
        ("编号" if zh else "Reference", told["obligation"]),
    ]
    due_on = due_at.astimezone(ZoneInfo(told["reader_zone"])).date()
    return {
        **words,
        "zh": zh,
        "name": told["name"],
        "house": HOUSE[language],
        "sender": SENDER,
        "lines": lines,
        "due_short": _day(due_on, zh=zh),
        "due_long": _long_day(due_on, zh=zh),
        "written_on": _day(WRITTEN_ON, zh=zh),
    }


def _day(on: date, *, zh: bool) -> str:
    return f"{on.year}年{on.month}月{on.day}日" if zh else f"{on.day} {on:%B %Y}"


def _long_day(on: date, *, zh: bool) -> str:
    return f"{_day(on, zh=True)}（{WEEKDAYS[on.weekday()]}）" if zh else f"{on:%A} {_day(on, zh=False)}"


def _moment(at: datetime, zone: str, *, zh: bool) -> str:
    there = at.astimezone(ZoneInfo(zone))
    offset = there.utcoffset()
    assert offset is not None
    hours = f"UTC{offset.total_seconds() / 3600:+g}"
    named = ZONES[zone][0 if zh else 1]
    if zh:
        return f"{_day(there.date(), zh=True)} {WEEKDAYS[there.weekday()]} {there:%H:%M}（{named}，{hours}）"
    return f"{there:%A} {_day(there.date(), zh=False)}, {there:%H:%M} ({named}, {hours})"
