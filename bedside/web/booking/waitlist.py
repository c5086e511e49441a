"""The waitlist: ask for a time, take the one that is offered, leave. The link in the message is the key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bedside.appointments.errors import InvalidDetails
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Practice, Provider, Service
from bedside.core import clock
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError, NotFound
from bedside.core.ratelimit import RateLimited
from bedside.flows import lookup, waitlist
from bedside.flows.details import Consent, PatientDetails
from bedside.schedule.waiting.errors import NothingToWaitFor
from bedside.schedule.waiting.models import EntryStatus, OfferStatus, WaitlistEntry
from bedside.web.booking import wanted, zones
from bedside.web.booking.answers import limited, unknown_visit
from bedside.web.booking.browser import address_of
from bedside.web.booking.forms import DaysForm, WaitlistForm
from bedside.web.booking.language import speak
from bedside.web.booking.services import bookable
from bedside.web.booking.visit import with_visit

USUAL_WAIT = timedelta(days=14)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """``?provider=SLUG``: the one who is wanted. Where the service asks for a place, the times page asks first."""
    service = get_object_or_404(bookable(), slug=slug)
    where = wanted.whereabouts(request, service)
    if where.asked and not where.place:
        return redirect("booking:times", slug=service.slug)
    practice = Practice.current()
    zone = zones.zone_of(request, practice)
    given = request.POST if request.method == "POST" else None
    provider = _asked_for(request, service)
    form = WaitlistForm(practice, zone, get_language() or "en", given, initial=_usual(zone, practice.country))
    if request.method == "POST" and form.is_valid():
        assert form.details is not None
        details = PatientDetails(**form.details.__dict__ | {"location": where.place})
        wish = waitlist.Wish(service=service, provider=provider, **form.days)
        try:
            entry = waitlist.join(wish=wish, details=details, consent=form.consent, address=address_of(request))
        except InvalidDetails as error:
            form.complain(error)
        except RateLimited as error:
            return limited(request, error)
        else:
            return redirect("booking:waitlist", token=entry.token)
    context = {
        "service": service,
        "form": form,
        "provider": provider,
        "providers": list(service.providers.filter(active=True).order_by("name")),
        "zone": zone,
    }
    return render(request, "booking/waitlist_join.html", context, status=422 if form.errors else 200)


def _asked_for(request: HttpRequest, service: Service) -> Provider | None:
    slug = (request.POST if request.method == "POST" else request.GET).get("provider", "")
    return service.providers.filter(active=True, slug=slug).first() if slug else None


def _usual(zone: str, country: str = "") -> dict[str, Any]:
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    return {"first_day": today, "last_day": today + USUAL_WAIT, "country": country}


@require_http_methods(["GET", "HEAD", "POST"])
@with_visit
def earlier(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """From a booked visit: an earlier time, with the same clinician or with anybody. The contact is known."""
    zone = appointment.patient_timezone
    last = appointment.start.astimezone(ZoneInfo(zone)).date()
    form = DaysForm(request.POST if request.method == "POST" else None, initial=_usual(zone) | {"last_day": last})
    if appointment.status != Status.PAID or appointment.start <= clock.now():
        messages.info(request, NothingToWaitFor().message)
        return redirect("booking:visit", token=appointment.token)
    anybody = request.POST.get("provider") == "any"
    if request.method == "POST" and form.is_valid():
        wish = waitlist.Wish(
            service=appointment.service, provider=None if anybody else appointment.provider, **form.days
        )
        try:
            entry = waitlist.join(
                wish=wish,
                details=_details_of(appointment),
                consent=_consent_of(appointment),
                appointment=appointment,
                address=address_of(request),
            )
        except InvalidDetails as error:
            form.complain(error)
        except RateLimited as error:
            return limited(request, error)
        else:
            return redirect("booking:waitlist", token=entry.token)
    context = {"appointment": appointment, "form": form, "zone": zone, "anybody": anybody}
    return render(request, "booking/earlier.html", context, status=422 if form.errors else 200)


def _details_of(appointment: Appointment) -> PatientDetails:
    return PatientDetails(
        appointment.patient_name,
        appointment.patient_email,
        appointment.patient_mobile,
        appointment.patient_timezone,
        appointment.locale,
        appointment.patient_location,
    )


def _consent_of(appointment: Appointment) -> Consent:
    """What was agreed to when booking speaks of changes too."""
    return Consent(
        given=True,
        text=appointment.sms_consent_text,
        source=appointment.sms_consent_source or "web",
        version=appointment.sms_consent_version,
        at=appointment.sms_consent_at,
    )


def with_entry(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @never_cache
    @wraps(view)
    def found(request: HttpRequest, token: str) -> HttpResponse:
        try:
            entry = waitlist.by_token(token)
        except NotFound:
            return unknown_visit(request)
        speak(request, entry.locale)
        return view(request, entry)

    return found


@require_safe
@with_entry
def show(request: HttpRequest, entry: WaitlistEntry) -> HttpResponse:
    return _page(request, entry)


def _page(request: HttpRequest, entry: WaitlistEntry, *, trouble: str = "", status: int = 200) -> HttpResponse:
    latest = entry.offers.select_related("provider", "taken").order_by("-pk").first()
    waiting = entry.status == EntryStatus.WAITING
    context = {
        "entry": entry,
        "offer": latest if latest and latest.is_open and waiting else None,
        "gone": latest if latest and not latest.is_open and waiting and latest.status != OfferStatus.CLAIMED else None,
        "taken": latest.taken if latest and latest.taken else None,
        "moving": lookup.latest(entry.appointment) if entry.appointment else None,
        "waiting": waiting,
        "now": clock.now(),
        "zone": entry.patient_timezone,
        "trouble": trouble,
    }
    return render(request, "booking/waitlist.html", context, status=status)


@require_POST
@with_entry
def claim(request: HttpRequest, entry: WaitlistEntry) -> HttpResponse:
    """Take the offered time: on to paying, or to the visit that was moved."""
    offer = entry.offers.filter(pk=_number(request.POST.get("offer", ""))).first()
    if offer is None:
        return redirect("booking:waitlist", token=entry.token)
    try:
        claimed = waitlist.claim(offer_id=offer.pk, address=address_of(request))
    except BedsideError as error:
        return _page(request, waitlist.by_token(entry.token), trouble=error.message, status=error.status)
    return HttpResponseRedirect(claimed.url, status=303)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


@require_POST
@with_entry
def leave(request: HttpRequest, entry: WaitlistEntry) -> HttpResponse:
    waitlist.leave(entry_id=entry.pk, actor=Actor.patient())
    messages.info(request, _("You are off the waitlist."))
    return redirect("booking:waitlist", token=entry.token)
