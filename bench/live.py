"""Whether two hundred live viewers keep up with fifty changes a second, at one web process.

    .venv/bin/python -m bench.live [--viewers 200] [--rate 50] [--seconds 20]

Every viewer holds a stream of its own, as a browser does, and follows the desk. A change is a domain event published in
a transaction; its delay counts from the moment before the transaction commits to each viewer's reading it, so that a
server that falls behind can't hide it. Every change has to reach every viewer. The floor, in the same run: bare NOTIFYs
at the same rate, fanned out by one listener to as many queues in this process, without a web server or a network.

Then the viewers also fetch their part of a page when they are told, as live.js does (250 ms after the first word of a
change, about once a second, one fetch at a time, over gzip): the desk's first page, then the list of appointments
with its sums and chart. A change is shown at the end of the first fetch that began after it. ``--pages``: how many
fetch.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from bench.harness import served, throwaway_bedside
from bench.webhooks import cpu_of_others

SETTLE_SECONDS, GAP_SECONDS = 0.25, 1.0
SPREAD = (0.8, 1.1)
LIMIT_SECONDS = 2.0
NUMBER = re.compile(rb"^id: (\d+)$", re.MULTILINE)


@dataclass
class Delays:
    """Milliseconds from each change to each viewer; ``missing`` are those that never came."""

    name: str
    taken: list[float] = field(default_factory=list)
    missing: int = 0

    def __str__(self) -> str:
        if not self.taken:
            return f"{self.name:<52} nothing came; {self.missing} missing"
        cuts = statistics.quantiles(self.taken, n=100, method="inclusive")
        return (
            f"{self.name:<52} p50 {statistics.median(self.taken):7.1f} ms   p95 {cuts[94]:7.1f} ms"
            f"   p99 {cuts[98]:7.1f} ms   worst {max(self.taken):7.1f} ms"
            f"   {len(self.taken)} came, {self.missing} missing"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--pages", type=int, default=200)
    options = parser.parse_args()
    count = int(options.rate * options.seconds)
    with throwaway_bedside(durable=True):
        print(asyncio.run(floor(options.viewers, options.rate, count)))
        appointment = build()
        with served(worker=False) as port:
            before = cpu_of_others()
            delays = asyncio.run(follow(port, options.viewers, options.rate, count, appointment))
            print(delays)
            print(
                f"  of it cpu: {(cpu_of_others() - before) / count * 1000:.1f} ms a change, web and PostgreSQL together"
            )
            kept = delays.taken and max(delays.taken) <= LIMIT_SECONDS * 1000 and not delays.missing
            print(f"  every viewer up to date within {LIMIT_SECONDS:.0f} s: {'yes' if kept else 'NO'}")
            for path in ("/desk/", "/desk/appointments") if options.pages else ():
                before, own = cpu_of_others(), time.process_time()
                looked = asyncio.run(look(port, path, options.pages, options.rate, count, appointment))
                spent = (cpu_of_others() - before) / (count / options.rate)
                own = (time.process_time() - own) / (count / options.rate)
                print(f"{looked}\n  of it cpu: {spent:.2f} cores web and PostgreSQL; {own:.2f} the viewers themselves")


def build() -> Any:
    """A day of visits, so that the page has something to say; one of them is what changes."""
    from datetime import timedelta

    from bedside.core import clock
    from tests.factories import make_appointment, make_service, make_user

    make_user("admin", email="desk@bench.example.com", password="correct horse battery")
    now = clock.now()
    visits = [make_appointment(make_service(), start=now + timedelta(minutes=10 * n)) for n in range(20)]
    return visits[0]


def change(appointment: Any) -> tuple[int, float]:
    """One change, committed; the event's id and when its commit began."""
    from django.db import transaction

    from bedside.appointments.events import PatientAnswered
    from bedside.core.events import publish

    with transaction.atomic():
        event = publish(
            PatientAnswered(
                appointment_id=appointment.pk,
                provider_id=appointment.provider_id,
                service_id=appointment.service_id,
            )
        )
        began = time.perf_counter()
    return event.pk, began


def changes(rate: float, count: int, appointment: Any, begun: dict[int, float]) -> None:
    """So many at their times, whatever each takes."""
    from django.db import connection

    start = time.perf_counter()
    for n in range(count):
        if (wait := start + n / rate - time.perf_counter()) > 0:
            time.sleep(wait)
        number, at = change(appointment)
        begun[number] = at
    connection.close()


class Viewer:
    """One open stream, read as it comes: when each event was there."""

    def __init__(self) -> None:
        self.seen: dict[int, float] = {}
        self.heard = asyncio.Event()

    async def open(self, port: int, ticket: str) -> asyncio.Task[None]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /live/stream?ticket={ticket} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        await reader.readuntil(b"event: hello")
        return asyncio.create_task(self._read(reader, writer))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = b""
        try:
            while piece := await reader.read(65536):
                now, text = time.perf_counter(), left + piece
                whole, _, left = text.rpartition(b"\n")
                for number in NUMBER.findall(whole):
                    self.seen[int(number)] = now
                    self.heard.set()
        finally:
            writer.close()


