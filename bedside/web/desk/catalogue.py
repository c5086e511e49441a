"""The catalogue at the desk: services, listed, made, changed, archived and restored."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.errors import ChangedMeanwhile, InvalidFacts
from bedside.clinic.models import Practice, Provider, Service
from bedside.core import clock
from bedside.flows import catalogue
from bedside.reports import record
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.catalogue_forms import ServiceForm, typed
from bedside.web.live.tickets import ticket
from bedside.web.stale import decide_over, differences

AREA = "catalogue"


@require_safe
@never_cache
@admin_required
def services(request: HttpRequest) -> HttpResponse:
    """``?show=archived`` for those that can't be booked."""
    archived = request.GET.get("show") == "archived"
    offering = Prefetch("providers", queryset=Provider.objects.filter(active=True).order_by("name"), to_attr="people")
    counts = Service.objects.aggregate(every=Count("pk"), archived=Count("pk", filter=Q(active=False)))
    context = {
        "area": AREA,
        "live_ticket": ticket("desk"),
        "archived": archived,
        "counts": counts | {"active": counts["every"] - counts["archived"]},
        "services": Service.objects.filter(active=not archived).prefetch_related(offering),
    }
    return render(request, "desk/services.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def new_service(request: HttpRequest) -> HttpResponse:
    practice = Practice.current()
    usual = {
        "currency": practice.currency,
        "duration_minutes": 30,
        "prep_minutes": 0,
        "wrap_minutes": 10,
        "step_minutes": practice.default_step_minutes,
        "minimum_notice_minutes": practice.default_notice_minutes,
        "horizon_days": practice.default_horizon_days,
        "position": Service.objects.count(),
        "first_reminder_hours": 24,
        "last_reminder_minutes": 60,
        **dict.fromkeys(ServiceForm.SWITCHES, True),
    }
    form = ServiceForm(practice, None, request.POST or None, initial=usual)
    if request.method == "POST" and form.is_valid():
        try:
            made = catalogue.create_service(facts=form.facts, actor=actor_of(request))
        except InvalidFacts as error:
            form.refuse(error.errors)
        else:
            messages.success(request, _("“%(name)s” can be booked from now on.") % {"name": made.name})
            return HttpResponseRedirect(reverse("desk:service", args=[made.slug]), status=303)
    return _page(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def service(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; what is saved counts for bookings from then on."""
    found = get_object_or_404(Service, slug=slug)
    saved = typed(catalogue.facts_of(found), found.version)
    form = ServiceForm(Practice.current(), found, request.POST or None, initial=saved)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form, found)
    try:
        changed = catalogue.change_service(
            service_id=found.pk, version=form.cleaned_data["version"], facts=form.facts, actor=actor_of(request)
        )
    except InvalidFacts as error:
        form.refuse(error.errors)
        return _page(request, form, found)
    except ChangedMeanwhile as error:
        found.refresh_from_db()
        saved = typed(catalogue.facts_of(found), found.version)
        return _page(request, form, found, stale=error, saved=saved)
    messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing was saved."))
    return HttpResponseRedirect(reverse("desk:service", args=[slug]), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def archive_service(request: HttpRequest, slug: str) -> HttpResponse:
    """What it means, then the button; the same for taking it back."""
    found = get_object_or_404(Service, slug=slug)
    stale = None
    if request.method == "POST":
        flow = catalogue.archive_service if request.POST.get("archive") == "1" else catalogue.restore_service
        try:
            flow(service_id=found.pk, version=version_of(request), actor=actor_of(request))
            said = _("“%(name)s” is archived.") if flow is catalogue.archive_service else _("“%(name)s” can be booked.")
            messages.success(request, said % {"name": found.name})
            return HttpResponseRedirect(reverse("desk:service", args=[slug]), status=303)
        except ChangedMeanwhile as error:
            found.refresh_from_db()
            stale = error
    context = {"area": AREA, "service": found, "stale": stale, "upcoming": upcoming(Q(service=found))}
    return render(request, "desk/service_archive.html", context, status=409 if stale else 200)


def version_of(request: HttpRequest) -> int:
    """The version that a confirmation was drawn with; 0, which nothing has, where it is missing."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def upcoming(which: Q) -> int:
    """How many booked or held visits lie ahead."""
    holding = Q(status__in=[Status.PENDING_PAYMENT, Status.PAID], start__gt=clock.now())
    return Appointment.objects.filter(which & holding).count()


def _page(
    request: HttpRequest,
    form: ServiceForm,
    found: Service | None,
    *,
    stale: ChangedMeanwhile | None = None,
    saved: dict[str, Any] | None = None,
) -> HttpResponse:
    status = 422 if form.errors else 200
    context: dict[str, Any] = {
        "area": AREA,
        "zone": Practice.current().timezone,
        "form": form,
        "service": found,
        "history": record.history(found) if found else [],
    }
    if stale and saved:
        decide_over(form, saved["version"])
        context |= {"stale": stale, "differences": differences(form, saved)}
        status = stale.status
    return render(request, "desk/service.html", context, status=status)
