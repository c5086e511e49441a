"""Sales: a period's figures and chart, its refunds, and the days that were closed. All from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.core.money import Money
from bedside.payments.close_models import DailyClose
from bedside.reports import overview, reconciliation
from bedside.reports.overview import Compared, Overview
from bedside.web.access import admin_required
from bedside.web.desk.sales_chart import chart, say_span
from bedside.web.desk.sales_form import SalesForm
from bedside.web.live.shared import drawn_once
from bedside.web.live.tickets import ticket

PER_PAGE = 50


@dataclass(frozen=True)
class Told:
    """A figure with its name, its definition, and how it stands to the period before."""

    name: str
    meaning: str
    figure: Compared

    @property
    def change(self) -> str:
        change = self.figure.change
        if change is None:
            return ""
        if change == 0:
            return _("the same as before")
        said = _("%(percent)s%% more") if change > 0 else _("%(percent)s%% less")
        return said % {"percent": abs(change)}


def is_part(request: HttpRequest) -> bool:
    """Whether htmx asks for the part that changes."""
    return bool(request.htmx and not request.htmx.history_restore_request)  # type: ignore[attr-defined]


def _base(request: HttpRequest, tab: str) -> dict[str, Any]:
    return {
        "area": "sales",
        "tab": tab,
        "live_ticket": ticket("desk"),
        "query": request.GET.urlencode(),
        "printing": request.GET.get("print") == "1",
        "open_mismatches": reconciliation.open_count(),
    }


@require_safe
@never_cache
@admin_required
@drawn_once
def show(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its part that changes. What makes no sense is marked, and nothing is shown."""
    practice = Practice.current()
    form = SalesForm(request.GET, practice)
    context = _base(request, "overview") | {"form": form, "zone": practice.timezone}
    if form.is_valid():
        context |= _overview(form, practice)
    template = "desk/_sales.html" if is_part(request) else "desk/sales.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _overview(form: SalesForm, practice: Practice) -> dict[str, Any]:
    asked = form.asked
    made = Overview(asked, practice)
    codes = overview.promo_codes(asked, practice.currency)
    return {
        "overview": made,
        "asked": asked,
        "period_said": say_span(asked.period),
        "before_said": say_span(asked.before),
        "figures": _told(made),
        "chart": chart(made.spans, practice.currency),
        "spans": [(say_span(share.period), share) for share in reversed(made.spans) if share.period],
        "owed": overview.owed_in_credits(practice.currency),
        "codes": codes,
        "code_uses": sum(one.uses for one in codes),
        "discounts": Money(sum(one.discount.minor_units for one in codes), practice.currency),
    }


def _told(made: Overview) -> list[Told]:
    words = (
        ("gross", _("Gross"), _("Money captured on these days, tax included, discounts taken off.")),
        ("refunds", _("Refunds"), _("Money given back on these days, whenever it was paid.")),
        ("net", _("Net"), _("Gross less refunds.")),
        ("paid_count", _("Paid appointments"), _("Appointments with money captured on these days.")),
        ("average", _("Average order value"), _("Gross divided by paid appointments.")),
        ("tax", _("Tax"), _("Tax within net.")),
        ("fees", _("Fees"), _("What the payment processor kept; not taken off net.")),
        ("disputes", _("Disputes"), _("Taken back by banks, less what was won; not taken off net.")),
    )
    return [Told(name, meaning, made.compared(key)) for key, name, meaning in words]


@require_safe
@never_cache
@admin_required
def refunds(request: HttpRequest) -> HttpResponse:
    """Every refund of the period, by the day on which it counts."""
    practice = Practice.current()
    form = SalesForm(request.GET, practice)
    context = _base(request, "refunds") | {"form": form, "zone": practice.timezone}
    if form.is_valid():
        asked = form.asked
        found = overview.refunds_of(asked, practice.currency)
        context |= {
            "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
            "total": Overview(asked, practice).now.refunds,
            "period_said": say_span(asked.period),
        }
    template = "desk/_sales_refunds.html" if is_part(request) else "desk/sales_refunds.html"
    return render(request, template, context, status=422 if form.errors else 200)


@require_safe
@never_cache
@admin_required
def closes(request: HttpRequest) -> HttpResponse:
    """The closed days, newest first."""
    found = Paginator(DailyClose.objects.all(), PER_PAGE).get_page(request.GET.get("page"))
    context = _base(request, "closes") | {"page": found, "now": clock.now()}
    return render(request, "desk/_closes.html" if is_part(request) else "desk/closes.html", context)


@require_safe
@never_cache
@admin_required
def close(request: HttpRequest, day: Any) -> HttpResponse:
    """One closed day with its services and providers."""
    found = list(DailyClose.objects.filter(practice_day=day).prefetch_related("lines"))
    if not found:
        raise Http404
    parts = [
        (one, [line for line in one.lines.all() if line.dimension == "service"],
         [line for line in one.lines.all() if line.dimension == "provider"])
        for one in found
    ]  # fmt: skip
    late = sum(one.late_entries for one in found)
    context = _base(request, "closes") | {
        "parts": parts,
        "day": found[0].practice_day,
        "zone": Practice.current().timezone,
        "late_said": ngettext(
            "%(count)s line of an earlier day became known only on this one.",
            "%(count)s lines of earlier days became known only on this one.",
            late,
        ) % {"count": late} if late else "",
    }  # fmt: skip
    return render(request, "desk/close.html", context)
