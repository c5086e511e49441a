"""The known failures of other schedulers, and odd days, from the rows to the openings a patient sees."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bedside.clinic.models import Provider, Service
from bedside.schedule import rebuild
from bedside.schedule.models import WeeklyRule
from bedside.schedule.openings import first_openings, is_offered, nearest_alternatives, openings
from tests.conftest import TestClock
from tests.factories import make_appointment, make_practice, make_provider, make_service

pytestmark = pytest.mark.django_db

# The day of a change, in two hemispheres, forward and back, by an hour and by half.
CHANGES = [
    ("America/New_York", date(2027, 3, 14)),
    ("America/New_York", date(2027, 11, 7)),
    ("Europe/London", date(2027, 3, 28)),
    ("Australia/Sydney", date(2027, 4, 4)),
    ("Australia/Sydney", date(2027, 10, 3)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Australia/Lord_Howe", date(2027, 10, 3)),
    ("America/Santiago", date(2027, 4, 4)),
    ("America/St_Johns", date(2027, 3, 14)),
]


def open_on(clock: TestClock, zone: str, day: date, start: time, end: time, **fields: Any) -> tuple[Provider, Service]:
    """Somebody who works those hours each day, seen ten days before ``day``."""
    clock.set(datetime.combine(day - timedelta(days=10), time(12), tzinfo=UTC))
    make_practice(timezone="Asia/Tokyo")
    provider = make_provider(timezone=zone, weekdays=())
    for weekday in range(7):
        WeeklyRule.objects.create(provider=provider, weekday=weekday, start_time=start, end_time=end)
    rebuild.rebuild_windows(provider)
    values = {"duration_minutes": 60, "step_minutes": 60, "prep_minutes": 0, "wrap_minutes": 0} | fields
    return provider, make_service(provider, **values)


def local_starts(service: Service, provider: Provider, day: date, zone: str | None = None) -> list[str]:
    found = openings(service=service, first=day, last=day, timezone=zone or provider.timezone)
    return [f"{opening.start.astimezone(ZoneInfo(zone or provider.timezone)):%H:%M}" for opening in found]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_an_afternoon_on_the_day_of_the_change_is_offered_at_its_wall_clock_times(
    clock: TestClock, zone: str, day: date
) -> None:
    provider, service = open_on(clock, zone, day, time(13), time(17))
    for near in (day - timedelta(days=1), day, day + timedelta(days=1)):
        assert local_starts(service, provider, near) == ["13:00", "14:00", "15:00", "16:00"]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_notice_that_lands_on_the_day_of_the_change_is_real_hours(clock: TestClock, zone: str, day: date) -> None:
    provider, service = open_on(clock, zone, day, time(0), time(0), minimum_notice_minutes=24 * 60)
    noon_before = datetime.combine(day - timedelta(days=1), time(12), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    clock.set(noon_before)
    found = openings(service=service, first=day, last=day, timezone=zone)
    allowed = noon_before + timedelta(hours=24)
    assert found[0].start >= allowed
    assert found[0].start - allowed < timedelta(hours=1)
    assert not is_offered(service, provider, found[0].start - timedelta(hours=1))


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_a_booking_that_crosses_the_change_blocks_real_time(clock: TestClock, zone: str, day: date) -> None:
    provider, service = open_on(clock, zone, day, time(0), time(0), minimum_notice_minutes=0)
    long = make_service(provider, duration_minutes=360, step_minutes=60, prep_minutes=0, wrap_minutes=0)
    start = datetime.combine(day - timedelta(days=1), time(22), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    visit = make_appointment(long, provider=provider, start=start)
    assert visit.end - visit.start == timedelta(hours=6)
    found = openings(service=service, first=day - timedelta(days=1), last=day, timezone=zone)
    starts = {opening.start for opening in found}
    assert not any(start - timedelta(hours=1) < other < visit.end for other in starts)
    assert start - timedelta(hours=1) in starts
    assert min(other for other in starts if other > start) - visit.end < timedelta(hours=1)


def test_a_time_that_is_skipped_is_not_offered_and_alternatives_are(clock: TestClock) -> None:
    day = date(2027, 3, 14)
    provider, service = open_on(clock, "America/New_York", day, time(1), time(5))
    assert local_starts(service, provider, day) == ["01:00", "03:00", "04:00"]
    # 2:30 on that day, read with the offset from before: 7:30 UTC is 3:30, off the step.
    never = datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    assert not is_offered(service, provider, never)
    assert nearest_alternatives(service, never, provider, 1)[0].start == datetime(2027, 3, 14, 7, 0, tzinfo=UTC)


def test_a_time_that_comes_twice_is_offered_once_for_each_instant(clock: TestClock) -> None:
    day = date(2027, 11, 7)
    provider, service = open_on(clock, "America/New_York", day, time(0), time(3))
    found = openings(service=service, first=day, last=day, timezone="America/New_York")
    assert local_starts(service, provider, day) == ["00:00", "01:00", "01:00", "02:00"]
    assert len({opening.start for opening in found}) == 4


def test_three_zones_at_once_name_the_same_instant(clock: TestClock) -> None:
    """The practice in Tokyo, the provider in Kathmandu, the patient in St. John's: 45 minutes and half an hour off."""
    day = date(2027, 1, 1)
    provider, service = open_on(clock, "Asia/Kathmandu", day, time(9), time(12))
    assert local_starts(service, provider, day) == ["09:00", "10:00", "11:00"]
    assert local_starts(service, provider, date(2026, 12, 31), "America/St_Johns")[-1] == "23:45"
    assert local_starts(service, provider, day, "America/St_Johns")[:2] == ["00:45", "01:45"]


def test_a_night_into_the_new_year_and_a_leap_day(clock: TestClock) -> None:
    provider, service = open_on(clock, "Europe/London", date(2028, 1, 1), time(22), time(2))
    assert local_starts(service, provider, date(2027, 12, 31)) == ["00:00", "01:00", "22:00", "23:00"]
    assert local_starts(service, provider, date(2028, 1, 1)) == ["00:00", "01:00", "22:00", "23:00"]
    provider, service = open_on(clock, "Europe/London", date(2028, 2, 29), time(9), time(11))
    assert local_starts(service, provider, date(2028, 2, 29)) == ["09:00", "10:00"]


def test_the_first_opening_of_each_is_what_each_alone_is_offered_first(clock: TestClock) -> None:
    day = date(2027, 3, 14)
    one, service = open_on(clock, "America/New_York", day, time(9), time(11))
    other = make_provider(timezone="Australia/Sydney", weekdays=())
    idle = make_provider(weekdays=())
    WeeklyRule.objects.create(provider=other, weekday=4, start_time=time(9), end_time=time(10))
    rebuild.rebuild_windows(other)
    service.providers.set([one, other, idle])
    found = {opening.provider_id: opening.start for opening in first_openings(service)}
    assert found.keys() == {one.pk, other.pk}
    today = clock.now().date()
    for provider in (one, other):
        alone = openings(
            service=service, first=today, last=today + timedelta(days=59), timezone="UTC", provider=provider
        )
        assert found[provider.pk] == alone[0].start
