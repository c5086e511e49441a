"""Guests of a visit, the guest's own page, and the device test before it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bedside.appointments.errors import AlreadyOver, InvalidDetails
from bedside.appointments.models import Appointment
from bedside.core.audit import Actor
from bedside.flows import guests, lookup
from bedside.video.guests import by_token
from bedside.web.booking.answers import unknown_visit
from bedside.web.booking.language import speak
from bedside.web.booking.visit import with_visit
from bedside.web.booking.visit_page import VisitPage
from bedside.web.live.tickets import ticket


@require_POST
@with_visit
def invite(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """``label``: who it is for."""
    try:
        guests.invite(appointment_id=appointment.pk, label=request.POST.get("label", ""), actor=Actor.patient())
        messages.success(request, _("Copy the link and send it to your guest."))
    except InvalidDetails as error:
        messages.error(request, " ".join(str(one) for one in error.errors.values()))
    except AlreadyOver as error:
        messages.info(request, error.message)
    return HttpResponseRedirect(f"{VisitPage(appointment).url}#guests", status=303)


@require_POST
@with_visit
def take_back(request: HttpRequest, appointment: Appointment, guest: int) -> HttpResponse:
    guests.take_back(appointment_id=appointment.pk, guest_id=guest, actor=Actor.patient())
    messages.success(request, _("The link no longer opens the visit."))
    return HttpResponseRedirect(f"{VisitPage(appointment).url}#guests", status=303)


@require_safe
@never_cache
def guest(request: HttpRequest, token: str) -> HttpResponse:
    """What a guest sees: when, with which practice, and the way in. No name, no service, nothing else."""
    found = by_token(token)
    if found is None:
        return unknown_visit(request)
    page = VisitPage(lookup.latest(found.appointment))
    speak(request, page.appointment.locale)
    context = {"visit": page, "live_ticket": ticket(f"appointment:{page.appointment.pk}")}
    return render(request, "booking/guest.html", context)


@require_safe
def devices(request: HttpRequest) -> HttpResponse:
    """``?visit=TOKEN`` leads back."""
    token = request.GET.get("visit", "")
    back = reverse("booking:visit", args=[token]) if token.isalnum() and len(token) < 60 else ""
    return render(request, "booking/devices.html", {"back": back})
