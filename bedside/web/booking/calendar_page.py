"""The calendar of the times page: a month, a selected day, the ways to turn, and what to do when it is empty."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from bedside.clinic.models import Provider, Service
from bedside.core import clock
from bedside.schedule import held, openings
from bedside.schedule.held import HeldTime
from bedside.schedule.search import Who
from bedside.web.booking import month as months
from bedside.web.booking.choices import Query
from bedside.web.templatetags.when import say_day, say_soon, say_time

WHOM = {"provider", "group"}


class HeldGroup(NamedTuple):
    """Times in the patient's zone that are held, and when they may open again, in words."""

    times: list[str]
    until: str


@dataclass
class Calendar:
    """What the calendar shows for a service, with one ``provider``, one of ``several`` or (None) anybody, in a zone.

    ``kept`` is what its links keep of the page's address: whom, and where the patient will be (``location``).
    ``month`` and ``day`` are what the address asks for; without them it opens at the first day that has openings.
    ``moving`` is the id of the appointment that a time is looked for, if there is one already, and
    ``location`` where its patient will be.
    """

    service: Service
    provider: Provider | None
    zone: str
    month: date | None
    day: date | None
    hold_key: bytes | None
    moving: int | None = None
    location: str | None = None
    kept: Query = ()
    several: Collection[Provider] | None = None

    def __post_init__(self) -> None:
        self.today = clock.now().astimezone(ZoneInfo(self.zone)).date()
        self.last = self.today + timedelta(days=self.service.horizon_days)
        asked = self.month or self.day
        if asked is None or not self.today.replace(day=1) <= asked.replace(day=1) <= self.last:
            asked = self.next_day or self.today
        self.month = asked.replace(day=1)
        # A day that somebody else holds to the last time stays on the screen, and says so.
        if self.day not in self.counts and not self.held:
            del self.held
            self.day = next((day for day in sorted(self.counts) if day.replace(day=1) == self.month), None)

    @property
    def _whom(self) -> Who:
        return self.provider if self.several is None else self.several

    @cached_property
    def by_day(self) -> dict[date, list[datetime]]:
        """Starts of each day that the month's weeks show, in order."""
        assert self.month is not None
        weeks = months.weeks_of(self.month)
        found = openings.openings(
            service=self.service,
            first=max(weeks[0][0], self.today),
            last=min(weeks[-1][-1], self.last),
            timezone=self.zone,
            provider=self._whom,
            ignore_hold_key=self.hold_key,
            moving=self.moving,
            location=self.location,
        )
        days: dict[date, list[datetime]] = {}
        for opening in found:
            days.setdefault(opening.start.astimezone(ZoneInfo(self.zone)).date(), []).append(opening.start)
        return days

    @cached_property
    def held(self) -> list[HeldTime]:
        """Times of the selected day that somebody else is holding, with when each is open again."""
        if self.day is None:
            return []
        return held.held_times(
            service=self.service,
            first=self.day,
            last=self.day,
            timezone=self.zone,
            provider=self._whom,
            ignore_hold_key=self.hold_key,
            moving=self.moving,
            location=self.location,
        )

    @property
    def held_said(self) -> list[HeldGroup]:
        """The same in words: one hold mostly stands in the way of several starts."""
        groups: dict[datetime, list[str]] = {}
        for one in self.held:
            groups.setdefault(one.free_at, []).append(say_time(one.start, self.zone))
        return [HeldGroup(times, say_soon(until, self.zone)) for until, times in sorted(groups.items())]

    @property
    def look_again_seconds(self) -> int:
        """When the first of the holds ends, the page looks again by itself, also if nobody tells it; 0: no need to."""
        ends = min((one.free_at for one in self.held), default=None)
        return max(1, math.ceil((ends - clock.now()).total_seconds()) + 1) if ends else 0

    @cached_property
    def counts(self) -> Counter[date]:
        return Counter({day: len(starts) for day, starts in self.by_day.items()})

    @cached_property
    def next_opening(self) -> datetime | None:
        return self._opening_after(None)

    def _opening_after(self, after: datetime | None) -> datetime | None:
        found = openings.next_opening(
            self.service,
            self._whom,
            after=after,
            ignore_hold_key=self.hold_key,
            moving=self.moving,
            location=self.location,
        )
        return found.start if found else None

    @property
    def next_day(self) -> date | None:
        return self.next_opening.astimezone(ZoneInfo(self.zone)).date() if self.next_opening else None

    def link(self, **query: str) -> str:
        """This page's address with another day or month, relative as there are many; whom and where stay."""
        return f"?{urlencode([*self.kept, *query.items()])}"

    @property
    def choose_url(self) -> str:
        """Where a chosen time is sent (``start``, with ``choose_with``), relative to this page."""
        return f"{self.service.slug}/details"

    @property
    def choose_with(self) -> Query:
        """What goes along with the time: whom, and where. Said once: a day has dozens of times."""
        return self.kept

    # --- What the template asks for -------------------------------------------------------------------------------
    @property
    def title(self) -> str:
        assert self.month is not None
        return months.title_of(self.month)

    @property
    def weekdays(self) -> list[months.Weekday]:
        return months.weekdays()

    @cached_property
    def weeks(self) -> list[months.Week]:
        assert self.month is not None
        return months.draw_weeks(self.month, self.counts, selected=self.day, today=self.today, link=self.link)

    @cached_property
    def groups(self) -> list[months.PartOfDay]:
        return months.parts_of_day(self.by_day.get(self.day, []), self.zone) if self.day else []

    @property
    def day_title(self) -> str:
        return say_day(self.day) if self.day else ""

    @property
    def anyone_url(self) -> str:
        """The same page with everybody's times."""
        return f"?{urlencode([(name, value) for name, value in self.kept if name not in WHOM])}"

    @property
    def refresh_url(self) -> str:
        assert self.month is not None
        return self.link(day=self.day.isoformat()) if self.day else self.link(month=self.month.strftime("%Y-%m"))

    # --- Turning --------------------------------------------------------------------------------------------------
    def _month_link(self, by: int) -> str:
        """Empty past the horizon, and before this month."""
        assert self.month is not None
        other = months.month_after(self.month, by)
        return self.link(month=other.strftime("%Y-%m")) if self.today.replace(day=1) <= other <= self.last else ""

    @property
    def prev_url(self) -> str:
        return self._month_link(-1)

    @property
    def next_url(self) -> str:
        return self._month_link(1)

    @property
    def prev_word(self) -> str:
        assert self.month is not None
        return months.title_of(months.month_after(self.month, -1))

    @property
    def next_word(self) -> str:
        assert self.month is not None
        return months.title_of(months.month_after(self.month))

    @cached_property
    def _week(self) -> list[date]:
        return next(([day.date for day in week.days] for week in self.weeks if week.current), [self.today])

    @property
    def prev_week_url(self) -> str:
        earlier = [day for day in self.counts if day < self._week[0]]
        return self.link(day=max(earlier).isoformat()) if earlier else self.prev_url

    @property
    def next_week_url(self) -> str:
        later = [day for day in self.counts if day > self._week[-1]]
        return self.link(day=min(later).isoformat()) if later else self.next_url

    # --- Nothing open ---------------------------------------------------------------------------------------------
    @property
    def none_title(self) -> str:
        return _("No times open in %(month)s") % {"month": self.title}

    @cached_property
    def next_start(self) -> datetime | None:
        """The first opening after the month shown, else the first of all."""
        assert self.month is not None
        after = months.month_after(self.month)
        later = self._opening_after(datetime.combine(after, time(0), tzinfo=ZoneInfo(self.zone)))
        return later or self.next_opening

    @property
    def next_url_available(self) -> str:
        if self.next_start is None:
            return ""
        return self.link(day=self.next_start.astimezone(ZoneInfo(self.zone)).date().isoformat())

    @property
    def next_day_said(self) -> str:
        return say_day(self.next_start.astimezone(ZoneInfo(self.zone)).date()) if self.next_start else ""

    @property
    def next_said(self) -> str:
        if self.next_start is None:
            return ""
        return _("%(day)s at %(time)s") % {"day": self.next_day_said, "time": say_time(self.next_start, self.zone)}
