"""Spans of time: merging, cutting, clipping, and the way to and from instants."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from bedside.schedule.windows import clip, merge, subtract, to_instant, to_minute, up_to_minute

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def minutes(some: list[tuple[int, int]]) -> set[int]:
    return {minute for start, end in some for minute in range(start, end)}


def is_tidy(some: list[tuple[int, int]]) -> bool:
    flat = [edge for span in some for edge in span]
    return flat == sorted(set(flat))


@given(spans)
def test_merging_keeps_the_same_time_in_sorted_spans_that_do_not_touch(some: list[tuple[int, int]]) -> None:
    merged = merge(some)
    assert minutes(merged) == minutes(some)
    assert is_tidy(merged)


@given(spans, spans)
def test_what_is_left_is_exactly_what_was_not_removed(
    some: list[tuple[int, int]], removed: list[tuple[int, int]]
) -> None:
    left = subtract(some, removed)
    assert minutes(left) == minutes(some) - minutes(removed)
    assert is_tidy(left)


@given(spans, st.integers(0, 60), st.integers(0, 60))
def test_clipping_keeps_what_lies_inside(some: list[tuple[int, int]], since: int, until: int) -> None:
    assert minutes(clip(merge(some), since, until)) == minutes(some) & set(range(since, until))


def test_an_instant_inside_a_minute_rounds_down_or_up_as_asked() -> None:
    inside = datetime(2026, 12, 1, 15, 0, 1, tzinfo=UTC)
    assert up_to_minute(inside) == to_minute(inside) + 1
    assert up_to_minute(inside.replace(second=0)) == to_minute(inside)


def test_an_instant_means_the_same_in_any_zone() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert to_instant(to_minute(datetime(2026, 12, 1, 20, 30, tzinfo=india))) == datetime(2026, 12, 1, 15, tzinfo=UTC)
