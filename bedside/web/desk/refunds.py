"""Refunding at the desk: how much and why; then what it will do, in words and messages; then it is done, once."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.core import clock, flags
from bedside.core.errors import BedsideError
from bedside.core.money import Money, format_money
from bedside.flows import credits, previews, refund
from bedside.notifications.models import Kind
from bedside.payments.models import Payment
from bedside.payments.states import PaymentStatus
from bedside.web.access import actor_of
from bedside.web.desk.appointment import with_appointment
from bedside.web.desk.money_field import MoneyField, amount_typed, typed_money
from bedside.web.desk.tokens import FormToken


class RefundForm(forms.Form):
    """Amount and reason, with the form's own token: the same form pressed twice is one refund."""

    amount = MoneyField(label=gettext_lazy("Amount"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Kept with the payment and its activity log; the patient doesn't see it."),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why, in a few words: whoever looks at this later will ask.")},
    )
    how = forms.ChoiceField(
        label=gettext_lazy("Give it back as"),
        choices=[("money", gettext_lazy("Money, the way it was paid")), ("credit", gettext_lazy("A credit"))],
        required=False,
        widget=forms.RadioSelect,
    )
    token = FormToken()

    def __init__(self, payment: Payment, *args: Any, **kwargs: Any) -> None:
        left = Money(payment.refundable_minor, payment.currency)
        kwargs["initial"] = {"amount": amount_typed(left), "token": secrets.token_urlsafe(16), "how": "money"}
        super().__init__(*args, **kwargs)
        self.left, self.parts = left, flags.enabled("partial-refunds")
        amount = self.fields["amount"]
        assert isinstance(amount, MoneyField)
        amount.currency = payment.currency
        amount.help_text = _("%(left)s is left of what was paid.") % {"left": format_money(left)}
        if not flags.enabled("credits"):
            del self.fields["how"]
        if not self.parts:
            amount.widget.attrs["readonly"] = True
            amount.help_text = _("This practice refunds in full only.")

    @property
    def as_credit(self) -> bool:
        return bool(self.cleaned_data.get("how") == "credit")

    def clean_amount(self) -> Money:
        amount: Money = self.cleaned_data["amount"]
        if amount.minor_units <= 0:
            raise forms.ValidationError(_("Enter an amount above zero."))
        if amount > self.left:
            raise forms.ValidationError(_("At most %(left)s is left to refund.") % {"left": format_money(self.left)})
        return amount


@require_http_methods(["GET", "HEAD", "POST"])
@with_appointment
def refund_payment(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """GET asks; POST shows what it will do; POST with ``confirm`` does it. ``?payment=ID`` where there are several."""
    payment = _payment_of(request, appointment)
    if payment is None:
        messages.info(request, _("There is nothing left to refund on this visit."))
        return _back_to(appointment)
    form = RefundForm(payment, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _page(request, appointment, payment, form)
    if "confirm" in request.POST:
        return _do(request, appointment, payment, form)
    if not form.is_valid():
        return _page(request, appointment, payment, form, status=422)
    return _page(request, appointment, payment, form, review="change" not in request.POST)


def _payment_of(request: HttpRequest, appointment: Appointment) -> Payment | None:
    """The payment asked for, or the newest with something left. A form that is sent again finds its own."""
    payments = appointment.payments.filter(captured_minor__gt=0).order_by("-pk")
    wanted = request.POST.get("payment") or request.GET.get("payment") or ""
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 16:
        return payments.filter(pk=int(wanted)).first()
    left = [one for one in payments if one.status == PaymentStatus.SUCCEEDED and one.refundable_minor > 0]
    return left[0] if left else None


def _do(request: HttpRequest, appointment: Appointment, payment: Payment, form: RefundForm) -> HttpResponse:
    """Only the flow decides: the form's own check of what is left would refuse the second press of one button."""
    form.is_valid()
    amount = typed_money(request.POST.get("amount", ""), payment.currency)
    token, reason = form.cleaned_data.get("token"), form.cleaned_data.get("reason", "")
    if not (amount and token and reason):
        return _page(request, appointment, payment, form, status=422)
    give_back = credits.by_hand if form.as_credit else refund.by_hand
    try:
        give_back(payment_id=payment.pk, amount=amount, reason=reason, actor=actor_of(request), key=f"desk-{token}")
    except BedsideError as error:
        fresh = RefundForm(Payment.objects.get(pk=payment.pk), request.POST)
        if not fresh.errors.get("amount"):
            fresh.add_error(None, error.message)
        return _page(request, appointment, payment, fresh, status=error.status)
    said = _("%(amount)s is on its way back. The patient is told when it has gone.")
    if form.as_credit:
        said = _("The patient has a credit of %(amount)s now. Its code is on its way by email and text.")
    messages.success(request, said % {"amount": amount})
    return _back_to(appointment)


def _page(
    request: HttpRequest,
    appointment: Appointment,
    payment: Payment,
    form: RefundForm,
    *,
    review: bool = False,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "area": "appointments",
        "zone": Practice.current().timezone,
        "appointment": appointment,
        "payment": payment,
        "form": form,
        "disputed": refund.is_disputed(payment),
    }
    if review:
        amount = form.cleaned_data["amount"]
        context |= {
            "amount": format_money(amount),
            "as_credit": form.as_credit,
            "consequences": consequences(appointment, payment, amount, as_credit=form.as_credit),
            "previews": _messages(appointment, payment, amount, as_credit=form.as_credit),
        }
    return render(request, "desk/refund.html", context, status=status)


def _messages(appointment: Appointment, payment: Payment, amount: Money, *, as_credit: bool) -> list[previews.Preview]:
    if not as_credit:
        by_card = not payment.is_manual
        return previews.previews(appointment, Kind.REFUNDED, refund=amount, refund_to_card=by_card)
    until = clock.now() + timedelta(days=Practice.current().credit_days)
    return previews.previews(appointment, Kind.CREDIT, credit=amount, credit_code="XXXX-XXXX-XXXX", credit_until=until)


def consequences(
    appointment: Appointment, payment: Payment, amount: Money, *, as_credit: bool = False
) -> list[dict[str, str]]:
    """Each thing that happens, with an icon: money, books, messages, the visit."""
    said = {"amount": format_money(amount), "patient": appointment.patient_name}
    left = Money(payment.refundable_minor, payment.currency) - amount
    money = _("%(amount)s goes back to the card.") if not payment.is_manual else _("You hand %(amount)s back yourself.")
    if as_credit:
        money = _("No money goes back: %(patient)s can spend %(amount)s on the next visits.")
    lines = [{"shape": "receipt" if as_credit else "undo-2", "text": money % said}]
    if left:
        lines.append({"shape": "credit-card", "text": _("%(left)s stays with the practice.") % {"left": left}})
    told = _("%(patient)s gets a receipt by email and text once it has gone.")
    if not appointment.sms_consent:
        told = _("%(patient)s gets a receipt by email once it has gone.")
    if as_credit:
        told = _("%(patient)s gets the code of the credit by email and text.")
    lines.append({"shape": "mail", "text": told % said})
    if appointment.status == "paid":
        visit = _("The visit stays booked. To free its time as well, cancel it instead.")
        lines.append({"shape": "calendar-days", "text": visit})
    return lines


def _back_to(appointment: Appointment) -> HttpResponse:
    return HttpResponseRedirect(reverse("desk:appointment", args=[appointment.code]), status=303)
