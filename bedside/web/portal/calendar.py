"""The provider's own day and week, in the provider's own zone."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bedside.appointments.models import Appointment
from bedside.reports.agenda import agenda
from bedside.web.access import provider_required
from bedside.web.calendars.days import shown
from bedside.web.calendars.grid import day_span, grid
from bedside.web.live.tickets import ticket
from bedside.web.portal.visits import provider_of


@require_safe
@never_cache
@provider_required
def day(request: HttpRequest) -> HttpResponse:
    return _calendar(request, "day")


@require_safe
@never_cache
@provider_required
def week(request: HttpRequest) -> HttpResponse:
    return _calendar(request, "week")


def _calendar(request: HttpRequest, view: str) -> HttpResponse:
    """The page, or for htmx its part that changes."""
    provider = provider_of(request)
    zone = provider.zone
    when = shown(request.GET, zone, days=1 if view == "day" else 7)
    [sheet] = agenda([provider], *day_span(when.first, zone, days=when.days)).values()
    urls = {"day": reverse("portal:calendar"), "week": reverse("portal:calendar_week")}
    context: dict[str, Any] = {
        "area": "calendar",
        "zone": provider.timezone,
        "live_ticket": ticket(f"provider:{provider.pk}"),
        "shown": when,
        "by_day": True,
        "grid": grid([(of, sheet, f"{urls['day']}?day={of}") for of in when.all], zone, _link),
        "bar": {"view": view, "url": urls[view], "day_url": urls["day"], "week_url": urls["week"], "rest": ""},
        "here": f"{urls[view]}?day={when.day}",
    }
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "portal/_calendar.html" if part else "portal/calendar.html", context)


def _link(visit: Appointment) -> str:
    return reverse("portal:visit", args=[visit.code])
