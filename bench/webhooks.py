"""How fast a processor's webhook is answered, and whether any is lost at 200 a second.

    .venv/bin/python -m bench.webhooks [--seconds 20] [--rate 200]

One web process, PostgreSQL durable (fsync on); the worker comes to what is waiting afterwards. Every event is signed
and speaks of a real payment; one in ten comes twice. Times count from the moment when an event was due to be sent, so
a server that falls behind can't hide it. The floor, in the same run: one bare committed insert for each event, by as
many connections. The senders are threads of this process, on the same cores. "In process" is the door alone, without a
network: its cpu is the work that answering takes, whatever else the machine does.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.bookings import in_threads
from bench.harness import measure, served, throwaway_bedside

SENDERS, PAYMENTS = 8, 200
FLOOR_TABLE = "CREATE TABLE bench_floor (id bigint GENERATED ALWAYS AS IDENTITY, event_id text UNIQUE, kind text)"
FLOOR_INSERT = "INSERT INTO bench_floor (event_id, kind) VALUES (%s, %s) ON CONFLICT DO NOTHING"


@dataclass
class Answers:
    """What came back: milliseconds of each, and how often each status."""

    name: str
    taken: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    def __str__(self) -> str:
        cuts = statistics.quantiles(self.taken, n=100, method="inclusive")
        rate, middle = len(self.taken) / self.seconds, statistics.median(self.taken)
        return (
            f"{self.name:<44} {rate:6.0f} a second   p50 {middle:6.1f} ms"
            f"   p95 {cuts[94]:6.1f} ms   p99 {cuts[98]:6.1f} ms   {dict(self.statuses)}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=200)
    options = parser.parse_args()
    with throwaway_bedside(durable=True):
        sessions = build()
        floor(options.rate)
        in_process(sessions)
        count = int(options.seconds * options.rate)
        with served(worker=False) as port:
            send(port, events(sessions, 200, "warm"), "warm", senders=2)
            print(send(port, events(sessions, 500, "one"), "one after the other", senders=1))
            before = cpu_of_others()
            print(send(port, events(sessions, 1000, "most"), f"as many as go, {SENDERS} senders"))
            each = (cpu_of_others() - before) / 1100 * 1000
            print(f"  of it cpu: {each:.1f} ms a webhook, in the web process and PostgreSQL together")
            paced = events(sessions, count, "paced")
            print(send(port, paced, f"{options.rate} a second, for {options.seconds:.0f} s", rate=options.rate))
        with served():
            drained(200 + 500 + 1000 + count)


def build() -> list[str]:
    """Paid visits with their sessions at the stand-in; the sessions' ids."""
    from bedside.core import clock
    from bedside.payments.models import Payment
    from bedside.sandbox.models import Checkout
    from tests.factories import make_appointment, make_service

    service, now = make_service(), clock.now().replace(minute=0, second=0, microsecond=0)
    for n in range(PAYMENTS):
        visit = make_appointment(service, start=now + timedelta(days=1, hours=n))
        session, intent = f"cs_test_bench{n}", f"pi_bench{n}"
        Payment.objects.create(
            appointment=visit, status="succeeded", amount_minor=8500, captured_minor=8500, currency="USD",
            processor="sandbox", session_id=session, intent_id=intent, created_at=now,
        )  # fmt: skip
        Checkout.objects.create(
            session_id=session, intent_id=intent, client_reference=visit.code, amount_minor=8500, currency="usd",
            description="", success_url="", cancel_url="", status="complete", payment_status="paid",
            expires_at=now + timedelta(hours=1), created_at=now, paid_at=now,
        )  # fmt: skip
    return list(Checkout.objects.values_list("session_id", flat=True))


def events(sessions: list[str], count: int, label: str) -> list[tuple[bytes, dict[str, str]]]:
    """Signed bodies; every tenth is the one before it again."""
    from django.conf import settings

    from bedside.core import clock
    from bedside.sandbox import signing, stripe_shapes

    secret, made = settings.ENV.secret("stripe_webhook_secret"), []
    for n in range(count):
        subject = {"id": sessions[n % len(sessions)], "object": "checkout.session", "padding": "x" * 2000}
        event = stripe_shapes.event(f"evt_{label}_{n}", "checkout.session.completed", subject, clock.now())
        body = json.dumps(event).encode()
        made.append((body, signing.stripe(body, secret, int(clock.now().timestamp()))))
        if n % 10 == 9:
            made.append(made[-1])
    return made


