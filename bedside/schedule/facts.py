"""What the rows say about a provider's working time, as the pure rules take it.

Busy times of imported calendars are no part of it: like visits they are taken out of the windows when openings are
asked for, so that a change there counts at once and shifts no start.
"""

from __future__ import annotations

from datetime import date

from bedside.clinic.models import Provider
from bedside.schedule.models import DayOverride, Holiday, TimeOff, WeeklyRule
from bedside.schedule.rules import Hours, Limit, Rule, WorkingTime
from bedside.schedule.zones import DAY, Wall, wall_minute


def working_time(provider: Provider, since: date) -> WorkingTime:
    """Everything that says when the provider works from ``since`` on."""
    return WorkingTime(
        zone=provider.zone,
        rules=rules_of(provider),
        overrides=overrides_of(provider, since),
        days_off=[wall_span(row) for row in _time_off(provider, since)],
        holidays=frozenset(Holiday.objects.filter(day__gte=since).values_list("day", flat=True)),
    )


def rules_of(provider: Provider) -> list[Rule]:
    return [as_rule(row) for row in WeeklyRule.objects.filter(provider=provider)]


def as_rule(row: WeeklyRule) -> Rule:
    limit = Limit(tuple(sorted(row.services)), tuple(sorted(row.locations)))
    return Rule(
        row.weekday,
        row.start_time,
        row.end_time,
        row.valid_from,
        row.valid_until,
        row.every_weeks,
        row.anchor,
        limit,
    )


def overrides_of(provider: Provider, since: date) -> dict[date, list[Hours]]:
    """By day; a day off has no hours."""
    days: dict[date, list[Hours]] = {}
    rows = DayOverride.objects.filter(provider=provider, day__gte=since).order_by("day")
    for day, start, end in rows.values_list("day", "hours__start_time", "hours__end_time"):
        hours = days.setdefault(day, [])
        if start is not None and end is not None:
            hours.append((start, end))
    return days


def _time_off(provider: Provider, since: date) -> list[TimeOff]:
    # The reason is sealed and says nothing about time: it isn't opened here.
    return list(TimeOff.objects.filter(provider=provider, last_day__gte=since).defer("reason"))


def wall_span(row: TimeOff) -> tuple[Wall, Wall]:
    """From midnight to midnight, or from the time on the first day to the time on the last."""
    if row.start_time is None or row.end_time is None:
        return wall_minute(row.first_day), wall_minute(row.last_day) + DAY
    return wall_minute(row.first_day, row.start_time), wall_minute(row.last_day, row.end_time)
