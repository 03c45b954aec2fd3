"""How what is held on a project is read: the language, the names, what climbed how far; and Markdown that is safe.

Labels are in both languages, what is labelled in the language most of the house's own people read. Prefect keeps every
version of an artifact, so what is read names parties and roles, and contacts by their references only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from pfflow.domain.audience import names_of, roles_meant
from pfflow.domain.business_days import business_days_between
from pfflow.domain.courses import rungs_of
from pfflow.domain.decision import Dossier
from pfflow.domain.ladder import Action, action_in, bare_name
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.parties import Realm
from pfflow.domain.register_words import source_words
from pfflow.domain.reports import Report
from pfflow.domain.words import EN, NO_WORDS, ZH, Stage, Words
from pfflow.rendering.formats import cell, figure_of, number

_MARKUP = re.compile(r"([\\`*_\[\]|~#])")
PACKAGE = {
    "proposed": Words("待审批", "waiting for approval"),
    "approved": Words("已批准", "approved"),
    "rejected": Words("已否决", "rejected"),
    "rework": Words("退回修改", "sent back for rework"),
}
KINDS = {
    ObligationKind.MEETING: Words("会议", "meeting"),
    ObligationKind.REPORT: Words("报告", "report"),
    ObligationKind.FACT: Words("资料", "information"),
    ObligationKind.APPROVAL: Words("审批", "approval"),
    ObligationKind.OFFER: Words("方案", "offer"),
    ObligationKind.NOTICE: Words("预警", "warning"),
    ObligationKind.SURVEY: Words("调查", "survey"),
    ObligationKind.COVENANT: Words("约定", "covenant"),
    ObligationKind.ACTION: Words("行动", "action"),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a project's page: the day it is for, and the language of what is labelled."""

    dossier: Dossier
    as_of: datetime

    @property
    def language(self) -> str:
        """The language most contacts of the project's internal parties read."""
        facts = self.dossier.facts
        internal = {p.party_ref for p in facts.parties if p.realm is Realm.INTERNAL}
        spoken = Counter(c.language for c in facts.contacts if c.party_ref in internal)
        commonest = max(spoken, key=lambda tag: (spoken[tag], tag), default=EN)
        return ZH if commonest.lower().startswith("zh") else EN

    @property
    def today(self) -> date:
        """The day of `as_of` where the playbook is at home."""
        return self.as_of.astimezone(self.dossier.playbook.zone).date()

    def label(self, zh: str, en: str) -> str:
        """Give a label in both languages, the reader's first."""
        first, second = (zh, en) if self.language == ZH else (en, zh)
        return f"{first} / {second}"

    def say(self, words: Words) -> str:
        """Give words in the reader's language."""
        return words.in_language(self.language)

    def said(self, value: object) -> str:
        """Give words that travelled as JSON ({"zh": …, "en": …}) in the reader's language."""
        if isinstance(value, Mapping):
            return self.say(Words(str(value.get("zh", "")), str(value.get("en", ""))))
        return "" if value is None else str(value)

    def name(self, *roles_or_refs: str) -> str:
        """Give the names of the parties meant."""
        return self.say(names_of(self.dossier, filter(None, roles_or_refs), self.today)) or "—"

    def person(self, contact_ref: object) -> str:
        """Give a contact by reference and position, never by name."""
        contact = next((c for c in self.dossier.facts.contacts if c.contact_ref == contact_ref), None)
        if contact is None:
            return str(contact_ref or "—")
        return f"{contact.contact_ref} · {contact.role_title}" if contact.role_title else contact.contact_ref

    def due(self, obligation: Obligation) -> str:
        """Give an obligation's due date, with a star where it is provisional."""
        return f"{obligation.due_on.isoformat()}{'*' if obligation.provisional else ''}"

    def days_late(self, obligation: Obligation) -> int:
        """Give how many business days an obligation is late; 0 on its due date."""
        return max(0, business_days_between(obligation.due_on, self.today, self.dossier.calendar))

    def climbed_to(self, obligation: Obligation) -> str:
        """Say how far an obligation climbed: to whom last for the first time, how often in all, and when last."""
        steps = [
            firing
            for firing in self.dossier.held.firings.values()
            if firing.obligation_key == obligation.key
            and firing.outcome == "fired"
            and action_in(firing.rung) == Action.ESCALATE
        ]
        if not steps:
            return "—"
        firsts = [step for step in steps if "/" not in step.rung]
        furthest = max(firsts or steps, key=lambda step: (step.due_at, step.fired_at))
        last = max(step.fired_at for step in steps).astimezone(self.dossier.playbook.zone)
        return f"{self.rung_to(obligation, furthest.rung)} · ×{len(steps)} · {last:%m-%d}"

    def rung_to(self, obligation: Obligation, step: str) -> str:
        """Give the names of those a step of an obligation's ladder speaks to."""
        rungs = rungs_of(self.dossier.playbook, obligation)
        rung = next((r for r in rungs if r.name == bare_name(step)), None)
        if rung is None:
            return step
        if rung.to == "owner":
            return self.say(Words("关系负责人", "relationship owner"))
        return self.name(*roles_meant(self.dossier, rung.to, obligation))

    def concluded(self, stage: Stage, subject: str) -> Mapping[str, Any]:
        """Give what a stage last concluded on a subject; empty where it has not."""
        return self.dossier.concluded(stage, subject)

    def subjects(self, stage: Stage, prefix: str) -> list[str]:
        """Give what follows a prefix in the subjects a stage concluded on, in order."""
        held = self.dossier.held.conclusions
        return sorted(s.removeprefix(prefix) for at, s in held if at is stage and s.startswith(prefix))

    def scorecards(self) -> list[Mapping[str, Any]]:
        """Give the scorecards of the last month that has any, in order of department."""
        subjects = self.subjects(Stage.EVALUATION, "scorecard/")
        last = max((s.rpartition("/")[2] for s in subjects), default="")
        return [self.concluded(Stage.EVALUATION, f"scorecard/{s}") for s in subjects if s.endswith(f"/{last}")]


