"""How fast a full queue leaves, in what order, and whether anything is lost or doubled when its senders are killed.

    .venv/bin/python -m bench.messages [--count 10000] [--kills 10]

A worker as it runs in production, PostgreSQL durable (fsync on), and a stand-in vendor in a process of its own that
takes 50 ms for each call: texts through Twilio's own library over HTTP, with the list of messages that Twilio can be
asked for. All of it, the stand-in too, shares this machine's cores. First a run that is left alone, then one whose
whole worker is killed (SIGKILL, all its processes) as often as asked, spread over the run. The floor, in the same run:
the same calls to the same stand-in by bare threads, and one bare committed update for each message, without Bedside.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.request import urlopen

from bedside.runtime.processes import die_with_parent
from bench.harness import throwaway_bedside, work_done

FLOOR_THREADS = 32
ACCOUNT = "AC" + "0" * 32
GIVE_UP_SECONDS = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    with throwaway_bedside(durable=True), stand_in() as vendor:
        live(vendor)
        numbers = build(options.count)
        enqueue_cost()
        floor(vendor, options.count)
        took = drain(vendor, queue_up(numbers, "24h"), numbers, kills=0)
        killed = drain(vendor, queue_up(numbers, "1h"), numbers, kills=options.kills)
        print(f"asked for: {options.count} in under 60 s; took {took:.1f} s, with {options.kills} kills {killed:.1f} s")


# --- The vendor ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vendor:
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def taken(self) -> list[str]:
        """The numbers of all messages taken so far, in order; forgotten then."""
        with urlopen(f"{self.url}/taken") as answer:  # our own
            return list(json.load(answer))

    def count(self) -> int:
        with urlopen(f"{self.url}/count") as answer:  # our own
            return int(json.load(answer))


@contextmanager
def stand_in() -> Iterator[Vendor]:
    """See bench/text_gateway.py."""
    command = [sys.executable, "-m", "bench.text_gateway"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent(signal.SIGKILL))
    assert process.stdout is not None
    try:
        yield Vendor(int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)


def live(vendor: Vendor) -> None:
    """This process and its children believe in real vendors, the text gateway's at the stand-in's address."""
    from django.conf import settings

    os.environ |= {
        "BEDSIDE_STRIPE_API_KEY": "sk_test_bench",
        "BEDSIDE_TWILIO_ACCOUNT_SID": ACCOUNT,
        "BEDSIDE_TWILIO_AUTH_TOKEN": "bench",
        "BEDSIDE_TWILIO_FROM": "+12025550199",
        "BEDSIDE_TWILIO_API_BASE": vendor.url,
        "NO_PROXY": "127.0.0.1",
    }
    settings.SANDBOX = False


# --- The queue -------------------------------------------------------------------------------------------------------


def build(count: int) -> dict[str, int]:
    """So many paid visits of as many patients, a day and more ahead; visit ids by number."""
    from bedside.appointments.models import Appointment
    from bedside.core import clock, ids
    from tests.factories import make_provider, make_service

    providers = [make_provider(weekdays=()) for _ in range(50)]
    service = make_service(*providers)
    first = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=30)
    made: list[Appointment] = []
    for n in range(count):
        start = first + timedelta(hours=n // len(providers))
        made.append(
            Appointment(
                token=ids.new_token(),
                code=f"B{n:05d}",
                service=service,
                provider=providers[n % len(providers)],
                start=start,
                end=start + service.duration,
                blocked=Appointment.block(service, start),
                status="paid",
                patient_name=f"Robin Sample {n}",
                patient_email=f"robin{n}@example.com",
                patient_mobile=f"+1202{5550000 + n}",
                patient_timezone="America/New_York",
                price_minor=8500,
                currency="USD",
                free_cancellation_hours=24,
                sms_consent=True,
                sms_consent_text="I agree.",
                sms_consent_at=clock.now(),
                sms_consent_source="web",
                sms_consent_version="1",
                paid_at=clock.now(),
            )
        )
    Appointment.objects.bulk_create(made, batch_size=1000)
    return {f"+1202{5550000 + n}": visit.pk for n, visit in enumerate(made)}


def enqueue_cost() -> None:
    """What a message adds to the transaction of a booking: twelve, as a booking's (confirmations and reminders)."""
    from django.db import transaction

    from bedside.appointments.models import Appointment
    from bedside.flows import announce

    taken, worked = [], []
    for visit in Appointment.objects.select_related("provider", "service").order_by("-pk")[:60]:
        with transaction.atomic():
            began, work_began = time.perf_counter(), work_done()
            announce.confirmed(visit)
            taken.append((time.perf_counter() - began) * 1000 / 12)
            worked.append((work_done() - work_began) * 1000 / 12)
            assert visit.notifications.count() == 12
            transaction.set_rollback(True)
    cuts = statistics.quantiles(taken[5:], n=20, method="inclusive")
    print(
        f"a message queued within the booking's transaction: p50 {statistics.median(taken[5:]):.2f} ms   "
        f"p95 {cuts[18]:.2f} ms   work {statistics.mean(worked[5:]):.2f} ms (asked for: 2 ms)"
    )


