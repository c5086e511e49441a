"""The provider's own calendar feed and imports."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.web.access import provider_required
from bedside.web.calendars import manage


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@provider_required
def calendars(request: HttpRequest) -> HttpResponse:
    """Only ever the provider who is signed in: the address names nobody."""
    provider = request.user.provider  # type: ignore[union-attr]
    place = manage.portal_place(provider)
    return manage.act(request, provider, place) if request.method == "POST" else manage.page(request, provider, place)
