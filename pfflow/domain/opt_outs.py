"""What people may ask not to be sent: surveys and digests, never what the documents oblige them to hear."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pfflow.domain.notices import Notice
from pfflow.domain.words import Words


class OptionalLetter(StrEnum):
    """A kind of letter that people may refuse."""

    SURVEY = "survey"
    DIGEST = "digest"

    @property
    def words(self) -> Words:
        """The kind as people read it."""
        return Words("满意度调查", "surveys") if self is OptionalLetter.SURVEY else Words("定期摘要", "digests")


def optional_kind(notice: Notice) -> OptionalLetter | None:
    """Give the kind by which a letter may be refused; None for what must be told.

    A survey is known by what is owed, a digest by its template, since nobody is owed a digest. What climbs is told to
    somebody who may put it right, so it is never optional.
    """
    if notice.template.rpartition("/")[2] == "digest":
        return OptionalLetter.DIGEST
    obligation = notice.context.get("obligation")
    of_survey = isinstance(obligation, Mapping) and obligation.get("kind") == OptionalLetter.SURVEY
    return OptionalLetter.SURVEY if of_survey and not notice.rung.startswith("escalate") else None
