"""A provider's visits as a calendar that programs subscribe to: what stands, and for some weeks what was called off."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.notifications.calendar import OFF, Place, as_file, provider_event
from bedside.notifications.queue import PROVIDER_LOCALE
from bedside.schedule.models import CalendarFeed

# Visits that were are kept this long, and so are visits that were called off: a program that asks once a month
# still hears of it.
KEPT = timedelta(weeks=6)
# Part of the mark of a feed: grows when the same visits are written in other words.
EDITION = 1
STANDS = frozenset({Status.PAID, Status.COMPLETED, Status.NO_SHOW})


@dataclass(frozen=True)
class Entry:
    """A visit, its place in its chain, and whether it has left this provider."""

    appointment: Appointment
    place: Place
    is_off: bool


class Feed:
    """What a feed holds at this moment. Its mark is known before it is written out."""

    def __init__(self, feed: CalendarFeed) -> None:
        self.feed = feed
        self.provider = feed.provider
        self.entries = _entries(self.provider.pk, clock.now())

    @property
    def etag(self) -> str:
        """Changes with whatever changes the file."""
        facts = [
            EDITION,
            self.provider.name,
            self.provider.timezone,
            self.feed.patient_names,
            [
                [entry.place.uid, entry.place.sequence, entry.is_off, entry.appointment.status,
                 entry.appointment.updated_at.isoformat(), entry.appointment.start.isoformat(),
                 entry.appointment.service.discreet_name]
                for entry in self.entries
            ],
        ]  # fmt: skip
        return f'"{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]}"'

    @property
    def changed_at(self) -> datetime:
        """When a visit or the feed itself last changed. That an old visit drops out is no change worth a download."""
        return max([self.feed.changed_at, *(entry.appointment.updated_at for entry in self.entries)])

    def as_file(self) -> bytes:
        """The iCalendar file, in the provider's zone."""
        with translation.override(PROVIDER_LOCALE):
            events = [
                provider_event(
                    entry.appointment,
                    place=entry.place,
                    patient_name=entry.appointment.patient_name if self.feed.patient_names else "",
                    is_off=entry.is_off,
                )
                for entry in self.entries
            ]
            title = _("%(practice)s: video visits") % {"practice": Practice.current().name}
            return as_file(events, self.provider.zone, name=title)


def _entries(provider_id: int, now: datetime) -> list[Entry]:
    """One entry per chain: the newest of its appointments that are (or were) this provider's."""
    since = now - KEPT
    stands = Q(status__in=STANDS, end__gte=since)
    # A hold that was never paid never stood in a calendar.
    canceled = Q(status=Status.CANCELED, updated_at__gte=since) & (
        Q(paid_at__isnull=False) | Q(rescheduled_from__isnull=False)
    )
    moved_away = Q(status=Status.RESCHEDULED, updated_at__gte=since) & ~Q(rescheduled_to__provider_id=provider_id)
    found = (
        Appointment.objects.filter(stands | canceled | moved_away, provider_id=provider_id)
        .select_related("provider", "service")
        .order_by("start", "pk")
    )
    newest: dict[int, Entry] = {}
    appointments = list(found)
    places = _places(appointments)
    for appointment in appointments:
        place = places[appointment.pk]
        other = newest.get(place.first_id)
        if other is None or other.place.sequence < place.sequence:
            newest[place.first_id] = Entry(appointment, place, appointment.status in OFF)
    return sorted(newest.values(), key=lambda entry: (entry.appointment.start, entry.appointment.pk))


def _places(appointments: list[Appointment]) -> dict[int, Place]:
    """The place of each in its chain; one query for each move of the appointment that was moved most often."""
    known = {a.pk: (a.rescheduled_from_id, a.version) for a in appointments}
    while missing := {before for before, _version in known.values() if before and before not in known}:
        rows = Appointment.objects.filter(pk__in=missing).values_list("pk", "rescheduled_from_id", "version")
        known |= {pk: (before, version) for pk, before, version in rows}
    return {appointment.pk: _place(appointment.pk, known) for appointment in appointments}


def _place(pk: int, known: dict[int, tuple[int | None, int]]) -> Place:
    before, sequence = known[pk]
    while before:
        pk = before
        before, version = known[pk]
        sequence += version
    return Place(pk, sequence)
