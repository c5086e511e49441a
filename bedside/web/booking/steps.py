"""What browsers tell of the way through the booking pages: once a visit, and never who."""

from __future__ import annotations

import re

from csp.decorators import csp_exempt
from django.http import HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from bedside.core import ratelimit
from bedside.core.errors import NotFound
from bedside.core.ratelimit import RateLimited
from bedside.flows import steps
from bedside.web.booking.browser import address_of

# Programs that run scripts and say what they are.
PROGRAMS = re.compile(r"bot|crawl|spider|slurp|preview|lighthouse", re.IGNORECASE)


@csrf_exempt
@csp_exempt()
@xframe_options_exempt
@require_POST
def reached(request: HttpRequest) -> HttpResponse:
    """The body is "times SLUG" or "details SLUG". Nothing is changed but a count, so no token guards it.

    The answer is empty and never shown, so it goes without what guards a page.
    """
    if PROGRAMS.search(request.headers.get("User-Agent", "")):
        return HttpResponse(status=204)
    step, _space, slug = request.body[:120].decode("utf-8", "replace").partition(" ")
    try:
        ratelimit.hit("step", address_of(request))
        steps.reached(step=step, service_slug=slug.replace("\x00", ""))
    except RateLimited as error:
        return HttpResponse(status=429, headers={"Retry-After": str(error.retry_after)})
    except NotFound:
        return HttpResponse(status=422)
    return HttpResponse(status=204)
