"""Evaluation: what worked. Departments' monthly scorecards, the relationship's measures, and proposals for change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from pfflow.domain.audience import names_of, raci_of
from pfflow.domain.business_days import Convention, adjust, wall_instant
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import Missing, climb
from pfflow.domain.obligations import Obligation, ObligationKind, derived_key
from pfflow.domain.offsets import offset_date
from pfflow.domain.recurrence import periods
from pfflow.domain.relationship import Relationship, relationship
from pfflow.domain.reports import CellKind, Column, Figure, Report, Table
from pfflow.domain.satisfaction import Measured
from pfflow.domain.scorecard import Card, card_of, month_of
from pfflow.domain.words import Json, Stage, Words

STAGE = Stage.EVALUATION
_TRAILING = timedelta(days=364)
"""Retention and satisfaction look back a year, the month's last day included."""
_WEAK_NPS = Decimal(0)
_TENTH = Decimal("0.1")


def decide(dossier: Dossier, as_of: datetime) -> Decision:
    """Score every month that has ended until its card is sent, measure the relationship, and propose changes."""
    draft = Draft(dossier, STAGE, as_of)
    cards: dict[str, Card] = {}
    for (first, last), cards_of in groupby(_open_cards(draft), key=attrgetter("first", "last")):
        month = {one.key: _scored(draft, one.role, first, last) for one in cards_of}
        cards |= month
        _measure_relationship(draft, last, list(month.values()))
    climb(draft, lambda obligation: _content(draft, cards, obligation))
    return draft.decision()


class _Due(NamedTuple):
    """A card that is owed: the first and last day of its month, its place in it, whose it is, and its key."""

    first: date
    last: date
    place: int
    role: str
    key: str


def _open_cards(draft: Draft) -> list[_Due]:
    """Give the cards of the months that have ended and that are not sent, which locks them, month by month."""
    dossier = draft.dossier
    ref, roles = dossier.project.project_ref, tuple(dossier.playbook.scorecard.departments)
    began, month = dossier.engaged_on.replace(day=1), draft.today.replace(day=1)
    closed, found = dossier.held.closed(STAGE), list[_Due]()
    for year in range(began.year, month.year + 1):
        cards, keys = _cards_of_year(ref, roles, year)
        if not dossier.held.all_closed(STAGE, keys):
            found += [card for card in cards if began <= card.first < month and card.key not in closed]
    return found


@lru_cache(maxsize=1024)
def _cards_of_year(project_ref: str, roles: tuple[str, ...], year: int) -> tuple[tuple[_Due, ...], frozenset[str]]:
    """Give every card of a year's months, month by month, and their keys."""
    cards = tuple(
        _Due(*month, place, role, _key(project_ref, role, month[0]))
        for month in periods("monthly", date(year, 1, 1), date(year, 12, 31))
        for place, role in enumerate(roles)
    )
    return cards, frozenset(card.key for card in cards)


def _key(project_ref: str, role: str, first: date) -> str:
    return derived_key(project_ref, "scorecard", role, month_of(first))


def _scored(draft: Draft, role: str, first: date, last: date) -> Card:
    """Give the card of a month that is not sent yet; plans its sending."""
    existing = draft.obligation(_key(draft.dossier.project.project_ref, role, first))
    card = card_of(draft.dossier, role, first, last)
    if existing is None:
        _plan_card(draft, card)
    elif dict(existing.details) != (details := _details(draft, card)):
        draft.change(replace(existing, details=details))
    draft.conclude(f"scorecard/{role}/{card.month}", _card_json(draft, card), "weights and measures of the playbook")
    return card


def _plan_card(draft: Draft, card: Card) -> None:
    dossier, terms = draft.dossier, draft.dossier.playbook.scorecard
    unadjusted = offset_date(card.last, terms.due, dossier.calendar)
    on = adjust(unadjusted, Convention.FOLLOWING, dossier.calendar)
    name = names_of(dossier, (card.role,), draft.today)
    raci = raci_of(dossier, terms.activity)
    draft.plan(
        Obligation(
            key=_key(dossier.project.project_ref, card.role, card.first),
            project_ref=dossier.project.project_ref,
            stage=STAGE,
            kind=ObligationKind.REPORT,
            title=Words(f"{name.zh} {card.month} 月度考核", f"Scorecard of {name.en}, {card.month}"),
            due_at=wall_instant(on, dossier.playbook.hours.letters, dossier.playbook.zone),
            due_on=on,
            unadjusted_on=unadjusted,
            provisional=dossier.calendar.is_provisional(on),
            timezone=dossier.playbook.timezone,
            ladder=terms.ladder,
            activity=terms.activity,
            debtor=raci.responsible[0] if raci.responsible else "",
            creditor=card.role,
            subject=card.role,
            content="scorecard",
            period_start=card.first,
            period_end=card.last,
            details=_details(draft, card),
        ),
        f"month {card.month} has ended",
    )


def _details(draft: Draft, card: Card) -> dict[str, Json]:
    return {
        "department": names_of(draft.dossier, (card.role,), draft.today).as_json(),
        "month": card.month,
        "score": _shown(card.total),
        "target": str(draft.dossier.playbook.scorecard.target),
        "proposals": [p.as_json() for p in _proposals_for(draft, card)],
    }


