"""Which day a calendar page shows, and the links to the days around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.http import QueryDict

from bedside.core import clock

# Further than anybody looks, and far from where dates end.
FURTHEST = timedelta(days=366 * 5)


@dataclass(frozen=True)
class Shown:
    """``day`` is what is asked for, or today; ``before`` and ``after`` are a page's step away."""

    day: date
    today: date
    days: int

    @property
    def first(self) -> date:
        """The day itself, or the Monday of its week."""
        return self.day if self.days == 1 else self.day - timedelta(days=self.day.weekday())

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days - 1)

    @property
    def before(self) -> date:
        return self.day - timedelta(days=self.days)

    @property
    def after(self) -> date:
        return self.day + timedelta(days=self.days)

    @property
    def all(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(self.days)]

    @property
    def is_now(self) -> bool:
        return self.first <= self.today <= self.last


def shown(query: QueryDict, zone: ZoneInfo, days: int) -> Shown:
    """From ``?day=2026-12-01``. What makes no sense or is years away is today."""
    today = clock.now().astimezone(zone).date()
    try:
        day = date.fromisoformat(query.get("day", "")[:10])
    except ValueError:
        day = today
    if abs(day - today) > FURTHEST:
        day = today
    return Shown(day, today, days)
