"""Settings of holds, payment links and credits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Practice
from bedside.flows import payment_terms
from bedside.flows.book_by_hand import LONGEST_LINK_HOURS
from bedside.flows.payment_terms import PaymentTerms
from bedside.reports import record
from bedside.web.access import actor_of, admin_required
from bedside.web.stale import clash


def _number(label: Any, help_text: Any, least: int, most: int) -> forms.IntegerField:
    said = format_lazy(gettext_lazy("Enter a whole number from {least} to {most}."), least=least, most=most)
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=least,
        max_value=most,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), said),
    )


class TermsForm(forms.Form):
    """The names are those of `PaymentTerms`. A processor's page lives 30 minutes at least, and a hold outlasts it."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    hold_minutes = _number(
        gettext_lazy("Minutes that a patient's own booking is held"),
        gettext_lazy("While the patient pays. At least 35: the payment page lives half an hour."),
        35,
        180,
    )
    payment_link_hours = _number(
        gettext_lazy("Hours that a payment link is open"),
        gettext_lazy("For phone bookings; the desk may choose otherwise for each."),
        1,
        LONGEST_LINK_HOURS,
    )
    credit_days = _number(
        gettext_lazy("Days that a credit can be spent"),
        gettext_lazy("From the day it is given. Look up what your state asks for."),
        30,
        3650,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def terms(request: HttpRequest) -> HttpResponse:
    """The form, with what holds now."""
    present = PaymentTerms.of(Practice.current())
    form = TermsForm(request.POST if request.method == "POST" else None, initial=_typed(present))
    context = {"area": "settings", "form": form, "history": record.history(Practice.current())}
    if request.method != "POST" or not form.is_valid():
        return render(request, "desk/payment_terms.html", context, status=422 if form.errors else 200)
    said = dict(form.cleaned_data)
    version = said.pop("version")
    try:
        if payment_terms.change(terms=PaymentTerms(**said), version=version, actor=actor_of(request)):
            messages.success(request, _("Saved. It holds for what is booked and given from now on."))
    except ChangedMeanwhile as error:
        context |= clash(form, _typed(PaymentTerms.of(Practice.current())), error)
        return render(request, "desk/payment_terms.html", context, status=error.status)
    return HttpResponseRedirect(reverse("desk:payment_terms"), status=303)


def _typed(terms: PaymentTerms) -> dict[str, int]:
    return asdict(terms) | {"version": terms.version}
