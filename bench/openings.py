"""How fast openings are: one provider and any of a hundred, each with 200 bookings in 30 days.

    .venv/bin/python -m bench.openings

Prints, from one run on one machine: the floor (the same rows read with bare SQL and thrown away), schedule.openings,
and the API through Django's test client, middleware and JSON included. Then the first opening of each of a thousand
providers, the growth with providers and with days as a slope, and the memory that a hundred more searches leave behind.
"""

from __future__ import annotations

import math
import random
import statistics
from datetime import date, timedelta
from typing import Any

from bench.harness import measure, measure_work, resident_mb, throwaway_bedside

PROVIDERS = 100
MANY = 1000
BOOKINGS = 200
DAYS = 30
ZONE = "America/New_York"

FLOOR = """
    SELECT provider_id, lower(blocked), upper(blocked) FROM appointments_appointment
    WHERE provider_id = ANY(%s) AND start >= %s AND start < %s AND status IN ('pending_payment', 'paid')
"""

WINDOWS_FLOOR = """
    SELECT provider_id, start, "end" FROM schedule_openwindow
    WHERE provider_id = ANY(%s) AND "end" >= %s AND start < %s
"""


def main() -> None:
    with throwaway_bedside():
        service, one_service, today = build()
        compare(f"1 provider, {BOOKINGS} bookings, {DAYS} days", one_service, today)
        compare(f"any of {PROVIDERS} providers, {BOOKINGS} bookings each, {DAYS} days", service, today)
        rest(service, one_service)
        growth(service, today)
        memory(service, today)
        many()


