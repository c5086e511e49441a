"""Tax rates at the desk: the list, new, edit, archive."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.clinic import places
from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Practice
from bedside.clinic.prices.errors import InvalidTerms
from bedside.clinic.prices.models import TaxRate
from bedside.core import clock
from bedside.flows import taxes
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.price_forms import TaxForm, kept_rate
from bedside.web.stale import clash


@require_safe
@never_cache
@admin_required
def index(request: HttpRequest) -> HttpResponse:
    today = clock.now().astimezone(Practice.current().zone).date()
    rows = [
        {
            "row": rate,
            "percent": f"{rate.percent.normalize():f}",
            "place": places.name_of(rate.place) if rate.place else "",
            "state": "archived"
            if rate.archived
            else "ahead"
            if today < rate.valid_from
            else "over"
            if rate.valid_until and today > rate.valid_until
            else "open",
        }
        for rate in TaxRate.objects.all()
    ]
    return render(request, "desk/taxes.html", {"area": "prices", "tab": "tax", "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def new(request: HttpRequest) -> HttpResponse:
    today = clock.now().astimezone(Practice.current().zone).date()
    return _edit(request, TaxForm(request.POST or None, initial={"valid_from": today}), None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    rate = _find(pk)
    return _edit(request, TaxForm(request.POST or None, rate=rate), rate)


def _edit(request: HttpRequest, form: TaxForm, rate: TaxRate | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            version = form.cleaned_data["version"] or 0
            pk = rate.pk if rate else None
            taxes.save(terms=form.terms, actor=actor_of(request), tax_rate_id=pk, version=version)
        except ChangedMeanwhile as error:
            assert rate is not None
            rate.refresh_from_db()
            context = {"area": "prices", "form": form, "rate": rate} | clash(form, kept_rate(rate), error)
            return render(request, "desk/tax_form.html", context, status=error.status)
        except InvalidTerms as error:
            form.complain(error)
        else:
            messages.success(request, _("Saved. Bookings made so far keep their tax."))
            return redirect("desk:taxes")
    context = {"area": "prices", "form": form, "rate": rate}
    return render(request, "desk/tax_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks, then archives; posting with ``back`` brings it back."""
    rate = _find(pk)
    if request.method == "POST":
        gone = "back" not in request.POST
        try:
            taxes.set_archived(tax_rate_id=rate.pk, archived=gone, actor=actor_of(request))
        except InvalidTerms as error:
            messages.warning(request, next(iter(error.errors.values())))
        else:
            messages.success(request, _("It is charged no more.") if gone else _("It is charged again."))
        return redirect("desk:taxes")
    return render(request, "desk/tax_archive.html", {"area": "prices", "rate": rate})


def _find(pk: int) -> TaxRate:
    rate = TaxRate.objects.filter(pk=pk).first() if pk < 2**62 else None
    if rate is None:
        raise Http404
    return rate
