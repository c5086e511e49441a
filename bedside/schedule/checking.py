"""Whether rules make sense together. Pure: imports no Django."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise
from math import lcm

from bedside.schedule.rules import Hours, Rule, on_the_wall
from bedside.schedule.zones import DAY


def next_date(rule: Rule, today: date) -> date | None:
    """The first day from ``today`` on on which the rule holds; None where there is none any more."""
    day = max(today, rule.valid_from or today)
    day += timedelta(days=(rule.weekday - day.weekday()) % 7)
    for _ in range(rule.every_weeks):
        if rule.holds_on(day):
            return day
        day += timedelta(days=7)
    return None


def first_overlap(rules: Sequence[Rule], today: date) -> tuple[Rule, Rule, date] | None:
    """Two rules for the same services and places that give the same time, and the first day on which they do."""
    for one, other in combinations(rules, 2):
        if one.limit == other.limit and (day := _overlap_of(one, other, today)):
            return one, other, day
    return None


def hours_overlap(hours: Sequence[Hours]) -> bool:
    """Whether hours of one day overlap each other."""
    spans = sorted(on_the_wall(date(2000, 1, 3), pair) for pair in hours)
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))


def _overlap_of(one: Rule, other: Rule, today: date) -> date | None:
    apart = (other.weekday - one.weekday + 1) % 7 - 1
    if not -1 <= apart <= 1 or not _touch(one, other, apart):
        return None
    # Two rules with a first day each meet at the later one, if at all; a day early, as hours may reach past midnight.
    day = next_date(one, max(today, other.valid_from or today) - timedelta(days=1))
    for _ in range(lcm(one.every_weeks, other.every_weeks) + 1):
        if day is None or not one.holds_on(day):
            return None
        if other.holds_on(day + timedelta(days=apart)):
            return day
        day = next_date(one, day + timedelta(days=1))
    return None


def _touch(one: Rule, other: Rule, apart: int) -> bool:
    start, end = on_the_wall(date(2000, 1, 3), (one.start, one.end))
    other_start, other_end = on_the_wall(date(2000, 1, 3), (other.start, other.end))
    return start < other_end + apart * DAY and other_start + apart * DAY < end
