"""What the ledger says, in both languages: entries keep their English words, and people read these.

What is data (references, rules, names, what people said) stands as it is; a sentence nobody has put here is shown as it
was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from pfflow.domain.business_days import Convention
from pfflow.domain.ladder import ACTION_WORDS, Action
from pfflow.domain.obligations import STATUS_WORDS
from pfflow.domain.role_words import audience_words
from pfflow.domain.words import Stage, Words

STAGE_WORDS: Mapping[Stage, Words] = MappingProxyType(
    {
        Stage.IDENTIFICATION: Words("识别", "identification"),
        Stage.INFORMATION_GATHERING: Words("资料收集", "information_gathering"),
        Stage.SERVICE_DESIGN: Words("服务设计", "service_design"),
        Stage.COMMUNICATION: Words("沟通", "communication"),
        Stage.EVALUATION: Words("评估", "evaluation"),
    }
)

CONVENTION_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        **{str(one): Words(str(one), str(one)) for one in Convention},
        "unadjusted": Words("不调整", "unadjusted"),
        "following": Words("顺延", "following"),
        "modified-following": Words("修正顺延", "modified-following"),
        "preceding": Words("提前", "preceding"),
        "modified-preceding": Words("修正提前", "modified-preceding"),
        "half-month-modified-following": Words("半月修正顺延", "half-month-modified-following"),
        "nearest": Words("最近工作日", "nearest"),
    }
)

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        **{str(status): words.zh for status, words in STATUS_WORDS.items()},
        "planned": "列入计划",
        "replanned": "重新列入计划",
        "moved": "改期",
        "confirmed": "日期确定",
        "restated": "内容更新",
        "fired": "已采取",
        "skipped": "略过",
        "merged": "并入其他",
        "heard": "收到答复",
        "told": "已告知",
        "held": "暂缓",
        "handed-over": "已移交",
        "solved": "已给出解决办法",
        "reopened": "重新打开",
        "concluded": "得出结论",
        "reported": "收到报告",
        "imported": "导入",
        "adopted": "启用",
        "released": "放行",
        "withheld": "扣留",
        "sent": "已发出",
        "failed": "未能送达",
        "retry": "待重试",
    }
)

_PLAIN: Mapping[str, str] = MappingProxyType(
    {
        "into its own repetition, due by now": "已到重复的下一次，合为一次",
        "what it announces is over": "所通知的事项已过",
        "the reminder's due date is past": "提醒所指的日期已过",
        "everyone it goes to is told the same already": "收件人均已获知同一内容",
        "the change itself said it": "变更通知中已说明",
        "the project is at its exit": "项目处于退出阶段",
        "everything asked for is known": "所需资料均已齐备",
        "nothing is asked of it any more": "不再需要其提供资料",
        "no package can be proposed any more": "已无法提出方案",
        "confirmed by the customer": "客户已确认",
        "an outage ended": "系统中断结束",
        "the holiday list changed": "节假日安排有更新",
        "the holiday list it is rolled by changed": "所用节假日安排有更新",
        "it was cancelled, and is wanted again": "此前取消，现又需要",
        "it comes within the planning horizon": "进入计划期",
        "the register or the playbook changed": "登记表或规则手册有更新",
        "who takes part changed": "参会人员有变动",
        "the address of a guest changed": "参会人员的邮箱有变动",
        "no data": "无数据",
        "the register names the owner": "登记簿写明",
        "the segment's role": "客群规定的角色",
        "the head of relationship, since nobody else is named": "未写明他人，由客户关系负责人担任",
        "nobody": "无人",
        "acknowledgement": "确认收到",
        "fulfilment": "完成",
        "meeting": "会议已召开",
        "waiver": "豁免",
        "handover": "移交",
        "resolution": "解决",
        "confirmation": "确认已解决",
        "rejection": "否决",
        "approved": "已批准",
        "rejected": "已否决",
        "rework": "退回修改",
    }
)

_BASIS: Mapping[str, str] = MappingProxyType({"forecast": "预测", "actual": "实际", "base-case": "基准方案"})
_ITEMS: Mapping[str, str] = MappingProxyType({"undertaking": "义务", "condition": "条件"})
_CHANGED: Mapping[str, str] = MappingProxyType({"new": "新增", "removed": "已删除", "(none)": "（无）"})
_SETTLED: Mapping[str, str] = MappingProxyType({"satisfied": "已落实", "waived": "已豁免", "open": "未落实"})

Make = Callable[[re.Match[str]], str]


_SENTENCES: tuple[tuple[re.Pattern[str], Make], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (r"cadence ([^:]+): (.+), ([a-z-]+)", lambda m: f"频次 {m[1]}：{m[2]}，{_convention(m[3])}"),
        (r"undertaking (.+)", lambda m: f"义务 {m[1]}"),
        (r"condition ([^:]+): (.+)", lambda m: f"条件 {m[1]}：{m[2]}"),
        (
            r"(\d+) of (\d+) items of the checklist are missing or stale",
            lambda m: f"清单 {m[2]} 项中有 {m[1]} 项缺失或过期",
        ),
        (
            r"(\S+) (\S+) is not (\S+) (\S+) at (\S+) \((\S+)\)",
            lambda m: f"{m[5]} 的 {m[1]} 为 {m[2]}，未达到 {m[3]} {m[4]}（{_BASIS.get(m[6], m[6])}）",
        ),
        (r"forecast (\S+) is (\d+) days after the plan (\S+)", lambda m: f"预计 {m[1]}，比计划 {m[3]} 晚 {m[2]} 天"),
        (r"(\S+) after the first day of the relationship, (\S+)", lambda m: f"关系首日 {m[2]} 后 {m[1]}"),
        (r"month (\S+) has ended", lambda m: f"{m[1]} 月度已结束"),
        (
            r"grade (\S+) \((\S+)\); debt capacity bound by (.+)",
            lambda m: f"评级 {m[1]}（{m[2]}）；债务承载力受限于 {m[3]}",
        ),
        (r"package (\S+) is approved", lambda m: f"方案 {m[1]} 已批准"),
        (r"superseded by package (\S+)", lambda m: f"被方案 {m[1]} 取代"),
        (
            r"problem (\S+), severity (\S+): respond within (\S+)",
            lambda m: f"问题 {m[1]}，严重程度 {m[2]}：{m[3]} 内答复",
        ),
        (
            r"problem (\S+), severity (\S+): solve within (\S+)",
            lambda m: f"问题 {m[1]}，严重程度 {m[2]}：{m[3]} 内解决",
        ),
        (r"a solution was given \((\S+)\)", lambda m: f"已给出解决办法（{m[1]}）"),
        (r"sent by (\S+)", lambda m: f"由 {m[1]} 发出"),
        (r"nobody is (.+)", lambda m: f"“{audience_words(m[1]).zh}”没有联系人"),
        (r"said before, by (\S+) of an earlier playbook", lambda m: f"旧手册的 {m[1]} 已说过"),
        (r"reached (\d+) business days late", lambda m: f"晚到 {m[1]} 个工作日"),
        (
            r"reached (\d+) business days late, into a later (\S+)",
            lambda m: f"晚到 {m[1]} 个工作日，并入其后的{_action(m[2])}",
        ),
        (
            r"(satisfied|waived|open) in the register ?(.*)",
            lambda m: f"登记簿：{_SETTLED.get(m[1], m[1])} {m[2]}".rstrip(),
        ),
        (r"(approved|rejected|rework): (.+)", lambda m: f"{_PLAIN[m[1]]}：{m[2]}"),
        (r"(approved|rejected|rework) by (\S+)", lambda m: f"{m[2]}：{_PLAIN[m[1]]}"),
        # Why a plan changed something, as `pfflow.domain.replanning.reasons` says it.
        (r"playbook (\S+): (.+)", lambda m: f"规则手册 {m[1]}：{_changed(m[2])}"),
        (r"holiday list: (\S+) is a day off", lambda m: f"节假日安排：{m[1]} 休息"),
        (r"holiday list: (\S+) is a working day", lambda m: f"节假日安排：{m[1]} 上班"),
        (r"the holiday list of (\d+) is out; the date stays", lambda m: f"{m[1]} 年节假日安排已公布，日期不变"),
        (
            r"by the holiday list it falls on the day of the next one \(by the rule (\S+)\); one is held",
            lambda m: f"按节假日安排与下一次同日（规则日 {m[1]}），只开一次",
        ),
        (r"(\S+) is no date of the rule in force, (.+)", lambda m: f"{m[1]} 不在现行规则 {m[2]} 的日期之中"),
        (r"the project is in the phase (\S+)", lambda m: f"项目现处于 {m[1]} 阶段"),
        (
            r"date (slipped|brought forward): (.+) from (\S+) to (\S+)",
            lambda m: f"日期{'顺延' if m[1] == 'slipped' else '提前'}：{m[2]} 由 {m[3]} 改为 {m[4]}",
        ),
        (
            r"register: (undertaking|condition) (.+) has no period that ends on (\S+) any more",
            lambda m: f"登记表中的{_ITEMS[m[1]]} {m[2]} 不再有截至 {m[3]} 的这一期",
        ),
        (
            r"register: (undertaking|condition) (.+) hangs on (\S+) no more",
            lambda m: f"登记表中的{_ITEMS[m[1]]} {m[2]} 不再依据节点 {m[3]}",
        ),
        (
            r"register: (undertaking|condition) (.+) is due (\S+) instead of (\S+)",
            lambda m: f"登记表：{_ITEMS[m[1]]} {m[2]} 的期限由 {m[4]} 改为 {m[3]}",
        ),
        (
            r"register: (undertaking|condition) (.+) is owed again",
            lambda m: f"登记表：{_ITEMS[m[1]]} {m[2]} 又需要",
        ),
        (r"register: ([a-z]+) of (\S+): (.+)", lambda m: f"登记表：{m[2]} 的 {m[1]}：{_changed(m[3])}"),
        (r"register: (undertaking|condition) (.+)", lambda m: f"登记表：{_ITEMS[m[1]]} {m[2]}"),
    )
)


def _convention(name: str) -> str:
    return CONVENTION_WORDS[name].zh if name in CONVENTION_WORDS else name


def _action(name: str) -> str:
    return ACTION_WORDS[Action(name)].zh if name in set(Action) else name


def _changed(what: str) -> str:
    return " → ".join(_CHANGED.get(one, one) for one in what.split(" → "))


def kind_words(kind: str) -> Words:
    """Give what an entry of the ledger is called.

    >>> kind_words("planned").zh, kind_words("planned").en
    ('列入计划', 'planned')
    """
    return Words(_KINDS.get(kind, kind), kind)


def because_words(said: str) -> Words:
    """Give a reason of the ledger in both languages; what is in no list, as what people said, stands as it is.

    >>> because_words("cadence weekly-progress: FREQ=WEEKLY;BYDAY=MO, following").zh
    '频次 weekly-progress：FREQ=WEEKLY;BYDAY=MO，顺延'
    >>> because_words("按约定").en
    '按约定'
    """
    whole = _in_chinese(said)
    if whole is not None:
        return Words(whole, said)
    # A plan may have several reasons, and two of them have a semicolon of their own.
    parts, found = said.split("; "), list[str]()
    while parts:
        for count in (1, 2):
            one = _in_chinese("; ".join(parts[:count]))
            if one is not None:
                found.append(one)
                del parts[:count]
                break
        else:
            return Words(said, said)
    return Words("；".join(found), said)


def _in_chinese(said: str) -> str | None:
    """Give a reason in Chinese; None for one that is in no list."""
    if said in _PLAIN:
        return _PLAIN[said]
    for pattern, make in _SENTENCES:
        found = pattern.fullmatch(said)
        if found is not None:
            return make(found)
    return None
