"""Rules that give the same time twice are found, whichever begins later."""

from __future__ import annotations

from datetime import date, time

import pytest

from bedside.schedule.checking import first_overlap
from bedside.schedule.rules import Rule

TODAY, LATER = date(2026, 1, 1), date(2026, 3, 8)


def rule(valid_from: date | None = None, weekday: int = 0, hours: tuple[time, time] = (time(9), time(12))) -> Rule:
    return Rule(weekday=weekday, start=hours[0], end=hours[1], valid_from=valid_from)


@pytest.mark.parametrize("rules", [(rule(), rule(LATER)), (rule(LATER), rule())])
def test_a_rule_that_begins_later_over_one_that_goes_on(rules: tuple[Rule, Rule]) -> None:
    found = first_overlap(rules, TODAY)
    assert found is not None
    assert found[2] == date(2026, 3, 9)


def test_a_night_that_reaches_into_a_day_that_begins_later() -> None:
    night = rule(weekday=6, hours=(time(22), time(10)))
    assert first_overlap([night, rule(LATER)], TODAY) is not None
    assert first_overlap([rule(LATER), night], TODAY) is not None


def test_rules_that_follow_one_another_are_fine() -> None:
    ended = Rule(weekday=0, start=time(9), end=time(12), valid_until=date(2026, 3, 7))
    assert first_overlap([ended, rule(LATER)], TODAY) is None
    assert first_overlap([rule(LATER), ended], TODAY) is None
