"""Moving a visit: the calendar of booking with the old time struck through, then what will happen, then the button."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from bedside.appointments.errors import AlreadyOver, ChangedMeanwhile, MoveRefused, NotOffered, SameTime, SlotTaken
from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider
from bedside.core import ratelimit
from bedside.core.audit import Actor
from bedside.core.ratelimit import RateLimited
from bedside.flows import reschedule
from bedside.schedule.openings import Opening
from bedside.web.booking import month as months
from bedside.web.booking import zones
from bedside.web.booking.answers import limited
from bedside.web.booking.browser import address_of
from bedside.web.booking.calendar_page import Calendar
from bedside.web.booking.choices import Choice, Query, read_start, start_code
from bedside.web.booking.visit import with_visit
from bedside.web.booking.visit_page import VisitPage
from bedside.web.live.tickets import ticket
from bedside.web.templatetags.when import say_time, say_when

ANYBODY = "any"


@dataclass
class MoveCalendar(Calendar):
    """The booking's calendar for a visit that has a time already: its links stay with the visit."""

    asked: str = ""
    present: Opening | None = None

    @cached_property
    def by_day(self) -> dict[date, list[datetime]]:
        """As for a booking, without the time that the visit has now."""
        days = super().by_day
        if self.present is None or self.provider is None or self.provider.pk != self.present.provider.pk:
            return days
        left = {day: [start for start in starts if start != self.present.start] for day, starts in days.items()}
        return {day: starts for day, starts in left.items() if starts}

    def link(self, **query: str) -> str:
        kept = {"provider": self.asked} if self.asked else {}
        return f"?{urlencode(kept | query)}"

    @property
    def choose_url(self) -> str:
        return "move/confirm"

    @property
    def choose_with(self) -> Query:
        return [("provider", self.provider.slug if self.provider else ANYBODY)]

    @property
    def anyone_url(self) -> str:
        return f"?provider={ANYBODY}"


def confirm_query(start: datetime, provider: str) -> str:
    """The last part of the address: "confirm?start=2026-12-01T19:30Z&provider=rivera"."""
    return f"confirm?{urlencode({'start': start_code(start), 'provider': provider}, safe=':')}"


