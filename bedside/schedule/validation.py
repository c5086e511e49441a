"""Whether an edit of availability makes sense. Each check raises InvalidAvailability with a sentence per field.

Fields of weekly hours are ``day-0`` (Monday) to ``day-6`` and ``valid_until``, ``every_weeks``, ``anchor``,
``services``, ``locations``; of time off and overrides the names that their flows take.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from bedside.clinic.models import Provider, Service
from bedside.core.zones import known_zones
from bedside.schedule.checking import first_overlap, hours_overlap, next_date
from bedside.schedule.errors import InvalidAvailability
from bedside.schedule.models import TimeOff
from bedside.schedule.rules import Hours, Rule, on_the_wall

LOCATION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
# Longer hours past midnight are taken for a slip: 17:00 to 9:00 was meant the other way round.
LONGEST_NIGHT = 14 * 60
MOST_WEEKS = 52
MOST_RULES = 200
FURTHEST = timedelta(days=3 * 366)
LONGEST_REASON = 500


def check_zone(provider: Provider) -> None:
    """Wall-clock hours need a wall clock."""
    if provider.timezone not in known_zones():
        said = _("%(provider)s's time zone, %(zone)s, is not known. Correct it first.")
        _refuse({"__all__": said % {"provider": provider.name, "zone": provider.timezone}})


def check_rules(rules: Sequence[Rule], provider: Provider, present: Sequence[Rule] = ()) -> None:
    """``present`` are the rules that stand: one of those may have run out, a new one may not."""
    from bedside.schedule.rebuild import today_of

    today = today_of(provider)
    if len(rules) > MOST_RULES:
        _refuse({"__all__": _("That is more than %(most)d working hours.") % {"most": MOST_RULES}})
    known = set(Service.objects.values_list("pk", flat=True)) if any(rule.limit.services for rule in rules) else set()
    for rule in rules:
        if rule in present and next_date(rule, today) is None:
            continue
        _check_rule(rule, today, known)
    _check_overlaps(rules, today)


def _check_rule(rule: Rule, today: date, known: set[int]) -> None:
    errors: dict[str, Any] = {}
    if not 0 <= rule.weekday <= 6:
        _refuse({"__all__": _("A week has seven days.")})
    if problem := problem_of_hours((rule.start, rule.end)):
        errors[f"day-{rule.weekday}"] = problem
    if not 1 <= rule.every_weeks <= MOST_WEEKS:
        errors["every_weeks"] = _("Between 1 and %(most)d weeks.") % {"most": MOST_WEEKS}
    elif rule.every_weeks > 1 and rule.anchor is None:
        errors["anchor"] = _("Say a day in a week in which these hours hold.")
    elif rule.valid_from and rule.valid_until and rule.valid_until < rule.valid_from:
        errors["valid_until"] = _("The last day is before the first.")
    elif next_date(rule, today) is None:
        errors["valid_until"] = _("These hours would never come: no such day lies ahead.")
    if set(rule.limit.services) - known:
        errors["services"] = _("There is no such service.")
    if any(not LOCATION.fullmatch(code) for code in rule.limit.locations):
        errors["locations"] = _("Write places as US-NY or GB, with commas between.")
    _refuse(errors)


def _check_overlaps(rules: Sequence[Rule], today: date) -> None:
    found = first_overlap(rules, today)
    if found is None:
        return
    one, other, day = found
    said = _("%(one)s and %(other)s overlap, for the first time on %(day)s.")
    later = max(one, other, key=lambda rule: (rule.weekday, rule.start))
    values = {"one": _clock(one), "other": _clock(other), "day": date_format(day, "DATE_FORMAT")}
    _refuse({f"day-{later.weekday}": said % values})


def problem_of_hours(hours: Hours) -> str | None:
    """What is wrong with one pair of times, in words; None: nothing."""
    start, end = hours
    if start.second or end.second or start.microsecond or end.microsecond:
        return _("Hours begin and end on a full minute.")
    if start == end and start != time(0):
        return _("These hours begin and end at the same time.")
    wall_start, wall_end = on_the_wall(date(2000, 1, 3), hours)
    if start > end > time(0) and wall_end - wall_start > LONGEST_NIGHT:
        return _("These hours end before they begin. Past midnight they can last %(hours)d hours at most.") % {
            "hours": LONGEST_NIGHT // 60
        }
    return None


def check_override(day: date, hours: Sequence[Hours], today: date) -> None:
    """A day to come, and hours that don't overlap."""
    errors: dict[str, Any] = {}
    if day < today:
        errors["day"] = _("That day is past.")
    elif day > today + FURTHEST:
        errors["day"] = _("That day is more than three years away.")
    problems = [problem for pair in hours if (problem := problem_of_hours(pair))]
    if problems:
        errors["hours"] = problems[0]
    elif hours_overlap(hours):
        errors["hours"] = _("These hours overlap.")
    elif len(hours) > 24:
        errors["hours"] = _("A day has at most 24 stretches of hours.")
    _refuse(errors)


def check_time_off(row: TimeOff, today: date) -> None:
    """Something of it lies ahead, it ends after it begins, and it isn't endless."""
    errors: dict[str, Any] = {}
    if row.kind not in TimeOff.Kind.values:
        errors["kind"] = _("Choose one of the kinds.")
    if row.last_day < row.first_day:
        errors["last_day"] = _("The last day is before the first.")
    elif row.last_day < today:
        errors["last_day"] = _("That is past already.")
    elif row.last_day > today + FURTHEST:
        errors["last_day"] = _("That is more than three years away.")
    if (row.start_time is None) != (row.end_time is None):
        errors["end_time" if row.end_time is None else "start_time"] = _("Give both times, or neither for whole days.")
    elif row.start_time and row.end_time and (row.last_day, row.end_time) <= (row.first_day, row.start_time):
        errors["end_time"] = _("The end is not after the beginning.")
    if len(row.reason) > LONGEST_REASON:
        errors["reason"] = _("At most %(most)d characters.") % {"most": LONGEST_REASON}
    _refuse(errors)


def _clock(rule: Rule) -> str:
    return f"{rule.start:%H:%M}–{rule.end:%H:%M}"


def _refuse(errors: dict[str, Any]) -> None:
    if errors:
        raise InvalidAvailability(errors=errors)
