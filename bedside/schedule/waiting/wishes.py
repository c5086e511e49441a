"""Which times suit a wish. Pure: imports no Django; all instants are aware."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from zoneinfo import ZoneInfo

NOON, EVENING = 12, 17
PARTS = ("morning", "afternoon", "evening")


def part_of_day(local: datetime) -> str:
    return "morning" if local.hour < NOON else "afternoon" if local.hour < EVENING else "evening"


def suits(
    start: datetime,
    *,
    zone: ZoneInfo,
    first_day: date,
    last_day: date,
    weekdays: Collection[int] = (),
    parts: Collection[str] = (),
    before: datetime | None = None,
) -> bool:
    """Whether a start is wanted. Days, weekdays (Monday is 0) and parts are the patient's; empty means any.

    ``before``: only what is earlier than this, for a visit that is booked already.
    """
    local = start.astimezone(zone)
    if not first_day <= local.date() <= last_day or (before is not None and start >= before):
        return False
    return (not weekdays or local.weekday() in weekdays) and (not parts or part_of_day(local) in parts)
