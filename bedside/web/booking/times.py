"""Choosing a day and a time: the month on the left, the times of a day on the right, live while one looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from bedside.clinic.models import Practice, Provider, Service
from bedside.core import clock, ratelimit
from bedside.core.ratelimit import RateLimited
from bedside.web.booking import month as months
from bedside.web.booking import policy, wanted, zones
from bedside.web.booking.answers import limited
from bedside.web.booking.browser import address_of, hold_key_of
from bedside.web.booking.calendar_page import Calendar
from bedside.web.booking.services import bookable, has_many
from bedside.web.live.tickets import ticket


@require_safe
def times(request: HttpRequest, slug: str) -> HttpResponse:
    """``?provider=SLUG&place=US-NY&month=2026-12&day=2026-12-01``, each optional. For htmx only the calendar is drawn.

    ``provider`` may come several times; ``group`` is a group of them. Where the service asks for the patient's place
    and there is no answer yet, the question stands where the calendar would.
    """
    service = get_object_or_404(bookable(), slug=slug)
    try:
        ratelimit.hit("openings", address_of(request))
    except RateLimited as error:
        return limited(request, error)
    where = wanted.whereabouts(request, service)
    whom = wanted.read(request.GET, service, where.place)
    everybody = list(service.providers.filter(active=True).order_by("name"))
    context: dict[str, Any] = {
        "service": service,
        "provider": whom.one,
        "whom": whom,
        "providers": wanted.licensed_among(everybody, where.place, clock.now()),
        "service_groups": _groups(service, everybody),
        "where": where,
        "policy_short": policy.short(service),
        "many_services": has_many(),
        "zone": zones.zone_of(request, Practice.current()),
    }
    if where.asked:
        context["place_options"] = wanted.options(service)
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    if where.asked and not (where.place and context["providers"]):
        return _ask(request, context, where)
    calendar = Calendar(
        service=service,
        provider=whom.one,
        zone=context["zone"],
        month=months.read_month(request.GET.get("month", "")),
        day=months.read_day(request.GET.get("day", "")),
        hold_key=hold_key_of(request),
        location=whom.location,
        kept=whom.query,
        several=whom.several,
    )
    context["calendar"] = calendar
    if not part:
        shown = whom.members if whom.group else whom.named or context["providers"]
        topics = [f"provider:{one.pk}" for one in shown]
        # All visits of a service are its news too: for those who look at everybody's times that is no more than before.
        context["live_ticket"] = ticket(*topics, *([] if whom.narrowed else [f"service:{service.pk}"]))
    response = render(request, "booking/_calendar.html" if part else "booking/times.html", context)
    patch_vary_headers(response, ["HX-Request", "Cookie"])
    wanted.remember(request, response, where)
    return response


@require_safe
def several(request: HttpRequest, slug: str) -> HttpResponse:
    """Ticking several providers: a page of its own, so that the calendar's stays light."""
    service = get_object_or_404(bookable(), slug=slug)
    where = wanted.whereabouts(request, service)
    offering = list(service.providers.filter(active=True).order_by("name"))
    context = {
        "service": service,
        "where": where,
        "whom": wanted.read(request.GET, service, where.place),
        "providers": wanted.licensed_among(offering, where.place, clock.now()),
    }
    return render(request, "booking/several.html", context)


def _ask(request: HttpRequest, context: dict[str, Any], where: wanted.Whereabouts) -> HttpResponse:
    """The page with the question in place of the calendar; 422 where the answer can't be read."""
    response = render(request, "booking/times.html", context, status=422 if where.wrong else 200)
    if request.htmx:  # type: ignore[attr-defined]
        # A part was asked for, and there is none: the whole page is loaded instead.
        response["HX-Redirect"] = request.get_full_path()
    patch_vary_headers(response, ["HX-Request", "Cookie"])
    return response


@dataclass(frozen=True)
class Group:
    """A group to choose, with how many of it offer the service."""

    slug: str
    name: str
    count: int


def _groups(service: Service, offering: list[Provider]) -> list[Group]:
    """The service's groups in which somebody offers it."""
    by_group = service.groups.filter(active=True, providers__in=offering).annotate(count=Count("providers"))
    return [Group(one.slug, one.name, one.count) for one in by_group]
