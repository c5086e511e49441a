"""Finding: what the command palette asks for, and the same as a page of its own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bedside.clinic.models import Practice
from bedside.reports import finding
from bedside.web.access import admin_required
from bedside.web.desk.places import ACTIONS, PAGES, fitting

LONGEST = 254


@require_safe
@never_cache
@admin_required
def find(request: HttpRequest) -> HttpResponse:
    """``?q=`` a name, an email, a number, a code, or words of a page. The palette gets the options alone."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    practice = Practice.current()
    context = {
        "area": "find",
        "q": text,
        "zone": practice.timezone,
        "people": finding.people(text, practice),
        "visits": finding.visits(text),
        "pages": fitting(text, PAGES),
        "actions": fitting(text, ACTIONS),
    }
    palette = request.headers.get("X-Palette") == "1"
    response = render(request, "desk/_found.html" if palette else "desk/find.html", context)
    patch_vary_headers(response, ["X-Palette"])
    return response


@require_safe
@never_cache
@admin_required
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Every key, for whoever has no dialog."""
    return render(request, "desk/shortcuts.html", {"area": "shortcuts"})
