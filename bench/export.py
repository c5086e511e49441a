"""How fast, and in how much memory, a hundred thousand appointments leave as CSV.

    .venv/bin/python -m bench.export [rows]

One web process answers a browser's request; its first byte, its last and its peak of memory are measured from outside.
The floor in the same run: PostgreSQL's own ``COPY … TO STDOUT`` of the same rows and columns, sealed as they are.
Beside it what a row costs where: reading, opening the seals, writing.

Targets: first byte within 1 s, all within 20 s, under 150 MB in the web process.
"""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.harness import served, throwaway_bedside

ROWS = 100_000


def main(rows: int) -> None:
    with throwaway_bedside():
        print(f"{rows} appointments, each with a payment; load {Path('/proc/loadavg').read_text().split()[0]}")
        fill(rows)
        floor()
        by_parts(rows)
        with served(worker=False) as port:
            cookie = signed_in()
            download(port, cookie, "warm-up of the process", "what=services")
            before = memory(port)
            for name, query in (
                ("CSV", "what=appointments"),
                ("CSV, redacted", "what=appointments&redacted=on"),
                ("CSV, two filters", "what=appointments&status=completed&payment_status=succeeded"),
            ):
                download(port, cookie, name, query, lines=rows)
            download(port, cookie, "CSV over gzip", "what=appointments", packed=True)
            after = memory(port, peak=True)
            for pid, held in before.items():
                print(f"web process {pid}: {held:.0f} MB before, {after.get(pid, 0.0):.0f} MB at its peak")
        print("targets: first byte within 1 s, done within 20 s, web process below 150 MB")


def fill(rows: int) -> None:
    """One visit as a patient books it, then so many like it, an hour apart; the seals are as long as real ones."""
    from django.db import connection

    from bedside.appointments.models import Appointment
    from bedside.core import ids
    from bedside.payments.models import Payment
    from tests.factories import make_appointment

    first = make_appointment(status="completed", cancellation_reason="", code=ids.new_code())
    paid = Payment.objects.create(
        appointment=first,
        status="succeeded",
        amount_minor=8500,
        currency="USD",
        captured_minor=8500,
        processor="sandbox",
    )
    hours = "make_interval(hours => n)"
    changed = {
        "token_index": "decode(md5(n::text), 'hex')",
        "code": "'B' || lpad(n::text, 7, '0')",
        "start": f'"start" - {hours}',
        "end": f'"end" - {hours}',
        "blocked": f"tstzrange(lower(blocked) - {hours}, upper(blocked) - {hours})",
    }
    with connection.cursor() as cursor:
        cursor.execute(_like(Appointment, first.pk, changed), [rows - 1])
        columns = [field.column for field in Payment._meta.concrete_fields if field.name not in {"id", "appointment"}]
        into, values = ", ".join(columns), ", ".join(f"p.{column}" for column in columns)
        cursor.execute(
            f"INSERT INTO payments_payment (appointment_id, {into}) SELECT a.id, {values}"
            " FROM appointments_appointment a, payments_payment p WHERE p.id = %s AND a.id <> p.appointment_id",
            [paid.pk],
        )
        cursor.execute("ANALYZE")


def _like(model: Any, pk: int, changed: dict[str, str]) -> str:
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    listed = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(changed.get(column, f'"{column}"') for column in columns)
    table = model._meta.db_table
    return f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table}, generate_series(1, %s) n WHERE id = {int(pk)}"


@contextmanager
def timed(name: str) -> Iterator[dict[str, float]]:
    """Print how long it took, and what the block noted."""
    noted: dict[str, float] = {}
    began, worked = time.perf_counter(), time.process_time()
    yield noted
    took, work = time.perf_counter() - began, time.process_time() - worked
    more = "".join(f"   {key} {value:.2f}" for key, value in noted.items())
    print(f"{name:<52} {took:7.2f} s   cpu {work:6.2f} s{more}")


