"""What a role is called in letters where nobody holds it, so that no letter reads joint-command."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from pfflow.domain.playbook import Playbook
from pfflow.domain.words import Words

ROLE_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "sponsor": Words("发起人", "the sponsor"),
        "borrower": Words("借款人", "the borrower"),
        "lender": Words("贷款人", "the lender"),
        "lenders": Words("全体贷款人", "the lenders"),
        "policy-bank": Words("政策性银行", "the policy bank"),
        "investor": Words("投资人", "the investor"),
        "investors": Words("全体投资人", "the investors"),
        "facility-agent": Words("代理行", "the facility agent"),
        "mandated-lead-arranger": Words("牵头行", "the mandated lead arranger"),
        "technical-adviser": Words("技术顾问", "the technical adviser"),
        "legal-adviser": Words("法律顾问", "the legal adviser"),
        "industrial-partner": Words("产业合作伙伴", "the industrial partner"),
        "contractor": Words("施工单位", "the contractor"),
        "designer": Words("设计院", "the designer"),
        "supervisor": Words("监理单位", "the supervisor"),
        "offtaker": Words("最终用户", "the offtaker"),
        "guarantor": Words("担保人", "the guarantor"),
        "insurer": Words("保险人", "the insurer"),
        "government": Words("政府", "the government"),
        "finance": Words("财务部", "the finance department"),
        "engineering": Words("工程部", "the engineering department"),
        "legal": Words("法务部", "the legal department"),
        "operations": Words("运营部", "the operations department"),
        "joint-command": Words("联合指挥部", "the joint command group"),
        "head-of-relationship": Words("客户关系负责人", "the head of relationship"),
    }
)
"""The roles that the register knows by a Chinese word, by that word."""

AUDIENCE_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "responsible": Words("执行方（R）", "the Responsible"),
        "accountable": Words("负责方（A）", "the Accountable"),
        "consulted": Words("咨询方（C）", "the Consulted"),
        "informed": Words("知会方（I）", "the Informed"),
        "everyone": Words("全体相关方", "everyone"),
        "owner": Words("关系负责人", "the relationship's owner"),
        "head": Words("客户关系负责人", "the head of relationship"),
        "debtor": Words("责任方", "who owes it"),
        "creditor": Words("接收方", "whom it is owed to"),
    }
)
"""Whom a rung is for, where it names no role."""

_ROLE = re.compile(r"[a-z]+([-_][a-z]+)*")


def role_words(playbook: Playbook, role: str) -> Words:
    """Give what a role is called: as the playbook's room of its name, as the register writes it, else as words.

    A party ref, and whatever else is no role's name, stands as it is.
    """
    room = playbook.rooms.get(role)
    if room is not None:
        return room.title.words
    return ROLE_WORDS.get(role) or Words(_plain(role), _plain(role))


def audience_words(word: str) -> Words:
    """Give what a rung's word for its readers, or a role, is called; a party ref stands as it is.

    >>> audience_words("head").zh, audience_words("joint-command").en, audience_words("P-01").zh
    ('客户关系负责人', 'the joint command group', 'P-01')
    """
    return AUDIENCE_WORDS.get(word) or ROLE_WORDS.get(word) or Words(_plain(word), _plain(word))


def _plain(role: str) -> str:
    return re.sub(r"[-_]", " ", role) if _ROLE.fullmatch(role) else role
