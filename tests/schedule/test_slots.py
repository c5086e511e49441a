"""Starts that are offered: on the step, inside the window, clear of blocked time, between notice and horizon."""

from __future__ import annotations

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.schedule.rules import Rule, WorkingTime, open_windows
from bedside.schedule.slots import Diary, Visit, free_starts
from bedside.schedule.windows import merge
from tests.schedule.slow_model import DAYS, ZONES, offered_starts, utc, working_minutes

HALF_HOUR = Visit(length=30, prep=0, wrap=0, step=15)
ALWAYS = (0, 10**9)


def starts(windows: list[tuple[int, int]], blocked: list[tuple[int, int]], visit: Visit, *span: int) -> list[int]:
    found = free_starts(Diary.of(windows, blocked), visit, *(span or ALWAYS))
    return [start for run in found for start in run]


def test_starts_come_on_the_step_and_the_last_visit_ends_with_the_window() -> None:
    assert starts([(540, 600)], [], HALF_HOUR) == [540, 555, 570]


def test_the_step_is_counted_from_the_windows_own_start() -> None:
    assert starts([(547, 610)], [], HALF_HOUR) == [547, 562, 577]


def test_a_booking_does_not_shift_the_times_after_it() -> None:
    assert starts([(540, 660)], [(540, 577)], HALF_HOUR) == [585, 600, 615, 630]


def test_a_visit_may_begin_when_blocked_time_ends_and_end_when_it_begins() -> None:
    assert starts([(540, 630)], [(540, 570), (600, 630)], HALF_HOUR) == [570]


def test_buffers_stay_clear_of_blocked_time_on_both_sides() -> None:
    buffered = Visit(length=30, prep=5, wrap=10, step=5)
    assert starts([(540, 660)], [(540, 560), (610, 660)], buffered) == [565, 570]


def test_buffers_may_reach_out_of_the_window() -> None:
    assert starts([(540, 570)], [], Visit(length=30, prep=15, wrap=15, step=15)) == [540]


def test_a_booking_outside_the_window_still_needs_its_distance() -> None:
    assert starts([(540, 600)], [(500, 540)], Visit(length=30, prep=10, wrap=0, step=15)) == [555, 570]


def test_a_visit_longer_than_its_window_is_not_offered() -> None:
    assert starts([(540, 569)], [], HALF_HOUR) == []


def test_starts_lie_after_the_notice_and_before_the_horizon() -> None:
    assert starts([(540, 660)], [], HALF_HOUR, 556, 600) == [570, 585]


def test_blocked_time_over_several_windows_takes_all_of_them() -> None:
    assert starts([(0, 60), (100, 160), (200, 260)], [(0, 215)], HALF_HOUR) == [215, 230]


def test_a_booking_over_a_clock_change_blocks_real_time() -> None:
    """23:30 to 03:30 on the night the clocks go back is five hours: the visits after it begin when it is over."""
    zone, day = ZoneInfo("America/New_York"), date(2026, 10, 31)
    windows = open_windows(WorkingTime(zone, [Rule(5, time(22), time(6))]), day, day)
    booking = (utc(2026, 11, 1, 3, 30), utc(2026, 11, 1, 8, 30))
    found = starts(windows, [booking], Visit(length=60, prep=0, wrap=0, step=60))
    assert found == [utc(2026, 11, 1, 2), utc(2026, 11, 1, 9), utc(2026, 11, 1, 10)]


def test_the_doubled_hour_is_offered_once_for_each_time_it_comes() -> None:
    zone, day = ZoneInfo("Europe/London"), date(2026, 10, 25)
    windows = open_windows(WorkingTime(zone, [Rule(6, time(1), time(2))]), day, day)
    found = starts(windows, [], Visit(length=30, prep=0, wrap=0, step=30))
    assert found == [utc(2026, 10, 25, 0), utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1), utc(2026, 10, 25, 1, 30)]


def test_minimum_notice_is_real_time_on_a_day_of_change() -> None:
    """Two hours before 04:00 is 01:00 when the clocks go forward between."""
    zone, day = ZoneInfo("America/New_York"), date(2026, 3, 8)
    windows = open_windows(WorkingTime(zone, [Rule(6, time(0), time(6))]), day, day)
    one_o_clock = utc(2026, 3, 8, 6)
    found = starts(windows, [], Visit(length=60, prep=0, wrap=0, step=60), one_o_clock + 120, 10**9)
    assert found[0] == utc(2026, 3, 8, 8)  # 04:00 in New York


visits = st.builds(
    Visit,
    length=st.sampled_from([5, 20, 30, 45, 90]),
    prep=st.sampled_from([0, 5, 10]),
    wrap=st.sampled_from([0, 10, 25]),
    step=st.sampled_from([5, 10, 15, 20, 25, 60]),
)
wall_times = st.builds(time, st.sampled_from([0, 1, 2, 9, 13, 23]), st.sampled_from([0, 7, 30]))
rules_ = st.lists(st.builds(Rule, st.integers(0, 6), wall_times, wall_times), min_size=1, max_size=5)
bookings_ = st.lists(st.tuples(st.integers(-60, 4 * 24 * 60), st.sampled_from([15, 45, 60, 300])), max_size=25)


@settings(max_examples=120, deadline=None)
@given(rules_, st.sampled_from(ZONES), st.sampled_from(DAYS), bookings_, visits, st.integers(-1500, 3000))
def test_what_is_offered_is_what_the_slow_model_offers(
    rules: list[Rule], zone_name: str, day: date, bookings: list[tuple[int, int]], visit: Visit, notice: int
) -> None:
    zone, first, last = ZoneInfo(zone_name), day - timedelta(days=1), day + timedelta(days=1)
    base = utc(first.year, first.month, first.day)
    earliest, latest = base + notice, base + 3 * 24 * 60
    blocked = merge((base + start, base + start + length) for start, length in bookings)
    taken = {minute for start, end in blocked for minute in range(start, end)}
    expected = offered_starts(
        working_minutes(rules, zone, first, last),
        taken,
        length=visit.length,
        prep=visit.prep,
        wrap=visit.wrap,
        step=visit.step,
        earliest=earliest,
        latest=latest,
    )
    windows = open_windows(WorkingTime(zone, rules), first, last)
    assert starts(windows, blocked, visit, earliest, latest) == expected
