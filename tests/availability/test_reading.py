"""Hours as people type them."""

from __future__ import annotations

import contextlib
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.web.availability.reading import NotHours, read_hours, write_all, write_hours

NINE, HALF_PAST_TWELVE, FIVE = time(9), time(12, 30), time(17)


@pytest.mark.parametrize(
    "text",
    ["9:00–12:30", "9-12:30", "09.00 - 12.30", "9 am–12:30 pm", "9–12:30 pm", "9AM to 12:30p.m.", "0900-1230"],
)
def test_ways_to_write_nine_to_half_past_twelve(text: str) -> None:
    assert read_hours(text) == [(NINE, HALF_PAST_TWELVE)]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("", []),
        (" , ", []),
        ("9–5 pm", [(NINE, FIVE)]),
        ("1-5 pm", [(time(13), FIVE)]),
        ("10pm-2am", [(time(22), time(2))]),
        ("10–2 am", [(time(22), time(2))]),
        ("12 am-12 pm", [(time(0), time(12))]),
        ("0:00–24:00", [(time(0), time(0))]),
        ("22-24", [(time(22), time(0))]),
        ("9-12:30, 13-17", [(NINE, HALF_PAST_TWELVE), (time(13), FIVE)]),
    ],
)
def test_what_it_means(text: str, hours: list[tuple[time, time]]) -> None:
    assert read_hours(text) == hours


@pytest.mark.parametrize(
    "text", ["9", "9-", "25-26", "9:61-10", "13 pm-14", "nine-five", "9-12-15", "24:00-9", "9–", "٩-١٢x"]
)
def test_what_can_not_be_read(text: str) -> None:
    with pytest.raises(NotHours):
        read_hours(text)


times = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@given(times, times)
def test_what_is_written_reads_back(start: time, end: time) -> None:
    assert read_hours(write_hours((start, end))) == [(start, end)]


@given(st.text(max_size=40))
def test_no_text_is_an_accident(text: str) -> None:
    with contextlib.suppress(NotHours):
        read_hours(text)


def test_several_are_written_in_order() -> None:
    assert write_all([(time(13), FIVE), (NINE, HALF_PAST_TWELVE)]) == "9:00–12:30, 13:00–17:00"
