"""Random rules, overrides, time off, holidays and bookings, in odd zones around clock changes: as a slow model says."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.appointments.models import Appointment
from bedside.clinic.models import Provider, Service
from bedside.flows.availability import _row
from bedside.schedule import rebuild
from bedside.schedule.facts import working_time
from bedside.schedule.models import DayOverride, Holiday, OverrideHours, TimeOff, WeeklyRule
from bedside.schedule.openings import is_offered, openings
from bedside.schedule.rules import Limit, Rule, WorkingTime, limited_windows
from bedside.schedule.windows import merge, to_instant, to_minute
from bedside.schedule.zones import DAY, wall_minute
from tests.conftest import TestClock
from tests.factories import make_appointment, make_provider, make_service
from tests.schedule.slow_availability import worked_minutes
from tests.schedule.slow_model import DAYS, ZONES, offered_starts, utc

ODD_TIMES = st.builds(time, st.sampled_from([0, 1, 2, 3, 9, 13, 22, 23]), st.sampled_from([0, 15, 30]))
HOURS = st.tuples(ODD_TIMES, ODD_TIMES)
PLACES = ["US-NY", "US", "CA-ON"]


@st.composite
def limits(draw: st.DrawFn, services: list[int]) -> Limit:
    return Limit(
        tuple(sorted(draw(st.sets(st.sampled_from(services), max_size=1)))),
        tuple(sorted(draw(st.sets(st.sampled_from(PLACES), max_size=2)))),
    )


@st.composite
def rules_near(draw: st.DrawFn, day: date, services: list[int]) -> list[Rule]:
    def near() -> date:
        return day + timedelta(days=draw(st.integers(-12, 12)))

    rules = []
    for _ in range(draw(st.integers(0, 6))):
        start, end = draw(HOURS)
        since = near() if draw(st.booleans()) else None
        until = (since or day) + timedelta(days=draw(st.integers(0, 15))) if draw(st.booleans()) else None
        every = draw(st.sampled_from([1, 1, 2, 3]))
        rules.append(
            Rule(
                draw(st.integers(0, 6)),
                start,
                end,
                since,
                until,
                every,
                near() if every > 1 else None,
                draw(limits(services)),
            )
        )
    return rules


@st.composite
def working_times(draw: st.DrawFn, day: date, zone: str, services: list[int]) -> WorkingTime:
    def near() -> date:
        return day + timedelta(days=draw(st.integers(-2, 2)))

    off = []
    for _ in range(draw(st.integers(0, 2))):
        if draw(st.booleans()):
            first = near()
            off.append((wall_minute(first), wall_minute(first + timedelta(days=draw(st.integers(0, 1)))) + DAY))
        else:
            start, length = draw(ODD_TIMES), draw(st.sampled_from([15, 90, 600, 2000]))
            begins = wall_minute(near(), start)
            off.append((begins, begins + length))
    return WorkingTime(
        zone=ZoneInfo(zone),
        rules=draw(rules_near(day, services)),
        overrides={near(): draw(st.lists(HOURS, max_size=2)) for _ in range(draw(st.integers(0, 2)))},
        days_off=off,
        holidays=frozenset(near() for _ in range(draw(st.integers(0, 1)))),
    )


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_windows_of_each_service_and_place_are_the_minutes_that_the_slow_model_works(data: st.DataObject) -> None:
    day = data.draw(st.sampled_from(DAYS))
    work = data.draw(working_times(day, data.draw(st.sampled_from(ZONES)), [1, 2]))
    location = data.draw(st.sampled_from([None, "US-NY", "US-NJ", "CA-ON"]))
    first, last = day - timedelta(days=1), day + timedelta(days=1)
    found = limited_windows(work, first, last)
    for spans in found.values():
        assert spans == merge(spans)
    mine = merge(span for limit, spans in found.items() if limit.allows(1, location) for span in spans)
    minutes = {minute for start, end in mine for minute in range(start, end)}
    assert minutes == worked_minutes(work, first, last, 1, location)


def store(provider: Provider, work: WorkingTime) -> None:
    """As rows, the way that the flows write them."""
    WeeklyRule.objects.bulk_create(_row(provider, rule) for rule in work.rules)
    for day, hours in work.overrides.items():
        row = DayOverride.objects.create(provider=provider, day=day)
        OverrideHours.objects.bulk_create(
            OverrideHours(override=row, start_time=start, end_time=end) for start, end in hours
        )
    for start, end in work.days_off:
        days, at = divmod(start, DAY)
        last_days, last_at = divmod(end, DAY)
        whole = at == 0 and last_at == 0
        TimeOff.objects.create(
            provider=provider,
            kind="blackout",
            first_day=date(1970, 1, 1) + timedelta(days=days),
            last_day=date(1970, 1, 1) + timedelta(days=last_days - whole),
            start_time=None if whole else time(at // 60, at % 60),
            end_time=None if whole else time(last_at // 60, last_at % 60),
        )
    Holiday.objects.bulk_create([Holiday(day=day, name="Closed") for day in work.holidays], ignore_conflicts=True)


def sensible(work: WorkingTime) -> bool:
    """What the database takes: no plain rules or override hours that overlap."""
    from bedside.schedule.checking import first_overlap, hours_overlap

    plain = [rule for rule in work.rules if rule.every_weeks == 1 and rule.limit == Limit()]
    return first_overlap(plain, date(2010, 1, 1)) is None and not any(map(hours_overlap, work.overrides.values()))


@pytest.fixture
def practice(db: None) -> tuple[Provider, Service, Service]:
    provider = make_provider(weekdays=())
    fields = {"minimum_notice_minutes": 0, "horizon_days": 30}
    service = make_service(provider, duration_minutes=30, prep_minutes=5, wrap_minutes=10, step_minutes=15, **fields)
    return provider, service, make_service(provider)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_offered_from_the_rows_is_what_the_slow_model_offers(
    practice: tuple[Provider, Service, Service], clock: TestClock, data: st.DataObject
) -> None:
    provider, service, other = practice
    day = data.draw(st.sampled_from(DAYS))
    zone = data.draw(st.sampled_from(ZONES))
    work = data.draw(working_times(day, zone, [service.pk, other.pk]).filter(sensible))
    patient_zone = ZoneInfo(data.draw(st.sampled_from(ZONES)))
    base = utc(day.year, day.month, day.day) - DAY
    notice = data.draw(st.sampled_from([0, 45, 24 * 60]))
    bookings = data.draw(st.lists(st.integers(0, 3 * 24 * 4), max_size=8, unique=True))
    with transaction.atomic():
        clock.set(to_instant(base))
        service.minimum_notice_minutes = notice
        provider.timezone = zone
        provider.save()
        store(provider, work)
        rebuild.rebuild_windows(provider)
        taken = book(service, provider, [base + 15 * n for n in bookings])
        offered_and_expected(provider, service, day, patient_zone, taken, base + notice)
        assert rebuild.verify_windows() == []
        transaction.set_rollback(True)


def book(service: Service, provider: Provider, starts: list[int]) -> set[int]:
    """Visits at those of ``starts`` that don't clash; the minutes that are taken."""
    taken: set[int] = set()
    for start in sorted(starts):
        block = set(range(start - service.prep_minutes, start + service.duration_minutes + service.wrap_minutes))
        if not block & taken:
            make_appointment(service, provider=provider, start=to_instant(start))
            taken |= block
    return taken


