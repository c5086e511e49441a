"""Reconciliation at the desk: what does not match, what to do about it, and the comparisons that were made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.flows import reconcile, reconcile_jobs
from bedside.payments.errors import AlreadyResolved, DaysOutOfOrder
from bedside.payments.reconciliation_models import Mismatch
from bedside.reports import reconciliation as report
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.sales import is_part
from bedside.web.live.tickets import ticket


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages=dict.fromkeys(("required", "invalid"), gettext_lazy("Choose a day.")),
    )


class DaysForm(forms.Form):
    """Which practice days are compared."""

    first = _day(gettext_lazy("From"))
    last = _day(gettext_lazy("To"))


class NoteForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("What it was"),
        help_text=gettext_lazy("Kept with the mismatch. It stays closed while nothing about it changes."),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say what you found, in a few words: whoever audits this will ask.")},
    )


def _context(form: DaysForm) -> dict[str, Any]:
    return {
        "area": "sales",
        "tab": "reconciliation",
        "live_ticket": ticket("desk"),
        "zone": Practice.current().timezone,
        "open": report.open_mismatches(),
        "open_mismatches": report.open_count(),
        "settled": report.settled_mismatches(),
        "runs": report.runs(),
        "form": form,
    }


@require_safe
@never_cache
@admin_required
def show(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its part that changes."""
    yesterday = clock.now().astimezone(Practice.current().zone).date() - timedelta(days=1)
    form = DaysForm(initial={"first": (yesterday - timedelta(days=6)).isoformat(), "last": yesterday.isoformat()})
    template = "desk/_reconciliation.html" if is_part(request) else "desk/reconciliation.html"
    return render(request, template, _context(form))


@require_POST
@never_cache
@admin_required
def compare(request: HttpRequest) -> HttpResponse:
    """Have some days compared now, by a job; the page follows by itself."""
    form = DaysForm(request.POST)
    if form.is_valid():
        days = form.cleaned_data
        try:
            reconcile_jobs.ask_for_days(first=days["first"], last=days["last"], actor=actor_of(request))
        except DaysOutOfOrder as error:
            form.add_error("last", error.message)
        else:
            messages.success(request, _("The days are being compared. What comes of it appears here."))
            return redirect("desk:reconciliation")
    return render(request, "desk/reconciliation.html", _context(form), status=422)


@require_POST
@never_cache
@admin_required
def look_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the processor about one object again, by a job."""
    _find(pk)
    try:
        reconcile_jobs.ask_again(mismatch_id=pk, actor=actor_of(request))
        messages.success(request, _("Bedside is asking the processor again. What comes of it appears here."))
    except AlreadyResolved as error:
        messages.info(request, error.message)
    return redirect("desk:reconciliation")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Close one with a note."""
    mismatch = _find(pk)
    form = NoteForm(request.POST or None)
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            reconcile.resolve(mismatch_id=pk, actor=actor_of(request), note=form.cleaned_data["note"])
            messages.success(request, _("Resolved. The note is kept."))
        except AlreadyResolved as error:
            messages.info(request, error.message)
        return redirect("desk:reconciliation")
    context = {
        "area": "sales",
        "zone": Practice.current().timezone,
        "told": report.tell(mismatch),
        "form": form,
    }
    return render(request, "desk/mismatch.html", context, status=status)


def _find(pk: int) -> Mismatch:
    found = Mismatch.objects.select_related("payment__appointment").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
