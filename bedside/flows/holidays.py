"""Holidays: days on which the whole practice is closed. Booked visits are listed, never touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import holidays as calendars
from django.db import transaction
from django.utils.translation import gettext as _

from bedside.appointments.models import Appointment
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import NotFound, PermissionRefused
from bedside.schedule import jobs
from bedside.schedule.errors import InvalidAvailability
from bedside.schedule.impact import BOOKED
from bedside.schedule.models import DayOverride, Holiday
from bedside.schedule.validation import FURTHEST

LONGEST_NAME = 80


@dataclass(frozen=True)
class Closing:
    """What was, or would be, closed: the days that are new, and the visits that are booked on them."""

    days: list[Holiday]
    outside: list[Appointment]


def add(*, day: date, name: str, actor: Actor, preview: bool = False) -> Closing:
    """Close the practice on ``day``. Raises InvalidAvailability where it is closed already, or past."""
    name = " ".join(name.split())
    errors: dict[str, Any] = {}
    today = clock.now().date()
    if day < today - timedelta(days=1):
        errors["day"] = _("That day is past.")
    elif day > today + FURTHEST:
        errors["day"] = _("That day is more than three years away.")
    elif Holiday.objects.filter(day=day).exists():
        errors["day"] = _("The practice is closed on that day already.")
    if not name:
        errors["name"] = _("Give it a name.")
    elif len(name) > LONGEST_NAME:
        errors["name"] = _("At most %(most)d characters.") % {"most": LONGEST_NAME}
    if errors:
        raise InvalidAvailability(errors=errors)
    return _close([Holiday(day=day, name=name)], actor, preview)


def import_country(*, country: str, year: int, actor: Actor, preview: bool = False) -> Closing:
    """The public holidays of "US" or "US-NY" in a year, those that are past or there already left out."""
    today = clock.now().date()
    known = set(Holiday.objects.values_list("day", flat=True))
    found = [
        Holiday(day=day, name=str(name)[:LONGEST_NAME], country=country)
        for day, name in sorted(public_holidays(country, year).items())
        if day >= today and day not in known
    ]
    return _close(found, actor, preview)


def public_holidays(country: str, year: int) -> dict[date, str]:
    """By day. Raises InvalidAvailability for a country, a part of one or a year that isn't known."""
    today = clock.now().date()
    if not today.year <= year <= today.year + 2:
        raise InvalidAvailability(errors={"year": _("This year or one of the next two.")})
    code, _dash, part = country.strip().upper().partition("-")
    try:
        found = calendars.country_holidays(code, subdiv=part or None, years=year)
    except (NotImplementedError, KeyError):
        raise InvalidAvailability(errors={"country": _("The holidays of that place aren't known.")}) from None
    return dict(found.items())


def remove(*, holiday_id: int, actor: Actor) -> None:
    """The practice is open on that day again. Raises NotFound where it is already."""
    _check_allowed(actor)
    with transaction.atomic():
        row = Holiday.objects.select_for_update().filter(pk=holiday_id).first()
        if row is None:
            raise NotFound
        audit.record(actor, "holiday.removed", row, before=_said(row))
        row.delete()
        jobs.rebuild_everybody_soon()


def _close(days: Sequence[Holiday], actor: Actor, preview: bool) -> Closing:
    _check_allowed(actor)
    outside = _booked_on({row.day for row in days})
    if preview or not days:
        return Closing(list(days), outside)
    with transaction.atomic():
        for row in days:
            stored, new = Holiday.objects.get_or_create(
                day=row.day, defaults={"name": row.name, "country": row.country}
            )
            if new:
                audit.record(actor, "holiday.added", stored, after=_said(stored))
        jobs.rebuild_everybody_soon()
    return Closing(list(days), outside)


def _booked_on(days: set[date]) -> list[Appointment]:
    """Visits on these days of their providers, except of those who are called in by an override."""
    if not days:
        return []
    reach = timedelta(days=2)
    visits = (
        Appointment.objects.filter(status__in=BOOKED, end__gt=clock.now())
        .filter(start__date__gte=min(days) - reach, start__date__lte=max(days) + reach)
        .select_related("provider", "service")
        .order_by("start")
    )
    called_in = set(DayOverride.objects.filter(day__in=days).values_list("provider_id", "day"))
    found = []
    for visit in visits:
        zone = visit.provider.zone
        touched = {visit.start.astimezone(zone).date(), (visit.end - timedelta(minutes=1)).astimezone(zone).date()}
        if any((visit.provider_id, day) not in called_in for day in touched & days):
            found.append(visit)
    return found


def _check_allowed(actor: Actor) -> None:
    if actor.kind not in {"admin", "system"}:
        raise PermissionRefused


def _said(row: Holiday) -> dict[str, Any]:
    said = {"day": row.day.isoformat(), "name": row.name}
    return said | ({"country": row.country} if row.country else {})
