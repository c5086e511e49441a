"""The visits of a day, for those who give them. Read only."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from bedside.appointments.models import Appointment
from bedside.appointments.states import HOLDS_TIME, Status
from bedside.clinic.models import Provider
from bedside.core import clock


def visits(zone: ZoneInfo, *, days: int = 1, provider: Provider | None = None) -> QuerySet[Appointment]:
    """Visits of today and the next ``days - 1`` days of the zone, earliest first, with their meetings."""
    today = clock.now().astimezone(zone).date()
    since = datetime.combine(today, time(0), tzinfo=zone)
    until = datetime.combine(today + timedelta(days=days), time(0), tzinfo=zone)
    found = Appointment.objects.filter(start__gte=since, start__lt=until, status__in=HOLDS_TIME)
    if provider is not None:
        found = found.filter(provider=provider).exclude(status=Status.PENDING_PAYMENT)
    return found.select_related("service", "provider", "meeting").order_by("start", "pk")


def waiting(found: list[Appointment]) -> list[Appointment]:
    """Those whose patient is in the video room while the provider isn't."""
    return [
        appointment
        for appointment in found
        if appointment.status == Status.PAID
        and (meeting := getattr(appointment, "meeting", None)) is not None
        and meeting.patient_waiting_since
        and not meeting.host_joined_at
    ]
