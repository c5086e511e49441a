"""Canceling at the desk: who asked and what goes back; then what it will do, in words and messages; then it is done."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from bedside.appointments.errors import AlreadyOver, ChangedMeanwhile
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Practice
from bedside.core.errors import BedsideError
from bedside.core.money import Money, format_money
from bedside.flows import cancel, previews
from bedside.flows.announce import EVERYONE
from bedside.flows.cancel import Give, Preview
from bedside.notifications.models import Kind
from bedside.web.access import actor_of
from bedside.web.desk.appointment import MEMBER, back_to, with_appointment
from bedside.web.desk.giving import GiveForm, money_said
from bedside.web.templatetags.when import say_when

PRACTICE, PATIENT = "practice", "patient"


class CancelForm(GiveForm):
    """Who asked, what goes back, and why."""

    asked_by = forms.ChoiceField(
        label=gettext_lazy("Who cancels"),
        choices=[
            (PRACTICE, gettext_lazy("The practice: it isn't the patient's doing")),
            (PATIENT, gettext_lazy("The patient asked for it")),
        ],
        required=False,
        widget=forms.RadioSelect,
        initial=PRACTICE,
    )
    field_order = ("asked_by", "what", "amount", "reason")

    @property
    def for_patient(self) -> bool:
        return bool(self.cleaned_data.get("asked_by") == PATIENT)


@require_http_methods(["GET", "HEAD", "POST"])
@with_appointment
def cancel_visit(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """GET asks; POST with ``review`` shows what it will do; any other POST does it."""
    actor = actor_of(request)
    if not cancel.preview(appointment, actor=actor).possible:
        messages.info(request, AlreadyOver().message)
        return back_to(appointment)
    if request.method != "POST":
        return _page(request, appointment, _form(appointment, initial={"version": appointment.version}))
    form = _form(appointment, request.POST)
    if not form.is_valid():
        return _page(request, appointment, form, status=422)
    if "review" in request.POST or "change" in request.POST:
        return _page(request, appointment, form, review="review" in request.POST)
    try:
        cancel.cancel(
            appointment_id=appointment.pk,
            actor=actor,
            reason=form.cleaned_data["reason"],
            for_patient=form.for_patient,
            give=form.give,
            version=form.cleaned_data["version"],
        )
    except (AlreadyOver, ChangedMeanwhile) as error:
        messages.warning(request, error.message)
        return back_to(appointment)
    except BedsideError as error:
        form.add_error(None, error.message)
        return _page(request, appointment, form, status=error.status)
    messages.success(request, _("The visit is canceled."))
    return back_to(appointment)


def _form(appointment: Appointment, *args: Any, **kwargs: Any) -> CancelForm:
    ours = cancel.preview(appointment, actor=MEMBER)
    theirs = cancel.preview(appointment, actor=MEMBER, for_patient=True)
    proposal = _("As the policy says: %(ours)s if the practice cancels, %(theirs)s if the patient asked") % {
        "ours": format_money(ours.refund),
        "theirs": format_money(theirs.refund),
    }
    return CancelForm(ours.refund, proposal, *args, **kwargs)


def _page(
    request: HttpRequest, appointment: Appointment, form: CancelForm, *, review: bool = False, status: int = 200
) -> HttpResponse:
    chosen = form.is_bound and form.is_valid()
    outcome = cancel.preview(appointment, actor=MEMBER, for_patient=chosen and form.for_patient)
    give = form.give if chosen else Give()
    back = cancel.given_back(give, outcome.refund)
    context: dict[str, Any] = {
        "area": "appointments",
        "zone": Practice.current().timezone,
        "appointment": appointment,
        "form": form,
        "consequences": consequences(appointment, outcome, give, back),
        "review": review,
    }
    if review:
        context["previews"] = _messages(appointment, form, give, back, outcome)
    return render(request, "desk/cancel.html", context, status=status)


def _messages(
    appointment: Appointment, form: CancelForm, give: Give, back: Money, outcome: Preview
) -> list[previews.Preview]:
    if appointment.status == Status.PENDING_PAYMENT:
        return []
    return previews.previews(
        appointment,
        Kind.CANCELED,
        EVERYONE,
        canceled_by="patient" if form.for_patient else "admin",
        refund=back if back and give.kind != "credit" else None,
        credit=back if back and give.kind == "credit" else None,
        credit_returned=cancel.unspent(give, outcome.credit) or None,
        refund_to_card=not outcome.by_hand,
    )


def consequences(appointment: Appointment, outcome: Preview, give: Give, back: Money) -> list[dict[str, str]]:
    """Each thing that happens, with an icon: money, time, messages."""
    money = _("Nothing was charged, so nothing comes back.")
    if outcome.paid:
        money = money_said(give, back, by_hand=outcome.by_hand)
    if credit := cancel.unspent(give, outcome.credit):
        again = _("%(amount)s is on the patient's credit again.") % {"amount": format_money(credit)}
        money = f"{money} {again}" if outcome.paid else again
    time = _("%(provider)s is free again: %(when)s.") % {
        "provider": appointment.provider.name,
        "when": say_when(appointment.start, Practice.current().timezone),
    }
    told = _("%(patient)s and %(provider)s are told by email and text.")
    if appointment.status == Status.PENDING_PAYMENT:
        told = _("The visit wasn't paid yet, so no messages go out.")
    names = {"patient": appointment.patient_name, "provider": appointment.provider.name}
    return [
        {"shape": "undo-2", "text": money},
        {"shape": "calendar-x", "text": time},
        {"shape": "mail", "text": told % names},
    ]
