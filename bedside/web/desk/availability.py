"""Anybody's working hours, as the desk edits them: the shared editor in the desk's frame."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.clinic.models import Provider
from bedside.web.access import actor_of, admin_required
from bedside.web.availability.place import Page, Place


def at_desk(page: Page) -> Page:
    """A page of the editor as a view of the desk's, for the provider named in the address."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @never_cache
    @admin_required
    def view(request: HttpRequest, slug: str, **rest: Any) -> HttpResponse:
        provider = get_object_or_404(Provider, slug=slug)
        place = Place(provider, actor_of(request), "desk/base.html", "people", "desk", (slug,), is_desk=True)
        return page(request, place, **rest)

    return view
