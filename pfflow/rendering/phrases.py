"""The labels and short phrases that every letter and report shares; whole sentences live in templates/."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pfflow.domain.ladder import ACTION_WORDS
from pfflow.domain.words import Words

PHRASES: Mapping[str, Words] = MappingProxyType(
    {
        "project": Words("项目", "Project"),
        "obligation": Words("事项", "Subject"),
        "due": Words("截止时间", "Due"),
        "starts": Words("开始时间", "Starts"),
        "due_there": Words("截止时间（项目所在地）", "Due, project time"),
        "starts_there": Words("开始时间（项目所在地）", "Starts, project time"),
        "minutes": Words("时长", "Duration"),
        "minutes_of": Words("{} 分钟", "{} minutes"),
        "place": Words("地点", "Place"),
        "period": Words("所属期间", "Period"),
        "clause": Words("合同条款", "Clause"),
        "debtor": Words("责任方", "Owed by"),
        "creditor": Words("接收方", "Owed to"),
        "overdue": Words("逾期", "Overdue"),
        "overdue_of": Words("{} 个工作日", "{} business days"),
        "overdue_one": Words("1 个工作日", "1 business day"),
        "said": Words("此前函件", "Sent before"),
        "next": Words("后续安排", "What happens next"),
        "reference": Words("编号", "Reference"),
        "rolled": Words("原定 {}，因非工作日调整", "moved from {}, not a business day"),
        "provisional": Words(
            "日期暂定：相关节假日安排尚未公布，公布后如有变动将另行通知",
            "provisional: the holiday list is not yet published; we will write if the date changes",
        ),
        "day": Words("{}", "{}"),
        "provisional_day": Words("{}〔暂定〕", "{} [provisional]"),
        "summary": Words("摘要", "Summary"),
        "sources": Words("数据来源", "Source"),
        "note": Words("注", "Note"),
        "attached": Words("完整数据见附件工作簿", "the attached workbook has every figure"),
        "more_rows": Words("另有 {} 行，", "{} more rows; "),
        "no_rows": Words("本期无记录", "nothing in this period"),
        **{str(action): words for action, words in ACTION_WORDS.items()},
        "missing": Words("尚未提供", "not yet received"),
        "stale": Words("需要更新", "needs an update"),
        "as_of": Words("现有资料截至 {}", "ours is as of {}"),
    }
)

DOING: Mapping[str, Words] = MappingProxyType(
    {
        "meeting": Words("召开", "hold the meeting"),
        "report": Words("编制并提交", "prepare and submit"),
        "fact": Words("提供", "provide"),
        "approval": Words("审批", "decide on"),
        "offer": Words("确认", "confirm"),
        "notice": Words("答复", "answer"),
        "survey": Words("填写", "answer"),
        "covenant": Words("出具", "certify"),
        "action": Words("完成", "complete"),
        "issue": Words("解决", "solve"),
    }
)
"""What is to be done with what is owed, by its kind; the obligation's title follows it."""


def phrase(name: str, language: str, *values: object) -> str:
    """Give a shared phrase, with the values in its places.

    >>> phrase("minutes_of", "en", 90)
    '90 minutes'
    """
    return PHRASES[name].in_language(language).format(*values)


def doing(kind: str, language: str) -> str:
    """Give the verb for a kind of obligation.

    >>> doing("report", "zh-CN"), doing("report", "en")
    ('编制并提交', 'prepare and submit')
    """
    return DOING[kind].in_language(language)
