"""The provider's visits: today, who is waiting, the next days, all that are booked; one visit; and Start."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import wraps
from itertools import groupby
from typing import Any

import structlog
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bedside.appointments.errors import AlreadyOver
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Provider
from bedside.core import audit, clock
from bedside.core.errors import BedsideError, NotFound
from bedside.flows import intake
from bedside.reports import today as day
from bedside.reports.clashes import clashes, with_clashes
from bedside.video import meetings
from bedside.video.errors import NoRoomYet
from bedside.video.models import MeetingStatus
from bedside.web.access import actor_of, provider_required
from bedside.web.live.tickets import ticket

log = structlog.get_logger(__name__)
DAYS = 8
PER_PAGE = 25
OPENS_BEFORE = timedelta(minutes=60)
# As long as the patient's page has its way in.
OVERTIME = timedelta(minutes=30)


def with_visit(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Find the provider's own visit. Somebody else's is not found, and the try is logged."""

    @never_cache
    @provider_required
    @wraps(view)
    def found(request: HttpRequest, code: str) -> HttpResponse:
        provider = provider_of(request)
        people = Appointment.objects.select_related("service", "provider", "meeting")
        visit = people.filter(code=code[:12]).first()
        if visit is None or visit.provider_id != provider.pk:
            if visit is not None:
                log.warning("not_own_visit", user_id=request.user.pk, provider_id=provider.pk, appointment_id=visit.pk)
            raise Http404
        return view(request, visit)

    return found


@require_safe
@never_cache
@provider_required
def upcoming(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its part that changes. Days and times are of the provider's own zone."""
    provider = provider_of(request)
    now = clock.now()
    today = now.astimezone(provider.zone).date()
    visits = list(with_clashes(day.visits(provider.zone, days=DAYS, provider=provider)))
    mark(visits)
    context = {
        "area": "today",
        "live_ticket": ticket(f"provider:{provider.pk}"),
        "provider": provider,
        "zone": provider.timezone,
        "now": now,
        "waiting": day.waiting(visits),
        "days": by_day(visits, provider),
        "today": today,
        "now_before": next((visit.pk for visit in visits if visit.end > now and _day(visit, provider) == today), None),
        "clashes": clashes(provider),
    }
    return render(request, "portal/_visits.html" if request.htmx else "portal/today.html", context)  # type: ignore[attr-defined]


@require_safe
@never_cache
@provider_required
def booked(request: HttpRequest) -> HttpResponse:
    """Everything that is booked, page by page, with the ways to start."""
    provider = provider_of(request)
    found = Appointment.objects.filter(provider=provider, status=Status.PAID, end__gt=clock.now())
    ordered = with_clashes(found).select_related("service", "meeting").order_by("start", "pk")
    page = Paginator(ordered, PER_PAGE).get_page(request.GET.get("page"))
    mark(page.object_list)
    context = {
        "area": "upcoming",
        "live_ticket": ticket(f"provider:{provider.pk}"),
        "provider": provider,
        "zone": provider.timezone,
        "page": page,
        "days": by_day(page.object_list, provider),
        "query": request.GET.urlencode(),
    }
    return render(request, "portal/_upcoming.html" if request.htmx else "portal/upcoming.html", context)  # type: ignore[attr-defined]


@require_safe
@with_visit
def show(request: HttpRequest, visit: Appointment) -> HttpResponse:
    """One visit: who, when, whether all is ready. Reading it is audited."""
    provider = provider_of(request)
    if not request.htmx:  # type: ignore[attr-defined]
        audit.record(actor_of(request), "appointment.viewed", visit)
    mark([visit])
    clashing = [one for one in clashes(provider) if one.pk == visit.pk]
    context = {
        "area": "upcoming",
        "live_ticket": ticket(f"appointment:{visit.pk}"),
        "visit": visit,
        "zone": provider.timezone,
        "clash": clashing[0] if clashing else None,
        "opens_at": visit.start - OPENS_BEFORE,
    }
    return render(request, "portal/_visit.html" if request.htmx else "portal/visit.html", context)  # type: ignore[attr-defined]


@require_safe
@with_visit
def answers(request: HttpRequest, visit: Appointment) -> HttpResponse:
    """What the patient answered before the visit. Each look is audited."""
    try:
        said = intake.read_answers(appointment=visit, actor=actor_of(request))
    except NotFound:
        raise Http404 from None
    context = {"area": "upcoming", "visit": visit, "form": visit.intake, "said": said, "zone": visit.provider.timezone}
    return render(request, "portal/intake.html", context)


@require_safe
@with_visit
def start(request: HttpRequest, visit: Appointment) -> HttpResponse:
    """Off to the video service with a fresh host link: none is kept."""
    try:
        url = _host_link(visit)
    except BedsideError as error:
        log.warning("host_link_unavailable", appointment_id=visit.pk, error=error.code)
        context = {"area": "today", "visit": visit, "zone": visit.provider.timezone, "error": error}
        return render(request, "portal/not_now.html", context, status=error.status)
    audit.record(actor_of(request), "meeting.host_link_fetched", visit)
    return HttpResponseRedirect(url)


def _host_link(visit: Appointment) -> str:
    """A fresh link. Raises AlreadyOver, NoRoomYet, VideoUnavailable."""
    meeting = getattr(visit, "meeting", None)
    if visit.status != Status.PAID or visit.end + OPENS_BEFORE < clock.now():
        raise AlreadyOver(_("This visit doesn't take place any more, or is over."))
    if meeting is None:
        raise NoRoomYet
    return meetings.host_start_url(meeting)


def mark(visits: Iterable[Any]) -> None:
    """What the templates ask of each: ``is_paid``, ``has_link``, ``can_start``, ``is_over``, ``waits``."""
    now = clock.now()
    for visit in visits:
        meeting = getattr(visit, "meeting", None)
        visit.is_paid = visit.status in {Status.PAID, Status.COMPLETED, Status.NO_SHOW}
        visit.has_link = meeting is not None and meeting.status == MeetingStatus.READY
        visit.can_start = can_start(visit)
        visit.is_over = visit.end <= now
        visit.waits = bool(meeting and meeting.patient_waiting_since and not meeting.host_joined_at)


def can_start(visit: Appointment) -> bool:
    """From an hour before until half an hour after the end, once the meeting stands: a way back in for a long visit."""
    meeting = getattr(visit, "meeting", None)
    ready = meeting is not None and meeting.status == MeetingStatus.READY
    return visit.status == Status.PAID and ready and visit.start - OPENS_BEFORE <= clock.now() < visit.end + OVERTIME


def by_day(visits: Iterable[Appointment], provider: Provider) -> list[tuple[date, list[Appointment]]]:
    return [(of, list(those)) for of, those in groupby(visits, key=lambda visit: _day(visit, provider))]


def provider_of(request: HttpRequest) -> Provider:
    return request.user.provider  # type: ignore[union-attr]


def _day(visit: Appointment, provider: Provider) -> date:
    return visit.start.astimezone(provider.zone).date()
