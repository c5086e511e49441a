"""What receipts say of the practice, and the codes that services usually go by."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.clinic.errors import ChangedMeanwhile
from bedside.core.fingerprint import fingerprint
from bedside.flows import billing
from bedside.payments.receipt_models import PracticeBilling
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.billing_forms import BillingForm
from bedside.web.stale import clash


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def show(request: HttpRequest) -> HttpResponse:
    """The form; receipts that were handed out keep what they said."""
    # A form fills in the row that it is given: what it shows stays apart from what is saved.
    kept = PracticeBilling.objects.filter(pk=1).first() or PracticeBilling()
    form = BillingForm(request.POST or None, instance=kept, initial={"version": fingerprint(billing.saved_details())})
    stale: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        try:
            changed = billing.set_details(
                actor=actor_of(request),
                version=form.cleaned_data["version"] or 0,
                details=form.details,
                procedures=form.procedures,
            )
        except ChangedMeanwhile as error:
            saved = billing.saved_details()
            stale = clash(form, saved | {"version": fingerprint(saved)}, error)
        else:
            messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
            return redirect("desk:billing")
    context = {"area": "sales", "tab": "billing", "form": form} | stale
    return render(request, "desk/billing.html", context, status=409 if stale else 422 if form.errors else 200)
