"""Openings: what can be booked. Open windows minus blocked time, on the service's step, after its minimum notice.

Instants are aware and in UTC; days are days of the zone that is asked for (a patient's date isn't a UTC date). Unless
told otherwise ``provider`` is one provider, several, or None for anybody who offers the service: one opening per start,
with the fairest choice (choice.py). ``now`` is the house clock's; ``ignore_hold_key`` is the asker's own hold, which
stands in nobody's way. ``location`` is where the patient will be ("US-NY"): only who is licensed there is offered.
None: not known, and hours for certain places are closed.
``moving`` is the id of a visit that a new time is looked for: its own doesn't stand in its way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bedside.clinic.models import Provider, Service
from bedside.core import clock
from bedside.schedule.choice import Candidate
from bedside.schedule.search import Search, Who
from bedside.schedule.windows import Minute, Span, to_instant, to_minute
from bedside.schedule.zones import DAY, day_of, span_of_days


class Opening(NamedTuple):
    """A visit that can be booked: its start and end (aware, UTC), and with whom."""

    start: datetime
    end: datetime
    provider: Provider

    @property
    def provider_id(self) -> int:
        return self.provider.pk


def openings(
    *,
    service: Service,
    first: date,
    last: date,
    timezone: str,
    provider: Who = None,
    now: datetime | None = None,
    ignore_hold_key: bytes | None = None,
    location: str | None = None,
    moving: int | None = None,
) -> list[Opening]:
    """Openings that start on the days ``first`` to ``last`` (both included) of ``timezone``, earliest first."""
    search = Search(service, provider, now or clock.now(), ignore_hold_key, location, moving)
    span = span_of_days(first, last, ZoneInfo(timezone))
    return _openings(search, span) if span else []


def is_offered(
    service: Service,
    provider: Provider,
    start: datetime,
    now: datetime | None = None,
    ignore_hold_key: bytes | None = None,
    location: str | None = None,
) -> bool:
    """Whether exactly this visit can be booked at this moment."""
    return bool(
        providers_for(service, start, now=now, ignore_hold_key=ignore_hold_key, provider=provider, location=location)
    )


def providers_for(
    service: Service,
    start: datetime,
    *,
    now: datetime | None = None,
    ignore_hold_key: bytes | None = None,
    provider: Who = None,
    location: str | None = None,
) -> list[Provider]:
    """Who is free for a visit that starts exactly then, the fairest choice first."""
    if start.second or start.microsecond:
        return []
    return Search(service, provider, now or clock.now(), ignore_hold_key, location).who_is_free(to_minute(start))


def candidates_for(
    service: Service,
    start: datetime,
    *,
    now: datetime | None = None,
    ignore_hold_key: bytes | None = None,
    provider: Who = None,
    location: str | None = None,
) -> list[tuple[Candidate, Provider]]:
    """As `providers_for`, with the facts that put them in this order."""
    if start.second or start.microsecond:
        return []
    search = Search(service, provider, now or clock.now(), ignore_hold_key, location)
    return [(one, search.providers[one.provider_id]) for one in search.candidates(to_minute(start))]


def nearest_alternatives(
    service: Service,
    start: datetime,
    provider: Who = None,
    limit: int = 5,
    *,
    now: datetime | None = None,
    ignore_hold_key: bytes | None = None,
    location: str | None = None,
) -> list[Opening]:
    """The openings nearest to ``start``, earliest first. Where ``provider`` has none at all, anybody's."""
    search = Search(service, provider, now or clock.now(), ignore_hold_key, location)
    wanted = to_minute(start)
    middle = min(max(wanted, search.earliest), search.latest)
    found: list[Opening] = []
    for reach in _widening(search.latest - search.earliest):
        found = _openings(search, (middle - reach, middle + reach))
        if len(found) >= limit:
            break
    if not found and provider is not None:
        return nearest_alternatives(
            service, start, None, limit, now=now, ignore_hold_key=ignore_hold_key, location=location
        )
    nearest = sorted(found, key=lambda opening: (abs(opening.start - start), opening.start))[:limit]
    return sorted(nearest, key=lambda opening: opening.start)


def next_opening(
    service: Service,
    provider: Who = None,
    *,
    after: datetime | None = None,
    now: datetime | None = None,
    ignore_hold_key: bytes | None = None,
    location: str | None = None,
    moving: int | None = None,
) -> Opening | None:
    """The first opening at ``after`` (by default now) or later. Looks a little way first: mostly there is one soon."""
    search = Search(service, provider, now or clock.now(), ignore_hold_key, location, moving)
    since = search.earliest if after is None else max(search.earliest, to_minute(after))
    for reach in _widening(search.latest - since):
        found = search.starts((since, since + reach))
        if found:
            return _opening(search, *found[0])
    return None


def first_openings(
    service: Service,
    *,
    provider: Who = None,
    now: datetime | None = None,
    ignore_hold_key: bytes | None = None,
    location: str | None = None,
) -> list[Opening]:
    """The first opening with each provider who has any, by the provider's id; for a thousand as for one."""
    search = Search(service, provider, now or clock.now(), ignore_hold_key, location)
    found = search.first_starts()
    return [_opening(search, found[who], one) for who, one in search.providers.items() if who in found]


def days_with_openings(
    *,
    service: Service,
    first: date,
    last: date,
    timezone: str,
    provider: Who = None,
    now: datetime | None = None,
    ignore_hold_key: bytes | None = None,
    location: str | None = None,
) -> list[date]:
    """The days from ``first`` to ``last`` of ``timezone`` on which something can be booked, in order."""
    zone = ZoneInfo(timezone)
    search = Search(service, provider, now or clock.now(), ignore_hold_key, location)
    span = span_of_days(first, last, zone)
    return sorted({day_of(start, zone) for start, _ in search.starts(span)}) if span else []


def next_date_with_openings(
    *,
    service: Service,
    after: date,
    timezone: str,
    provider: Who = None,
    now: datetime | None = None,
    ignore_hold_key: bytes | None = None,
    location: str | None = None,
) -> date | None:
    """The first day later than ``after`` (days of ``timezone``) on which something can be booked."""
    zone = ZoneInfo(timezone)
    day = span_of_days(first := after + timedelta(days=1), first + timedelta(days=1), zone)
    if day is None:
        return None
    found = next_opening(
        service, provider, after=to_instant(day[0]), now=now, ignore_hold_key=ignore_hold_key, location=location
    )
    return found.start.astimezone(zone).date() if found else None


def _widening(furthest: Minute) -> Iterator[Minute]:
    """How far to look, in minutes: two days, eight, thirty-two, …, and at last all the way."""
    reach = 2 * DAY
    while reach < furthest:
        yield reach
        reach *= 4
    if furthest > 0:
        yield furthest


def _openings(search: Search, span: Span) -> list[Opening]:
    length = search.service.duration
    return [Opening(begins := to_instant(start), begins + length, provider) for start, provider in search.starts(span)]


def _opening(search: Search, start: Minute, provider: Provider) -> Opening:
    begins = to_instant(start)
    return Opening(begins, begins + search.service.duration, provider)