def queue_up(numbers: dict[str, int], variant: str) -> dict[str, int]:
    """A reminder for each visit, due over the last ten minutes in an order of its own; places in it by number."""
    from bedside.core import clock
    from bedside.notifications.models import Notification

    shuffled = random.Random(7).sample(sorted(numbers), len(numbers))
    began = clock.now() - timedelta(minutes=10)
    step = timedelta(minutes=9) / len(shuffled)
    place = {number: n for n, number in enumerate(shuffled)}
    rows = [
        Notification(
            appointment_id=visit,
            kind="reminder",
            variant=variant,
            audience="patient",
            channel="sms",
            idempotency_key=f"{visit}:reminder{variant}:patient:sms:1",
            due_at=began + step * place[number],
        )
        for number, visit in numbers.items()
    ]
    Notification.objects.bulk_create(rows, batch_size=1000)
    return place


# --- The floor -------------------------------------------------------------------------------------------------------


def floor(vendor: Vendor, count: int) -> None:
    import http.client

    import psycopg

    from bench.bookings import in_threads

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
        own.execute("CREATE TABLE bench_floor (id int PRIMARY KEY, status text)")
        own.execute("INSERT INTO bench_floor SELECT n, 'queued' FROM generate_series(0, %s) n", (count - 1,))
    body = "To=%2B12025550143&From=%2B12025550199&Body=" + "x" * 150
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    def work(n: int) -> None:
        gateway = http.client.HTTPConnection("127.0.0.1", vendor.port, timeout=60)
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
            for number in range(n, count, FLOOR_THREADS):
                gateway.request("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", body, headers)
                gateway.getresponse().read()
                own.execute("UPDATE bench_floor SET status = 'sent' WHERE id = %s", (number,))
        gateway.close()

    took = in_threads(FLOOR_THREADS, work)
    assert len(vendor.taken()) == count
    print(f"floor: {count} bare calls and committed updates by {FLOOR_THREADS} threads: {took:.1f} s")


# --- The run ---------------------------------------------------------------------------------------------------------


class Worker:
    """``bedside worker`` as a supervisor keeps it: killed whole, and started again at once."""

    def __init__(self) -> None:
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "bedside.config.settings"}
        command = [sys.executable, "-m", "bedside", "worker", "--alone", "--grace", "5"]
        return subprocess.Popen(
            command,
            env=environment,
            stderr=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = self._start()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def drain(vendor: Vendor, place: dict[str, int], numbers: dict[str, int], *, kills: int) -> float:
    """Start a worker on the full queue; seconds from its start until every message is recorded as sent."""
    from bedside.notifications.models import Notification

    waiting = Notification.objects.filter(status="queued")
    count = waiting.count()
    began = time.perf_counter()
    worker = Worker()
    # Spread over the first two thirds: what the last one leaves behind is to be seen to.
    at = [count * (n + 1) * 2 // (3 * (kills + 1)) for n in range(kills)]
    try:
        while (left := waiting.count()) and time.perf_counter() - began < GIVE_UP_SECONDS:
            if at and vendor.count() >= at[0]:
                at.pop(0)
                worker.kill()
            time.sleep(0.05 if at else 0.2)
    finally:
        took = time.perf_counter() - began
        worker.stop()
    report(vendor.taken(), place, took, count, left, kills)
    return took


def report(
    taken: list[tuple[float, str, str]], place: dict[str, int], took: float, count: int, left: int, kills: int
) -> None:
    times = Counter(taken)
    lost, doubled = count - len(times), sum(1 for n in times.values() if n > 1)
    # How many places ahead of an earlier one a message came to the vendor.
    highest, early = -1, []
    for to in taken:
        early.append(max(0, highest - place[to]))
        highest = max(highest, place[to])
    late = sorted(early)
    print(
        f"{count} messages, {kills} kills: {took:.1f} s ({count / took:.0f} a second); lost {lost}, doubled {doubled}, "
        f"left {left}; out of order by p50 {late[len(late) // 2]}, p99 {late[len(late) * 99 // 100]}, "
        f"most {late[-1]} places",
        flush=True,
    )
    assert (lost, doubled, left) == (0, 0, 0)


if __name__ == "__main__":
    main()