@require_safe
@with_visit
def move(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """``?provider=SLUG|any&month=2026-12&day=2026-12-01``, each optional; without a provider, whom it is with now."""
    try:
        ratelimit.hit("openings", address_of(request))
    except RateLimited as error:
        return limited(request, error)
    outcome = reschedule.preview(appointment, actor=Actor.patient())
    if outcome.refusal:
        return _refused(request, appointment, outcome.refusal)
    calendar = _calendar(request, appointment)
    providers = list(appointment.service.providers.filter(active=True).order_by("name"))
    context = {
        "visit": VisitPage(appointment),
        "service": appointment.service,
        "provider": calendar.provider,
        "providers": [one for one in providers if one.pk != appointment.provider_id],
        "calendar": calendar,
        "zone": calendar.zone,
        "moves_left": moves_left(outcome.moves_left),
    }
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    if not part:
        watched = [calendar.provider] if calendar.provider else providers
        context["live_ticket"] = ticket(*(f"provider:{one.pk}" for one in watched))
    response = render(request, "booking/_calendar.html" if part else "booking/move.html", context)
    patch_vary_headers(response, ["HX-Request", "Cookie"])
    return response


def moves_left(count: int) -> str:
    """How often the patient can move the visit, said before the last one is used."""
    return ngettext(
        "You can move this visit online %(count)d more time.",
        "You can move this visit online %(count)d more times.",
        count,
    ) % {"count": count}


def _calendar(request: HttpRequest, appointment: Appointment) -> MoveCalendar:
    asked = request.GET.get("provider", "")
    provider, _anybody = _whom(appointment, asked)
    zone = _zone(request, appointment)
    return MoveCalendar(
        service=appointment.service,
        provider=provider,
        zone=zone,
        month=months.read_month(request.GET.get("month", "")) or _near(appointment, request, zone),
        day=months.read_day(request.GET.get("day", "")),
        hold_key=None,
        moving=appointment.pk,
        location=appointment.patient_location or None,
        asked=asked,
        present=Opening(appointment.start, appointment.end, appointment.provider),
    )


def _near(appointment: Appointment, request: HttpRequest, zone: str) -> date | None:
    """Where no day is asked for, the calendar opens at the month of the visit: most moves are small ones."""
    return None if "day" in request.GET else appointment.start.astimezone(ZoneInfo(zone)).date().replace(day=1)


def _zone(request: HttpRequest, appointment: Appointment) -> str:
    return zones.zone_of(request, Practice.current(), appointment.patient_timezone)


def _whom(appointment: Appointment, slug: str) -> tuple[Provider | None, bool]:
    """With whom, and whether with anybody. Somebody who doesn't offer the service is not found."""
    if slug == ANYBODY:
        return None, True
    if not slug or slug == appointment.provider.slug:
        return appointment.provider, False
    provider = appointment.service.providers.filter(active=True, slug=slug).first()
    if provider is None:
        raise Http404
    return provider, False


@require_http_methods(["GET", "HEAD", "POST"])
@with_visit
def confirm(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """From where to where, before the button; on POST it moves, or says what stands in the way."""
    sent = request.POST if request.method == "POST" else request.GET
    start = read_start(sent.get("start", ""))
    if start is None:
        return render(request, "errors/400.html", status=400)
    provider, anybody = _whom(appointment, sent.get("provider", ""))
    outcome = reschedule.preview(appointment, actor=Actor.patient())
    if outcome.refusal:
        return _refused(request, appointment, outcome.refusal)
    context: dict[str, Any] = {
        "start": start,
        "provider": provider,
        "provider_code": ANYBODY if anybody else (provider.slug if provider else ""),
        "moves_left": outcome.moves_left,
    }
    if request.method != "POST":
        return _confirm_page(request, appointment, context)
    try:
        moved = reschedule.reschedule(
            appointment_id=appointment.pk,
            start=start,
            actor=Actor.patient(),
            provider=provider,
            anybody=anybody,
            timezone=_zone(request, appointment),
        )
    except SlotTaken as error:
        return _confirm_page(request, appointment, context, refused=error)
    except SameTime as error:
        messages.info(request, error.message)
        return HttpResponseRedirect(reverse("booking:move", args=[appointment.token]), status=303)
    except (AlreadyOver, MoveRefused, ChangedMeanwhile) as error:
        return _refused(request, appointment, error)
    messages.success(request, _("Your visit moved. We are emailing and texting you the new time and link."))
    return HttpResponseRedirect(VisitPage(moved).url, status=303)


def _confirm_page(
    request: HttpRequest, appointment: Appointment, context: dict[str, Any], *, refused: SlotTaken | None = None
) -> HttpResponse:
    zone = _zone(request, appointment)
    page = VisitPage(appointment)
    more = {
        "visit": page,
        "zone": zone,
        "start_code": start_code(context["start"]),
        "times_url": reverse("booking:move", args=[appointment.token]),
        "free_until": reschedule.free_until(appointment, context["start"]),
        "refused": _refusal_title(refused, context["start"], zone) if refused else "",
        "alternatives": _choices(appointment, refused.alternatives) if refused else [],
    }
    return render(request, "booking/move_confirm.html", context | more, status=refused.status if refused else 200)


def _choices(appointment: Appointment, found: list[Opening]) -> list[Choice]:
    page = reverse("booking:move", args=[appointment.token])
    return [
        Choice(
            start=one.start,
            provider=one.provider,
            url=f"{page}/{confirm_query(one.start, one.provider.slug)}",
            value=start_code(one.start),
        )
        for one in found
    ]


def _refusal_title(refused: SlotTaken, start: datetime, zone: str) -> str:
    time = say_time(start, zone)
    if isinstance(refused, NotOffered):
        return _("%(time)s isn't open any more") % {"time": time}
    return _("%(time)s has just been taken by somebody else") % {"time": time}


def _refused(
    request: HttpRequest, appointment: Appointment, error: AlreadyOver | MoveRefused | ChangedMeanwhile
) -> HttpResponse:
    """Over, or too late: what holds, and the ways out. A visit that is over has its own page for that."""
    page = VisitPage(appointment)
    if isinstance(error, AlreadyOver) or request.method == "POST":
        messages.info(request, error.message)
        return HttpResponseRedirect(page.url, status=303)
    outcome = reschedule.preview(appointment, actor=Actor.patient())
    why = _("You have moved it as often as it can be moved online.")
    if outcome.moves_left:
        until = say_when(outcome.until, appointment.patient_timezone)
        why = _("It could be moved until %(when)s.") % {"when": until}
    return render(request, "booking/move_refused.html", {"visit": page, "why": why}, status=error.status)
