"""The provider's own hours: the shared editor in the portal's frame. Read only where the practice keeps it so."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.core import flags
from bedside.web.access import actor_of, provider_required
from bedside.web.availability.place import Page, Place
from bedside.web.portal.visits import provider_of


def in_portal(page: Page) -> Page:
    """A page of the editor as a view of the portal's, for whoever is signed in."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @never_cache
    @provider_required
    def view(request: HttpRequest, **rest: Any) -> HttpResponse:
        can_edit = flags.enabled("provider-availability")
        place = Place(
            provider_of(request), actor_of(request), "portal/base.html", "availability", "portal", can_edit=can_edit
        )
        return page(request, place, **rest)

    return view