def _shown(value: Decimal | None) -> str:
    return "" if value is None else str(value.quantize(_TENTH, rounding=ROUND_HALF_UP))


def _card_json(draft: Draft, card: Card) -> dict[str, Json]:
    return {
        "role": card.role,
        "month": card.month,
        "score": _shown(card.total),
        "target": str(draft.dossier.playbook.scorecard.target),
        "rows": [
            {
                "name": scored.row.name,
                "weight": str(scored.row.weight),
                "score": _shown(scored.score),
                "evidence": scored.evidence.as_json(),
                "refs": list(scored.refs),
            }
            for scored in card.rows
        ],
    }


def _proposals_for(draft: Draft, card: Card) -> list[Words]:
    target = draft.dossier.playbook.scorecard.target
    found = []
    for scored in card.rows:
        if scored.score is not None and scored.score < target:
            title = scored.row.title.words
            found.append(
                Words(
                    f"{title.zh} {_shown(scored.score)} 分，低于目标 {target}："
                    f"建议与相关方商定改进措施（{scored.evidence.zh}）",
                    f"{title.en} is {_shown(scored.score)} against {target}: agree an improvement "
                    f"({scored.evidence.en})",
                )
            )
    return found


def _measure_relationship(draft: Draft, last: date, cards: list[Card]) -> None:
    measured = relationship(draft.dossier, last - _TRAILING, last)
    month = month_of(last)
    draft.conclude(
        f"relationship/{month}", _relationship_json(measured), "formulas of the field on the project's cohort"
    )
    proposals: list[Json] = [
        {"subject": card.role, "text": text.as_json()} for card in cards for text in _proposals_for(draft, card)
    ]
    if measured.nps.value is not None and measured.nps.value < _WEAK_NPS:
        text = Words(
            f"净推荐值 {_shown(measured.nps.value)}：建议提高沟通频次",
            f"NPS is {_shown(measured.nps.value)}: meet more often",
        )
        proposals.append({"subject": "cadence", "text": text.as_json()})
    for ref in measured.detractors:
        name = names_of(draft.dossier, (ref,), draft.today)
        text = Words(
            f"{name.zh} 为贬损者：建议由关系负责人在 2 个工作日内回访",
            f"{name.en} is a detractor: let its owner call within 2 business days",
        )
        proposals.append({"subject": ref, "text": text.as_json()})
    draft.conclude(f"proposals/{month}", {"proposals": proposals}, "scores and answers against their targets")


def _relationship_json(measured: Relationship) -> dict[str, Json]:
    retained, referred = measured.retention, measured.referral
    return {
        "first": measured.first.isoformat(),
        "last": measured.last.isoformat(),
        "retention": {
            "percent": _percent(retained.percent),
            "opening": list(retained.opening),
            "lost": list(retained.lost),
            "joined": list(retained.joined),
        },
        "referral": {"percent": _percent(referred.percent), "new": list(referred.new)},
        "nps": _measured(measured.nps),
        "csat": _measured(measured.csat),
        "detractors": list(measured.detractors),
    }


def _percent(value: Decimal | None) -> str:
    return _shown(value)


def _measured(measured: Measured) -> Json:
    return {
        "n": measured.n,
        "value": _shown(measured.value),
        "low": _shown(measured.low),
        "high": _shown(measured.high),
    }


def _content(draft: Draft, cards: dict[str, Card], obligation: Obligation) -> Report | Missing:
    card = cards.get(obligation.key)
    if card is None:
        return Missing(Words("考核期尚未结束", "the month has not ended"))
    target = draft.dossier.playbook.scorecard.target
    name = names_of(draft.dossier, (card.role,), draft.today)
    return Report(
        name="scorecard",
        title=Words(f"{name.zh} {card.month} 月度考核", f"Scorecard of {name.en}, {card.month}"),
        figures=(
            Figure(Words("得分", "Score"), _shown(card.total) or Words("无数据", "no data"), CellKind.TEXT),
            Figure(Words("目标", "Target"), str(target), CellKind.TEXT),
        ),
        tables=(
            Table(
                "rows",
                Words("考核明细", "How the score is made"),
                (
                    Column(Words("指标", "Measure")),
                    Column(Words("权重", "Weight"), CellKind.PERCENT),
                    Column(Words("得分", "Score"), CellKind.TEXT),
                    Column(Words("依据", "Evidence")),
                    Column(Words("出处", "Records")),
                ),
                tuple(
                    (
                        scored.row.title.words,
                        str(scored.row.weight),
                        _shown(scored.score) or Words("不计", "not scored"),
                        scored.evidence,
                        ", ".join(scored.refs),
                    )
                    for scored in card.rows
                ),
                Words(
                    "无数据的指标不计分，其权重按比例分摊。",
                    "A measure without data is not scored; the others share its weight.",
                ),
            ),
        ),
        paragraphs=tuple(_proposals_for(draft, card)),
        sources=("ledger: obligations, firings", "register: surveys, milestones, budget, fund_use"),
    )
