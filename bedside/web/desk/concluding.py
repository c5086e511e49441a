"""After the visit: completed, missed, or taken back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bedside.appointments.errors import AlreadyOver, ChangedMeanwhile
from bedside.appointments.models import Appointment
from bedside.clinic import policy_words
from bedside.clinic.models import Practice
from bedside.core.errors import BedsideError
from bedside.core.money import Money, format_money
from bedside.flows import cancel, conclude
from bedside.web.access import actor_of
from bedside.web.desk.appointment import back_to, with_appointment
from bedside.web.desk.giving import GiveForm, money_said


def _version(request: HttpRequest) -> int | None:
    typed = request.POST.get("version", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


@require_POST
@with_appointment
def complete(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """One press; it can be taken back for a day."""
    try:
        conclude.complete(appointment_id=appointment.pk, actor=actor_of(request), version=_version(request))
        messages.success(request, _("The visit is completed."))
    except BedsideError as error:
        messages.warning(request, error.message)
    return back_to(appointment)


@require_POST
@with_appointment
def undo(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Back to a paid visit."""
    try:
        conclude.undo(appointment_id=appointment.pk, actor=actor_of(request), version=_version(request))
        messages.success(request, _("Taken back. The visit is open again."))
    except BedsideError as error:
        messages.warning(request, error.message)
    return back_to(appointment)


@require_http_methods(["GET", "HEAD", "POST"])
@with_appointment
def no_show(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """What the policy keeps and gives back, then on POST it is done."""
    if not conclude.may_miss(appointment):
        over = appointment.status != "paid"
        messages.info(request, AlreadyOver().message if over else conclude.NotYet().message)
        return back_to(appointment)
    refund, kept = conclude.no_show_preview(appointment)
    said = {"refund": format_money(refund), "kept": format_money(kept)}
    proposal = _("As the policy says: %(kept)s is kept, %(refund)s goes back") % said
    given = request.POST if request.method == "POST" else None
    form = GiveForm(refund + kept, proposal, given, initial={"version": appointment.version})
    form.fields["reason"].required = bool(given and given.get("what", "proposal") not in {"", "proposal"})
    if request.method == "POST" and form.is_valid():
        try:
            conclude.no_show(
                appointment_id=appointment.pk,
                actor=actor_of(request),
                reason=form.cleaned_data["reason"],
                give=form.give,
                version=form.cleaned_data["version"],
            )
            messages.success(request, _("The visit is marked as missed."))
            return back_to(appointment)
        except (AlreadyOver, ChangedMeanwhile) as error:
            messages.warning(request, error.message)
            return back_to(appointment)
        except BedsideError as error:
            form.add_error(None, error.message)
    return _no_show_page(request, appointment, form, refund)


def _no_show_page(request: HttpRequest, appointment: Appointment, form: GiveForm, refund: Money) -> HttpResponse:
    context: dict[str, Any] = {
        "area": "appointments",
        "zone": Practice.current().timezone,
        "appointment": appointment,
        "form": form,
        "policy": policy_words.missed(appointment.terms),
        "consequences": [
            {"shape": "undo-2", "text": money_said(cancel.PROPOSAL, refund)},
            {"shape": "calendar-x", "text": _("The visit's page tells the patient that they were missed.")},
            {"shape": "rotate-ccw", "text": _("It can be taken back for a day, unless money went back.")},
        ],
    }
    return render(request, "desk/no_show.html", context, status=422 if form.errors else 200)
