"""The slow, obvious model: look at every minute and ask a plain question. Shares nothing with what it checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bedside.schedule.rules import Rule

ZONES = [
    "America/New_York",
    "Europe/London",
    "Australia/Sydney",
    "America/Santiago",  # changes at midnight: a day begins at 01:00, or ends twice
    "Australia/Lord_Howe",  # changes by half an hour
    "Asia/Kathmandu",  # 45 minutes off, never changes
    "America/St_Johns",  # half an hour off
    "Pacific/Apia",  # had daylight time until 2021
]

# Days around which a zone's clocks change, and days on which only the calendar is odd.
DAYS = [
    date(2026, 3, 8),  # New York, St. John's: forward
    date(2026, 11, 1),  # New York, St. John's: back
    date(2026, 3, 29),  # London: forward
    date(2026, 10, 25),  # London: back
    date(2026, 10, 4),  # Sydney, Lord Howe: forward
    date(2026, 4, 5),  # Sydney, Lord Howe, and Santiago the night before: back
    date(2026, 9, 6),  # Santiago: forward
    date(2019, 9, 29),  # Apia: forward
    date(2020, 4, 5),  # Apia: back
    date(2028, 2, 29),  # a leap day
    date(2026, 12, 31),  # a year's end
]


def minute_of(instant: datetime) -> int:
    return int(instant.timestamp()) // 60


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return minute_of(datetime(year, month, day, hour, minute, tzinfo=UTC))


def is_working(minute: int, rules: Iterable[Rule], zone: ZoneInfo, first: date, last: date) -> bool:
    """Does the clock on the wall show a time inside somebody's hours?"""
    wall = datetime.fromtimestamp(minute * 60, zone)
    return any(_covers(rule, wall.date(), wall.time(), first, last) for rule in rules)


def _covers(rule: Rule, day: date, at: time, first: date, last: date) -> bool:
    past_midnight = rule.end <= rule.start
    begun_today = at >= rule.start and (past_midnight or at < rule.end)
    begun_yesterday = past_midnight and at < rule.end
    yesterday = day - timedelta(days=1)
    return (begun_today and _holds(rule, day, first, last)) or (
        begun_yesterday and _holds(rule, yesterday, first, last)
    )


def _holds(rule: Rule, day: date, first: date, last: date) -> bool:
    return (
        first <= day <= last
        and day.weekday() == rule.weekday
        and not (rule.valid_from and day < rule.valid_from)
        and not (rule.valid_until and day > rule.valid_until)
    )


def working_minutes(rules: Sequence[Rule], zone: ZoneInfo, first: date, last: date) -> set[int]:
    begin = minute_of(datetime.combine(first, time(), UTC)) - 24 * 60
    end = minute_of(datetime.combine(last, time(), UTC)) + 4 * 24 * 60
    return {minute for minute in range(begin, end) if is_working(minute, rules, zone, first, last)}


def offered_starts(
    working: set[int], taken: set[int], *, length: int, prep: int, wrap: int, step: int, earliest: int, latest: int
) -> list[int]:
    """Every start, found by counting minutes from the beginning of each unbroken stretch of work."""
    starts = []
    since_opening = 0
    for minute in range(min(working, default=0), max(working, default=0) + 1):
        if minute not in working:
            since_opening = 0
            continue
        if (
            since_opening % step == 0
            and earliest <= minute < latest
            and all(m in working for m in range(minute, minute + length))
            and not any(m in taken for m in range(minute - prep, minute + length + wrap))
        ):
            starts.append(minute)
        since_opening += 1
    return starts
