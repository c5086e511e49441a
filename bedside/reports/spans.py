"""Spans of days that the list of appointments knows by name. Pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from bedside.reports.periods import Period

SPANS = ("today", "tomorrow", "week", "month", "quarter", "year", "7days", "30days")
LONGEST_YEARS = 10


def span_of(name: str, today: date) -> Period:
    """Whole weeks (from Monday), months, quarters and years, days to come included; "7days" and "30days" end today."""
    if name == "today":
        return Period(today, today)
    if name == "tomorrow":
        return Period(today + timedelta(days=1), today + timedelta(days=1))
    if name == "week":
        monday = today - timedelta(days=today.weekday())
        return Period(monday, monday + timedelta(days=6))
    if name in {"7days", "30days"}:
        return Period(today - timedelta(days=int(name.removesuffix("days")) - 1), today)
    months = {"month": 1, "quarter": 3, "year": 12}[name]
    first = date(today.year, today.month - (today.month - 1) % months, 1)
    last = first.month + months - 1
    return Period(first, date(first.year, last, monthrange(first.year, last)[1]))
