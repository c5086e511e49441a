"""How fast the appointments page is over a million appointments, whatever is filtered, sorted and paged.

    .venv/bin/python -m bench.desk [--rows 1000000]

Server time through Django's test client (every middleware, no network): rows, summary bar and chart. Beside it the
summary alone and its floor, the same sums by bare SQL over appointments, payments and ledger. What it costs a booking:
an insert of an appointment with its payment, with the triggers and without them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.harness import Figure, measure, throwaway_bedside

MOST_QUERIES, P50, P95 = 12, 150.0, 400.0
PROVIDERS, SERVICES, DAYS = 100, 10, 3 * 365
FIRST = datetime(2024, 1, 1, 14, tzinfo=UTC)
YEAR = "from=2025-01-01&to=2025-12-31"
PAGES = {
    "everything": "",
    "a year by visit": YEAR,
    "a year by payment": f"date=payment&{YEAR}",
    "a month by payment": "date=payment&from=2025-03-01&to=2025-03-31",
    "one service": "service=s3",
    "one provider": "provider=p7",
    "one provider, a year by payment": f"provider=p7&date=payment&{YEAR}",
    "refunded": "payment_status=refunded",
    "no-shows": "status=no_show",
    "a status that none has": "status=draft",
    "two that exclude each other": "status=completed&payment_status=failed",
    "all at once": f"provider=p7&service=s7&status=completed&payment_status=succeeded&{YEAR}",
    "a patient of 2,000 visits": "q=Robin+Sample",
    "a code": "q=B0012345",
    "oldest first": "sort=start",
    "newest booking first": "sort=-created",
    "most paid first": "sort=-paid",
    "least paid first, one status": "sort=paid&status=no_show",
    "a hundred rows": "rows=100",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with throwaway_bedside():
        began = time.perf_counter()
        build(options.rows)
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"{options.rows} appointments made in {time.perf_counter() - began:.0f} s; load average {load}")
        slow = pages() + deep(options.rows) + summaries()
        of_a_booking()
    for line in slow:
        print(f"MISSED  {line}")
    sys.exit(1 if slow else 0)


def run(sql: str, *parameters: Any) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return cursor.fetchall() if cursor.description else []


def build(count: int) -> None:
    """Rows like a template's: no trigger fires, the derived tables are built afterwards as an upgrade builds them."""
    from bedside.reports.standing_sql import REBUILD
    from tests.factories import make_appointment, make_provider, make_service

    providers = [make_provider(slug=f"p{n}", weekdays=[]) for n in range(PROVIDERS)]
    services = [make_service(*providers, slug=f"s{n}", name=f"Service {n}") for n in range(SERVICES)]
    template = make_appointment(services[0], provider=providers[0], start=FIRST - timedelta(days=1))
    moved = f"interval '1 day' * ((n::bigint * 7919) %% {DAYS}) + interval '15 minutes' * (n %% 40)"
    run("SET session_replication_role = replica")
    run("SET maintenance_work_mem = '256MB'")
    run("ALTER TABLE appointments_appointment DROP CONSTRAINT appointment_no_double_booking")
    run("DROP INDEX appointment_blocked")
    _insert("appointments_appointment", "appointments_appointment a, generate_series(1, %s) n", {
        "id": "a.id + n",
        "code": "'B' || lpad(n::text, 7, '0')",
        "token_index": "decode(md5('t' || n), 'hex')",
        "service_id": f"{services[0].pk} + n %% {SERVICES}",
        "provider_id": f"{providers[0].pk} + (n / 7) %% {PROVIDERS}",
        "start": f"a.start + {moved}",
        "end": f'a."end" + {moved}',
        "blocked": f"tstzrange(lower(a.blocked) + {moved}, upper(a.blocked) + {moved})",
        "status": "CASE WHEN n %% 100 < 80 THEN 'completed' WHEN n %% 100 < 88 THEN 'canceled' WHEN n %% 100 < 92 "
        "THEN 'no_show' WHEN n %% 100 < 94 THEN 'expired' ELSE 'paid' END",
        "canceled_at": "a.start",
        "created_at": f"a.start + interval '1 day' * ((n::bigint * 7919) %% {DAYS} - n %% 30)",
        "price_minor": "5000 + 500 * (n %% 9)",
        "patient_name_index": "CASE WHEN n %% 500 = 0 THEN a.patient_name_index "
        "ELSE decode(md5('n' || n %% 200000), 'hex') END",
        "patient_email_index": "decode(md5('e' || n %% 200000), 'hex')",
        "patient_mobile_index": "decode(md5('m' || n %% 200000), 'hex')",
    }, [count], f"a.id = {template.pk}")  # fmt: skip
    _insert("payments_payment", "appointments_appointment a", {
        "id": "a.id", "appointment_id": "a.id", "amount_minor": "a.price_minor", "currency": "'USD'",
        "processor": "'sandbox'", "created_at": "a.created_at",
        "status": "CASE WHEN a.status = 'expired' THEN 'failed' WHEN a.id %% 100 < 6 THEN 'refunded' "
        "ELSE 'succeeded' END",
        "captured_minor": "CASE WHEN a.status = 'expired' THEN 0 ELSE a.price_minor END",
        "refunded_minor": "CASE WHEN a.status <> 'expired' AND a.id %% 100 < 6 THEN a.price_minor ELSE 0 END",
        "succeeded_at": "CASE WHEN a.status = 'expired' THEN NULL ELSE a.created_at END",
        "discount_amount": "0", "tax_amount": "0", "credited_minor": "0", "credit_minor": "0", "method": "''",
        "reference": "a.patient_name", "session_id": "''", "session_url": "''", "intent_id": "'pi_' || a.id",
        "failure_code": "''",
    }, [], f"a.id > {template.pk}")  # fmt: skip
    for kind, sign, where, later in (
        ("charge", 1, "p.captured_minor > 0", 0),
        ("refund", -1, "p.refunded_minor > 0", 5),
    ):
        joined = "payments_payment p JOIN appointments_appointment a ON a.id = p.appointment_id"
        _insert("payments_ledgerentry", joined, {
            "kind": f"'{kind}'", "amount_minor": f"{sign} * p.captured_minor", "currency": "'USD'",
            "processor": "'sandbox'", "processor_object": f"'{kind}_' || p.id", "appointment_id": "a.id",
            "payment_id": "p.id", "service_id": "a.service_id", "provider_id": "a.provider_id",
            "occurred_at": "p.succeeded_at", "practice_day": f"(p.succeeded_at + interval '{later} days')::date",
            "tax_minor": "0",
        }, [], where)  # fmt: skip
    run(REBUILD)
    run("SET session_replication_role = DEFAULT")
    for table in ("appointments_appointment", "payments_payment", "payments_ledgerentry"):
        run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    for table in ("appointments_appointment", "payments_payment", "payments_ledgerentry", "reports_standing",
                  "reports_takings"):  # fmt: skip
        run(f"VACUUM ANALYZE {table}")


