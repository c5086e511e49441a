"""Promo codes at the desk: the list, one with its uses, new, edit, archive."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Practice
from bedside.clinic.prices.errors import InvalidTerms
from bedside.clinic.prices.models import PromoCode
from bedside.core import clock, flags
from bedside.core.errors import BedsideError
from bedside.core.money import Money, format_money
from bedside.flows import promo, promo_codes
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.price_forms import PromoForm, kept_promo
from bedside.web.stale import clash

USES_PER_PAGE = 25


def with_code(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @never_cache
    @admin_required
    @wraps(view)
    def found(request: HttpRequest, slug: str) -> HttpResponse:
        row = PromoCode.objects.filter(code=slug).first()
        if row is None:
            raise Http404
        return view(request, row)

    return found


@require_safe
@never_cache
@admin_required
def index(request: HttpRequest) -> HttpResponse:
    rows = [_row(code) for code in PromoCode.objects.prefetch_related("services")]
    context = {"area": "prices", "tab": "promo", "rows": rows, "switched_on": flags.enabled("promo-codes")}
    return render(request, "desk/promo_codes.html", context)


@require_safe
@with_code
def show(request: HttpRequest, row: PromoCode) -> HttpResponse:
    """Its terms, and the bookings that use it."""
    uses = promo.uses(row, clock.now()).select_related("service").order_by("-pk")
    page = Paginator(uses, USES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"area": "prices", "one": _row(row), "page": page, "zone": Practice.current().timezone}
    return render(request, "desk/promo_code.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def new(request: HttpRequest) -> HttpResponse:
    form = PromoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = promo_codes.create(code=form.cleaned_data["code"], terms=form.terms, actor=actor_of(request))
        except InvalidTerms as error:
            form.complain(error)
        except flags.FeatureOff as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("%(code)s can be used from now on.") % {"code": made.code})
            return redirect("desk:promo_code", made.code)
    return _form_page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@with_code
def edit(request: HttpRequest, row: PromoCode) -> HttpResponse:
    form = PromoForm(request.POST or None, promo=row)
    if request.method == "POST" and form.is_valid():
        try:
            version = form.cleaned_data["version"] or 0
            promo_codes.change(promo_code_id=row.pk, version=version, terms=form.terms, actor=actor_of(request))
        except ChangedMeanwhile as error:
            row.refresh_from_db()
            return _form_page(request, form, clash(form, kept_promo(row), error))
        except InvalidTerms as error:
            form.complain(error)
        except flags.FeatureOff as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("Saved. Bookings made so far keep their price."))
            return redirect("desk:promo_code", row.code)
    return _form_page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@with_code
def archive(request: HttpRequest, row: PromoCode) -> HttpResponse:
    """Asks, then archives; posting with ``back`` brings it back."""
    if request.method == "POST":
        gone = "back" not in request.POST
        try:
            promo_codes.set_archived(promo_code_id=row.pk, archived=gone, actor=actor_of(request))
        except BedsideError as error:
            messages.warning(request, error.message)
        else:
            said = _("%(code)s is archived.") if gone else _("%(code)s can be used again.")
            messages.success(request, said % {"code": row.code})
        return redirect("desk:promo_code", row.code)
    return render(request, "desk/promo_archive.html", {"area": "prices", "one": _row(row)})


def _form_page(request: HttpRequest, form: PromoForm, stale: dict[str, Any] | None = None) -> HttpResponse:
    context = {"area": "prices", "form": form, "promo": form.promo} | (stale or {})
    status = 409 if stale else 422 if form.errors else 200
    return render(request, "desk/promo_form.html", context, status=status)


def _row(code: PromoCode) -> dict[str, Any]:
    """A code in words."""
    today = clock.now().astimezone(Practice.current().zone).date()
    if code.archived:
        state = "archived"
    elif code.valid_from and today < code.valid_from:
        state = "ahead"
    else:
        state = "over" if code.valid_until and today > code.valid_until else "open"
    if code.percent is not None:
        off = f"{code.percent.normalize():f}%"
    else:
        off = format_money(Money(code.amount_minor or 0, code.currency))
    return {
        "row": code,
        "state": state,
        "off": off,
        "used": promo.uses(code, clock.now()).count(),
        "services": [service.name for service in code.services.all()],
    }
