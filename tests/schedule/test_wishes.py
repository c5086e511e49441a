"""Which times suit somebody who waits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bedside.schedule.waiting.wishes import PARTS, part_of_day, suits

NEW_YORK = ZoneInfo("America/New_York")
DAY = date(2026, 12, 4)
NINE = datetime(2026, 12, 4, 14, tzinfo=UTC)  # 9:00 in New York, a Friday


def test_days_weekdays_and_parts_are_the_patients() -> None:
    asked = {"zone": NEW_YORK, "first_day": DAY, "last_day": DAY}
    assert suits(NINE, **asked)
    assert suits(NINE, **asked, weekdays=[4], parts=["morning"])
    assert not suits(NINE, **asked, weekdays=[3])
    assert not suits(NINE, **asked, parts=["evening"])
    late = datetime(2026, 12, 5, 4, tzinfo=UTC)  # 11 in the evening of that Friday
    assert suits(late, **asked, parts=["evening"])
    assert not suits(late, zone=ZoneInfo("UTC"), first_day=DAY, last_day=DAY)


def test_only_what_is_earlier_than_the_booked_visit() -> None:
    asked = {"zone": NEW_YORK, "first_day": DAY, "last_day": DAY}
    assert not suits(NINE, **asked, before=NINE)
    assert suits(NINE, **asked, before=NINE + timedelta(minutes=15))


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
def test_each_time_is_in_exactly_one_part_of_the_day(start: datetime) -> None:
    local = start.astimezone(NEW_YORK)
    asked = {"zone": NEW_YORK, "first_day": local.date(), "last_day": local.date()}
    assert [part for part in PARTS if suits(start, **asked, parts=[part])] == [part_of_day(local)]
