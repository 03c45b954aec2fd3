"""Whom it is told that a letter did not arrive, and that nobody is told twice or in a circle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from pfflow.domain.decision import Conclusion, Decision, Dossier
from pfflow.domain.notices import Notice
from pfflow.domain.trouble import WHY, Trouble, Undelivered
from pfflow.domain.undelivered import LISTED, TEMPLATE
from pfflow.domain.words import EN, ZH, Stage
from pfflow.rendering.letters import Renderer
from pfflow.stages.communication import decide
from tests.factories import applied, at, make_contact, make_dossier, make_facts, make_obligation

KEY = "G1/report/2026-01-15"
FRIDAY, SATURDAY, MONDAY = at("2026-01-16"), at("2026-01-17"), at("2026-01-19")


def failed(number: int = 1, trouble: Trouble = Trouble.RECIPIENT, **changes: Any) -> Undelivered:
    one = Undelivered(
        key=f"{KEY}/remind-1bd-responsible/C-BANK/{number}",
        project_ref="G1",
        obligation_key=KEY,
        rung="remind-1bd-responsible",
        contact_ref="C-BANK",
        template="communication/reminder",
        trouble=trouble,
        since=at("2026-01-16", 9, 5),
    )
    return replace(one, **changes)


def losing(*letters: Undelivered, owner: str = "C-REL", dossier: Dossier | None = None) -> Dossier:
    """Give the motorway with these letters undelivered; its bank and its finance department are the owner's."""
    stands = dossier or make_dossier(obligations=[make_obligation()])
    owned = {
        (Stage.IDENTIFICATION, f"party/{ref}"): Conclusion(
            stage=Stage.IDENTIFICATION, subject=f"party/{ref}", value={"owner": owner}
        )
        for ref in ("BANK", "FIN")
    }
    held = replace(stands.held, undelivered=letters, conclusions={**owned, **stands.held.conclusions})
    return replace(stands, held=held)


def notices(decision: Decision) -> Mapping[str, Notice]:
    return {notice.contact_ref: notice for notice in decision.notices if notice.template == TEMPLATE}


def told(decision: Decision) -> list[str]:
    return sorted(notices(decision))


def findings(decision: Decision) -> list[str]:
    return [finding.text.en for finding in decision.findings if finding.kind == "undelivered"]


@pytest.mark.parametrize(
    ("letter", "readers"),
    [
        (failed(), ["C-REL"]),
        (failed(trouble=Trouble.UNWRITABLE), ["C-REL"]),
        (failed(contact_ref="C-CON"), ["C-HEAD"]),
        (failed(contact_ref="C-NOBODY", trouble=Trouble.GONE), ["C-HEAD"]),
        (failed(rung="escalate+1bd-accountable"), ["C-HEAD", "C-REL"]),
        (failed(contact_ref="C-REL"), ["C-HEAD"]),
        (failed(contact_ref="C-REL", template=TEMPLATE, rung="escalate-undelivered"), ["C-HEAD"]),
        (failed(contact_ref="C-HEAD", template=TEMPLATE, rung="escalate-undelivered"), []),
        (failed(trouble=Trouble.OURS, since=FRIDAY), []),
        (failed(trouble=Trouble.OURS, since=at("2026-01-16", 5, 30)), ["C-REL"]),
        (failed(trouble=Trouble.OURS, since=at("2026-01-16", 5, 30), template=TEMPLATE), []),
    ],
    ids=[
        "a refused recipient: the owner",
        "a letter that cannot be written: the owner",
        "a party nobody owns: the head",
        "a contact who is gone: the head",
        "an escalation: the owner and the head",
        "the owner cannot be reached: the head",
        "the notice to the owner failed: the head",
        "the notice to the head failed: nobody",
        "kept back for minutes: nobody yet",
        "kept back for four hours: the owner",
        "a notice of this kind kept back: nobody",
    ],
)
def test_who_is_told_that_a_letter_did_not_arrive(letter: Undelivered, readers: list[str]) -> None:
    dossier = losing(letter)
    if letter.contact_ref == "C-REL":
        rel = Conclusion(stage=Stage.IDENTIFICATION, subject="party/REL", value={"owner": "C-REL"})
        owned = {**dossier.held.conclusions, (Stage.IDENTIFICATION, "party/REL"): rel}
        dossier = replace(dossier, held=replace(dossier.held, conclusions=owned))
    assert told(decide(dossier, FRIDAY)) == readers


def test_what_can_be_told_to_nobody_is_found_by_every_sweep() -> None:
    lost = failed(contact_ref="C-HEAD", template=TEMPLATE)
    first = decide(losing(lost), FRIDAY)
    second = decide(applied(losing(lost), first), MONDAY)
    assert [told(first), told(second)] == [[], []]
    line = "1 letter did not arrive: the receiving server does not take mail for this person (1)"
    assert findings(first) == findings(second) == [line]


