"""Spans of practice days that people ask for by name, and the span that each is compared with. Pure."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

PRESETS = ("today", "7days", "30days", "month", "quarter", "custom")
USUAL = "30days"
LONGEST = timedelta(days=3 * 366)


@dataclass(frozen=True)
class Period:
    """Days ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(self.length)]

    def just_before(self) -> Period:
        return Period(self.first - timedelta(days=self.length), self.first - timedelta(days=1))


def period_of(preset: str, today: date, first: date | None = None, last: date | None = None) -> tuple[Period, Period]:
    """The span, and the one before it to compare with. A month or a quarter to date is compared with the same days of
    the one before; every other span with as many days just before."""
    if preset == "today":
        now = Period(today, today)
    elif preset == "7days":
        now = Period(today - timedelta(days=6), today)
    elif preset in {"month", "quarter"}:
        months = 1 if preset == "month" else 3
        start = date(today.year, today.month - (today.month - 1) % months, 1)
        now = Period(start, today)
        before = months_back(start, months)
        return now, Period(before, min(months_back(today, months), start - timedelta(days=1)))
    elif preset == "custom":
        last = last or max(today, first or today)
        now = Period(first or last - timedelta(days=29), last)
    else:
        now = Period(today - timedelta(days=29), today)
    return now, now.just_before()


def months_back(day: date, months: int) -> date:
    """The same day so many months before, or that month's last."""
    at = day.year * 12 + day.month - 1 - months
    year, month = divmod(at, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def buckets(period: Period) -> list[Period]:
    """What a chart draws as one bar: days, of more than 92 days weeks, of more than 400 months. The ends may be cut."""
    if period.length <= 92:
        return [Period(day, day) for day in period.days()]
    found: list[Period] = []
    start = period.first
    while start <= period.last:
        if period.length <= 400:
            end = start + timedelta(days=6 - start.weekday())
        else:
            end = start.replace(day=monthrange(start.year, start.month)[1])
        found.append(Period(start, min(end, period.last)))
        start = found[-1].last + timedelta(days=1)
    return found
