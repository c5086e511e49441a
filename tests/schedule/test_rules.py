"""From hours on the wall to windows of real time: each kind of clock change by example, and all of them at random."""

from __future__ import annotations

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.schedule.rules import Rule, WorkingTime, open_windows
from bedside.schedule.zones import span_of_days
from tests.schedule.slow_model import DAYS, ZONES, utc, working_minutes


def windows_on(day: date, start: time, end: time, zone: str) -> list[tuple[int, int]]:
    rules = [Rule(day.weekday(), start, end)]
    return open_windows(WorkingTime(ZoneInfo(zone), rules), day, day)


def hours_on(day: date, start: time, end: time, zone: str) -> float:
    return sum(end - start for start, end in windows_on(day, start, end, zone)) / 60


def test_hours_are_wall_clock_hours_of_the_zone() -> None:
    assert windows_on(date(2026, 12, 1), time(9), time(17), "America/New_York") == [
        (utc(2026, 12, 1, 14), utc(2026, 12, 1, 22))
    ]


def test_the_hour_that_is_skipped_is_not_worked() -> None:
    assert hours_on(date(2026, 3, 8), time(1), time(4), "America/New_York") == 2


def test_a_window_that_would_begin_in_the_skipped_hour_begins_at_its_end() -> None:
    assert windows_on(date(2026, 3, 8), time(2, 30), time(5), "America/New_York") == [
        (utc(2026, 3, 8, 7), utc(2026, 3, 8, 9))
    ]


def test_a_window_that_would_end_in_the_skipped_hour_ends_at_its_beginning() -> None:
    assert windows_on(date(2026, 3, 8), time(1), time(2, 30), "America/New_York") == [
        (utc(2026, 3, 8, 6), utc(2026, 3, 8, 7))
    ]


def test_a_window_inside_the_skipped_hour_is_no_window() -> None:
    assert windows_on(date(2026, 3, 8), time(2), time(3), "America/New_York") == []


def test_the_hour_that_comes_twice_is_worked_twice() -> None:
    assert windows_on(date(2026, 11, 1), time(1), time(3), "America/New_York") == [
        (utc(2026, 11, 1, 5), utc(2026, 11, 1, 8))
    ]


def test_half_of_the_doubled_hour_is_two_windows() -> None:
    assert windows_on(date(2026, 11, 1), time(1), time(1, 30), "America/New_York") == [
        (utc(2026, 11, 1, 5), utc(2026, 11, 1, 5, 30)),
        (utc(2026, 11, 1, 6), utc(2026, 11, 1, 6, 30)),
    ]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", DAYS)
def test_an_afternoon_is_its_full_length_on_a_day_of_change(day: date, zone: str) -> None:
    assert hours_on(day, time(13), time(17), zone) == 4


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("Australia/Sydney", date(2026, 10, 4), 23),
        ("Australia/Sydney", date(2026, 4, 5), 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Santiago", date(2026, 9, 6), 23),
        ("America/Santiago", date(2026, 4, 4), 25),
        ("America/St_Johns", date(2026, 3, 8), 23),
        ("Pacific/Apia", date(2020, 4, 5), 25),
        ("Pacific/Apia", date(2011, 12, 30), 0),  # the day that Samoa left out
        ("Asia/Kathmandu", date(2026, 3, 29), 24),
    ],
)
def test_a_whole_day_has_as_many_hours_as_really_pass(zone: str, day: date, hours: float) -> None:
    assert hours_on(day, time(0), time(0), zone) == hours


def test_a_night_shift_over_a_change_is_an_hour_shorter_or_longer() -> None:
    assert hours_on(date(2026, 3, 7), time(22), time(6), "America/New_York") == 7
    assert hours_on(date(2026, 10, 31), time(22), time(6), "America/New_York") == 9


def test_hours_past_midnight_run_into_the_new_year() -> None:
    assert windows_on(date(2026, 12, 31), time(22), time(2), "Europe/London") == [
        (utc(2026, 12, 31, 22), utc(2027, 1, 1, 2))
    ]


