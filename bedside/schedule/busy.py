"""Busy times of a calendar file. Pure: imports no Django. Runs in a process of its own with limits (expansion.py).

Everything that the file says may be wrong, strange or malicious; what comes out is spans of minutes, or `BadCalendar`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from bedside.schedule.windows import Minute, Span, clip, merge, to_instant, to_minute, up_to_minute

MAX_EVENTS = 10_000
MAX_OCCURRENCES = 50_000
# Expanded piece by piece, so that a rule that explodes is noticed in its first weeks.
PIECE = timedelta(days=28)
TOO_OFTEN = frozenset({"SECONDLY", "MINUTELY"})
MIDNIGHT = time(0)


class BadCalendar(Exception):
    """``code``: not-a-calendar, malformed, too-many-events, repeats-too-often."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Question:
    """``zone`` is where the provider works: floating times and whole days are its, unless the file names another.

    ``own_uids`` is what the UIDs of our own entries end with: they are visits already, and would close their own time.
    """

    zone: str
    since: Minute
    until: Minute
    own_uids: str = ""


@dataclass(frozen=True)
class Busy:
    """Merged spans inside the question's range. ``note`` says what was passed over: "broken-events" or nothing."""

    spans: list[Span]
    note: str = ""


def busy_times(body: bytes, question: Question) -> Busy:
    """When the file says that its owner is busy: not what is transparent, free or called off."""
    spans: list[Span] = []
    note = ""
    left = MAX_OCCURRENCES
    for calendar in _calendars(body):
        zone = _zone_of(calendar, question)
        note = note or _drop_unneeded(calendar, zone, question)
        for start, end in _occurrences(calendar, zone, question):
            left -= 1
            if left < 0:
                raise BadCalendar("repeats-too-often")
            spans.append((start, end))
        spans += _free_busy(calendar, zone)
    return Busy(clip(merge(spans), question.since, question.until), note)


def _calendars(body: bytes) -> list[icalendar.Calendar]:
    if b"BEGIN:VCALENDAR" not in body[:8192].upper():
        raise BadCalendar("not-a-calendar")
    if body.upper().count(b"BEGIN:VEVENT") > MAX_EVENTS:
        raise BadCalendar("too-many-events")
    try:
        found = icalendar.Calendar.from_ical(body.decode("utf-8-sig", "replace").strip(), multiple=True)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError):
        raise BadCalendar("malformed") from None
    calendars = [one for one in found if one.name == "VCALENDAR"]
    if not calendars:
        raise BadCalendar("not-a-calendar")
    return calendars


def _zone_of(calendar: icalendar.Calendar, question: Question) -> ZoneInfo:
    """What the file calls its zone (X-WR-TIMEZONE), where that is one; else the provider's."""
    try:
        return ZoneInfo(str(calendar.get("X-WR-TIMEZONE", "")) or question.zone)
    except (ValueError, OSError, LookupError):
        return ZoneInfo(question.zone)


def _drop_unneeded(calendar: icalendar.Calendar, zone: ZoneInfo, question: Question) -> str:
    """Leave only events that may matter; says whether some were broken."""
    note, kept = "", []
    for event in calendar.events:
        if _is_ours(event, question):
            continue
        try:
            _check_rules(event)
            if _may_matter(event, zone, question):
                kept.append(event)
            broken = bool(event.errors)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            broken = True
        note = "broken-events" if broken else note
    calendar.subcomponents = [*(one for one in calendar.subcomponents if one.name != "VEVENT"), *kept]
    return note


def _check_rules(event: Any) -> None:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if TOO_OFTEN & {str(value).upper() for value in rule.get("FREQ", [])}:
            raise BadCalendar("repeats-too-often")


def _is_ours(event: Any, question: Question) -> bool:
    uid = str(event.get("UID", ""))
    return bool(question.own_uids) and uid.startswith("appointment-") and uid.endswith(question.own_uids)


def _may_matter(event: Any, zone: ZoneInfo, question: Question) -> bool:
    """A single event outside the range doesn't; what repeats or changes a repetition may. Raises where it is broken."""
    start, end = _span(event, zone)
    if end < start:
        raise ValueError
    if any(name in event for name in ("RRULE", "RDATE", "RECURRENCE-ID")):
        return True
    return start < question.until and end > question.since


def _occurrences(calendar: icalendar.Calendar, zone: ZoneInfo, question: Question) -> Iterator[Span]:
    """Each time that something busy happens, with its exceptions. Long ones may come more than once."""
    try:
        query = recurring_ical_events.of(calendar, skip_bad_series=True)
        since, until = to_instant(question.since), to_instant(question.until)
        while since < until:
            ends = min(since + PIECE, until)
            for event in query.between(since, ends):
                if _is_busy(event) and (span := _span(event, zone))[0] < span[1]:
                    yield span
            since = ends
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, ArithmeticError):
        raise BadCalendar("malformed") from None


def _is_busy(event: Any) -> bool:
    return (
        str(event.get("STATUS", "")).upper() != "CANCELLED"
        and str(event.get("TRANSP", "")).upper() != "TRANSPARENT"
        and str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() != "FREE"
    )


def _span(event: Any, zone: ZoneInfo) -> Span:
    """In whole minutes, rounded outwards."""
    return to_minute(_instant(event.start, zone)), up_to_minute(_instant(event.end, zone))


def _instant(at: date, zone: ZoneInfo) -> datetime:
    """A day begins at its midnight in the calendar's zone, and so is a time without a zone in that zone."""
    if not isinstance(at, datetime):
        at = datetime.combine(at, MIDNIGHT)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _free_busy(calendar: icalendar.Calendar, zone: ZoneInfo) -> Iterator[Span]:
    """Calendars that publish only when somebody is busy: periods of VFREEBUSY."""
    for component in calendar.walk("VFREEBUSY"):
        periods: Iterable[Any] = component.get("FREEBUSY", [])
        for period in periods if isinstance(periods, list) else [periods]:
            for one in getattr(period, "dts", [period]):
                if str(getattr(period, "params", {}).get("FBTYPE", "BUSY")).upper() == "FREE":
                    continue
                try:
                    yield to_minute(_instant(one.start, zone)), up_to_minute(_instant(one.end, zone))
                except (AttributeError, TypeError, ValueError, OverflowError):
                    continue
