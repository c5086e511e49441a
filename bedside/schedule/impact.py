"""What a change of availability means: the windows that come and go, and the booked visits that fall outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Provider
from bedside.core import clock
from bedside.schedule.models import BusyBlock
from bedside.schedule.rules import Limit
from bedside.schedule.storing import Windows, stored_windows
from bedside.schedule.windows import Minute, clip, merge, subtract, to_instant, to_minute, up_to_minute

BOOKED = (Status.PENDING_PAYMENT, Status.PAID)


@dataclass(frozen=True)
class Stretch:
    """Time that opens or closes, UTC, and whom it is for."""

    start: datetime
    end: datetime
    limit: Limit


@dataclass(frozen=True)
class Impact:
    """``outside`` are booked visits that the new hours don't hold; those in ``already`` weren't held before either."""

    added: list[Stretch]
    removed: list[Stretch]
    outside: list[Appointment]
    already: frozenset[int] = frozenset()

    @property
    def is_nothing(self) -> bool:
        return not self.added and not self.removed


def impact_of(provider: Provider, before: Windows, after: Windows) -> Impact:
    """From now on. ``before`` and ``after`` reach equally far."""
    now = to_minute(clock.now())
    until = max((end for windows in (before, after) for spans in windows.values() for _, end in spans), default=now)
    visits = booked_visits(provider, now, until)
    outside = [visit for visit in visits if not holds(after, visit)]
    already = frozenset(visit.pk for visit in outside if not holds(before, visit))
    return Impact(_gained(before, after, now, until), _gained(after, before, now, until), outside, already)


def booked_visits(provider: Provider, since: Minute, until: Minute) -> list[Appointment]:
    """Visits to come that are paid or being paid, in order."""
    visits = Appointment.objects.filter(
        provider=provider, status__in=BOOKED, end__gt=to_instant(since), start__lt=to_instant(until)
    )
    return list(visits.select_related("service").order_by("start"))


def holds(windows: Windows, visit: Appointment) -> bool:
    """Whether the visit lies inside the windows that are for its service and its patient's place."""
    location = getattr(visit, "patient_location", None) or None
    spans = merge(
        span for limit, spans in windows.items() if limit.allows(visit.service_id, location) for span in spans
    )
    start, end = to_minute(visit.start), up_to_minute(visit.end)
    return any(opens <= start and end <= closes for opens, closes in spans)


def can_be_held(visit: Appointment) -> bool:
    """Whether a visit's provider works then and isn't busy elsewhere, as hours and calendars stand now."""
    busy = BusyBlock.objects.filter(provider=visit.provider_id, start__lt=visit.end, end__gt=visit.start)
    return holds(stored_windows(visit.provider_id, to_minute(visit.start)), visit) and not busy.exists()


def _gained(before: Windows, after: Windows, now: Minute, until: Minute) -> list[Stretch]:
    found = [
        Stretch(to_instant(start), to_instant(end), limit)
        for limit, spans in after.items()
        for start, end in clip(subtract(spans, before.get(limit, [])), now, until)
    ]
    return sorted(found, key=lambda stretch: (stretch.start, stretch.limit))
