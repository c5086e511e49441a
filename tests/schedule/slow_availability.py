"""The slow, obvious model of everything that says when somebody works: one plain question for each minute."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from bedside.schedule.rules import Rule, WorkingTime
from tests.schedule.slow_model import minute_of

ONE_DAY = timedelta(days=1)


Shift = tuple[datetime, datetime]


def can_be_worked(minute: int, work: WorkingTime, shifts: dict[date, list[Shift]]) -> bool:
    """Is the provider at work at this minute? ``shifts`` begin on their day, as the wall clock shows."""
    wall = datetime.fromtimestamp(minute * 60, work.zone)
    today = wall.date()
    if is_off(wall, work) or (today in work.holidays and today not in work.overrides):
        return False
    shown = wall.replace(tzinfo=None)
    return any(begins <= shown < ends for day in (today, today - ONE_DAY) for begins, ends in shifts.get(day, []))


def is_off(wall: datetime, work: WorkingTime) -> bool:
    on_the_wall = (wall.date() - date(1970, 1, 1)).days * 24 * 60 + wall.hour * 60 + wall.minute
    return any(start <= on_the_wall < end for start, end in work.days_off)


def hours_of(day: date, work: WorkingTime, service: int, location: str | None) -> Iterable[Shift]:
    """The hours that begin on that day, without a zone."""
    if day in work.overrides:
        hours = list(work.overrides[day])
    else:
        hours = [(rule.start, rule.end) for rule in work.rules if holds(rule, day, service, location)]
    for start, end in hours:
        begins, ends = datetime.combine(day, start), datetime.combine(day, end)
        yield begins, ends if ends > begins else ends + ONE_DAY


def holds(rule: Rule, day: date, service: int, location: str | None) -> bool:
    if rule.weekday != day.weekday():
        return False
    if rule.valid_from is not None and day < rule.valid_from:
        return False
    if rule.valid_until is not None and day > rule.valid_until:
        return False
    if rule.limit.services and service not in rule.limit.services:
        return False
    if rule.limit.locations and not is_in(location, rule.limit.locations):
        return False
    return rule.every_weeks == 1 or is_its_week(rule, day)


def is_in(location: str | None, places: Iterable[str]) -> bool:
    return location is not None and any(location == place or location.split("-")[0] == place for place in places)


def is_its_week(rule: Rule, day: date) -> bool:
    """Walk from the anchor's Monday to the day's, so many weeks at a time."""
    assert rule.anchor is not None
    monday, wanted = rule.anchor, day
    while monday.weekday():
        monday -= ONE_DAY
    while wanted.weekday():
        wanted -= ONE_DAY
    step = timedelta(weeks=rule.every_weeks)
    while monday < wanted:
        monday += step
    while monday > wanted:
        monday -= step
    return monday == wanted


def worked_minutes(work: WorkingTime, first: date, last: date, service: int, location: str | None) -> set[int]:
    """The minutes worked for this service and a patient in this place, of hours that begin on these days."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    shifts = {day: list(hours_of(day, work, service, location)) for day in days}
    begin = minute_of(datetime.combine(first, time(), UTC)) - 24 * 60
    end = minute_of(datetime.combine(last, time(), UTC)) + 3 * 24 * 60
    return {minute for minute in range(begin, end) if can_be_worked(minute, work, shifts)}
