"""An invitation as iCalendar (RFC 5545, RFC 5546), written by the icalendar library.

Times are wall times of the meeting's zone with their VTIMEZONE beside them, so a calendar that has never heard of the
zone is right too. The observances are drawn from the zone's rules for the year before and after the meeting.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vCalAddress, vText

from pfflow.delivery.errors import AddressError
from pfflow.delivery.headers import checked_address, header_text
from pfflow.domain.notices import Invitation, Method

PRODID = "-//pfflow//pfflow//EN"


@lru_cache(maxsize=64)
def calendar_of(invitation: Invitation, *, language: str, stamped_at: datetime) -> bytes:
    """Give the invitation as the bytes of an iCalendar object: CRLF, folded at 75 octets.

    `stamped_at` becomes DTSTAMP; equal invitations are written once. A guest without a usable address is left out.
    Raises AddressError for such an organiser.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", str(invitation.method))
    zone = ZoneInfo(invitation.timezone)
    if zone.key not in {"UTC", "Etc/UTC"}:
        calendar.add_component(timezone_of(zone, invitation.starts_at))
    calendar.add_component(_event(invitation, zone, language, stamped_at))
    written: bytes = calendar.to_ical()
    return written


def timezone_of(zone: ZoneInfo, around: datetime, until: datetime | None = None) -> Timezone:
    """Give the VTIMEZONE of a zone from a year before an instant to a year after it, or after `until` (RFC 5545).

    Each observance begins at a wall time of the offset before it, as section 3.6.5 asks.
    """
    start = around.astimezone(UTC) - timedelta(days=366)
    end = (until or around).astimezone(UTC) + timedelta(days=366)
    onsets = [start, *_transitions(zone, start, end)]
    component = Timezone()
    component.add("tzid", zone.key)
    for onset in onsets:
        before, after = (onset - timedelta(seconds=1)).astimezone(zone), onset.astimezone(zone)
        observance = TimezoneDaylight() if after.dst() else TimezoneStandard()
        offset_before = before.utcoffset() or timedelta()
        observance.add("dtstart", (onset + offset_before).replace(tzinfo=None))
        observance.add("tzoffsetfrom", offset_before)
        observance.add("tzoffsetto", after.utcoffset() or timedelta())
        observance.add("tzname", after.tzname() or zone.key)
        component.add_component(observance)
    return component


def _event(invitation: Invitation, zone: ZoneInfo, language: str, stamped_at: datetime) -> Event:
    cancelled = invitation.method is Method.CANCEL
    event = Event()
    event.add("uid", header_text(invitation.uid))
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", stamped_at.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", invitation.starts_at.astimezone(zone).replace(microsecond=0))
    event.add("dtend", invitation.ends_at.astimezone(zone).replace(microsecond=0))
    event.add("summary", vText(header_text(invitation.summary.in_language(language)), params={"LANGUAGE": language}))
    for name in ("description", "location"):
        text = header_text(getattr(invitation, name).in_language(language))
        if text:
            event.add(name, text)
    if not invitation.uninvites:
        # A cancellation for some attendees only must not say STATUS: the meeting is held (RFC 5546 section 3.2.5).
        event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if cancelled else "OPAQUE")
    event["organizer"] = _person(invitation.organizer_name.in_language(language), invitation.organizer_email)
    for attendee in invitation.attendees:
        try:
            person = _person(attendee.name, attendee.email)
        except AddressError:
            continue  # nobody can invite this one, and the others are not to miss the meeting for it
        person.params.update(
            {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE"}
        )
        event.add("attendee", person, encode=False)
    return event


def _person(name: str, email: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{checked_address(email)}")
    shown = header_text(name).replace('"', "'")  # a parameter has no way to say a quotation mark (RFC 5545 3.2)
    if shown:
        person.params["CN"] = shown
    return person


@lru_cache(maxsize=256)
def _transitions(zone: ZoneInfo, start: datetime, end: datetime) -> tuple[datetime, ...]:
    """Give the instants at which a zone's offset changes, to the second, found by halving each day that has one."""
    found = []
    day = start
    while day < end:
        following = day + timedelta(days=1)
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            found.append(_change(zone, day, following))
        day = following
    return tuple(found)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)
