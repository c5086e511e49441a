"""Hours as people type them: "9:00–12:30", "9-12.30", "9 am to 12:30 pm", several with commas. Pure: no Django."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import time

from bedside.schedule.rules import Hours

_TIME = r"(\d{1,2})(?:[:.h]?(\d{2}))?\s*([ap]\.?\s?m\.?)?"
_HOURS = re.compile(rf"\s*{_TIME}\s*(?:-|–|—|−|to|until|a|hasta)\s*{_TIME}\s*", re.IGNORECASE)
LONGEST = 200


class NotHours(ValueError):
    """The text is no pair of times; holds it."""


def read_hours(text: str) -> list[Hours]:
    """Pairs of times, in the order typed; nothing typed: none. 24:00 is the midnight at the end. Raises NotHours."""
    parts = [part for part in re.split(r"[,;]", text[:LONGEST]) if part.strip()]
    return [_read_pair(part) for part in parts]


def write_hours(hours: Hours) -> str:
    """The way that `read_hours` reads back: "9:00–12:30", "22:00–24:00"."""
    start, end = hours
    return f"{start.hour}:{start.minute:02}–{24 if end == time(0) else end.hour}:{end.minute:02}"


def write_all(several: Sequence[Hours]) -> str:
    return ", ".join(write_hours(hours) for hours in sorted(several))


def _read_pair(text: str) -> Hours:
    found = _HOURS.fullmatch(text)
    if found is None:
        raise NotHours(text.strip())
    start_half, end_half = _half(found[3]), _half(found[6])
    if start_half is None and end_half and int(found[1]) <= 12:
        start_half = _start_half(int(found[1]) % 12, int(found[4]) % 12, end_half)
    start = _time(found[1], found[2], start_half, text)
    end = _time(found[4], found[5], end_half, text, is_end=True)
    return start, end


def _start_half(start: int, end: int, end_half: str) -> str:
    """ "9–12:30 pm" begins in the morning, "1–5 pm" does not, "10–2 am" begins in the evening."""
    other = "a" if end_half == "p" else "p"
    return other if start > end else end_half


def _half(said: str | None) -> str | None:
    return said[0].lower() if said else None


def _time(hour_text: str, minute_text: str | None, half: str | None, text: str, *, is_end: bool = False) -> time:
    hour, minute = int(hour_text), int(minute_text or 0)
    if half:
        if not 1 <= hour <= 12:
            raise NotHours(text.strip())
        hour = hour % 12 + (12 if half == "p" else 0)
    if is_end and (hour, minute) == (24, 0):
        hour = 0
    if hour > 23 or minute > 59:
        raise NotHours(text.strip())
    return time(hour, minute)
