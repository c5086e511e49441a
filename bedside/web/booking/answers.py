"""Answers that several pages give when something stands in the way."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bedside.core import ratelimit
from bedside.core.errors import NotFound
from bedside.core.ratelimit import RateLimited
from bedside.web.booking.browser import address_of


def limited(request: HttpRequest, error: RateLimited) -> HttpResponse:
    """Too many requests: a page, or for a fragment a word over the page that stays as it is."""
    if getattr(request, "htmx", False):
        response = HttpResponse(status=429)
        response["HX-Reswap"] = "none"
        response["HX-Trigger"] = json.dumps({"toast": error.message})
    else:
        response = render(request, "errors/429.html", status=429)
    response["Retry-After"] = str(error.retry_after)
    return response


def unknown_visit(request: HttpRequest) -> HttpResponse:
    """A token that opens nothing: help, the same for every such token, and no endless guessing."""
    try:
        ratelimit.hit("token-miss", address_of(request))
    except RateLimited as error:
        return limited(request, error)
    return render(request, "booking/unknown_visit.html", status=NotFound.status)