def send(
    port: int, made: list[tuple[bytes, dict[str, str]]], name: str, *, senders: int = SENDERS, rate: int = 0
) -> Answers:
    """Post them all; with a ``rate`` at their times, and timed from then."""
    answers, lock = Answers(name), threading.Lock()
    began = time.perf_counter() + 0.1

    def work(n: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        mine: list[tuple[float, int]] = []
        for number in range(n, len(made), senders):
            body, headers = made[number]
            due = began + number / rate if rate else time.perf_counter()
            if (wait := due - time.perf_counter()) > 0:
                time.sleep(wait)
            connection.request("POST", "/hooks/stripe", body, headers | {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            mine.append(((time.perf_counter() - due) * 1000, answer.status))
        connection.close()
        with lock:
            answers.taken += [taken for taken, _ in mine]
            answers.statuses.update(status for _, status in mine)

    answers.seconds = in_threads(senders, work)
    return answers


def in_process(sessions: list[str]) -> None:
    """The door itself and one event's handling, one after the other."""
    from django.test import RequestFactory

    from bedside.flows import processor_events
    from bedside.payments.models import ProcessorEvent
    from bedside.web.hooks.stripe import stripe

    made, factory = iter(events(sessions, 300, "door")), RequestFactory()

    def knock() -> int:
        body, headers = next(made)
        request = factory.generic("POST", "/hooks/stripe", body, content_type="application/json", headers=headers)
        return stripe(request).status_code

    figure = measure("in process: stored, job deferred, answered", knock, times=250)
    assert figure.result == 200
    waiting = iter(ProcessorEvent.objects.filter(processed_at=None).values_list("pk", flat=True))
    measure("in process: an event handled", lambda: processor_events.handle(next(waiting)), times=150)
    for left in waiting:
        processor_events.handle(left)


def cpu_of_others() -> float:
    """Seconds of cpu that this process's children have used, and theirs: the web process, PostgreSQL."""
    stats: dict[int, tuple[int, float]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        stats[int(path.parent.name)] = (int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    ours, total = {os.getpid()}, 0.0
    while found := {pid for pid, (parent, _) in stats.items() if parent in ours} - ours:
        ours |= found
        total += sum(stats[pid][1] for pid in found)
    return total


def floor(rate: int) -> None:
    import psycopg
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(FLOOR_TABLE)
    answers, lock = Answers("floor: bare committed inserts"), threading.Lock()

    def work(n: int) -> None:
        mine = []
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
            for number in range(rate):
                began = time.perf_counter()
                own.execute(FLOOR_INSERT, (f"evt_{n}_{number}", "checkout.session.completed"))
                mine.append((time.perf_counter() - began) * 1000)
        with lock:
            answers.taken += mine

    answers.seconds = in_threads(SENDERS, work)
    print(answers)


def drained(sent: int) -> None:
    """Every event that was sent is there once, and the worker comes to the end of them."""
    from bedside.payments.models import LedgerEntry, ProcessorEvent

    began, before = time.perf_counter(), ProcessorEvent.objects.filter(processed_at=None).count()
    while ProcessorEvent.objects.filter(processed_at=None).exists() and time.perf_counter() - began < 300:
        time.sleep(0.5)
    took = time.perf_counter() - began
    kept: Any = ProcessorEvent.objects.filter(processor="sandbox").exclude(event_id__startswith="evt_door_")
    print(
        f"sent {sent} events, {sent // 10} of them twice; kept {kept.count()}, handled "
        f"{kept.exclude(processed_at=None).count()}; {before} were waiting at the end, handled in {took:.1f} s; "
        f"{LedgerEntry.objects.count()} ledger lines written"
    )
    assert kept.count() == sent, "events were lost"


if __name__ == "__main__":
    main()
