"""What the register's sheets and its words for needs are called, where people read of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pfflow.domain.words import Words

SHEET_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "parties": Words("参与方", "parties"),
        "contacts": Words("联系人", "contacts"),
        "projects": Words("项目", "projects"),
        "participations": Words("项目角色", "participations"),
        "milestones": Words("里程碑", "milestones"),
        "conditions": Words("先决条件", "conditions"),
        "financials": Words("财务数据", "financials"),
        "budget": Words("预算", "budget"),
        "fund_use": Words("资金使用", "fund_use"),
        "assessments": Words("风险评估", "assessments"),
        "needs": Words("需求", "needs"),
        "raci": Words("职责分工", "raci"),
        "obligations": Words("合同义务", "obligations"),
        "interactions": Words("往来记录", "interactions"),
        "surveys": Words("满意度调查", "surveys"),
        "absences": Words("缺勤代理", "absences"),
    }
)
"""The sheets by the names they have in the workbook."""

NEED_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "debt": Words("债务融资", "debt"),
        "equity": Words("股权融资", "equity"),
        "growth": Words("成长融资", "growth"),
        "guarantee": Words("担保", "guarantee"),
        "insurance": Words("保险", "insurance"),
        "advice": Words("咨询", "advice"),
        "service": Words("服务", "service"),
        "promotion": Words("推广", "promotion"),
    }
)
"""What a customer needs, by the word the playbook's conditions ask for."""

_OF_THE_LEDGER: Mapping[str, str] = MappingProxyType({"obligations": "事项", "firings": "梯级"})


def need_words(kind: str) -> Words:
    """Give what a kind of need is called; a house's own word stands as it is."""
    return NEED_WORDS.get(kind, Words(kind, kind))


def source_words(source: str) -> Words:
    """Give where a report's numbers come from, as people read it; a title or a standard stands as it is.

    >>> source_words("register: fund_use, budget").zh, source_words("Basel CRE33").zh
    ('登记表：资金使用、预算', 'Basel CRE33')
    """
    head, colon, rest = source.partition(": ")
    names = rest.split(", ")
    if head == "register" and colon:
        called = (SHEET_WORDS[name].zh if name in SHEET_WORDS else name for name in names)
        return Words(f"登记表：{'、'.join(called)}", source)
    if head == "ledger" and colon:
        return Words(f"台账：{'、'.join(_OF_THE_LEDGER.get(name, name) for name in names)}", source)
    if source.startswith("package "):
        return Words(f"方案 {source.removeprefix('package ')}", source)
    return Words(source, source)
