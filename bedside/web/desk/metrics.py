"""Operational metrics at the desk: how booking, payment, messages and visits went, each figure with its definition."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bedside.clinic.models import Practice, Provider, Service
from bedside.reports.export.cells import safe
from bedside.reports.metrics import ENOUGH, Counts, Metrics, Rate, Wait, fold, gather
from bedside.reports.overview import Asked
from bedside.web.access import admin_required
from bedside.web.desk.sales_chart import say_span
from bedside.web.desk.sales_form import SalesForm
from bedside.web.live.shared import drawn_once
from bedside.web.live.tickets import ticket

HEAD = ["metric", "scope", "name", "count", "of", "value", "unit"]
NAMES: dict[str, tuple[str | Promise, str | Promise]] = {
    "conversion": (
        gettext_lazy("Booking conversion"),
        gettext_lazy(
            "Bookings made on the pages that were paid, of browsers that saw a service's times. A browser counts once "
            "a visit and service; programs that say so, and browsers without scripts, aren't counted."
        ),
    ),
    "payment": (
        gettext_lazy("Payment success"),
        gettext_lazy(
            "Payments through the processor that succeeded, of those begun on these days that came to an end. One that "
            "is declined and then works has succeeded; one whose time ran out has not."
        ),
    ),
    "email": (
        gettext_lazy("Email delivery"),
        gettext_lazy("Emails due on these days that went out and did not come back, of those that went out or failed."),
    ),
    "sms": (
        gettext_lazy("Text delivery"),
        gettext_lazy("The same for texts. Messages that wait or were withdrawn count for neither."),
    ),
    "refund": (
        gettext_lazy("Refund rate"),
        gettext_lazy("Payments captured on these days of which money was given back since, wholly or in part."),
    ),
    "cancellation": (
        gettext_lazy("Cancellation rate"),
        gettext_lazy(
            "Paid visits canceled, by whomever, of all paid visits set for these days. A visit that was moved counts "
            "where it is now."
        ),
    ),
    "show": (
        gettext_lazy("Show rate"),
        gettext_lazy("Visits set for these days that took place, of those that took place or were missed."),
    ),
    "wait": (
        gettext_lazy("Wait to the next opening"),
        gettext_lazy(
            "From now to the next time that can be booked, looked up each hour for every service and averaged; with "
            "one provider where one is chosen, else with anybody. Hours without any opening are left out."
        ),
    ),
}
STEPS = (
    gettext_lazy("Saw the times"),
    gettext_lazy("Chose a time"),
    gettext_lazy("Gave their details"),
    gettext_lazy("Paid"),
)


@dataclass(frozen=True)
class Told:
    """A metric in words: its value, what it is made of, and the value before."""

    name: str
    said: str
    made_of: str
    before: str


@dataclass(frozen=True)
class Step:
    """``width`` is in the units of a bar a hundred wide."""

    name: str
    count: int
    of_before: str
    of_first: str
    width: str


@require_safe
@never_cache
@admin_required
@drawn_once
def show(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its part that changes."""
    practice = Practice.current()
    form = SalesForm(request.GET, practice)
    context: dict[str, Any] = {
        "area": "metrics",
        "live_ticket": ticket("desk"),
        "query": request.GET.urlencode(),
        "form": form,
        "zone": practice.timezone,
        "enough": ENOUGH,
    }
    if form.is_valid():
        context |= _shown(form.asked, practice)
    template = "desk/_metrics.html" if request.htmx else "desk/metrics.html"  # type: ignore[attr-defined]
    return render(request, template, context, status=422 if form.errors else 200)


def _shown(asked: Asked, practice: Practice) -> dict[str, Any]:
    counts = gather(asked.period, practice)
    now = fold(counts, service_id=asked.service_id, provider_id=asked.provider_id)
    then = gather(asked.before, practice)
    before = fold(then, service_id=asked.service_id, provider_id=asked.provider_id)
    return {
        "period_said": say_span(asked.period),
        "before_said": say_span(asked.before),
        "told": [_tell(name, now, before, asked) for name in NAMES],
        "steps": _steps(now, asked),
        "meanings": list(NAMES.values()),
        "columns": [said for name, (said, _meaning) in NAMES.items()],
        "services": _rows(counts, asked, "service"),
        "providers": _rows(counts, asked, "provider"),
    }


def _figure(metrics: Metrics, name: str) -> Rate | Wait:
    found: Rate | Wait = getattr(metrics, name)
    return found


