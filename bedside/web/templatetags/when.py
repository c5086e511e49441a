"""Dates and times on pages, in the active language, always with the zone named. The words are bedside.core.when's.

Every function takes an aware datetime and an IANA zone name; zones are checked where they enter
(``bedside.web.booking.zones``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date, format_skeleton
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bedside.core import clock
from bedside.core import when as words

register = template.Library()
# Nearer than this, a day needs no year to be understood.
CLEAR_WITHOUT_YEAR = timedelta(days=300)


def _language() -> str:
    return get_language() or "en"


def spoken_locale() -> Locale:
    """The active language as a Babel locale."""
    return words.babel_locale(_language())


@register.filter
def zone_name(zone: str) -> str:
    """Say "Eastern (New York)"."""
    return words.zone_label(zone, _language())


def say_day(day: date, *, short: bool = False) -> str:
    """Say "Tuesday, December 1", or "Tue, Dec 1" when short; with the year where it is far from today."""
    if _needs_year(day):
        locale = spoken_locale()
        return format_skeleton("yMMMEd", day, locale=locale) if short else format_date(day, "full", locale=locale)
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    return words.short_day(noon, "UTC", _language()) if short else words.long_day(noon, "UTC", _language())


def _needs_year(day: date) -> bool:
    return abs(day - clock.now().date()) > CLEAR_WITHOUT_YEAR


def say_month(month: date) -> str:
    """Say "December 2026"."""
    return format_skeleton("yMMMM", month, locale=spoken_locale())


def say_time(at: datetime, zone: str) -> str:
    """Say "2:30 PM" in ``zone``."""
    return words.clock_time(at, zone, _language())


def say_when(at: datetime, zone: str) -> str:
    """Say "Tuesday, December 1 at 2:30 PM Eastern (New York)"; far from now "Monday, December 1, 2025, 2:30 PM …"."""
    day = _date_in(at, zone)
    if _needs_year(day):
        return f"{say_day(day)}, {say_time(at, zone)} {zone_name(zone)}"
    return words.long_time(at, zone, _language())


def say_soon(at: datetime, zone: str) -> str:
    """Say "today 4:15 PM", "tomorrow 9:00 AM", "Tue, Dec 1, 9:00 AM": days are the zone's."""
    local = at.astimezone(ZoneInfo(zone))
    days = (local.date() - clock.now().astimezone(ZoneInfo(zone)).date()).days
    said = say_time(at, zone)
    if days == 0:
        return _("today %(time)s") % {"time": said}
    if days == 1:
        return _("tomorrow %(time)s") % {"time": said}
    return f"{say_day(local.date(), short=True)}, {said}"


def _date_in(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def _say_full_day(at: datetime, zone: str) -> str:
    return say_day(_date_in(at, zone))


def _say_short_day(at: datetime, zone: str) -> str:
    return say_day(_date_in(at, zone), short=True)


def _say_tiny(at: datetime, zone: str) -> str:
    day = _date_in(at, zone)
    if _needs_year(day):
        return f"{say_day(day, short=True)}, {say_time(at, zone)} {words.zone_short(zone, _language())}"
    return words.tiny_time(at, zone, _language())


_STYLES: dict[str, Callable[[datetime, str], str]] = {
    "full": say_when,
    "soon": say_soon,
    "time": say_time,
    "day": _say_full_day,
    "date": _say_short_day,
    "short": _say_tiny,
}


@register.simple_tag
def when(at: datetime, zone: str, style: str = "full") -> SafeString:
    """A <time> element: ``{% when appointment.start zone %}``; styles full, short, soon, day, date, time."""
    instant = at.astimezone(ZoneInfo(zone)).isoformat()
    return format_html('<time datetime="{}">{}</time>', instant, _STYLES[style](at, zone))
