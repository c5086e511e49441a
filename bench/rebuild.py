"""How fast open windows are built: one provider's 180 days, and everybody's at night.

    .venv/bin/python -m bench.rebuild

Providers in ten zones, each with two sets of hours a day, alternating weeks, hours for one service, time off, single
days and the practice's holidays. Beside each figure the floor of the same run: the same rows read, and the same windows
written, by bare SQL. The nightly run is done twice, on empty windows and where one day has to be added to each.
"""

from __future__ import annotations

import random
import resource
import time as machine
from datetime import date, time, timedelta
from typing import Any

from bench.harness import measure, measure_work, resident_mb, throwaway_bedside, work_done

PROVIDERS = 1000
ZONES = [
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/St_Johns",
    "Europe/London",
    "Asia/Kathmandu",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "America/Santiago",
]

READ = [
    "SELECT weekday, start_time, end_time FROM schedule_weeklyrule WHERE provider_id = %s",
    "SELECT day, start_time, end_time FROM schedule_dayoverride o"
    " LEFT JOIN schedule_overridehours h ON h.override_id = o.id WHERE provider_id = %s",
    "SELECT first_day, last_day FROM schedule_timeoff WHERE provider_id = %s",
    'SELECT id, start, "end" FROM schedule_openwindow WHERE provider_id = %s',
]


def main() -> None:
    with throwaway_bedside(durable=True):
        service, providers = build()
        one(service, providers[0])
        everybody(providers)


def build() -> tuple[Any, list[Any]]:
    from django.db import connection

    from bedside.core import clock
    from bedside.schedule.models import DayOverride, Holiday, OverrideHours, TimeOff, WeeklyRule
    from tests.factories import make_practice, make_provider, make_service

    rng = random.Random(3)
    make_practice()
    today = clock.now().date()
    providers = [make_provider(timezone=ZONES[n % len(ZONES)], weekdays=()) for n in range(PROVIDERS)]
    service = make_service(*providers)
    rules, away, overrides = [], [], []
    for provider in providers:
        for day in range(5):
            rules += [
                WeeklyRule(provider=provider, weekday=day, start_time=time(9), end_time=time(12, 30)),
                WeeklyRule(provider=provider, weekday=day, start_time=time(13, 30), end_time=time(18)),
            ]
        common = {"provider": provider, "start_time": time(10), "end_time": time(14)}
        rules.append(WeeklyRule(weekday=5, every_weeks=2, anchor=today, **common))
        rules.append(WeeklyRule(weekday=6, services=[service.pk], **common))
        for _ in range(4):
            first = today + timedelta(days=rng.randrange(180))
            away.append(
                TimeOff(provider=provider, kind="vacation", first_day=first, last_day=first + timedelta(days=3))
            )
        days = rng.sample(range(180), 6)
        overrides += [DayOverride(provider=provider, day=today + timedelta(days=n)) for n in days]
    WeeklyRule.objects.bulk_create(rules, batch_size=2000)
    TimeOff.objects.bulk_create(away, batch_size=2000)
    made = DayOverride.objects.bulk_create(overrides, batch_size=2000)
    hours = [OverrideHours(override=row, start_time=time(11), end_time=time(15)) for row in made[::2]]
    OverrideHours.objects.bulk_create(hours, batch_size=2000)
    Holiday.objects.bulk_create(Holiday(day=today + timedelta(days=n * 17), name="Closed") for n in range(1, 11))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return service, providers


def one(service: Any, provider: Any) -> None:
    """From nothing, with one day changed, and with nothing to write."""
    from django.db import connection, transaction

    from bedside.schedule.models import DayOverride, OpenWindow
    from bedside.schedule.rebuild import computed_windows, rebuild_windows, today_of

    print("\nOne provider, 180 days and two weeks")
    rebuild_windows(provider)
    rows = list(OpenWindow.objects.filter(provider=provider).values_list("start", "end"))
    insert = (
        'INSERT INTO schedule_openwindow (provider_id, start, "end", services, locations) '
        "SELECT %s, s, e, '{}', '{}' FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS t (s, e)"
    )

    def bare() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for query in READ:
                cursor.execute(query, [provider.pk])
                cursor.fetchall()
            cursor.execute("DELETE FROM schedule_openwindow WHERE provider_id = %s", [provider.pk])
            cursor.execute(insert, [provider.pk, [start for start, _ in rows], [end for _, end in rows]])

    def from_nothing() -> None:
        OpenWindow.objects.filter(provider=provider).delete()
        rebuild_windows(provider)

    day = today_of(provider) + timedelta(days=40)

    def with_one_day_changed() -> None:
        found = DayOverride.objects.filter(provider=provider, day=day)
        if found.exists():
            found.delete()
        else:
            DayOverride.objects.create(provider=provider, day=day)
        rebuild_windows(provider)

    measure("floor: rows read and windows written by bare SQL", bare, times=30)
    rebuild_windows(provider)
    measure("rebuild_windows, from nothing", from_nothing, times=30)
    measure("rebuild_windows, one day edited", with_one_day_changed, times=30)
    measure("rebuild_windows, nothing changed", lambda: rebuild_windows(provider), times=30)
    measure_work("floor", bare)
    measure_work("rebuild_windows, from nothing", from_nothing)
    rebuild_windows(provider)
    measure_work("rebuild_windows, nothing changed", lambda: rebuild_windows(provider))
    today = today_of(provider)
    for days in (45, 90, 180, 360):
        last = today + timedelta(days=days)
        measure(f"computed_windows, {days} days", lambda last=last: computed_windows(provider, today, last), times=15)
    print(f"  {len(rows)} windows")


def everybody(providers: list[Any]) -> None:
    """The nightly job, as the worker runs it."""
    from django.db import connection

    from bedside.core import clock
    from bedside.schedule import jobs
    from bedside.schedule.models import OpenWindow

    print(f"\nNightly rebuild of {len(providers)} providers")
    began = machine.perf_counter()
    with connection.cursor() as cursor:
        for provider in providers:
            for query in READ:
                cursor.execute(query, [provider.pk])
                cursor.fetchall()
    print(f"floor: the rows of each read by bare SQL          {machine.perf_counter() - began:6.1f} s")
    for what, offset in (("first night, nothing built", 0), ("next night, one day more", 1), ("and once more", 2)):
        night(what, jobs, clock.now().date() + timedelta(days=offset))
    print(f"  {OpenWindow.objects.count()} windows; most memory this process ever held: {peak_mb():.0f} MB")


def night(what: str, jobs: Any, day: date) -> None:
    """One run, as if it were ``day``."""
    from datetime import UTC, datetime

    from bedside.core import clock

    frozen = clock._frozen.set(datetime.combine(day, time(12), tzinfo=UTC))
    began, work_began = machine.perf_counter(), work_done()
    jobs.rebuild_all.plain()
    taken, worked = machine.perf_counter() - began, work_done() - work_began
    clock._frozen.reset(frozen)
    print(f"rebuild_all, {what:<36} {taken:6.1f} s   work {worked:6.1f} s   {resident_mb():4.0f} MB")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
