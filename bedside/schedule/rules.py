"""From working hours on the wall to windows of real time. Pure: imports no Django.

Instants are minutes since 1970, UTC (windows.py); hours are wall-clock times in the provider's IANA zone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bedside.schedule.windows import Span, merge, subtract
from bedside.schedule.zones import DAY, Wall, real_time, wall_minute

# Hours of one day; an end at or before its start is on the next day (00:00 to 00:00 is the whole day).
Hours = tuple[time, time]


class Limit(NamedTuple):
    """Whom hours are for: services by id, places of the patient by region code ("US-NY", "US"). Empty: no limit."""

    services: tuple[int, ...] = ()
    locations: tuple[str, ...] = ()

    def allows(self, service: int, location: str | None) -> bool:
        """Whether a visit of that service, with a patient who is there (None: not known), may use these hours."""
        return (not self.services or service in self.services) and (
            not self.locations or bool(set(self.locations) & set(places_of(location)))
        )


ANYBODY = Limit()


def places_of(location: str | None) -> list[str]:
    """The codes that a location answers to: its own and its country's. "US-NY" is in "US-NY" and in "US"."""
    return list(dict.fromkeys([location, location.partition("-")[0]])) if location else []


@dataclass(frozen=True)
class Rule:
    """Hours on one weekday (0 is Monday), from ``valid_from`` to ``valid_until``, both included; None: no limit.

    With ``every_weeks`` above one it holds in the week (Monday to Sunday) of ``anchor`` and each so many weeks.
    """

    weekday: int
    start: time
    end: time
    valid_from: date | None = None
    valid_until: date | None = None
    every_weeks: int = 1
    anchor: date | None = None
    limit: Limit = ANYBODY

    def holds_on(self, day: date) -> bool:
        return (
            day.weekday() == self.weekday
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
            and (self.every_weeks == 1 or self._weeks_from_anchor(day) % self.every_weeks == 0)
        )

    def _weeks_from_anchor(self, day: date) -> int:
        return week_of(day) - week_of(self.anchor or self.valid_from or date(1970, 1, 5))


@dataclass(frozen=True)
class WorkingTime:
    """All that says when a provider works.

    ``overrides`` replace what the rules give for a day (an empty list: a day off). ``holidays`` are closed whole days,
    except where an override says what happens then. ``days_off`` are stretches of wall-clock time that are taken out
    (time off, blackouts), ``away`` stretches of real time (busy times of other calendars): these win over all.
    """

    zone: ZoneInfo
    rules: Sequence[Rule] = ()
    overrides: Mapping[date, Sequence[Hours]] = field(default_factory=dict)
    away: Sequence[Span] = ()
    days_off: Sequence[tuple[Wall, Wall]] = ()
    holidays: Collection[date] = frozenset()

    def hours_on(self, day: date) -> list[tuple[Hours, Limit]]:
        """The hours that begin on ``day``, and whom they are for."""
        if day in self.overrides:
            return [(hours, ANYBODY) for hours in self.overrides[day]]
        return [((rule.start, rule.end), rule.limit) for rule in self.rules if rule.holds_on(day)]


def open_windows(work: WorkingTime, first: date, last: date) -> list[Span]:
    """The real time of all hours that begin on the days ``first`` to ``last`` (both included, the zone's days).

    A wall-clock time that a clock change skips isn't there; one that comes twice counts both times. Hours that overlap
    or touch become one window.
    """
    return merge(span for spans in limited_windows(work, first, last).values() for span in spans)


def limited_windows(work: WorkingTime, first: date, last: date) -> dict[Limit, list[Span]]:
    """The same, apart by whom the hours are for. Windows of one limit never overlap or touch; those of two may."""
    walls: dict[Limit, list[tuple[Wall, Wall]]] = defaultdict(list)
    for day in _days(first, last):
        for hours, limit in work.hours_on(day):
            walls[limit].append(on_the_wall(day, hours))
    if not walls:
        return {}
    away = [*work.away, *real_time([*work.days_off, *_closed(work, first, last)], work.zone)]
    return {limit: spans for limit in sorted(walls) if (spans := subtract(real_time(walls[limit], work.zone), away))}


def _closed(work: WorkingTime, first: date, last: date) -> Iterator[tuple[Wall, Wall]]:
    """The holidays that no override lifts; hours of ``last`` may run into the day after it."""
    for day in work.holidays:
        if first <= day <= last + timedelta(days=1) and day not in work.overrides:
            yield wall_minute(day), wall_minute(day) + DAY


def on_the_wall(day: date, hours: Hours) -> tuple[Wall, Wall]:
    """Hours that begin on ``day``; at or before their start they end on the next."""
    start, end = wall_minute(day, hours[0]), wall_minute(day, hours[1])
    return (start, end if end > start else end + DAY)


def week_of(day: date) -> int:
    """The number of the week, Monday to Sunday, that ``day`` lies in."""
    return (day.toordinal() - 1) // 7


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
