"""How many bookings a second reach ``pending_payment`` over the API: one web process, the worker beside it.

    .venv/bin/python -m bench.bookings [--bookings 1500] [--clients 8]

PostgreSQL writes durably here (fsync on), as in production. The floor, in the same run: as many bare inserts in a table
with the same constraint, each its own committed transaction, by as many connections. The clients are threads of this
process, so their work is paid for on the same cores.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bench.harness import served, throwaway_bedside

PROVIDERS = 40
FLOOR_TABLE = """
    CREATE TABLE bench_floor (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, provider_id bigint, start timestamptz, blocked tstzrange,
        EXCLUDE USING gist (provider_id WITH =, blocked WITH &&)
    )
"""
FLOOR_INSERT = "INSERT INTO bench_floor (provider_id, start, blocked) VALUES (%s, %s, %s)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=1500)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    with throwaway_bedside(durable=True):
        service, starts = build(options.bookings)
        floor(service, starts, options.clients)
        with served() as port:
            book(port, service.slug, starts[:100], options.clients)  # warm
            report("POST /api/v1/bookings", *book(port, service.slug, starts[100:], options.clients))
        audit()


def build(wanted: int) -> tuple[Any, list[tuple[str, datetime]]]:
    """A service with many providers, and enough free times: each booking gets one of its own."""
    from datetime import timedelta

    from django.db import connection

    from bedside.core import clock
    from bedside.schedule.openings import openings
    from tests.factories import make_provider, make_service

    providers = [make_provider() for _ in range(PROVIDERS)]
    service = make_service(*providers, slug="bench", step_minutes=45)
    today = clock.now().date()
    starts: list[tuple[str, datetime]] = []
    for provider in providers:
        found = openings(
            service=service, first=today, last=today + timedelta(days=50), timezone="UTC", provider=provider
        )
        starts += [(provider.slug, opening.start) for opening in found]
    starts.sort(key=lambda one: (one[1], one[0]))
    assert len(starts) >= wanted + 100, f"only {len(starts)} free times"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return service, starts[: wanted + 100]


def in_threads(clients: int, work: Callable[[int], None]) -> float:
    """Seconds that all of them took together."""
    threads = [threading.Thread(target=work, args=[n]) for n in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def book(
    port: int, service: str, starts: list[tuple[str, datetime]], clients: int
) -> tuple[float, list[float], Counter[int]]:
    """Book each start once; seconds together, seconds of each, and how often each status came back."""
    taken: list[float] = []
    statuses: Counter[int] = Counter()

    def work(n: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for number, (provider, start) in enumerate(starts[n::clients]):
            body = {
                "service": service,
                "provider": provider,
                "start": start.isoformat(),
                "timezone": "America/New_York",
                "patient": {
                    "name": "Robin Sample",
                    "email": f"robin.{n}.{number}.{len(starts)}@example.com",
                    "mobile": "+12025550143",
                },
                "sms_consent": True,
            }
            began = time.perf_counter()
            connection.request("POST", "/api/v1/bookings", json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            taken.append(time.perf_counter() - began)
            statuses[answer.status] += 1
        connection.close()

    return in_threads(clients, work), taken, statuses


def floor(service: Any, starts: list[tuple[str, datetime]], clients: int) -> None:
    """One committed insert a booking, under an exclusion constraint of the same kind."""
    import os

    import psycopg
    from django.db import connection

    from bedside.appointments.models import Appointment
    from bedside.clinic.models import Provider

    dsn = os.environ["DATABASE_URL"]
    with connection.cursor() as cursor:
        cursor.execute(FLOOR_TABLE)
    ids = dict(Provider.objects.values_list("slug", "pk"))
    rows = [(ids[slug], start, Appointment.block(service, start)) for slug, start in starts]

    def work(n: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as own:
            for row in rows[n::clients]:
                own.execute(FLOOR_INSERT, row)

    taken = in_threads(clients, work)
    print(f"{'floor: bare committed inserts':<40} {len(rows) / taken:8.0f} a second")


def report(name: str, seconds: float, taken: list[float], statuses: Counter[int]) -> None:
    cuts = statistics.quantiles(taken, n=20, method="inclusive")
    print(
        f"{name:<40} {len(taken) / seconds:8.0f} a second   "
        f"p50 {statistics.median(taken) * 1000:6.1f} ms   p95 {cuts[18] * 1000:6.1f} ms   {dict(statuses)}"
    )


def audit() -> None:
    """Every booking that was accepted is there, once."""
    from bedside.appointments.models import Appointment

    held = Appointment.objects.filter(status="pending_payment").count()
    print(f"{held} appointments wait for payment; the database has seen no slot sold twice (it can't).")


if __name__ == "__main__":
    main()
