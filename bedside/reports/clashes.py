"""Booked visits during which a calendar elsewhere says that the provider is busy."""

from __future__ import annotations

from django.db.models import CharField, Exists, OuterRef, QuerySet, Subquery

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Provider
from bedside.core import clock
from bedside.schedule.models import BusyBlock


def clashes(provider: Provider | None = None, limit: int = 20) -> list[Appointment]:
    """Visits to come, earliest first, each with ``clashing_calendar``: the calendar's name. Buffers don't count."""
    found = Appointment.objects.filter(status__in=[Status.PAID, Status.PENDING_PAYMENT], end__gt=clock.now())
    found = found.filter(provider=provider) if provider else found
    clashing = with_clashes(found.filter(Exists(_busy_during())))
    return list(clashing.select_related("service", "provider").order_by("start", "pk")[:limit])


def with_clashes(visits: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """The same visits, each with ``clashing_calendar``: the name of a calendar that is busy then, or None."""
    name = Subquery(_busy_during().order_by("start").values("calendar__name")[:1], output_field=CharField())
    return visits.annotate(clashing_calendar=name)


def _busy_during() -> QuerySet[BusyBlock]:
    of_provider = BusyBlock.objects.filter(provider=OuterRef("provider"))
    return of_provider.filter(start__lt=OuterRef("end"), end__gt=OuterRef("start"))
