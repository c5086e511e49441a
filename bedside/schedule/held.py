"""Times that somebody else is holding while paying: not open now, and perhaps open again soon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Service
from bedside.core import clock, written
from bedside.schedule.search import Search, Who
from bedside.schedule.windows import Span, to_instant, to_minute
from bedside.schedule.zones import span_of_days

Hold = tuple[int, DateTimeTZRange, datetime]
_HOLDS = """
    SELECT provider_id, blocked, hold_expires_at FROM appointments_appointment
    WHERE provider_id = ANY(%s) AND blocked && %s AND status = %s AND hold_expires_at > %s
      AND NOT coalesce(hold_key = %s, false)
"""


class HeldTime(NamedTuple):
    """A start (aware, UTC) that is held, and when it is open again if it isn't paid for."""

    start: datetime
    free_at: datetime


def held_times(
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
) -> list[HeldTime]:
    """Starts on the days ``first`` to ``last`` of ``timezone`` that would be open but for the holds of others.

    A time that would come free too late to be booked (the service's notice) is left out. Parameters as `openings`.
    """
    search = Search(service, provider, now or clock.now(), ignore_hold_key, location, moving)
    span = span_of_days(first, last, ZoneInfo(timezone))
    return _held(search, span) if span else []


def held_until(
    service: Service,
    start: datetime,
    provider: Who = None,
    *,
    now: datetime | None = None,
    ignore_hold_key: bytes | None = None,
    location: str | None = None,
) -> datetime | None:
    """When the hold on exactly this start ends; None where nobody holds it, or it is open, or never offered."""
    search = Search(service, provider, now or clock.now(), ignore_hold_key, location)
    minute = to_minute(start)
    return next((found.free_at for found in _held(search, (minute, minute + 1))), None)


def _held(search: Search, span: Span) -> list[HeldTime]:
    """Without holds in the way, as mostly, it costs one small query."""
    bookable = search.bookable_part(span)
    holds = _open_holds(search, bookable) if bookable else []
    if not holds:
        return []
    open_now = {start for start, _ in search.starts(span)}
    found = []
    for minute, provider in replace(search, without_holds=True).starts(span):
        if minute in open_now:
            continue
        start = to_instant(minute)
        free_at = _free_at(holds, provider.pk, Appointment.block(search.service, start))
        if free_at and free_at + timedelta(minutes=search.service.minimum_notice_minutes) <= start:
            found.append(HeldTime(start, free_at))
    return found


def _open_holds(search: Search, span: Span) -> list[Hold]:
    around = DateTimeTZRange(
        to_instant(span[0]) - timedelta(minutes=search.service.prep_minutes),
        to_instant(span[1]) + search.service.duration + timedelta(minutes=search.service.wrap_minutes),
    )
    facts = (list(search.providers), around, Status.PENDING_PAYMENT, search.now, search.own_hold)
    return [(provider_id, blocked, until) for provider_id, blocked, until in written.tuples(_HOLDS, *facts)]


def _free_at(holds: Iterable[Hold], provider_id: int, block: DateTimeTZRange) -> datetime | None:
    """When the last of the provider's holds that overlap ``block`` ends."""
    ends = [
        until
        for who, blocked, until in holds
        if who == provider_id and blocked.lower < block.upper and block.lower < blocked.upper
    ]
    return max(ends, default=None)
