"""Payments that the desk sees to: money taken by hand, and the payment link sent again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from bedside.appointments.errors import AlreadyOver
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Practice
from bedside.core.errors import BedsideError
from bedside.core.money import format_money
from bedside.flows import payment_link
from bedside.flows.pay_manually import pay_manually
from bedside.payments.errors import AlreadyPaid
from bedside.payments.models import Method
from bedside.web.access import actor_of
from bedside.web.desk.appointment import with_appointment
from bedside.web.desk.by_phone_forms import WHY


class ManualForm(forms.Form):
    """How it was paid; waiving needs a reason."""

    method = forms.ChoiceField(
        label=gettext_lazy("How it was paid"),
        choices=Method.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose how it was paid.")},
    )
    reference = forms.CharField(
        label=gettext_lazy("Receipt number, or why it is waived"),
        help_text=gettext_lazy("Kept with the payment; the patient doesn't see it."),
        required=False,
        max_length=200,
    )

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("method") == Method.WAIVED and not data.get("reference", "").strip():
            self.add_error("reference", WHY)
        return data


@require_http_methods(["GET", "HEAD", "POST"])
@with_appointment
def record(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """What it would do, then do it."""
    payment = appointment.payment
    if appointment.status != Status.PENDING_PAYMENT or payment is None:
        messages.info(request, AlreadyPaid().message if appointment.status == Status.PAID else AlreadyOver().message)
        return _back_to(appointment)
    form = ManualForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            pay_manually(
                appointment_id=appointment.pk,
                method=Method(form.cleaned_data["method"]),
                reference=form.cleaned_data["reference"],
                actor=actor_of(request),
            )
        except AlreadyPaid as error:
            messages.warning(request, error.message)
            return _back_to(appointment)
        except BedsideError as error:
            form.add_error(None, error.message)
            status = error.status
        else:
            messages.success(request, _("The payment is recorded. Confirmations are on their way."))
            return _back_to(appointment)
    context = {
        "area": "appointments",
        "zone": Practice.current().timezone,
        "appointment": appointment,
        "form": form,
        "amount": format_money(payment.amount),
    }
    return render(request, "desk/record_payment.html", context, status=422 if form.errors and status == 200 else status)


@require_POST
@with_appointment
def send_link(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """The payment link by email and text, once more."""
    try:
        payment_link.send(appointment_id=appointment.pk, actor=actor_of(request))
        messages.success(request, _("The payment link is on its way."))
    except BedsideError as error:
        messages.warning(request, error.message)
    return _back_to(appointment)


def _back_to(appointment: Appointment) -> HttpResponse:
    return HttpResponseRedirect(reverse("desk:appointment", args=[appointment.code]), status=303)
