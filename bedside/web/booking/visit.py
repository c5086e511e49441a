"""The visit page: where a visit stands, from the hold to long after. It follows its appointment live."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
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
    return show(request, appointment, returned=returned)


def show(
    request: HttpRequest,
    appointment: Appointment,
    *,
    returned: bool = False,
    note: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, or for htmx its part that changes."""
    page = VisitPage(appointment, returned=returned)
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "booking/_visit.html" if part else "booking/visit.html"
    context = {"visit": page, "note": note, "live_ticket": ticket(f"appointment:{appointment.pk}")}
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
    note, status = {"kind": "good", "shape": "circle-check"}, 200
    try:
        resend.resend(appointment_id=appointment.pk, actor=Actor.patient())
        note["text"] = _("On its way again, by email and text. It can take a minute or two.")
    except RateLimited:
        note = {"kind": "warn", "shape": "hourglass"}
        note["text"] = _(
            "We sent it a few times already. Please wait ten minutes, look in the spam folder, or call us."
        )
        status = RateLimited.status
    except AlreadyOver as error:
        note, status = {"kind": "warn", "shape": "info", "text": error.message}, error.status
    if request.htmx:  # type: ignore[attr-defined]
        return show(request, appointment, note=note, status=status)
    messages.info(request, note["text"])
    return HttpResponseRedirect(VisitPage(appointment).url, status=303)


@require_POST
@with_visit
def texts(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """``texts=stop`` or ``texts=start``: one click either way."""
    if request.POST.get("texts") == "start":
        texting.allow_texts(appointment_id=appointment.pk, actor=Actor.patient())
        said = _("We text you again about this visit.")
    else:
        texting.stop_texts(appointment_id=appointment.pk, actor=Actor.patient())
        said = _("No more texts to this number. Emails still come.")
    if request.htmx:  # type: ignore[attr-defined]
        note = {"kind": "good", "shape": "circle-check", "text": said}
        return show(request, lookup.by_token(appointment.token), note=note)
    messages.info(request, said)
    return HttpResponseRedirect(VisitPage(appointment).url, status=303)


@require_safe
def short_link(request: HttpRequest, token: str) -> HttpResponse:
    """Short enough for a text; leads to the visit page, which says whether there is such a visit."""
    return redirect("booking:visit", token=token)