def say(figure: Rate | Wait) -> str:
    """ "87.5%", "26.3 h", or empty where there is too little to say it."""
    if isinstance(figure, Wait):
        return "" if figure.hours is None else _("%(hours)s h") % {"hours": figure.hours}
    return "" if figure.percent is None else f"{figure.percent:g}%"


def _tell(name: str, now: Metrics, before: Metrics, asked: Asked) -> Told:
    figure, word = _figure(now, name), str(NAMES[name][0])
    if name == "conversion" and asked.provider_id is not None:
        return Told(word, "", _("Looks at the pages aren't counted by provider."), "")
    if isinstance(figure, Wait):
        made_of = _("looked up %(count)s times") % {"count": figure.looked}
    else:
        made_of = _("%(count)s of %(of)s") % {"count": figure.count, "of": figure.of}
    return Told(word, say(figure), made_of, say(_figure(before, name)))


def _steps(metrics: Metrics, asked: Asked) -> list[Step]:
    """By provider only from the details on: before, nobody is chosen yet."""
    found = list(zip(STEPS, metrics.steps, strict=True))[2 if asked.provider_id is not None else 0 :]
    most = max((count for _name, count in found), default=0) or 1
    first, last, made = found[0][1], 0, []
    for at, (name, count) in enumerate(found):
        of_before = say(Rate(count, last)) if at else ""
        of_first = say(Rate(count, first)) if at else ""
        made.append(Step(str(name), count, of_before, of_first, f"{100 * count / most:.1f}"))
        last = count
    return made


def _rows(counts: Counts, asked: Asked, by: str) -> list[tuple[str, list[str]]]:
    """A table's rows: name and figures of each service, or of each provider, that the filters leave."""
    names = _names(by)
    chosen = asked.service_id if by == "service" else asked.provider_id
    found = []
    for pk, name in names.items():
        if chosen not in (None, pk):
            continue
        metrics = _one(counts, asked, by, pk)
        if metrics.counts:
            hidden = by == "provider" or asked.provider_id is not None
            cells = ["" if hidden and one == "conversion" else say(_figure(metrics, one)) for one in NAMES]
            found.append((name, cells))
    return found


def _names(by: str) -> dict[int, str]:
    model: Any = Service if by == "service" else Provider
    return dict(model.objects.order_by("name").values_list("pk", "name"))


def _one(counts: Counts, asked: Asked, by: str, pk: int) -> Metrics:
    if by == "service":
        return fold(counts, service_id=pk, provider_id=asked.provider_id)
    return fold(counts, service_id=asked.service_id, provider_id=pk)


@require_safe
@never_cache
@admin_required
def file(request: HttpRequest) -> HttpResponse:
    """The same as CSV, with what every value is made of; a value is empty where there is too little to say it."""
    practice = Practice.current()
    form = SalesForm(request.GET, practice)
    if not form.is_valid():
        return HttpResponse(
            _("These filters don't fit together."), status=422, content_type="text/plain; charset=utf-8"
        )
    asked = form.asked
    counts = gather(asked.period, practice)
    response = HttpResponse(content_type="text/csv; charset=utf-8; header=present")
    name = f"metrics-{asked.period.first}-{asked.period.last}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(HEAD)
    whole = fold(counts, service_id=asked.service_id, provider_id=asked.provider_id)
    writer.writerows(_lines(whole, "all", "", asked.provider_id is None))
    for word, count in zip(("times", "details", "given", "paid"), whole.steps, strict=True):
        writer.writerow([f"step.{word}", "all", "", count, "", count, "count"])
    for by in ("service", "provider"):
        chosen = asked.service_id if by == "service" else asked.provider_id
        for pk, said in _names(by).items():
            metrics = _one(counts, asked, by, pk)
            if chosen in (None, pk) and metrics.counts:
                writer.writerows(_lines(metrics, by, said, by == "service" and asked.provider_id is None))
    return response


def _lines(metrics: Metrics, scope: str, name: str, with_conversion: bool) -> list[list[object]]:
    made: list[list[object]] = []
    for one in NAMES:
        figure = _figure(metrics, one)
        if isinstance(figure, Wait):
            made.append([one, scope, safe(name), figure.minutes, figure.looked, _blank(figure.hours), "hours"])
        elif one != "conversion" or with_conversion:
            made.append([one, scope, safe(name), figure.count, figure.of, _blank(figure.percent), "percent"])
    return made


def _blank(value: float | None) -> object:
    return "" if value is None else value
