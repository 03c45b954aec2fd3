"""`pfflow dispatch --dry-run`: what would leave, to whom and when, and what would be kept and why; touches nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from pfflow.cli.console import counted, spoken_language, table

if TYPE_CHECKING:
    from pfflow.domain.parties import Contact
    from pfflow.ports import Claimed
    from pfflow.settings import Settings
    from pfflow.store import Letter

Row = tuple[str, str, str, str]


def dry_run(settings: Settings, limit: int) -> None:
    """Print the first letters a dispatch would look at, oldest first within what goes and what is kept."""
    from pfflow.bootstrap import home_zone, manners_of, now, opened_store, playbook_in_force
    from pfflow.domain.words import Words

    with opened_store(settings) as store:
        manners = manners_of(settings, playbook_in_force(store))
        going, kept = store.would_leave(now(), limit, manners)
        turns, contacts = store.mail_turns(), store.facts().contacts
        zone = ZoneInfo(home_zone(store))
    stopped = settings.mail_stop or bool(turns and turns[0].stopped)
    language = spoken_language(contacts)
    leaving = list(_leaving(going, settings, language))
    headers = (Words("何时", "when"), Words("收件人", "to"), Words("函件", "letter"), Words("原因", "why"))
    table(
        [header.in_language(language) for header in headers],
        [*leaving, *_kept(kept, {one.contact_ref: one for one in contacts}, zone, language, stopped=stopped)],
        none=Words("没有待发函件", "no letter waits").in_language(language),
    )
    go = sum(not row[3] for row in leaving)
    said = Words(
        f"现在可发 {go} 封；未发送、未改动任何内容",
        f"{counted(go, 'mail')} would leave now; nothing was sent or changed",
    )
    typer.echo(said.in_language(language))


def _leaving(going: Sequence[Claimed], settings: Settings, language: str) -> Iterator[Row]:
    """Give a line for each mail that may go now, held back where the policy of this environment would hold it."""
    from pfflow.bootstrap import policy_of
    from pfflow.delivery.errors import DeliveryError
    from pfflow.delivery.headers import checked_address
    from pfflow.domain.kept_letters import KeptLetters
    from pfflow.domain.words import Words

    policy, sent = policy_of(settings), 0
    for one in going:
        try:
            reason = policy.reason_to_hold(checked_address(one.contact.email), sent)
        except DeliveryError as error:
            reason = str(error)
        sent += not reason
        when = Words("扣留", "held") if reason else Words("现在", "now")
        why = KeptLetters(status="held", because=reason, letters=1).words.in_language(language) if reason else ""
        told = one.message_id
        if one.merged:
            told = f"{told} ({', '.join(notice.key for notice in (one.notice, *one.merged))})"
        yield when.in_language(language), one.contact.email, told, why


def _kept(
    letters: Sequence[Letter], contacts: dict[str, Contact], zone: ZoneInfo, language: str, *, stopped: bool
) -> Iterator[Row]:
    from pfflow.domain.kept_letters import ON_ITS_WAY, PUT_OFF, STATUS, STOPPED, KeptLetters

    for one in letters:
        if one.status == "waiting" and stopped:
            because = STOPPED
        elif one.put_off is not None:
            because = one.put_off
        elif one.status == "held":
            because = one.last_response
        else:
            because = PUT_OFF if one.next_try_at else ON_ITS_WAY
        when = STATUS[one.status].in_language(language)
        if one.next_try_at is not None and not stopped:
            when = f"{one.next_try_at.astimezone(zone):%Y-%m-%d %H:%M}"
        contact = contacts.get(one.notice.contact_ref)
        why = KeptLetters(status=one.status, because=because, letters=1).words.in_language(language)
        yield when, contact.email if contact else one.notice.contact_ref, one.notice.key, why
