from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

from pfflow.domain.notices import EMAIL, Invitation, Method, Notice
from pfflow.domain.reports import Report
from pfflow.domain.words import NO_WORDS

AT = datetime(2026, 1, 5, 1, tzinfo=UTC)
INVITATION = Invitation(
    uid="k@house.example", sequence=1, method=Method.REQUEST, starts_at=AT, ends_at=AT, timezone="UTC",
    summary=NO_WORDS, description=NO_WORDS, organizer_name=NO_WORDS, organizer_email="o@house.example", attendees=(),
)  # fmt: skip
NOTICE = Notice(
    key="", project_ref="G1", obligation_key="G1/weekly/2026-01-05", rung="invite-5bd-responsible", contact_ref="",
    template="communication/invitation", noticed_at=AT, context={"house": {}, "instead_of": []}, invitation=INVITATION,
    report=Report("r", NO_WORDS), in_reply_to="before", urgent=True, merges_with="notices",
)  # fmt: skip


def test_a_notice_told_to_a_contact_differs_in_key_reader_and_for_whom_it_is_alone() -> None:
    told = NOTICE.told_to("C-01", instead_of=[{"name": "Wang", "until": None}])
    assert told.key == "G1/weekly/2026-01-05/invite-5bd-responsible/C-01"
    assert told == replace(
        NOTICE,
        key=told.key,
        contact_ref="C-01",
        context={"house": {}, "instead_of": [{"name": "Wang", "until": None}]},
    )


def test_the_notice_of_this_test_has_something_in_every_field_that_is_kept() -> None:
    empty = {one.name for one in fields(Notice) if not getattr(NOTICE, one.name)}
    assert empty == {"key", "contact_ref"}
    assert NOTICE.channel == EMAIL
