"""How fast the ledger is compared with the processor: 100,000 entries of one year, in constant memory.

    .venv/bin/python -m bench.reconcile [ENTRIES]

Two runs, each in a process of its own whose peak memory is read: against a processor whose lists cost nothing, which
leaves Bedside's own work, and against the stand-in, whose lists come in pages of a hundred. The floor of the same run:
PostgreSQL joins the same rows of both sides in one bare SQL, and counts those that differ.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.harness import throwaway_bedside

ENTRIES = 100_000
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAYS = 300
WRONG = 7  # mismatches that must be found

FLOOR = """
    SELECT count(*) FROM (
        SELECT CASE WHEN kind = 'refund_failed' THEN 'refund' ELSE kind END AS what, processor_object AS id,
               sum(amount_minor) AS minor FROM payments_ledgerentry WHERE processor = 'sandbox' GROUP BY 1, 2
    ) o FULL JOIN (
        SELECT 'charge' AS what, intent_id AS id, amount_minor AS minor FROM sandbox_checkout
        UNION ALL SELECT 'refund', refund_id, -amount_minor FROM sandbox_processorrefund
        UNION ALL SELECT 'fee', balance_id, -fee_minor FROM sandbox_balanceentry WHERE fee_minor <> 0
    ) t USING (what, id) WHERE o.minor IS DISTINCT FROM t.minor
"""


def main() -> None:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with throwaway_bedside():
        print(f"{fill(entries):,} ledger entries over {DAYS} days")
        floor()
        in_a_process("Lists that cost nothing", free=True)
        in_a_process("The stand-in processor", free=False)


def fill(entries: int) -> int:
    """Of ten payments, one is refunded; each has its fee. Both sides are written by SQL, as they would stand."""
    from django.db import connection

    from bedside.core.crypto import encrypt
    from bedside.payments.models import LedgerEntry, Payment
    from tests.factories import make_appointment, make_provider, make_service

    appointment = make_appointment(make_service(make_provider()))
    payment = Payment.objects.create(appointment=appointment, amount_minor=1, currency="USD", processor="sandbox")
    payments = entries * 10 // 21
    step = timedelta(days=DAYS) / payments
    ids = (appointment.pk, payment.pk, appointment.service_id, appointment.provider_id)
    with connection.cursor() as cursor:
        sealed = [encrypt("/", f"sandbox.checkout.{name}") for name in ("success_url", "cancel_url", "email")]
        cursor.execute(CHARGES, [*sealed, START, step, payments])
        cursor.execute(REFUNDS)
        cursor.execute(FEES)
        # All lines are one appointment's here: the list of appointments has no part in this.
        cursor.execute("ALTER TABLE payments_ledgerentry DISABLE TRIGGER reports_line_new")
        for lines in (CHARGE_LINES, REFUND_LINES, FEE_LINES):
            cursor.execute(lines, list(ids))
        cursor.execute("UPDATE sandbox_checkout SET amount_minor = amount_minor + 1 WHERE id % 600 = 1 AND id < 4200")
        cursor.execute("VACUUM ANALYZE")
    return LedgerEntry.objects.count()


CHARGES = """
    INSERT INTO sandbox_checkout (session_id, client_reference, amount_minor, currency, description, success_url,
        cancel_url, email, status, payment_status, intent_id, decline_code, last_four, expires_at, created_at, paid_at,
        metadata)
    SELECT 'cs_' || md5(n::text), 'x', 5000 + n %% 4000, 'usd', '', %s, %s, %s, 'complete', 'paid',
        'pi_' || md5(n::text), '', '4242', at, at, at, '{}'
    FROM (SELECT n, date_trunc('second', %s + n * %s) AS at FROM generate_series(1, %s) n) s
"""
REFUNDS = """
    INSERT INTO sandbox_processorrefund (refund_id, checkout_id, amount_minor, status, failure_reason, created_at,
        metadata)
    SELECT 're_' || md5(id::text), id, 1000, 'succeeded', '', paid_at + interval '1 hour', '{}'
    FROM sandbox_checkout WHERE id % 10 = 0
"""
FEES = """
    INSERT INTO sandbox_balanceentry (balance_id, category, source_id, checkout_id, amount_minor, fee_minor, currency,
        created_at)
    SELECT 'txn_' || md5(id::text), 'charge', replace(intent_id, 'pi_', 'ch_'), id, amount_minor,
        amount_minor * 29 / 1000 + 30, 'usd', paid_at FROM sandbox_checkout
