"""The first page: what can be booked, for how much, and when next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from bedside.clinic.models import Practice, Provider, Service
from bedside.schedule import openings
from bedside.web.booking import policy, zones

MOST_FACES = 6


@dataclass(frozen=True)
class Offer:
    """A service with its next open time (None: nothing open)."""

    service: Service
    next: datetime | None
    policy_short: str


def bookable() -> QuerySet[Service]:
    """Services that patients can book: active, and offered by somebody."""
    return Service.objects.filter(active=True, providers__active=True).distinct()


def has_many() -> bool:
    """Whether there is a choice of services, and so a page to go back to."""
    return bookable().count() > 1


@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """Cards of the services. Where there is only one, its times at once."""
    found = list(bookable())
    if len(found) == 1:
        return redirect("booking:times", slug=found[0].slug)
    practice = Practice.current()
    shorts = policy.shorts(found)
    offers = [Offer(service, _next(service), shorts[service.pk]) for service in found]
    faces = Provider.objects.filter(active=True, services__in=found).exclude(avatar="").distinct().order_by("pk")
    context = {"offers": offers, "zone": zones.zone_of(request, practice), "faces": list(faces[:MOST_FACES])}
    return render(request, "booking/services.html", context)


def _next(service: Service) -> datetime | None:
    found = openings.next_opening(service)
    return found.start if found else None