def measures_of(reader: Reader, digest: str) -> list[str]:
    """Give the titles of a package's measures, as its approval lists them."""
    asked = next((o for o in approvals(reader) if o.subject == digest), None)
    measures: Any = asked.details.get("measures", ()) if asked else ()
    return [reader.said(measure["title"]) for measure in measures]


def approvals(reader: Reader) -> list[Obligation]:
    """Give the approvals ever asked for, the latest first."""
    asked = (o for o in reader.dossier.of_stage(Stage.SERVICE_DESIGN) if o.kind is ObligationKind.APPROVAL)
    return sorted(asked, key=lambda o: (o.due_at, o.key), reverse=True)


def lacking(reader: Reader, party_ref: str, found: Mapping[str, Any]) -> str:
    """Say what a party's completeness lacks, by the titles of its checklist."""
    checklist = str(reader.concluded(Stage.IDENTIFICATION, f"party/{party_ref}").get("checklist") or "")
    titles = {i.name: i.title.words for i in reader.dossier.playbook.checklists.get(checklist, ())}
    stale = reader.say(Words("需更新", "stale"))
    return "; ".join(
        reader.say(titles.get(str(one["item"]), Words(str(one["item"]), "")))
        + (f" ({stale})" if one["state"] == "stale" else "")
        for one in found["lacking"]
    )


def relationship_line(reader: Reader, month: str) -> str:
    """Say how the relationship with external customers measured in a month; empty where it was not."""
    found = reader.concluded(Stage.EVALUATION, f"relationship/{month}")
    if not found:
        return ""
    parts = [
        f"{reader.label('留存', 'Retention')} {_percent(found['retention']['percent'])}",
        f"{reader.label('转介', 'Referral')} {_percent(found['referral']['percent'])}",
        f"NPS {found['nps']['value'] or '—'} (n={found['nps']['n']})",
        f"CSAT {_percent(found['csat']['value'])} (n={found['csat']['n']})",
    ]
    return " · ".join(parts)


def _percent(value: object) -> str:
    return f"{value}%" if number(str(value)) is not None else "—"


def artifact_key(kind: str, ref: str) -> str:
    """Give an artifact's key: lower case letters, digits and dashes, unique for a reference.

    >>> artifact_key("project", "EXP-01")
    'project-exp-01'
    >>> artifact_key("project", "高速 1")
    'project-1-c2881c'
    """
    plain = re.sub(r"[^a-z0-9]+", "-", ref.lower()).strip("-")
    if plain.upper() == ref:
        return f"{kind}-{plain}"
    return "-".join(filter(None, (kind, plain, sha256(ref.encode()).hexdigest()[:6])))


def text(value: object) -> str:
    r"""Give a text as Markdown shows it: on one line, with nothing in it taken for markup, link or image.

    >>> print(text("a|b ![x](y) <b>"))
    a\|b !\[x\](y) &lt;b&gt;
    """
    flat = " ".join(str(value).split())
    return _MARKUP.sub(r"\\\1", flat).replace("<", "&lt;").replace(">", "&gt;")


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Give a Markdown table, every cell escaped."""
    lines = [f"| {' | '.join(map(text, headers))} |", f"|{' --- |' * len(headers)}"]
    return lines + [f"| {' | '.join(text(cell) for cell in row)} |" for row in rows]


def markdown_of(report: Report, language: str) -> list[str]:
    """Give a report as Markdown; rows are list items, since a narrow form cuts off what its cells cannot show."""
    lines = [f"**{text(report.title.in_language(language))}**", ""]
    lines += [
        f"- {text(one.label.in_language(language))}: **{text(figure_of(one, language))}**" for one in report.figures
    ]
    for one in report.tables:
        lines += ["", f"**{text(one.title.in_language(language))}**", ""]
        for row in one.rows:
            said = [cell(value, c.kind, language) for value, c in zip(row, one.columns, strict=True)]
            lines.append(f"- **{text(said[0])}** {text(' · '.join(filter(None, said[1:])))}".rstrip())
        lines += ["", text(one.note.in_language(language))] if one.note != NO_WORDS else []
    lines += [line for paragraph in report.paragraphs for line in ("", text(paragraph.in_language(language)))]
    sources = [source_words(source).in_language(language) for source in report.sources]
    return lines + (["", f"*{text('; '.join(sources))}*"] if sources else [])
