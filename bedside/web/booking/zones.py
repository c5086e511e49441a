"""Which time zone a patient reads times in: chosen, else detected by the browser, else the practice's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote
from zoneinfo import available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from bedside.clinic.models import Practice
from bedside.web.templatetags.when import zone_name

CHOSEN = "tz_choice"
DETECTED = "tz"
COOKIE_SECONDS = 365 * 24 * 3600

# Where most patients of an American practice are, west to east as people say them; the practice's own comes first.
COMMON = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
    "America/Toronto",
    "America/Mexico_City",
    "Europe/London",
)
REGIONS = ("America", "Europe", "Asia", "Africa", "Australia", "Pacific", "Atlantic", "Indian", "Arctic", "Antarctica")


@dataclass(frozen=True)
class ZoneChoice:
    key: str
    title: str


@dataclass(frozen=True)
class ZoneGroup:
    """An <optgroup>. A zone can stand in two groups; it is marked as selected in the first only."""

    title: str
    zones: list[ZoneChoice]
    may_select: bool


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(request: HttpRequest, practice: Practice, otherwise: str = "") -> str:
    """An IANA name that exists. Cookies with anything else are passed over; ``otherwise`` replaces the practice's."""
    for cookie in (CHOSEN, DETECTED):
        zone = unquote(request.COOKIES.get(cookie, ""))
        if zone in _known():
            return zone
    return otherwise or practice.timezone


def remember(request: HttpRequest, response: HttpResponse, zone: str) -> None:
    """Keep a choice; choosing the device's own zone takes the choice back, so that the page travels along again."""
    if zone == unquote(request.COOKIES.get(DETECTED, "")):
        response.delete_cookie(CHOSEN, samesite="Lax")
    elif zone in _known():
        response.set_cookie(CHOSEN, zone, max_age=COOKIE_SECONDS, samesite="Lax", secure=request.is_secure())


def groups(present: str, practice: Practice) -> list[ZoneGroup]:
    """Common zones first, with the present one and the practice's among them; then every other by region."""
    common = list(dict.fromkeys([present, practice.timezone, *COMMON]))
    found = [ZoneGroup(_("Common"), [ZoneChoice(zone, zone_name(zone)) for zone in common], may_select=True)]
    for region in REGIONS:
        zones = sorted(zone for zone in _known() if zone.startswith(f"{region}/"))
        choices = [ZoneChoice(zone, zone.partition("/")[2].replace("_", " ")) for zone in zones]
        found.append(ZoneGroup(region, choices, may_select=False))
    return found