def _insert(table: str, source: str, values: dict[str, str], parameters: list[Any], where: str) -> None:
    """``insert … select`` of these expressions; other columns of appointments are the template's."""
    from django.db import connection

    with connection.cursor() as cursor:
        columns = [one.name for one in connection.introspection.get_table_description(cursor, table)]
    if table == "appointments_appointment":
        values = {column: values.get(column, f'a."{column}"') for column in columns}
    names = ", ".join(f'"{name}"' for name in values)
    # Without parameters psycopg reads no placeholders, and a per cent sign is one.
    sql = f"INSERT INTO {table} ({names}) SELECT {', '.join(values.values())} FROM {source} WHERE {where}"
    run(sql if parameters else sql.replace("%%", "%"), *parameters)


def desk() -> Any:
    from django.test import Client

    from bedside.accounts.models import User
    from tests.factories import make_user

    client = Client()
    client.force_login(User.objects.first() or make_user("admin"))
    return client


def queries_of(client: Any, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        response = client.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return len(seen)


def missed(figure: Figure) -> list[str]:
    return [str(figure)] if figure.p50 > P50 or figure.p95 > P95 else []


def pages() -> list[str]:
    client, found = desk(), []
    for name, query in PAGES.items():
        path = f"/desk/appointments?{query}"
        asked = queries_of(client, path)
        found += missed(measure(f"page: {name}, {asked} queries", lambda path=path: client.get(path), 15))  # type: ignore[misc]
        found += [f"{name}: {asked} queries"] if asked > MOST_QUERIES else []
    return found


def deep(count: int) -> list[str]:
    """A page in the middle of everything, by each order, beside the first."""
    from bedside.reports import pages as reports
    from bedside.reports.models import Standing

    client, found = desk(), []
    for sort in reports.SORTS:
        column = reports.COLUMNS[sort.removeprefix("-")]
        value, pk = Standing.objects.order_by(column, "pk").values_list(column, "pk")[count // 2]
        path = f"/desk/appointments?sort={sort}"
        first = measure(f"first page, {sort}", lambda path=path: client.get(path), 15)  # type: ignore[misc]
        path += f"&cursor={reports.Cursor(sort, value, pk)}"
        far = measure(f"page {count // 50}, {sort}", lambda path=path: client.get(path), 15)  # type: ignore[misc]
        found += missed(far)
        if far.cpu > first.cpu * 1.5 or far.p50 > first.p50 * 2:
            found.append(f"{far.name} costs more than the first: {far.p50:.0f} and {first.p50:.0f} ms")
    return found


SUMS = ("sum(l.amount_minor) FILTER (WHERE l.kind = 'charge'), sum(l.amount_minor) FILTER (WHERE l.kind <> 'charge'), "
        "count(*) FILTER (WHERE l.kind = 'charge')")  # fmt: skip
LINES = "FROM payments_ledgerentry l WHERE l.kind IN ('charge', 'refund', 'refund_failed')"
JOINED = (
    "FROM payments_ledgerentry l JOIN appointments_appointment a ON a.id = l.appointment_id "
    "WHERE l.kind IN ('charge', 'refund', 'refund_failed')"
)
A_YEAR = "BETWEEN '2025-01-01' AND '2025-12-31'"
FLOORS = {
    "everything": f"SELECT l.practice_day, {SUMS} {LINES} GROUP BY 1",
    "a year by payment": f"SELECT l.practice_day, {SUMS} {LINES} AND l.practice_day {A_YEAR} GROUP BY 1",
    "a year by visit": f"SELECT a.start::date, {SUMS} {JOINED} AND a.start {A_YEAR} GROUP BY 1",
    "no-shows": f"SELECT a.start::date, {SUMS} {JOINED} AND a.status = 'no_show' GROUP BY 1",
    "one provider": f"SELECT a.start::date, {SUMS} {JOINED} AND a.provider_id = (SELECT id FROM clinic_provider "
    "WHERE slug = 'p7') GROUP BY 1",
    "one provider, a year by payment": f"SELECT l.practice_day, {SUMS} {JOINED} AND l.practice_day {A_YEAR} "
    "AND a.provider_id = (SELECT id FROM clinic_provider WHERE slug = 'p7') GROUP BY 1",
}


def summaries() -> list[str]:
    """The summary alone beside the same sums by bare SQL."""
    from django.http import QueryDict

    from bedside.clinic.models import Practice
    from bedside.reports import sales
    from bedside.web.desk.filters import ListForm

    found, practice = [], Practice.current()
    for name, sql in FLOORS.items():
        form = ListForm(QueryDict(PAGES[name]))
        assert form.is_valid()
        filters = form.filters
        floor = measure(f"floor: {name}", lambda sql=sql: run(sql), 9, 2)  # type: ignore[misc]
        told = measure(f"summary: {name}", lambda filters=filters: sales.summary(filters, practice), 15)  # type: ignore[misc]
        gross = sum(row[1] or 0 for row in floor.result)
        assert told.result.gross.minor_units == gross or "visit" in name, (name, told.result.gross, gross)
        print(f"  {told.p50 / floor.p50:.2f} of its floor")
        if told.p50 > 3 * floor.p50:
            found.append(f"{told.name}: {told.p50:.0f} ms, its floor {floor.p50:.0f} ms")
    return found


def of_a_booking() -> None:
    """An appointment and its payment, each in a transaction of its own, with the triggers and without."""
    from bedside.clinic.models import Service
    from bedside.payments.models import Payment
    from tests.factories import make_appointment

    service = Service.objects.get(slug="s0")

    def book() -> None:
        from django.db import transaction

        with transaction.atomic():
            made = make_appointment(service, source="api", status="draft")
            Payment.objects.create(appointment=made, amount_minor=8500, currency="USD", processor="sandbox")

    measure("booking: two inserts, with the triggers", book, 200)
    for table in ("appointments_appointment", "payments_payment"):
        run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    measure("booking: two inserts, without any trigger", book, 200)


if __name__ == "__main__":
    main()
