"""Providers' calendar feeds and imports, as the practice manages them."""

from __future__ import annotations

from django.db.models import Count, Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.clinic.models import Practice, Provider, ProviderInvitation
from bedside.core import clock
from bedside.reports.clashes import clashes
from bedside.schedule.models import CalendarFeed, ExternalCalendar
from bedside.web.access import admin_required
from bedside.web.calendars import manage
from bedside.web.live.tickets import ticket


@require_safe
@never_cache
@admin_required
def everybody(request: HttpRequest) -> HttpResponse:
    """Who has a feed and imports, what can't be read, and which visits clash."""
    feeds = CalendarFeed.objects.filter(provider=OuterRef("pk"), revoked_at=None)
    broken = ExternalCalendar.objects.filter(provider=OuterRef("pk")).exclude(error="")
    invited = ProviderInvitation.objects.filter(
        provider=OuterRef("pk"), claimed_at=None, revoked_at=None, expires_at__gt=clock.now()
    )
    providers = Provider.objects.annotate(
        has_feed=Exists(feeds),
        imports=Count("external_calendars"),
        has_trouble=Exists(broken),
        is_invited=Exists(invited),
    )
    context = {
        "area": "calendar",
        "zone": Practice.current().timezone,
        "live_ticket": ticket("desk"),
        "providers": providers.defer("bio", "mobile_number").order_by("-active", "name"),
        "clashes": clashes(),
    }
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "desk/_calendars.html" if part else "desk/calendars.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def provider_calendars(request: HttpRequest, slug: str) -> HttpResponse:
    """One provider's."""
    provider = get_object_or_404(Provider, slug=slug)
    place = manage.desk_place(provider)
    return manage.act(request, provider, place) if request.method == "POST" else manage.page(request, provider, place)
