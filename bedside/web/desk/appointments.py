"""The list of appointments, with the filters in the address and the figures of the ledger above."""

from __future__ import annotations

from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bedside.clinic.models import Practice
from bedside.flows import saved_views
from bedside.reports import pages, sales
from bedside.reports.figures import Figures
from bedside.reports.overview import Share
from bedside.reports.periods import Period, buckets
from bedside.web.access import admin_required
from bedside.web.desk.filters import SORT_WORDS, SPAN_WORDS, ListForm
from bedside.web.desk.sales_chart import chart, say_span
from bedside.web.live.shared import drawn_once
from bedside.web.live.tickets import ticket

CHART_HEIGHT = 150  # Low: the rows are what most come for.
log = structlog.get_logger(__name__)


@require_safe
@never_cache
@admin_required
@drawn_once
def appointments(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its part that changes. Filters that make no sense show no rows and say why."""
    practice = Practice.current()
    form = ListForm(request.GET)
    context: dict[str, Any] = {
        "area": "appointments",
        "live_ticket": ticket("desk"),
        "zone": practice.timezone,
        "form": form,
        "query": _query(request, "cursor"),
        "spans": SPAN_WORDS.items(),
        "is_filtered": any(request.GET.get(name) for name in form.fields if name not in {"sort", "rows"}),
        "views": list(saved_views.of(request.user)),  # type: ignore[arg-type]  # guarded: signed in
    }
    status = 200
    if form.is_valid():
        cursor = request.GET.get("cursor", "")
        try:
            context["page"] = pages.page(form.filters, practice, sort=form.order, cursor=cursor[:300], size=form.size)
        except pages.BadCursor:
            context["lost"], status = True, 422
            context["page"] = pages.page(form.filters, practice, sort=form.order, size=form.size)
        context |= _figures(form, practice) | {
            "sort": form.order,
            "sort_word": SORT_WORDS[form.order],
            "span": form.span,
            "current": form.query,
            "days_query": _query(request, "cursor", "from", "to", "period"),
        }
    else:
        log.info("filters_refused", fields=sorted(form.errors))
        status = 422
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "desk/_appointments.html" if part else "desk/appointments.html"
    return render(request, template, context, status=status)


def _query(request: HttpRequest, *without: str) -> str:
    """The present one, without these fields and without empty ones."""
    kept = request.GET.copy()
    for name in list(kept):
        if name in without or not any(kept.getlist(name)):
            del kept[name]
    return kept.urlencode()


def _figures(form: ListForm, practice: Practice) -> dict[str, Any]:
    """The summary bar, and its days as a chart and as a table."""
    filters = form.filters
    summary = sales.summary(filters, practice)
    days = summary.days
    if not days:
        return {"summary": summary, "chart": None, "spans_told": []}
    whole = Period(filters.first or min(days), filters.last or max(days))
    shares = [_share(span, days, practice.currency) for span in buckets(whole)]
    told = [(say_span(share.period), share) for share in reversed(shares) if share.period]
    return {
        "summary": summary,
        "chart": chart(shares, practice.currency, CHART_HEIGHT),
        # Days on which nothing was taken say nothing in a table.
        "spans_told": [
            (said, share) for said, share in told if share.figures.gross_minor or share.figures.refunds_minor
        ],
    }


def _share(span: Period, days: dict[Any, Figures], currency: str) -> Share:
    within = [days[day] for day in span.days() if day in days]
    figures = Figures(
        currency=currency,
        gross_minor=sum(one.gross_minor for one in within),
        refunds_minor=sum(one.refunds_minor for one in within),
    )
    return Share("", "", figures, span)
