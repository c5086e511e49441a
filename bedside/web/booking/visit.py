"""The visit page: where a visit stands, from the hold to long after. It follows its appointment live."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bedside.appointments.errors import AlreadyOver, HoldExpired
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core.audit import Actor
from bedside.core.errors import NotFound
from bedside.core.ratelimit import RateLimited
from bedside.flows import lookup, pay, resend, texting
from bedside.payments.processors.base import ProcessorError
from bedside.web.booking.answers import unknown_visit
from bedside.web.booking.language import speak
from bedside.web.booking.visit_page import VisitPage
from bedside.web.live.tickets import ticket

log = structlog.get_logger(__name__)
TokenView = Callable[..., HttpResponse]

# What the page says of what the patient has just done, by the code that its address carries. What was done changes the
# page again a moment later (a message leaves, and arrives): the note must outlive that.
NOTES = {
    "sent-again": {
        "kind": "good",
        "shape": "circle-check",
        "text": gettext_lazy("On its way again, by email and text. It can take a minute or two."),
    },
    "sent-enough": {
        "kind": "warn",
        "shape": "hourglass",
        "text": gettext_lazy(
            "We sent it a few times already. Please wait ten minutes, look in the spam folder, or call us."
        ),
    },
    "texts-on": {
        "kind": "good",
        "shape": "circle-check",
        "text": gettext_lazy("We text you again about this visit."),
    },
    "texts-off": {
        "kind": "good",
        "shape": "circle-check",
        "text": gettext_lazy("No more texts to this number. Emails still come."),
    },
}


def with_visit(view: Callable[..., HttpResponse]) -> TokenView:
    """Find what the token in the address opens: the newest of its chain. A token that opens nothing gets help.

    The page speaks the language of the booking.
    """

    @never_cache
    @wraps(view)
    def found(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        try:
            appointment = lookup.latest(lookup.by_token(token))
        except NotFound:
            return unknown_visit(request)
        speak(request, appointment.locale)
        return view(request, appointment, **kwargs)

    return found


@require_safe
@with_visit
def visit(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """``?paid=1``: back from paying. The page comes at once; then it asks the processor for the truth."""
    returned = request.GET.get("paid") == "1"
    if returned and (request.htmx or "ask" in request.GET):  # type: ignore[attr-defined]
        appointment = _settled(appointment)
    return show(request, appointment, returned=returned, said=request.GET.get("said", ""))


def show(
    request: HttpRequest,
    appointment: Appointment,
    *,
    returned: bool = False,
    said: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, or for htmx its part that changes. ``said`` is the note of what the patient has just done."""
    page = VisitPage(appointment, returned=returned)
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "booking/_visit.html" if part else "booking/visit.html"
    note = NOTES.get(said) if page.state == "booked" else None
    context = {
        "visit": page,
        "note": note,
        "refresh_url": f"{page.url}?said={said}" if note else page.refresh_url,
        "live_ticket": ticket(f"appointment:{appointment.pk}"),
    }
    return render(request, template, context, status=status)


def _settled(appointment: Appointment) -> Appointment:
    """Ask the processor while the visit is unpaid. Where it can't say, the page goes on waiting."""
    payment = appointment.payment
    if appointment.status not in {Status.PENDING_PAYMENT, Status.EXPIRED} or payment is None:
        return appointment
    try:
        pay.settle(payment.pk)
    except ProcessorError as error:
        log.warning("payment_not_answered", payment_id=payment.pk, code=error.code)
    return lookup.by_token(appointment.token)


@require_POST
@with_visit
def go_pay(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """On to the processor's page, as long as the hold lasts."""
    try:
        url = pay.checkout_url(appointment)
    except (HoldExpired, AlreadyOver) as error:
        messages.info(request, error.message)
        url = ""
    return HttpResponseRedirect(url or VisitPage(appointment).url, status=303)


@require_POST
@with_visit
def send_again(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """The confirmation again by email and text, a few times and no more."""
    said, status = "sent-again", 200
    try:
        resend.resend(appointment_id=appointment.pk, actor=Actor.patient())
    except RateLimited:
        said, status = "sent-enough", RateLimited.status
    except AlreadyOver as error:
        if request.htmx:  # type: ignore[attr-defined]
            return show(request, appointment, status=error.status)
        messages.info(request, error.message)
        return HttpResponseRedirect(VisitPage(appointment).url, status=303)
    return _answered(request, appointment, said, status)


@require_POST
@with_visit
def texts(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """``texts=stop`` or ``texts=start``: one click either way."""
    if request.POST.get("texts") == "start":
        texting.allow_texts(appointment_id=appointment.pk, actor=Actor.patient())
        return _answered(request, appointment, "texts-on")
    texting.stop_texts(appointment_id=appointment.pk, actor=Actor.patient())
    return _answered(request, appointment, "texts-off")


def _answered(request: HttpRequest, appointment: Appointment, said: str, status: int = 200) -> HttpResponse:
    """The page with the note: for htmx at once, else after the redirect."""
    if request.htmx:  # type: ignore[attr-defined]
        return show(request, lookup.by_token(appointment.token), said=said, status=status)
    return HttpResponseRedirect(f"{VisitPage(appointment).url}?said={said}#sent", status=303)


@require_safe
def short_link(request: HttpRequest, token: str) -> HttpResponse:
    """Short enough for a text; leads to the visit page, which says whether there is such a visit."""
    return redirect("booking:visit", token=token)
