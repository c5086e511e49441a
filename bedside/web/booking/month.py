"""A month of days and the times of one of them, as the calendar shows them. Days are the patient's zone's days."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bedside.web.booking.choices import start_code
from bedside.web.templatetags.when import say_month, say_time, spoken_locale

NOON, EVENING = 12, 17
LinkTo = Callable[..., str]


@dataclass(frozen=True)
class Weekday:
    short: str
    long: str


@dataclass(frozen=True)
class Day:
    """One cell. Without a ``url`` it is closed; ``outside`` belongs to a neighboring month."""

    date: date
    outside: bool
    today: bool
    selected: bool
    url: str


@dataclass(frozen=True)
class Week:
    """``current``: the one that a phone shows."""

    days: list[Day]
    current: bool

    @property
    def cells(self) -> SafeString:
        """The week's cells. Drawn here: forty of them cost a template a third of the page's time."""
        return SafeString("".join(_cell(day, shown=self.current or not day.outside) for day in self.days))


@dataclass(frozen=True)
class Time:
    """One start, as it is said and as addresses write it."""

    said: str
    code: str


@dataclass(frozen=True)
class PartOfDay:
    key: str
    title: str
    shape: str
    times: list[Time]

    @property
    def items(self) -> SafeString:
        """The times as list items, each a button of the day's form."""
        return SafeString(
            "".join(
                f'<li><button name="start" value="{time.code}">{escape(time.said)}</button></li>' for time in self.times
            )
        )


def _cell(day: Day, *, shown: bool) -> str:
    kind = ' class="is-outside"' if day.outside else ' class="is-today"' if day.today else ""
    if day.url:
        chosen = ' aria-current="date"' if day.selected else ""
        return f'<td{kind}><a id="d{day.date:%m-%d}" href="{escape(day.url)}"{chosen}>{day.date.day}</a></td>'
    return f"<td{kind}><span>{day.date.day}</span></td>" if shown else f"<td{kind}></td>"


def weeks_of(month: date) -> list[list[date]]:
    """The month's weeks, Sunday first, filled up with the days of its neighbors."""
    return calendar.Calendar(firstweekday=calendar.SUNDAY).monthdatescalendar(month.year, month.month)


def weekdays() -> list[Weekday]:
    sunday = date(2026, 11, 1)
    days = [sunday + timedelta(days=n) for n in range(7)]
    locale = spoken_locale()
    return [Weekday(format_date(day, "EEE", locale=locale), format_date(day, "EEEE", locale=locale)) for day in days]


def draw_weeks(
    month: date, counts: Mapping[date, int], *, selected: date | None, today: date, link: LinkTo
) -> list[Week]:
    """Weeks of days; ``counts`` says how many times are open on a day."""
    shown = selected or next((day for day in sorted(counts) if day >= month), month)
    return [
        Week([_day(day, month, counts, selected, today, link) for day in week], current=shown in week)
        for week in weeks_of(month)
    ]


def _day(day: date, month: date, counts: Mapping[date, int], selected: date | None, today: date, link: LinkTo) -> Day:
    return Day(
        date=day,
        outside=day.month != month.month,
        today=day == today,
        selected=day == selected,
        url=link(day=day.isoformat()) if counts.get(day) else "",
    )


def parts_of_day(starts: Sequence[datetime], zone: str) -> list[PartOfDay]:
    """Morning, afternoon and evening on the patient's clock; parts without times are left out.

    A time that a clock change makes happen twice is said with its offset.
    """
    tz = ZoneInfo(zone)
    said = [say_time(start, zone) for start in starts]
    times: dict[str, list[Time]] = {"morning": [], "afternoon": [], "evening": []}
    for start, words in zip(starts, said, strict=True):
        local = start.astimezone(tz)
        if said.count(words) > 1:
            words = f"{words} {local.strftime('%Z')}"
        part = "morning" if local.hour < NOON else "afternoon" if local.hour < EVENING else "evening"
        times[part].append(Time(words, start_code(start)))
    titles = {
        "morning": (_("Morning"), "sunrise"),
        "afternoon": (_("Afternoon"), "sun"),
        "evening": (_("Evening"), "moon"),
    }
    return [PartOfDay(key, *titles[key], found) for key, found in times.items() if found]


def month_after(month: date, by: int = 1) -> date:
    """The first day of the month that many later (earlier, if negative)."""
    index = month.year * 12 + month.month - 1 + by
    return date(index // 12, index % 12 + 1, 1)


def read_month(text: str) -> date | None:
    """Read "2026-12" as its first day, or None."""
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        return None


def read_day(text: str) -> date | None:
    """Read "2026-12-01", or None."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def title_of(month: date) -> str:
    """Say "December 2026"."""
    return say_month(month)
