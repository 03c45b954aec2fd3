"""Bugs planted on purpose in what shares a mail, and in when it may go: stores that forget a rule of manners."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

from pfflow import dispatching
from pfflow.domain.manners import Manners, beyond_its_point, quiet_end
from pfflow.domain.notices import Notice
from pfflow.domain.parties import Contact
from pfflow.ports import Receipt
from tests.simulation import model_outbox
from tests.simulation.model_outbox import Mail, ModelLetter
from tests.simulation.model_store import ModelStore
from tests.simulation.replacing import replaced


class MarksTheFirst(ModelStore):
    """Marks the letter that leads a mail, and none that it tells besides."""

    def told_in(self, message_id: str) -> Mail:
        return [one for one in super().told_in(message_id) if one.for_itself]


class MakesMailsAnew(ModelStore):
    """Forgets what a mail told when it is tried again, and tells what has come since as well."""

    def _gathered(self, ready: Sequence[ModelLetter], now: datetime) -> list[Mail]:
        for one in ready:
            for other in self.told_in(one.bundle) if one.bundle else ():
                other.bundle, other.leads = "", False
                other.attempts, other.claimed_by = 0, None
        return super()._gathered(ready, now)


class LooksAtTheFirst(ModelStore):
    """Asks of the letter that leads a mail whether events have overtaken it, and of none that it tells besides."""

    def _still_meant(self, ready: Sequence[ModelLetter], now: datetime, withheld: list[Receipt]) -> Mail:
        withheld += self._withhold([one for one in ready if self._is_overtaken(one)], now)
        return [one for one in ready if one.status == "waiting"]


class MergesReaders(ModelStore):
    """Puts letters to several readers into one mail."""

    def _may_share(self, one: Notice, other: Notice) -> bool:
        return super()._may_share(one, replace(other, contact_ref=one.contact_ref))


class HoldsTheWholeMail(ModelStore):
    """Holds all that shares a mail with a reminder that came too late."""

    def _awake(self, mails: Sequence[Mail], manners: Manners, now: datetime, withheld: list[Receipt]) -> list[Mail]:
        over = [mail for mail in mails if any(beyond_its_point(manners, one.notice, now) for one in mail)]
        withheld += self._withhold([one for mail in over for one in mail], now)
        return super()._awake([mail for mail in mails if mail not in over], manners, now, withheld)


def forget_the_night() -> AbstractContextManager[None]:
    """Let nothing wait for quiet hours to end."""
    return replaced(model_outbox, "quiet_end", lambda *_: None)


def tell_the_night_by_the_houses_clock() -> AbstractContextManager[None]:
    """Ask when the house sleeps, and not when the reader does."""

    def until(manners: Manners, notice: Notice, contact: Contact, now: datetime) -> datetime | None:
        return quiet_end(manners, notice, replace(contact, timezone=""), now)

    return replaced(model_outbox, "quiet_end", until)


def sleep_a_day_longer() -> AbstractContextManager[None]:
    """Put what falls in quiet hours off until those of the next day are over."""

    def until(manners: Manners, notice: Notice, contact: Contact, now: datetime) -> datetime | None:
        end = quiet_end(manners, notice, contact, now)
        return None if end is None else end + timedelta(days=1)

    return replaced(model_outbox, "quiet_end", until)


def merge_what_may_have_arrived() -> AbstractContextManager[None]:
    """Take every letter for one that never was on its way."""
    return replaced(ModelLetter, "fresh", property(lambda _one: True))


def go_on_after_a_nap() -> AbstractContextManager[None]:
    """Renew a claim however long it has been over, and send what was asked for hours ago."""
    return replaced(dispatching, "_LONGEST_OVER", timedelta(days=365))
