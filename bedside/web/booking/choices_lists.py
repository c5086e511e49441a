"""Long lists that a page fetches only when somebody needs them: time zones, and countries beside the mobile number."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.clinic.models import Practice
from bedside.web.booking import countries, zones


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def zone(request: HttpRequest) -> HttpResponse:
    """Choose the zone that times are shown in, then go back to where one was."""
    practice = Practice.current()
    back = str((request.POST or request.GET).get("next", "/"))
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    if request.method == "POST":
        response = redirect(back)
        zones.remember(request, response, str(request.POST.get("zone", "")))
        return response
    present = zones.zone_of(request, practice)
    template = "booking/_zone_form.html" if request.htmx else "booking/zone.html"  # type: ignore[attr-defined]
    return render(request, template, {"groups": zones.groups(present, practice), "zone": present, "next": back})


@require_safe
def countries_list(request: HttpRequest) -> HttpResponse:
    """Every country as options; ``country`` is the one that is chosen."""
    practice = Practice.current()
    chosen = countries.checked(str(request.GET.get("country", "")), practice.country)
    context = {"countries": countries.every(practice.country), "selected": chosen}
    return render(request, "booking/_countries.html", context)