def test_a_letter_is_told_of_once_and_again_only_when_it_fails_again() -> None:
    dossier = losing(failed())
    first = decide(dossier, FRIDAY)
    assert told(first) == ["C-REL"]
    after = applied(dossier, first)
    assert [told(decide(after, instant)) for instant in (FRIDAY, SATURDAY, MONDAY)] == [[], [], []]
    mended = applied(losing(dossier=after), decide(losing(dossier=after), SATURDAY))
    again = losing(failed(since=SATURDAY), dossier=mended)
    assert told(decide(again, MONDAY)) == ["C-REL"]


def test_many_failures_are_one_notice_a_project_and_day_and_what_fails_later_that_day_waits_for_the_next() -> None:
    letters = [failed(number) for number in range(LISTED + 5)]
    dossier = losing(*letters)
    first = decide(dossier, FRIDAY)
    (notice,) = notices(first).values()
    assert notice.key == "G1/undelivered/2026-01-16/escalate-undelivered/C-REL"
    details: Any = notice.context["details"]
    assert (details["failed"], len(details["letters"]), details["more"]) == (LISTED + 5, LISTED, 5)
    more = losing(*letters, failed(99), dossier=applied(dossier, first))
    assert told(decide(more, at("2026-01-16", 17, 0))) == []
    later = decide(more, SATURDAY)
    (following,) = notices(later).values()
    assert following.context["details"]["failed"] == 1  # type: ignore[index, call-overload]  # JSON of a known shape
    assert following.key != notice.key


def test_the_ledger_says_what_was_told_to_whom_once() -> None:
    decision = decide(losing(failed()), FRIDAY)
    (entry,) = (entry for entry in decision.entries if entry.subject == "undelivered")
    said: Any = entry.data["value"]
    assert entry.kind == "concluded"
    assert said["letters"][failed().key] == {
        "since": "2026-01-16T01:05:00+00:00",
        "trouble": "recipient",
        "contact_ref": "C-BANK",
        "to": ["C-REL"],
    }


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (EN, ["Person C-BANK (BANK Ltd, C-BANK): Fund-use report (reminder)", "does not take mail for this person"]),
        (ZH, ["Person C-BANK（BANK公司，C-BANK）：资金使用报告（提醒）", "原因：对方邮件服务器拒收该收件人"]),
    ],
)
def test_the_notice_says_what_to_whom_and_why_without_an_address(language: str, says: list[str]) -> None:
    contacts = (*make_facts().contacts, make_contact("C-X", "BANK", email="secret@elsewhere.example"))
    lost = losing(
        failed(), failed(2, contact_ref="C-X"), dossier=make_dossier(obligations=[make_obligation()], contacts=contacts)
    )
    (notice,) = notices(decide(lost, FRIDAY)).values()
    reader = next(contact for contact in contacts if contact.contact_ref == "C-REL")
    letter = Renderer.of_house().letter(notice, reader, language)
    for sentence in says:
        assert sentence in letter.text
    for form in (letter.text, letter.html, letter.subject, str(notice.context)):
        assert "elsewhere.example" not in form
        assert "c-bank@house.example" not in form


@pytest.mark.parametrize(
    ("language", "says"),
    [(EN, "Joint command (chat room, joint-command): Fund-use"), (ZH, "（群聊，joint-command）：资金")],
)
def test_a_room_that_took_no_text_is_told_as_a_room(language: str, says: str) -> None:
    lost = failed(contact_ref="room.joint-command", trouble=Trouble.CHAT)
    dossier = losing(lost)
    (notice,) = notices(decide(dossier, FRIDAY)).values()
    reader = next(c for c in dossier.facts.contacts if c.contact_ref == notice.contact_ref)
    letter = Renderer.of_house().letter(notice, reader, language)
    assert says in letter.text
    assert "room.joint-command" not in letter.text + letter.html


def test_a_quiet_project_says_nothing_of_it() -> None:
    decision = decide(losing(), FRIDAY)
    assert told(decision) == findings(decision) == []
    assert not any(entry.subject == "undelivered" for entry in decision.entries)


def test_every_trouble_has_its_words_in_both_languages_without_an_address() -> None:
    assert set(WHY) == set(Trouble)
    for words in WHY.values():
        assert words.zh
        assert words.en
        assert "@" not in words.zh + words.en
        assert not words.zh.isascii()


def lived_at(instant: datetime) -> Decision:
    return decide(losing(failed()), instant)


def test_deciding_twice_at_an_instant_gives_equal_notices() -> None:
    assert lived_at(FRIDAY) == lived_at(FRIDAY)
