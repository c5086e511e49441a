"""The sandbox's clock: moved forward, so that reminders fire while you watch."""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from bedside.core import clock
from bedside.notifications.queue import wake_senders
from bedside.sandbox import jobs
from bedside.schedule.jobs import catch_up
from bedside.web.sandbox.answers import posted, problem, speaks_json

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
SPAN = re.compile(r"([0-9]{1,9})\s*([smhd])")
LONGEST = timedelta(days=366)
STEPS = ("10m", "1h", "25h", "7d")


class BadSpan(ValueError):
    """Says what a span of time looks like."""


def read_span(text: str) -> timedelta:
    """``"25h"`` as 25 hours. Raises BadSpan for anything but a number above zero and s, m, h or d, up to 366 days."""
    found = SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise BadSpan(_("Write a number and a unit: 90s, 30m, 25h or 7d."))
    span = timedelta(**{UNITS[found[2]]: int(found[1])}) if int(found[1]) < 10**8 else LONGEST * 2
    if not timedelta(0) < span <= LONGEST:
        raise BadSpan(_("The clock moves forward, by at least a second and at most 366 days."))
    return span


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def clock_page(request: HttpRequest) -> HttpResponse:
    """GET shows it. POST {"forward": "25h"}, as a form or JSON, moves it; 422 where that isn't a span of time."""
    if request.method != "POST":
        return _page(request)
    text = posted(request).get("forward", "")
    try:
        span = read_span(text)
    except BadSpan as error:
        if speaks_json(request):
            return problem(422, "invalid-span", str(error))
        return _page(request, text=text[:20], error=str(error), status=422)
    present = clock.forward(span)
    # What has come due was only rescheduled: a worker that sleeps until its next look is woken.
    jobs.wake_workers()
    wake_senders()
    catch_up()
    if speaks_json(request):
        return JsonResponse({"now": present.isoformat()})
    return redirect("sandbox:clock")


def _page(request: HttpRequest, *, text: str = "25h", error: str = "", status: int = 200) -> HttpResponse:
    context = {
        "now": clock.now(),
        "ahead": clock.offset(),
        "steps": STEPS,
        "text": text,
        "error": error,
        "area": "clock",
        "zone": settings.TIME_ZONE,
    }
    return render(request, "sandbox/clock.html", context, status=status)
