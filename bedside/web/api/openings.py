"""GET openings: the times that can be booked, in the zone that was asked for."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from bedside.core import ratelimit
from bedside.flows.details import location_needed
from bedside.schedule import openings
from bedside.web.api import reading
from bedside.web.api.bookings import address_of
from bedside.web.api.catalogue import find_providers, find_service
from bedside.web.api.problems import InvalidFields
from bedside.web.api.reading import Fields

MAX_DAYS = 62


def list_openings(request: HttpRequest) -> HttpResponse:
    """``?service=&from=&to=&timezone=[&provider=…][&location=]``; both days are included, as days of the zone."""
    ratelimit.hit("openings", address_of(request))
    fields, query = Fields(), request.GET
    slug = fields.read("service", lambda: reading.slug(query.get("service")))
    first = fields.read("from", lambda: reading.day(query.get("from")))
    last = fields.read("to", lambda: _last_day(query.get("to"), first))
    zone = fields.read("timezone", lambda: reading.zone(query.get("timezone")))
    location = fields.read("location", lambda: reading.location(query.get("location")))
    slugs = [wanted for wanted in query.getlist("provider") if wanted]
    fields.done()
    assert first is not None
    assert last is not None
    assert zone is not None
    service = find_service(slug)
    if service.asks_location and not location:
        raise InvalidFields({"location": [location_needed()]})
    found = openings.openings(
        service=service,
        first=first,
        last=last,
        timezone=zone.key,
        provider=find_providers(service, [reading.slug(wanted) for wanted in slugs]),
        location=location or None,
    )
    # Slugs and instants hold nothing that JSON escapes, and a month of openings is thousands: written plainly.
    lines = [
        f'{{"start":"{one.start.astimezone(zone).isoformat()}","end":"{one.end.astimezone(zone).isoformat()}",'
        f'"provider":"{one.provider.slug}"}}'
        for one in found
    ]
    body = f'{{"service":"{service.slug}","timezone":"{zone.key}","openings":[{",".join(lines)}]}}'
    return HttpResponse(body, content_type="application/json")


def _last_day(value: object, first: date | None) -> date:
    last = reading.day(value)
    if first is not None and not 0 <= (last - first).days < MAX_DAYS:
        raise ValidationError(
            _("Ask for 1 to %(days)d days at once, the last not before the first.") % {"days": MAX_DAYS}
        )
    return last