async def follow(port: int, viewers: int, rate: float, count: int, appointment: Any) -> Delays:
    from bedside.web.live.tickets import ticket

    people = [Viewer() for _ in range(viewers)]
    reading = [await one.open(port, ticket("desk")) for one in people]
    begun: dict[int, float] = {}
    source = threading.Thread(target=changes, args=(rate, count, appointment, begun))
    source.start()
    await asyncio.to_thread(source.join)
    until = time.perf_counter() + 5
    while time.perf_counter() < until and any(len(one.seen) < count for one in people):
        await asyncio.sleep(0.05)
    for task in reading:
        task.cancel()
    delays = Delays(f"{viewers} viewers, {rate:.0f} changes a second")
    for one in people:
        arrived = [(one.seen[number] - at) * 1000 for number, at in begun.items() if number in one.seen]
        delays.taken += arrived
        delays.missing += count - len(arrived)
    return delays


async def look(port: int, path: str, viewers: int, rate: float, count: int, appointment: Any) -> Delays:
    """Viewers who fetch the page when they are told; a change is shown when a fetch that began after it is done."""
    from bedside.web.live.tickets import ticket

    cookies = await asyncio.to_thread(sign_in, port, viewers)
    people = [Viewer() for _ in range(viewers)]
    reading = [await one.open(port, ticket("desk")) for one in people]
    begun: dict[int, float] = {}
    shown: list[list[tuple[float, float]]] = [[] for _ in people]
    sizes: list[int] = []

    async def browse(n: int) -> None:
        one, told = people[n], 0.0
        tab = await Tab.open(port, path, cookies[n])
        while True:
            await one.heard.wait()
            gap = GAP_SECONDS * random.uniform(*SPREAD)
            await asyncio.sleep(max(SETTLE_SECONDS, told + gap - time.perf_counter()))
            asked = told = time.perf_counter()
            one.heard.clear()
            sizes.append(await tab.fetch())
            shown[n].append((asked, time.perf_counter()))

    browsing = [asyncio.create_task(browse(n)) for n in range(viewers)]
    source = threading.Thread(target=changes, args=(rate, count, appointment, begun))
    source.start()
    await asyncio.to_thread(source.join)
    await asyncio.sleep(5)
    for task in [*reading, *browsing]:
        task.cancel()
    for outcome in await asyncio.gather(*reading, *browsing, return_exceptions=True):
        if outcome is not None and not isinstance(outcome, asyncio.CancelledError):
            print(f"  {outcome!r}")
    fetched = f"{len(sizes)} fetches of {statistics.median(sizes or [0]) / 1000:.1f} kB"
    delays = Delays(f"{viewers} who fetch {path} when told ({fetched})")
    for looks in shown:
        for at in begun.values():
            done = next((ended for asked, ended in looks if asked >= at), None)
            if done is None:
                delays.missing += 1
            else:
                delays.taken.append((done - at) * 1000)
    return delays


@dataclass
class Tab:
    """One browser's connection for its fetches, kept open; as light as can be, since it shares the two cores."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request: bytes

    @classmethod
    async def open(cls, port: int, path: str, cookie: str) -> Tab:
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            f"Cookie: {cookie}",
            "HX-Request: true",
            "X-Live: 1",
            "Accept-Encoding: gzip",
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return cls(reader, writer, ("\r\n".join(lines) + "\r\n\r\n").encode())

    async def fetch(self) -> int:
        """The length of the answer's body."""
        self.writer.write(self.request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head[:200]
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await self.reader.readexactly(length)
        return length


def sign_in(port: int, viewers: int) -> list[str]:
    """Sessions of the desk's, one for each viewer, made in the database: cookie headers."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from bedside.accounts.models import User

    user = User.objects.get(email="desk@bench.example.com")
    cookies = []
    for _ in range(viewers):
        client = Client()
        client.force_login(user)
        cookies.append(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")
    connection.close()
    return cookies


async def floor(viewers: int, rate: float, count: int) -> Delays:
    """Bare NOTIFYs at the same rate through one LISTEN connection to as many queues."""
    import psycopg

    begun: dict[int, float] = {}
    delays = Delays(f"floor: LISTEN/NOTIFY to {viewers} queues, {rate:.0f} a second")
    queues: list[asyncio.Queue[int]] = [asyncio.Queue() for _ in range(viewers)]

    def notify() -> None:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
            start = time.perf_counter()
            for n in range(count):
                if (wait := start + n / rate - time.perf_counter()) > 0:
                    time.sleep(wait)
                begun[n] = time.perf_counter()
                own.execute("SELECT pg_notify('bench_floor', %s)", (json.dumps({"id": n, "topics": ["desk"]}),))

    async def read(queue: asyncio.Queue[int]) -> None:
        for _ in range(count):
            number = await queue.get()
            delays.taken.append((time.perf_counter() - begun[number]) * 1000)

    connection = await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True)
    async with connection:
        await connection.execute("LISTEN bench_floor")
        readers = [asyncio.create_task(read(queue)) for queue in queues]
        source = threading.Thread(target=notify)
        source.start()
        heard = 0
        async for notice in connection.notifies(timeout=count / rate + 10):
            number = int(json.loads(notice.payload)["id"])
            for queue in queues:
                queue.put_nowait(number)
            heard += 1
            if heard == count:
                break
        await asyncio.wait(readers, timeout=5)
        await asyncio.to_thread(source.join)
    delays.missing = count * viewers - len(delays.taken)
    return delays


if __name__ == "__main__":
    main()
