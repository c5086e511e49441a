"""A visit as a calendar entry: one UID for the chain, a growing SEQUENCE, the zone's rules, discreet words.

Used by the .ics file that a patient downloads or gets by email, and by a provider's feed (feed.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event, vCalAddress

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.notifications.models import Audience
from bedside.notifications.queue import PROVIDER_LOCALE

REMIND_BEFORE = timedelta(minutes=15)
OFF = frozenset({"canceled", "rescheduled", "expired"})
# The VTIMEZONE says what the zone did and will do this long around the entries.
ZONE_RULES_AROUND = timedelta(days=400)


@dataclass(frozen=True)
class Invitation:
    """What makes a calendar file an invitation: ``method`` is REQUEST or CANCEL; addresses as email writes them."""

    method: str
    organizer: str
    organizer_name: str
    attendee: str


@dataclass(frozen=True)
class Place:
    """Where an appointment stands in its chain: the first one's id, and a number that grew with every change."""

    first_id: int
    sequence: int

    @property
    def uid(self) -> str:
        """The same for a visit and whatever it was moved from, so that a move moves the entry."""
        return f"appointment-{self.first_id}@{uid_host()}"


def uid_host() -> str:
    """What the UIDs of all our entries end with."""
    return urlsplit(settings.PUBLIC_URL).hostname or "bedside"


def place_of(appointment: Appointment) -> Place:
    """An appointment that was moved changes no more, so the versions of a chain add up to a number that only grows."""
    first, sequence = appointment, appointment.version
    while first.rescheduled_from is not None:
        first = first.rescheduled_from
        sequence += first.version
    return Place(first.pk, sequence)


def calendar_file(
    appointment: Appointment,
    *,
    audience: str = Audience.PATIENT,
    join_url: str = "",
    invitation: Invitation | None = None,
) -> bytes:
    """The .ics of a visit, in the audience's zone and language; a visit that is off leaves the calendar.

    Calendars are seen by families and colleagues: the summary names neither the patient nor a condition. ``join_url``
    is the patient's only; the provider's link leads to Bedside.
    """
    to_patient = audience == Audience.PATIENT
    with translation.override(appointment.locale if to_patient else PROVIDER_LOCALE):
        zone = ZoneInfo(appointment.patient_timezone if to_patient else appointment.provider.timezone)
        event = _patient_event(appointment, join_url) if to_patient else provider_event(appointment)
        if appointment.status not in OFF:
            event.add_component(_alarm())
        if invitation:
            _invite(event, invitation)
        return as_file([event], zone, method=invitation.method if invitation else "PUBLISH")


def _invite(event: Event, invitation: Invitation) -> None:
    organizer = vCalAddress(f"mailto:{invitation.organizer}")
    organizer.params["CN"] = invitation.organizer_name
    attendee = vCalAddress(f"mailto:{invitation.attendee}")
    # Nobody is asked to answer: the visit is booked already.
    attendee.params |= {"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    event.add("organizer", organizer)
    event.add("attendee", attendee)


def as_file(events: list[Event], zone: ZoneInfo, *, name: str = "", method: str = "PUBLISH") -> bytes:
    """A calendar of these events, which are all in ``zone``, with that zone's rules."""
    calendar = Calendar()
    calendar.add("prodid", "-//Bedside//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    if name:
        calendar.add("x-wr-calname", name)
        calendar.add("x-wr-timezone", zone.key)
        calendar.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", "PT15M")
    for event in events:
        calendar.add_component(event)
    if events:
        days = [event.start for event in events]
        calendar.add_missing_timezones(min(days) - ZONE_RULES_AROUND, max(days) + ZONE_RULES_AROUND)
    return bytes(calendar.to_ical())


def provider_event(
    appointment: Appointment, *, place: Place | None = None, patient_name: str = "", is_off: bool = False
) -> Event:
    """For a provider's calendar, in the provider's zone. ``patient_name`` only where the practice allows it."""
    page = f"{settings.PUBLIC_URL}/portal/visits/{appointment.code}"
    event = _event(appointment, appointment.provider.zone, place or place_of(appointment), is_off=is_off)
    event.add("summary", f"{appointment.service.discreet_name}, {patient_name or appointment.code}")
    event.add("location", page)
    event.add("url", page)
    event.add("description", _("Start the visit: %(url)s") % {"url": f"{page}/start"})
    return event


def _patient_event(appointment: Appointment, join_url: str) -> Event:
    page = f"{settings.PUBLIC_URL}/visits/{appointment.token}"
    event = _event(appointment, appointment.patient_zone, place_of(appointment))
    event.add("summary", f"{appointment.service.discreet_name}, {Practice.current().name}")
    event.add("location", join_url or page)
    event.add("url", page)
    lines = [_("With %(provider)s.") % {"provider": appointment.provider.name}]
    if join_url:
        lines.append(_("Join: %(url)s") % {"url": join_url})
    lines.append(_("Change or cancel: %(url)s") % {"url": page})
    event.add("description", "\n".join(lines))
    return event


def _event(appointment: Appointment, zone: ZoneInfo, place: Place, *, is_off: bool = False) -> Event:
    event = Event()
    event.add("uid", place.uid)
    event.add("sequence", place.sequence)
    event.add("dtstamp", appointment.updated_at)
    event.add("last-modified", appointment.updated_at)
    event.add("dtstart", appointment.start.astimezone(zone))
    event.add("dtend", appointment.end.astimezone(zone))
    off = is_off or appointment.status in OFF
    event.add("status", "CANCELLED" if off else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if off else "OPAQUE")
    event.add("class", "PRIVATE")
    return event


def _alarm() -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _("Your video visit starts soon."))
    alarm.add("trigger", -REMIND_BEFORE)
    return alarm
