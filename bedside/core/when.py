"""Dates and times as people say them, with the zone named. Pure: takes the locale, and imports no Django.

Every function takes an aware datetime, an IANA zone name and a locale ("en", "es", "pt-br"). Plain "en" and "es"
mean the United States: in English the month comes first, and both count twelve hours ("2:30 PM", "2:30 p.m."). An
unknown zone raises ``LookupError``.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone, get_timezone_location, get_timezone_name

# How a language puts day, time and zone together; others use a comma.
_TOGETHER = {"en": "{day} at {time}"}


@lru_cache(maxsize=32)
def babel_locale(locale: str) -> Locale:
    """The Babel locale for a language tag; unknown ones fall back to the United States' English."""
    tag = f"{locale}_US" if locale in {"en", "es"} else locale.replace("-", "_")
    try:
        return Locale.parse(tag)
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_US")


def long_time(instant: datetime, zone: str, locale: str = "en") -> str:
    """Say "Tuesday, December 1 at 2:30 PM Eastern (New York)"."""
    day, time = long_day(instant, zone, locale), clock_time(instant, zone, locale)
    return f"{_together(day, time, locale)} {zone_label(zone, locale)}"


def short_time(instant: datetime, zone: str, locale: str = "en") -> str:
    """Say "Tue, Dec 1 at 2:30 PM", where the zone is plain or named beside it."""
    return _together(short_day(instant, zone, locale), clock_time(instant, zone, locale), locale)


def tiny_time(instant: datetime, zone: str, locale: str = "en") -> str:
    """Say "Tue Dec 1, 2:30 PM ET": for texts, where each letter counts."""
    day = short_day(instant, zone, locale).replace(",", "")
    return f"{day}, {clock_time(instant, zone, locale)} {zone_short(zone, locale)}"


def long_day(instant: datetime, zone: str, locale: str = "en") -> str:
    """Say "Tuesday, December 1"."""
    return _day(instant, zone, locale, short=False)


def dated(instant: datetime, zone: str, locale: str = "en") -> str:
    """Say "December 1, 2027": a day that may lie in another year."""
    return _plain(format_date(instant.astimezone(ZoneInfo(zone)).date(), "long", locale=babel_locale(locale)))


def short_day(instant: datetime, zone: str, locale: str = "en") -> str:
    """Say "Tue, Dec 1"."""
    return _day(instant, zone, locale, short=True)


def clock_time(instant: datetime, zone: str, locale: str = "en") -> str:
    """Say "2:30 PM"."""
    return _plain(format_time(instant.astimezone(ZoneInfo(zone)), "short", locale=babel_locale(locale)))


def zone_label(zone: str, locale: str = "en") -> str:
    """Say "Eastern (New York)": what follows a time. Names the rule, not the season, so it holds all year."""
    long, city, _short = _zone_parts(zone, babel_locale(locale))
    label = long if city in long else f"{long} ({city})"
    return label.replace(" Time (", " (")


def zone_short(zone: str, locale: str = "en") -> str:
    """Say "ET" where people use a short name, else the city."""
    _long, city, short = _zone_parts(zone, babel_locale(locale))
    return short if len(short) <= 4 else city


def _day(instant: datetime, zone: str, locale: str, *, short: bool) -> str:
    spoken = babel_locale(locale)
    return _plain(format_date(instant.astimezone(ZoneInfo(zone)).date(), _day_pattern(spoken, short), locale=spoken))


def _together(day: str, time: str, locale: str) -> str:
    return _TOGETHER.get(babel_locale(locale).language, "{day}, {time}").format(day=day, time=time)


def _plain(text: str) -> str:
    """CLDR puts a narrow no-break space before AM and PM; people search for, copy and text an ordinary one."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


@lru_cache(maxsize=64)
def _day_pattern(locale: Locale, short: bool) -> str:
    """The locale's own order of weekday, day and month; CLDR gives it with short names, spelled out here."""
    pattern = str(locale.datetime_skeletons["MMMEd"].pattern)
    if short:
        return pattern
    spelled = re.sub(r"MMM+", "MMMM", re.sub(r"E+", "EEEE", pattern))
    # "1 de diciembre": said in full only with the full name, and so not in the short pattern.
    return spelled.replace("d MMMM", "d 'de' MMMM") if locale.language in {"es", "pt"} else spelled


@lru_cache(maxsize=2048)
def _zone_parts(zone: str, locale: Locale) -> tuple[str, str, str]:
    """The zone's long name, its city, its short name: ("Eastern Time", "New York", "ET")."""
    if zone in {"UTC", "Etc/UTC"}:
        return "UTC", "UTC", "UTC"
    tz = get_timezone(zone)
    city = get_timezone_location(tz, locale=locale, return_city=True).rpartition("/")[2]
    long = get_timezone_name(tz, width="long", zone_variant="generic", locale=locale)
    short = get_timezone_name(tz, width="short", zone_variant="generic", locale=locale)
    return long, city, short