def offered_and_expected(
    provider: Provider, service: Service, day: date, patient_zone: ZoneInfo, taken: set[int], earliest: int
) -> None:
    today = rebuild.today_of(provider)
    work = working_time(provider, today - timedelta(days=14))
    working = worked_minutes(work, today - timedelta(days=2), day + timedelta(days=3), service.pk, None)
    begins = to_minute(datetime.combine(day, time(0), tzinfo=patient_zone).astimezone(UTC))
    ends = to_minute(datetime.combine(day + timedelta(days=1), time(0), tzinfo=patient_zone).astimezone(UTC))
    expected = offered_starts(
        working,
        taken,
        length=service.duration_minutes,
        prep=service.prep_minutes,
        wrap=service.wrap_minutes,
        step=service.step_minutes,
        earliest=max(earliest, begins),
        latest=ends,
    )
    found = openings(service=service, first=day, last=day, timezone=str(patient_zone))
    assert [to_minute(opening.start) for opening in found] == expected
    for opening in found[::7]:
        assert is_offered(service, provider, opening.start)
    assert not Appointment.objects.filter(start__in=[opening.start for opening in found]).exists()


def test_the_helpers_make_what_they_say(practice: tuple[Any, ...]) -> None:
    provider, service, _ = practice
    assert book(service, provider, [utc(2026, 12, 5), utc(2026, 12, 5, 0, 15)]) == set(
        range(utc(2026, 12, 4, 23, 55), utc(2026, 12, 5, 0, 40))
    )