def test_a_leap_day_is_a_day_like_any_other() -> None:
    assert windows_on(date(2028, 2, 29), time(9), time(10), "Europe/London") == [
        (utc(2028, 2, 29, 9), utc(2028, 2, 29, 10))
    ]


def test_several_windows_a_day_stay_apart_and_overlapping_ones_become_one() -> None:
    day = date(2026, 12, 1)
    rules = [Rule(1, time(9), time(12)), Rule(1, time(14), time(16)), Rule(1, time(15), time(17))]
    assert open_windows(WorkingTime(ZoneInfo("Europe/London"), rules), day, day) == [
        (utc(2026, 12, 1, 9), utc(2026, 12, 1, 12)),
        (utc(2026, 12, 1, 14), utc(2026, 12, 1, 17)),
    ]


def test_a_rule_holds_from_its_first_day_to_its_last() -> None:
    first = date(2026, 12, 1)
    rules = [Rule(1, time(9), time(10), valid_from=date(2026, 12, 8), valid_until=date(2026, 12, 15))]
    windows = open_windows(WorkingTime(ZoneInfo("UTC"), rules), first, first + timedelta(days=28))
    assert [start for start, _ in windows] == [utc(2026, 12, 8, 9), utc(2026, 12, 15, 9)]


def test_an_override_replaces_a_day_and_time_away_is_taken_out() -> None:
    day = date(2026, 12, 1)
    work = WorkingTime(
        zone=ZoneInfo("UTC"),
        rules=[Rule(1, time(9), time(17)), Rule(2, time(9), time(17))],
        overrides={day: [(time(12), time(14))]},
        away=[(utc(2026, 12, 2, 10), utc(2026, 12, 2, 16))],
    )
    assert open_windows(work, day, day + timedelta(days=1)) == [
        (utc(2026, 12, 1, 12), utc(2026, 12, 1, 14)),
        (utc(2026, 12, 2, 9), utc(2026, 12, 2, 10)),
        (utc(2026, 12, 2, 16), utc(2026, 12, 2, 17)),
    ]


def test_a_day_of_the_patient_begins_at_the_patients_midnight() -> None:
    day = date(2026, 12, 1)
    assert span_of_days(day, day, ZoneInfo("Asia/Kathmandu")) == (utc(2026, 11, 30, 18, 15), utc(2026, 12, 1, 18, 15))


def test_a_day_whose_midnight_is_skipped_begins_an_hour_later() -> None:
    day = date(2026, 9, 6)
    assert span_of_days(day, day, ZoneInfo("America/Santiago")) == (utc(2026, 9, 6, 4), utc(2026, 9, 7, 3))


def test_a_day_that_a_zone_left_out_is_no_time_at_all() -> None:
    day = date(2011, 12, 30)
    assert span_of_days(day, day, ZoneInfo("Pacific/Apia")) is None


wall_times = st.builds(time, st.sampled_from([0, 1, 2, 3, 9, 13, 22, 23]), st.sampled_from([0, 7, 15, 30, 45, 59]))
rules_ = st.lists(st.builds(Rule, st.integers(0, 6), wall_times, wall_times), max_size=6)


@settings(max_examples=150, deadline=None)
@given(rules_, st.sampled_from(ZONES), st.sampled_from(DAYS), st.integers(-2, 1), st.integers(0, 2), st.booleans())
def test_windows_are_the_minutes_at_which_the_wall_clock_says_so(
    rules: list[Rule], zone: str, day: date, offset: int, length: int, ends: bool
) -> None:
    first = day + timedelta(days=offset)
    last = first + timedelta(days=length)
    if ends:
        rules = [Rule(rule.weekday, rule.start, rule.end, None, day) for rule in rules]
    windows = open_windows(WorkingTime(ZoneInfo(zone), rules), first, last)
    flat = [edge for window in windows for edge in window]
    assert flat == sorted(set(flat)), "sorted, and no two windows touch"
    found = {minute for start, end in windows for minute in range(start, end)}
    assert found == working_minutes(rules, ZoneInfo(zone), first, last)