def build() -> tuple[Any, Any, date]:
    """A service of a hundred providers and one of a single provider, with their bookings in order of time."""
    from django.db import connection

    from bedside.appointments.models import Appointment
    from bedside.core import clock
    from bedside.schedule.rebuild import rebuild_windows
    from tests.factories import make_provider, make_service

    rng = random.Random(7)
    providers = [make_provider(timezone=ZONE) for _ in range(PROVIDERS)]
    for provider in providers:
        rebuild_windows(provider)
    service = make_service(*providers, name="Any of a hundred")
    one_service = make_service(providers[0], name="One provider")
    today = clock.now().astimezone(providers[0].zone).date()
    bookings = [booking for provider in providers for booking in bookings_of(provider, service, today, rng)]
    rng.shuffle(bookings)
    Appointment.objects.bulk_create(bookings, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return service, one_service, today


def bookings_of(
    provider: Any, service: Any, today: date, rng: random.Random, count: int = BOOKINGS, days: int = DAYS
) -> list[Any]:
    """Visits at random free quarter hours of the working day, ten a day at most."""
    from datetime import datetime, time

    from bedside.appointments.models import Appointment
    from bedside.core import clock, ids

    # Forty-five minutes with buffers, so every third quarter hour is free of the others.
    times = [(today + timedelta(days=1 + n // 10), 9 * 60 + 45 * (n % 10)) for n in range(days * 10)]
    made = []
    for day, minute in rng.sample(times, count):
        start = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=provider.zone)
        made.append(
            Appointment(
                token=ids.new_token(),
                service=service,
                provider=provider,
                start=start,
                end=start + service.duration,
                blocked=Appointment.block(service, start),
                status="paid",
                patient_name="Robin Sample",
                patient_email="robin@example.com",
                patient_mobile="+12025550143",
                patient_timezone=ZONE,
                price_minor=service.price_minor,
                currency=service.currency,
                free_cancellation_hours=24,
                sms_consent_text="I agree to texts about my appointment.",
                created_at=clock.now(),
            )
        )
    return made


def compare(title: str, service: Any, today: date) -> None:
    """The floor, the function and the API, one under the other."""
    from django.test import Client

    from bedside.schedule.openings import days_with_openings, openings

    print(f"\n{title}")
    last = today + timedelta(days=DAYS - 1)
    asked = {"service": service, "first": today, "last": last, "timezone": ZONE}
    query = {"service": service.slug, "from": today.isoformat(), "to": last.isoformat(), "timezone": ZONE}
    client = Client()
    measure("floor: the bookings by bare SQL", lambda: floor(service, today))
    found = measure("schedule.openings", lambda: openings(**asked))
    measure("schedule.days_with_openings", lambda: days_with_openings(**asked))
    measure_work("schedule.openings", lambda: openings(**asked))
    answer = measure("GET /api/v1/openings", lambda: client.get("/api/v1/openings", query))
    assert answer.result.status_code == 200, answer.result.content[:500]
    print(f"  {len(found.result)} openings, {len(answer.result.content) / 1000:.0f} kB of JSON")


def floor(service: Any, today: date) -> int:
    """What any implementation has to read, at least."""
    from django.db import connection

    ids = list(service.providers.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(FLOOR, [ids, today - timedelta(days=1), today + timedelta(days=DAYS + 1)])
        return len(cursor.fetchall())


def rest(service: Any, one_service: Any) -> None:
    """The questions that pages and bookings ask."""
    from bedside.core import clock
    from bedside.schedule.openings import is_offered, nearest_alternatives, next_opening, providers_for
    from bedside.schedule.rebuild import rebuild_windows

    print("\nOther questions")
    provider = service.providers.order_by("pk")[0]
    start = next_opening(service).start
    measure("next_opening, any of a hundred", lambda: next_opening(service))
    measure("next_opening, one provider", lambda: next_opening(one_service))
    measure("is_offered", lambda: is_offered(service, provider, start, clock.now()))
    measure("providers_for, any of a hundred", lambda: providers_for(service, start))
    measure("nearest_alternatives, any of a hundred", lambda: nearest_alternatives(service, start), times=20)
    measure("rebuild_windows, nothing changed, 194 days", lambda: rebuild_windows(provider), times=20)


def growth(service: Any, today: date) -> None:
    """Twice the providers or twice the days should take at most twice as long: the slope says how long."""
    from bedside.schedule.openings import openings

    print("\nGrowth of schedule.openings")
    everybody = list(service.providers.order_by("pk"))
    by_providers, by_days = {}, {}
    for count in (12, 25, 50, 100):
        service.providers.set(everybody[:count])
        last = today + timedelta(days=DAYS - 1)
        by_providers[count] = measure(
            f"{count} providers, {DAYS} days",
            lambda last=last: openings(service=service, first=today, last=last, timezone=ZONE),
            times=15,
        )
    for days in (7, 15, 30, 60):
        last = today + timedelta(days=days - 1)
        by_days[days] = measure(
            f"{len(everybody)} providers, {days} days",
            lambda last=last: openings(service=service, first=today, last=last, timezone=ZONE),
            times=15,
        )
    print(f"  slope: {slope(by_providers)} a provider, {slope(by_days)} a day")


def slope(figures: dict[int, Any]) -> str:
    """The straight line through the medians, in milliseconds a step, and the exponent of the growth (1: linear)."""
    steps, taken = list(figures), [figure.p50 for figure in figures.values()]
    line = statistics.linear_regression(steps, taken)
    power = statistics.linear_regression([math.log(n) for n in steps], [math.log(ms) for ms in taken])
    return f"{line.slope:.2f} ms (grows like n^{power.slope:.2f})"


def memory(service: Any, today: date) -> None:
    """What the process has grown by after a hundred more searches of everybody."""
    from bedside.schedule.openings import openings

    last = today + timedelta(days=DAYS - 1)
    search = lambda: openings(service=service, first=today, last=last, timezone=ZONE)  # noqa: E731
    search()
    before = resident_mb()
    for _ in range(100):
        search()
    print(f"\nMemory: {before:.0f} MB before a hundred searches, {resident_mb():.0f} MB after")


def many() -> None:
    """The first opening of each of a thousand providers, most of whom are booked out for some days."""
    from django.db import connection

    from bedside.schedule.openings import first_openings

    service, today = build_many()
    ids = list(service.providers.values_list("pk", flat=True))

    def bare() -> int:
        with connection.cursor() as cursor:
            cursor.execute(FLOOR, [ids, today - timedelta(days=1), today + timedelta(days=3)])
            blocked = len(cursor.fetchall())
            cursor.execute(WINDOWS_FLOOR, [ids, today, today + timedelta(days=3)])
            return blocked + len(cursor.fetchall())

    print(f"\nFirst opening of each of {MANY} providers")
    measure("floor: their first days by bare SQL", bare, times=15)
    found = measure("schedule.first_openings", lambda: first_openings(service), times=15)
    measure_work("schedule.first_openings", lambda: first_openings(service), times=15)
    print(f"  {len(found.result)} providers have one")


def build_many() -> tuple[Any, date]:
    """A thousand more providers with windows for a month and thirty bookings each in the next six days.

    One booking goes the usual way, the others are copied from it by SQL: sealing thirty thousand names takes minutes.
    """
    from django.db import connection

    from bedside.appointments.models import Appointment
    from bedside.core import clock
    from tests.factories import make_appointment, make_provider, make_service

    providers = [make_provider(timezone=ZONE, weekdays=()) for _ in range(MANY)]
    service = make_service(*providers, name="First of a thousand")
    today = clock.now().astimezone(providers[0].zone).date()
    first = make_appointment(service, provider=make_provider(timezone=ZONE, weekdays=()))
    fresh = {
        "code": "'M' || p || '-' || n",
        "token_index": "decode(md5(p || '-' || n), 'hex')",
        "provider_id": "p",
        "start": "s",
        "end": "s + interval '30 minutes'",
        "blocked": "tstzrange(s - interval '5 minutes', s + interval '40 minutes')",
    }
    columns = [field.column for field in Appointment._meta.local_fields if not field.primary_key]
    names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(fresh.get(c, f'a."{c}"') for c in columns)
    opens = "(d + time '09:00') AT TIME ZONE %(zone)s"
    facts = {"ids": [one.pk for one in providers], "today": today, "zone": ZONE, "first": first.pk}
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO schedule_openwindow (provider_id, start, "end", services, locations) '
            f"SELECT p, {opens}, {opens} + interval '8 hours', '{{}}', '{{}}' FROM unnest(%(ids)s) p, "
            "(SELECT %(today)s::date + n AS d FROM generate_series(0, 60) n) days",
            facts,
        )
        cursor.execute(
            f"INSERT INTO appointments_appointment ({names}) SELECT {values} FROM appointments_appointment a, "
            f"unnest(%(ids)s) p, (SELECT n, ({opens}) + (n %% 5) * interval '90 minutes' AS s "
            "FROM (SELECT n, %(today)s::date + 1 + n / 5 AS d FROM generate_series(0, 29) n) days) times "
            "WHERE a.id = %(first)s",
            facts,
        )
        cursor.execute("VACUUM ANALYZE")
    return service, today


if __name__ == "__main__":
    main()
