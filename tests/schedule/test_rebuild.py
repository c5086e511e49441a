"""Windows as rows: built from everything that says when somebody works, followed by the clock, and checked."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import IntegrityError, transaction

from bedside.clinic.models import License, Provider
from bedside.core.models import Alert, Event
from bedside.flows import commands
from bedside.schedule import jobs, rebuild
from bedside.schedule.models import (
    AvailabilityState,
    DayOverride,
    Holiday,
    OpenWindow,
    OverrideHours,
    TimeOff,
    WeeklyRule,
)
from bedside.schedule.openings import is_offered, openings
from tests.conftest import TestClock
from tests.factories import make_provider, make_service

pytestmark = pytest.mark.django_db
TUESDAY = date(2026, 12, 1)


def provider_with(*rules: dict[str, object], timezone: str = "America/New_York") -> Provider:
    provider = make_provider(weekdays=(), timezone=timezone)
    for fields in rules:
        WeeklyRule.objects.create(provider=provider, **fields)
    return provider


def rule(weekday: int, start: int, end: int, **fields: object) -> dict[str, object]:
    return {"weekday": weekday, "start_time": time(start), "end_time": time(end), **fields}


def windows(provider: Provider, first: date, last: date) -> list[str]:
    """The windows that begin on these days, as the wall says: "Tue 09:00-12:00"."""
    rebuild.rebuild_windows(provider)
    rows = OpenWindow.objects.filter(provider=provider).order_by("start")
    found = [(row.start.astimezone(provider.zone), row.end.astimezone(provider.zone)) for row in rows]
    return [f"{a:%a %d %H:%M}-{b:%H:%M}" for a, b in found if first <= a.date() <= last]


def test_several_windows_a_day_and_one_past_midnight() -> None:
    provider = provider_with(rule(2, 9, 12), rule(2, 13, 17), rule(2, 22, 2))
    assert windows(provider, TUESDAY, TUESDAY + timedelta(days=6)) == [
        "Wed 02 09:00-12:00",
        "Wed 02 13:00-17:00",
        "Wed 02 22:00-02:00",
    ]


def test_every_other_week_counts_from_the_anchor() -> None:
    provider = provider_with(rule(3, 9, 12, every_weeks=2, anchor=date(2026, 12, 8)))
    assert windows(provider, TUESDAY, TUESDAY + timedelta(days=30)) == ["Thu 10 09:00-12:00", "Thu 24 09:00-12:00"]


def test_an_override_replaces_a_day_and_without_hours_takes_it_away() -> None:
    provider = provider_with(rule(2, 9, 17), rule(3, 9, 17))
    DayOverride.objects.create(provider=provider, day=date(2026, 12, 2))
    evening = DayOverride.objects.create(provider=provider, day=date(2026, 12, 3))
    OverrideHours.objects.create(override=evening, start_time=time(18), end_time=time(20))
    assert windows(provider, TUESDAY, TUESDAY + timedelta(days=5)) == ["Thu 03 18:00-20:00"]


def test_time_off_takes_days_or_hours_even_from_an_override() -> None:
    provider = provider_with(rule(2, 9, 17), rule(3, 9, 17))
    extra = DayOverride.objects.create(provider=provider, day=date(2026, 12, 4))
    OverrideHours.objects.create(override=extra, start_time=time(9), end_time=time(17))
    TimeOff.objects.create(
        provider=provider,
        kind="blackout",
        first_day=date(2026, 12, 2),
        last_day=date(2026, 12, 2),
        start_time=time(11),
        end_time=time(13, 30),
        reason="School play",
    )
    TimeOff.objects.create(provider=provider, kind="vacation", first_day=date(2026, 12, 3), last_day=date(2026, 12, 4))
    assert windows(provider, TUESDAY, TUESDAY + timedelta(days=5)) == ["Wed 02 09:00-11:00", "Wed 02 13:30-17:00"]


def test_a_holiday_closes_everybody_whom_no_override_calls_in() -> None:
    one, other = provider_with(rule(4, 9, 17)), provider_with(rule(4, 9, 17), timezone="Australia/Sydney")
    Holiday.objects.create(day=date(2026, 12, 25), name="Christmas Day")
    called_in = DayOverride.objects.create(provider=other, day=date(2026, 12, 25))
    OverrideHours.objects.create(override=called_in, start_time=time(10), end_time=time(12))
    assert windows(one, date(2026, 12, 20), date(2026, 12, 31)) == []
    assert windows(other, date(2026, 12, 20), date(2026, 12, 31)) == ["Fri 25 10:00-12:00"]


def test_hours_for_one_service_are_offered_for_that_one_only() -> None:
    provider = provider_with(rule(2, 9, 12))
    therapy = make_service(provider, duration_minutes=60, step_minutes=60, prep_minutes=0, wrap_minutes=0)
    checkup = make_service(provider, duration_minutes=60, step_minutes=60, prep_minutes=0, wrap_minutes=0)
    WeeklyRule.objects.create(provider=provider, **rule(2, 12, 14, services=[therapy.pk]))
    rebuild.rebuild_windows(provider)
    day = date(2026, 12, 2)

    def hours(service: object) -> list[int]:
        found = openings(service=service, first=day, last=day, timezone="America/New_York")
        return [opening.start.astimezone(provider.zone).hour for opening in found]

    assert hours(therapy) == [9, 10, 11, 12, 13]
    assert hours(checkup) == [9, 10, 11]
    noon = datetime(2026, 12, 2, 17, tzinfo=UTC)
    assert is_offered(therapy, provider, noon)
    assert not is_offered(checkup, provider, noon)


def test_hours_for_patients_in_a_place_are_offered_to_those_who_are_there() -> None:
    provider = provider_with(rule(2, 9, 10, locations=["US-NY"]), rule(2, 12, 13, locations=["US"]))
    License.objects.create(provider=provider, place="US")
    service = make_service(provider, duration_minutes=60, step_minutes=60)
    rebuild.rebuild_windows(provider)
    day = date(2026, 12, 2)

    def hours(location: str | None) -> list[int]:
        found = openings(service=service, first=day, last=day, timezone="America/New_York", location=location)
        return [opening.start.astimezone(provider.zone).hour for opening in found]

    assert hours("US-NY") == [9, 12]
    assert hours("US-NJ") == [12]
    assert hours("CA-ON") == []
    assert hours(None) == []


def test_work_without_end_is_one_window_and_rebuilding_leaves_it_alone(clock: TestClock) -> None:
    provider = provider_with(*(rule(day, 0, 0) for day in range(7)))
    service = make_service(provider)
    rebuild.rebuild_windows(provider)
    assert OpenWindow.objects.filter(provider=provider).count() == 1
    assert rebuild.rebuild_windows(provider) is False
    clock.forward(timedelta(days=40))
    rebuild.rebuild_windows(provider)
    assert OpenWindow.objects.filter(provider=provider, end__gt=clock.now()).count() == 1
    day = clock.now().date() + timedelta(days=3)
    assert len(openings(service=service, first=day, last=day, timezone="America/New_York")) == 96
    assert rebuild.verify_windows() == []


def test_a_weekend_on_call_is_found_whole_while_it_runs(clock: TestClock) -> None:
    provider = provider_with(rule(4, 18, 0), rule(5, 0, 0), rule(6, 0, 0), rule(0, 0, 8))
    rebuild.rebuild_windows(provider)
    clock.set(datetime(2026, 12, 7, 12, tzinfo=UTC))  # Monday, 7:00 in New York
    rebuild.rebuild_windows(provider)
    running = OpenWindow.objects.get(provider=provider, start__lt=clock.now(), end__gt=clock.now())
    assert running.start.astimezone(provider.zone).isoformat() == "2026-12-04T18:00:00-05:00"
    assert running.end - running.start == timedelta(hours=62)


def test_a_rebuild_writes_only_what_differs() -> None:
    provider = provider_with(rule(2, 9, 12), rule(3, 9, 12))
    rebuild.rebuild_windows(provider)
    before = set(OpenWindow.objects.filter(provider=provider).values_list("pk", flat=True))
    DayOverride.objects.create(provider=provider, day=date(2026, 12, 2))
    rebuild.rebuild_windows(provider)
    after = set(OpenWindow.objects.filter(provider=provider).values_list("pk", flat=True))
    assert len(before - after) == 1
    assert after <= before


def test_check_says_whose_windows_differ_and_by_how_much() -> None:
    provider = provider_with(rule(2, 9, 12))
    rebuild.rebuild_windows(provider)
    assert commands.check() == []
    OpenWindow.objects.filter(provider=provider).order_by("start").first().delete()  # type: ignore[union-attr]
    (problem,) = commands.check()
    assert provider.slug in problem
    assert "180 minutes missing, 0 minutes too many" in problem


def test_who_fails_keeps_the_last_good_windows_and_raises_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    good, broken = provider_with(rule(2, 9, 12)), provider_with(rule(2, 9, 12))
    rebuild.rebuild_windows(broken)
    served = OpenWindow.objects.filter(provider=broken).count()
    Provider.objects.filter(pk=broken.pk).update(timezone="Mars/Olympus")
    jobs.rebuild_all.plain()
    assert OpenWindow.objects.filter(provider=good).exists()
    assert OpenWindow.objects.filter(provider=broken).count() == served
    assert Alert.objects.get(resolved_at=None).ids == {"provider_id": broken.pk}
    Provider.objects.filter(pk=broken.pk).update(timezone="Europe/London")
    jobs.rebuild.plain(provider_id=broken.pk)
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_a_clock_moved_past_the_horizon_is_followed(clock: TestClock) -> None:
    provider = provider_with(rule(2, 9, 12))
    service = make_service(provider)
    rebuild.rebuild_windows(provider)
    clock.forward(timedelta(weeks=40))
    today = clock.now().date()
    asked = {"service": service, "first": today, "last": today + timedelta(days=14), "timezone": "America/New_York"}
    assert openings(**asked) == []
    assert [p.pk for p in jobs.behind()] == [provider.pk]
    jobs.catch_up()
    assert openings(**asked) != []
    assert not jobs.behind().exists()


def test_a_provider_who_moves_keeps_the_wall_clock_hours() -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    provider = provider_with(rule(2, 9, 12))
    rebuild.rebuild_windows(provider)
    provider.timezone = "Europe/London"
    provider.save()
    asked = ProcrastinateJob.objects.filter(task_name="schedule.rebuild", args={"provider_id": provider.pk})
    assert asked.count() == 1
    assert [p.pk for p in jobs.behind()] == [provider.pk]
    assert windows(provider, TUESDAY, TUESDAY + timedelta(days=5)) == ["Wed 02 09:00-12:00"]


def test_a_service_that_is_booked_a_year_ahead_has_windows_a_year_ahead() -> None:
    provider = provider_with(rule(2, 9, 12))
    rebuild.rebuild_windows(provider)
    assert not jobs.behind().exists()
    make_service(provider, horizon_days=365)
    assert [p.pk for p in jobs.behind()] == [provider.pk]
    jobs.keep_up.plain()
    assert AvailabilityState.objects.get(provider=provider).built_through >= date(2027, 12, 1)
    assert not jobs.behind().exists()


def test_a_change_is_published_and_nothing_new_is_not() -> None:
    provider = provider_with(rule(2, 9, 12))
    rebuild.rebuild_windows(provider)
    rebuild.rebuild_windows(provider)
    assert Event.objects.filter(name="AvailabilityUpdated").count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        rule(2, 11, 14),  # overlaps
        rule(1, 22, 10),  # runs past midnight only, but Wednesday's hours begin at 9
        rule(9, 9, 10),
        rule(3, 9, 10, valid_from=date(2027, 1, 1), valid_until=date(2026, 1, 1)),
        rule(3, 9, 10, every_weeks=2),
        rule(3, 9, 10, every_weeks=0),
    ],
)
def test_the_database_refuses_rules_that_make_no_sense(fields: dict[str, object]) -> None:
    provider = provider_with(rule(2, 9, 12))
    with pytest.raises(IntegrityError), transaction.atomic():
        WeeklyRule.objects.create(provider=provider, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "nap", "first_day": TUESDAY, "last_day": TUESDAY},
        {"kind": "away", "first_day": TUESDAY, "last_day": TUESDAY - timedelta(days=1)},
        {"kind": "blackout", "first_day": TUESDAY, "last_day": TUESDAY, "start_time": time(9)},
        {"kind": "blackout", "first_day": TUESDAY, "last_day": TUESDAY, "start_time": time(9), "end_time": time(9)},
    ],
)
def test_the_database_refuses_time_off_that_makes_no_sense(fields: dict[str, object]) -> None:
    provider = provider_with()
    with pytest.raises(IntegrityError), transaction.atomic():
        TimeOff.objects.create(provider=provider, **fields)
