"""Finding one's visits again: the links go to the address, never to the page, and the answer is always the same."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.core.ratelimit import RateLimited
from bedside.flows.links import send_links
from bedside.web.booking.answers import limited
from bedside.web.booking.browser import address_of
from bedside.web.booking.forms import LinksForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def my(request: HttpRequest) -> HttpResponse:
    """Ask for the links. ``?asked=1`` says so whether or not the address is known: nobody learns who is a patient."""
    form = LinksForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            send_links(email=form.cleaned_data["email"], address=address_of(request))
        except RateLimited as error:
            return limited(request, error)
        return redirect(f"{reverse('booking:my')}?asked=1", permanent=False)
    context = {"form": form, "asked": "asked" in request.GET}
    return render(request, "booking/my.html", context, status=422 if form.errors else 200)
