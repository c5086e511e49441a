"""Add to calendar: the visit as an .ics file, discreetly named, with its zone and its link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.notifications import calendar
from bedside.web.booking.answers import unknown_visit
from bedside.web.booking.visit import with_visit


@require_safe
@with_visit
def calendar_file(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Only a visit that stands has a file."""
    if appointment.status not in {Status.PAID, Status.COMPLETED}:
        return unknown_visit(request)
    response = HttpResponse(calendar.calendar_file(appointment), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="visit-{appointment.code}.ics"'
    return response
