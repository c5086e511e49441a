"""The page on which a provider's calendar feed and imports are managed: one for the portal, one for the desk.

Each area finds the provider and hands it over; what a button asks for comes as ``do`` in the form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from bedside.clinic.models import Practice, Provider
from bedside.core import audit
from bedside.core.errors import BedsideError, NotFound
from bedside.flows import feed as feeds
from bedside.flows import imports
from bedside.reports.clashes import clashes
from bedside.schedule.models import CalendarFeed
from bedside.web.access import actor_of
from bedside.web.calendars.imports import ImportForm, calendars_of
from bedside.web.live.tickets import ticket

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Place:
    """Where the page stands: its own address, the template that frames it, and whether the practice itself looks."""

    url: str
    template: str
    area: str
    zone: str
    is_desk: bool


Deed = Callable[[HttpRequest, Provider, Place], HttpResponse]


def page(request: HttpRequest, provider: Provider, place: Place) -> HttpResponse:
    """Show it; ``?show=1`` shows the feed's secret address, which is audited."""
    context = context_of(provider, place)
    feed = context["feed"]
    if feed and request.GET.get("show") == "1":
        audit.record(actor_of(request), "calendar_feed.shown", feed)
        context["feed_url"] = feed.url
    return render(request, place.template, context)


def context_of(provider: Provider, place: Place) -> dict[str, Any]:
    return {
        "place": place,
        "area": place.area,
        "provider": provider,
        "zone": place.zone,
        "live_ticket": ticket(f"provider:{provider.pk}"),
        "calendars": calendars_of(provider),
        "clashes": clashes(provider),
        "form": ImportForm(),
        "feed": CalendarFeed.objects.filter(provider=provider, revoked_at=None).first(),
    }


def act(request: HttpRequest, provider: Provider, place: Place) -> HttpResponse:
    """What the pressed button asks for; an unknown one is a bad request and changes nothing."""
    deed = DEEDS.get(request.POST.get("do", ""))
    if deed is None:
        return HttpResponseBadRequest(_("This page doesn't know that button."), content_type="text/plain")
    try:
        return deed(request, provider, place)
    except NotFound as error:
        log.warning("not_found_for", user_id=request.user.pk, provider_id=provider.pk)
        raise Http404 from error
    except BedsideError as error:
        messages.warning(request, error.message)
        return _back(place)


def _open_feed(request: HttpRequest, provider: Provider, place: Place) -> HttpResponse:
    feeds.open_feed(provider=provider, actor=actor_of(request))
    messages.success(request, _("The address is ready. Paste it into the calendar program."))
    return _back(place, "?show=1#feed")


def _revoke_feed(request: HttpRequest, provider: Provider, place: Place) -> HttpResponse:
    feeds.revoke_feed(provider=provider, actor=actor_of(request))
    messages.success(request, _("The address opens nothing any more."))
    return _back(place, "#feed")


def _name_patients(request: HttpRequest, provider: Provider, place: Place) -> HttpResponse:
    allowed = request.POST.get("allowed") == "yes"
    feeds.name_patients(provider=provider, allowed=allowed, actor=actor_of(request))
    messages.success(request, _("Entries name patients.") if allowed else _("Entries name no patients."))
    return _back(place, "#feed")


def _add_import(request: HttpRequest, provider: Provider, place: Place) -> HttpResponse:
    form = ImportForm(request.POST)
    if form.is_valid():
        try:
            imports.add(provider=provider, actor=actor_of(request), **form.cleaned_data)
        except imports.CalendarRefused as error:
            form.add_error("url", error.message)
        else:
            messages.success(request, _("The calendar is being read."))
            return _back(place, "#imports")
    return render(request, place.template, context_of(provider, place) | {"form": form}, status=422)


def _read_now(request: HttpRequest, provider: Provider, place: Place) -> HttpResponse:
    imports.read_now(provider=provider, calendar_id=_calendar_id(request), actor=actor_of(request))
    messages.success(request, _("The calendar is being read."))
    return _back(place, "#imports")


def _remove_import(request: HttpRequest, provider: Provider, place: Place) -> HttpResponse:
    imports.remove(provider=provider, calendar_id=_calendar_id(request), actor=actor_of(request))
    messages.success(request, _("The calendar is removed. Its busy times can be booked again."))
    return _back(place, "#imports")


def _calendar_id(request: HttpRequest) -> int:
    text = request.POST.get("calendar", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound
    return int(text)


def _back(place: Place, rest: str = "") -> HttpResponse:
    return HttpResponseRedirect(place.url + rest, status=303)


DEEDS: dict[str, Deed] = {
    "open-feed": _open_feed,
    "revoke-feed": _revoke_feed,
    "name-patients": _name_patients,
    "add-import": _add_import,
    "read-now": _read_now,
    "remove-import": _remove_import,
}


def portal_place(provider: Provider) -> Place:
    return Place("/portal/calendars", "portal/calendars.html", "calendars", provider.timezone, is_desk=False)


def desk_place(provider: Provider) -> Place:
    zone = Practice.current().timezone
    return Place(f"/desk/calendars/{provider.slug}", "desk/provider_calendars.html", "calendar", zone, is_desk=True)