def _query() -> tuple[Any, Any, Any]:
    from bedside.clinic.models import Practice
    from bedside.reports.export.tables import TABLES
    from bedside.reports.listing import Filters

    table, practice = TABLES["appointments"], Practice.current()
    return table, practice, table.rows(Filters(), practice).values_list(*table.sources)


def floor() -> None:
    from django.db import connection

    _table, _practice, found = _query()
    sql, params = found.query.sql_with_params()
    for name, source, values in (
        ("floor: COPY of the same rows and columns", f"({sql})", params),
        ("floor: COPY of the bare table", "appointments_appointment", ()),
    ):
        sql = f"COPY {source} TO STDOUT (FORMAT csv)"
        with timed(name) as noted, connection.cursor() as cursor, cursor.cursor.copy(sql, values) as copy:
            noted["MB"] = sum(len(data) for data in copy) / 1e6


def by_parts(rows: int) -> None:
    """What a row costs: the rows with their seals opened, then the whole file, in this process."""
    from django.db import transaction

    from bedside.core import crypto
    from bedside.reports.export import writing

    table, practice, found = _query()
    sealed = crypto.encrypt("Robin Sample", "appointments.appointment.patient_name")
    with timed("a hundred thousand seals opened"):
        for _n in range(100_000):
            crypto.decrypt(sealed, "appointments.appointment.patient_name")
    with timed("rows read, seals opened (one process)"), transaction.atomic():
        for _row in found.iterator(writing.ROWS_AT_ONCE):
            pass
    with timed("the whole file (one process)"):
        pieces = writing.pieces(
            table, table.rows(_filters(), practice), practice, redacted=False, bom=False, count=lambda n: None
        )
        size = sum(len(piece) for piece in pieces)
    print(f"{'  of ' + str(rows) + ' rows':<52} {size / 1e6:7.2f} MB")


def _filters() -> Any:
    from bedside.reports.listing import Filters

    return Filters()


def signed_in() -> str:
    """The cookie of an admin's session."""
    from django.conf import settings
    from django.test import Client

    from tests.factories import make_user

    client = Client()
    client.force_login(make_user("admin"), backend=settings.AUTHENTICATION_BACKENDS[0])
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def download(port: int, cookie: str, name: str, query: str, lines: int | None = None, packed: bool = False) -> None:
    """As a browser does it; first byte of the body and first row are told apart from the end."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Cookie": cookie} | ({"Accept-Encoding": "gzip"} if packed else {})
    began = time.perf_counter()
    connection.request("GET", f"/desk/exports/download?{query}", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, (answer.status, answer.read()[:300])
    first = answer.read(1)
    first_byte = time.perf_counter() - began
    size, count, first_row = 1, first.count(b"\n"), 0.0
    while data := answer.read(65536):
        size += len(data)
        count += data.count(b"\n")
        first_row = first_row or (time.perf_counter() - began if count > 1 else 0.0)
    done = time.perf_counter() - began
    connection.close()
    assert lines is None or packed or count == lines + 1, f"{count} lines instead of {lines + 1}"
    said = f"first byte {first_byte:5.2f} s   first rows {first_row:5.2f} s   done {done:6.2f} s   {size / 1e6:6.1f} MB"
    print(f"{name:<28} {said}")


def memory(port: int, *, peak: bool = False) -> dict[int, float]:
    """MB of each process that serves the port, by pid: what it holds now, or the most that it has held."""
    wanted = f"serve\0--port\0{port}\0".encode()
    mains = [int(p.parent.name) for p in Path("/proc").glob("[0-9]*/cmdline") if p.read_bytes().endswith(wanted)]
    held = {}
    for pid in (*mains, *(child for main in mains for child in _children(main))):
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
        held[pid] = int(lines["VmHWM" if peak else "VmRSS"].split()[0]) / 1024
    return held


def _children(pid: int) -> list[int]:
    found = [int(one) for task in Path(f"/proc/{pid}/task").glob("*/children") for one in task.read_text().split()]
    return [*found, *(below for one in found for below in _children(one))]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
