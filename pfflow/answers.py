"""Taking answers in: what people say of obligations, problems they report, and who is away.

All that is entered here (the command line, Prefect's forms) is held to `pfflow.domain.answering` before it is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from urllib.parse import unquote

from pfflow.bootstrap import calendar_of, now, playbook_in_force
from pfflow.domain.answering import Span, not_asked, refusal, same_house, untimely
from pfflow.domain.audience import stand_in
from pfflow.domain.business_days import wall_instant
from pfflow.domain.decision import Dossier, Holdings
from pfflow.domain.drafting import Draft
from pfflow.domain.facts import Absence, Facts, Interaction, Touch
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.project import Project
from pfflow.domain.survey_answers import answers_of, off_scale
from pfflow.domain.words import Words
from pfflow.intake import AnswerError, answer_to, issue_from, require_contact
from pfflow.store import SqlStore


def answered(store: SqlStore, kind: Touch, key: str, *, by: str, because: str, at: datetime, to: str = "") -> bool:
    """Record what a contact answers to an obligation; gives whether it is news. Raises AnswerError as `answer` does."""
    return store.report_touch(answer(store, kind, key, by=by, because=because, at=at, to=to), by, now())


def answer(store: SqlStore, kind: Touch, key: str, *, by: str, because: str, at: datetime, to: str = "") -> Interaction:
    """Give what a contact answers to an obligation, to be recorded.

    Raises AnswerError where it would not count: it is better said so at once than found out when the obligation is
    overdue. An instant counts up to now, and where days were lived ahead of the clock up to the last of them.
    """
    project_ref = unquote(key.partition("/")[0])
    known = project_ref in store.project_refs()
    held = store.holdings(project_ref) if known else None
    touch = answer_to(
        key,
        kind,
        by=by,
        because=because,
        at=at,
        obligations=held.obligations.values() if held else (),
        contacts=held.facts.contacts if held else (),
        to=to,
    )
    if held is not None:
        obligation = held.obligations[key]
        _refuse_for(untimely(touch, Span(_since(store, obligation), _until(held)), playbook_in_force(store).zone))
        draft = Draft(_dossier_at(store, held, at), obligation.stage, at)
        _refuse_for(refusal(draft, obligation, touch))
    return touch


def _since(store: SqlStore, obligation: Obligation) -> datetime | None:
    """Give since when an obligation exists: since it was planned, or the problem reported that it is part of."""
    reported_at = obligation.details.get("reported_at")
    if reported_at:
        return datetime.fromisoformat(str(reported_at))
    return store.planned_at(obligation.project_ref, obligation.key)


def _until(held: Holdings) -> datetime:
    return max(now(), *held.decided_to.values())


def _refuse_for(why: Words | None) -> None:
    if why is not None:
        raise AnswerError(f"{why.en} / {why.zh}")


def surveyed(
    store: SqlStore, key: str, scores: Mapping[str, int], *, by: str, comment: str, at: datetime, about: str = ""
) -> bool:
    """Record what a contact's party answers to a survey, as rows of the register's surveys; gives whether it is news.

    Raises AnswerError for what is no survey, whoever was not asked, no score or one off its scale, and an instant that
    lies ahead or before the survey was planned.
    """
    project_ref = unquote(key.partition("/")[0])
    held = store.holdings(project_ref) if project_ref in store.project_refs() else None
    survey = held.obligations.get(key) if held else None
    if held is None or survey is None:
        raise AnswerError(f"there is no obligation {key!r}; pfflow owed lists them")
    if survey.kind is not ObligationKind.SURVEY:
        raise AnswerError(f"{key} is a {survey.kind}, not a survey; acknowledge, fulfil or waive it")
    contact = require_contact(by, held.facts.contacts)
    if not scores:
        raise AnswerError("an answer has a score; give --nps (0 to 10), --csat (1 to 5) or --ces (1 to 7)")
    for question, score in scores.items():
        _refuse_for(off_scale(question, score))
    if about and about not in {party.party_ref for party in held.facts.parties}:
        raise AnswerError(f"there is no party {about!r} to answer about; leave it out for the house")
    said = Interaction(ext_id="", project_ref=project_ref, at=at, kind=Touch.FEEDBACK, obligation_key=key)
    zone = playbook_in_force(store).zone
    _refuse_for(untimely(said, Span(_since(store, survey), _until(held)), zone))
    draft = Draft(_dossier_at(store, held, at), survey.stage, at)
    _refuse_for(not_asked(draft, survey, contact))
    rows = answers_of(
        survey, contact.party_ref, scores, on=at.astimezone(zone).date(), about_ref=about, comment=comment.strip()
    )
    return store.import_facts(Facts(surveys=rows), now(), by) > 0


def reported(store: SqlStore, project_ref: str, *, by: str, text: str, severity: str, at: datetime) -> Interaction:
    """Record a problem somebody reports, and give it; raises AnswerError where it cannot be followed up."""
    if project_ref not in store.project_refs():
        raise AnswerError(f"no project {project_ref!r} is registered; pfflow projects lists them")
    rules = playbook_in_force(store).issues
    if rules is None:
        raise AnswerError("the playbook says nothing under issues, so nobody would follow it up; add it and adopt it")
    if severity and severity not in rules.severities:
        raise AnswerError(f"there is no severity {severity!r}; write one of {', '.join(rules.severities)}")
    held = store.holdings(project_ref)
    known = held.facts.contacts
    touch = issue_from(project_ref, by=by, text=text, severity=severity or rules.default, at=at, contacts=known)
    zone = playbook_in_force(store).zone
    # A problem counts from the day on which the relationship began here, at whatever hour.
    began = held.engaged_at and wall_instant(held.engaged_at.astimezone(zone).date(), time(0), zone)
    _refuse_for(untimely(touch, Span(began, _until(held)), zone))
    store.report_touch(touch, by, now())
    return touch


def away(store: SqlStore, absence: Absence, *, by: str) -> bool:
    """Record days a contact is away and who stands in; gives whether it is news. Raises AnswerError."""
    facts = store.facts()
    parties = {party.party_ref: party for party in facts.parties}
    away_one = require_contact(absence.contact_ref, facts.contacts)
    require_contact(by, facts.contacts)
    if absence.substitute_ref:
        other = require_contact(absence.substitute_ref, facts.contacts)
        if not same_house(parties.get(away_one.party_ref), parties.get(other.party_ref)):
            raise AnswerError(
                f"{other.contact_ref} is of {other.party_ref} and {away_one.contact_ref} of {away_one.party_ref}: "
                "nobody of another company stands in; name a colleague, or nobody / "
                f"{other.contact_ref} 属于 {other.party_ref}，不能代理其他单位的人；请指定同事，或不指定"
            )
    if absence.until < absence.since:
        raise AnswerError(f"{absence.until} is before {absence.since}; exchange the two")
    if absence.substitute_ref == absence.contact_ref:
        raise AnswerError(f"{absence.contact_ref} cannot stand in for themselves; name somebody else, or nobody")
    return store.import_facts(Facts(absences=(absence,)), now(), by) > 0


def standing_in(store: SqlStore, contact_ref: str, at: datetime) -> str:
    """Give who reads what is for a contact at an instant: the contact, who stands in, or nobody (empty)."""
    facts = store.facts()
    held = Holdings(project=Project(project_ref="", name=""), facts=facts)
    dossier = _dossier_at(store, held, at)
    reader = stand_in(dossier, require_contact(contact_ref, facts.contacts), dossier.engaged_on)
    return reader.contact_ref if reader else ""


def _dossier_at(store: SqlStore, held: Holdings, at: datetime) -> Dossier:
    playbook = playbook_in_force(store)
    on = at.astimezone(playbook.zone).date()
    return Dossier(held=held, playbook=playbook, calendar=calendar_of(playbook, held, at), engaged_on=on)