"""
LINES = """
    INSERT INTO payments_ledgerentry (kind, amount_minor, currency, processor, processor_object, appointment_id,
        payment_id, service_id, provider_id, occurred_at, practice_day, tax_minor)
    SELECT '{kind}', {minor}, 'USD', 'sandbox', {id}, %s, %s, %s, %s, {at}, ({at})::date, 0 FROM {table}
"""
CHARGE_LINES = LINES.format(kind="charge", minor="amount_minor", id="intent_id", at="paid_at", table="sandbox_checkout")
REFUND_LINES = LINES.format(
    kind="refund", minor="-amount_minor", id="refund_id", at="created_at", table="sandbox_processorrefund"
)
FEE_LINES = LINES.format(kind="fee", minor="-fee_minor", id="balance_id", at="created_at", table="sandbox_balanceentry")


def floor() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(FLOOR)
        found = cursor.fetchone()[0]
    print(f"{'Floor: one bare SQL join of both sides':<42} {time.perf_counter() - began:7.2f} s   {found} differ")


class FreeLists:
    """A processor's lists without the processor: read from the stand-in's tables by a cursor on the server."""

    name, live = "sandbox", False

    def _rows(self, columns: str, table: str, time: str, since: datetime, until: datetime) -> Iterator[Any]:
        from django.db import connection
        from psycopg import connect

        where = connection.get_connection_params() | {"cursor_factory": None}
        where = {name: value for name, value in where.items() if value is not None and name != "context"}
        query = f"SELECT {columns}, {time} FROM {table} WHERE {time} >= %s AND {time} < %s"
        with connect(**where) as own, own.cursor("rows") as rows:
            rows.itersize = 5000
            yield from rows.execute(query, [since, until])

    def list_charges(self, *, since: datetime, until: datetime) -> Iterator[Any]:
        from bedside.core.money import Money
        from bedside.payments.processors.base import Charge

        for intent, minor, at in self._rows("intent_id, amount_minor", "sandbox_checkout", "paid_at", since, until):
            yield Charge(intent, intent, Money(minor), Money(0), False, at)

    def list_refunds(self, *, since: datetime, until: datetime) -> Iterator[Any]:
        from bedside.core.money import Money
        from bedside.payments.processors.base import RefundState

        table = "sandbox_processorrefund"
        for refund, minor, at in self._rows("refund_id, amount_minor", table, "created_at", since, until):
            yield RefundState(refund, "succeeded", amount=Money(minor), created_at=at)

    def list_balance_transactions(self, *, since: datetime, until: datetime) -> Iterator[Any]:
        from bedside.core.money import Money
        from bedside.payments.processors.base import BalanceTransaction

        columns, table = "balance_id, amount_minor, fee_minor", "sandbox_balanceentry"
        for balance, minor, fee, at in self._rows(columns, table, "created_at", since, until):
            yield BalanceTransaction(balance, "charge", "", Money(minor), Money(fee), at)

    def list_payouts(self, *, since: datetime, until: datetime) -> Iterator[Any]:
        return iter(())


def in_a_process(title: str, *, free: bool) -> None:
    """A child that imports what it needs and nothing of the filling: its peak is what an operator would see."""
    import subprocess

    asked = [sys.executable, "-c", f"from bench.reconcile import child; child({title!r}, free={free})"]
    subprocess.run(asked, check=True)


def child(title: str, *, free: bool) -> None:
    import django

    django.setup()
    import logging

    logging.disable(logging.WARNING)
    from bedside.core.audit import Actor
    from bedside.flows import reconcile

    if free:
        reconcile.processor = FreeLists  # type: ignore[assignment]
    before = _peak()
    began, busy = time.perf_counter(), time.process_time()
    last = (START + timedelta(days=DAYS + 2)).date()
    run = reconcile.reconcile(first=START.date(), last=last, actor=Actor.system())
    took, busy = time.perf_counter() - began, time.process_time() - busy
    print(
        f"{title:<42} {took:7.2f} s   own cpu {busy:.1f} s   {run.matched:,} matched, {run.different} different; "
        f"peak {_peak():.0f} MB ({before:.0f} MB before)"
    )
    assert run.different == WRONG, run.different


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
