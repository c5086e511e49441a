"""What the processor lists, laid down in the database in batches, and read again beside the ledger in one sorted pass.

Memory stays the same for a day and for a year: neither side is ever held as a whole.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection

from bedside.payments.matching import NO_MONEY, Side
from bedside.payments.processors.base import Processor
from bedside.payments.reconciliation_models import ProcessorObject

BATCH = 2000
Row = tuple[str, str, int, str, str, datetime, str]
COLUMNS = "run_id, what, object_id, amount_minor, currency, state, at, reference"

COMPARE = """
    WITH theirs AS (
        SELECT what, object_id, amount_minor, currency, state, at, reference FROM payments_processorobject
        WHERE run_id = %(run)s
    ), wanted AS (
        SELECT what, object_id FROM theirs
        UNION
        SELECT CASE WHEN kind = 'refund_failed' THEN 'refund' ELSE kind END, processor_object
        FROM payments_ledgerentry WHERE processor = %(processor)s AND occurred_at >= %(since)s
        AND occurred_at < %(until)s AND kind IN ('charge', 'refund', 'refund_failed', 'dispute', 'fee')
    ), ours AS (
        SELECT w.what, w.object_id, sum(l.amount_minor)::bigint AS amount_minor, min(l.currency) AS currency,
               min(l.occurred_at) AS at, min(l.payment_id) AS payment_id
        FROM wanted w CROSS JOIN LATERAL (
            SELECT amount_minor, currency, occurred_at, payment_id FROM payments_ledgerentry
            WHERE kind = w.what AND processor = %(processor)s AND processor_object = w.object_id
            UNION ALL
            SELECT amount_minor, currency, occurred_at, payment_id FROM payments_ledgerentry
            WHERE w.what = 'refund' AND kind = 'refund_failed' AND processor = %(processor)s
            AND processor_object = w.object_id
        ) l GROUP BY 1, 2
    )
    SELECT what, object_id, o.amount_minor, o.currency, o.at, o.payment_id,
           t.amount_minor, t.currency, t.state, t.at, t.reference
    FROM ours o FULL JOIN theirs t USING (what, object_id) ORDER BY what, object_id
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """One object as both sides know it."""

    what: str
    object_id: str
    ours: Side | None
    theirs: Side | None
    at: datetime
    within: bool
    payment_id: int | None
    reference: str


def lay_down(run_id: int, bank: Processor, *, since: datetime, until: datetime) -> None:
    """Ask the processor for everything of a time and keep it under this run. Outside any transaction."""
    for rows in (
        _charges(bank, since, until),
        _refunds(bank, since, until),
        _movements(bank, since, until),
    ):
        _keep(run_id, rows)


def clear(run_id: int) -> None:
    ProcessorObject.objects.filter(run_id=run_id).delete()


def _charges(bank: Processor, since: datetime, until: datetime) -> Iterator[Row]:
    for one in bank.list_charges(since=since, until=until):
        amount = one.amount
        yield "charge", one.intent_id, amount.minor_units, amount.currency, "succeeded", one.created_at, one.reference


def _refunds(bank: Processor, since: datetime, until: datetime) -> Iterator[Row]:
    for one in bank.list_refunds(since=since, until=until):
        if one.amount is not None and one.created_at is not None:
            minor = -one.amount.minor_units
            yield "refund", one.refund_id, minor, one.amount.currency, one.status, one.created_at, one.intent_id


def _movements(bank: Processor, since: datetime, until: datetime) -> Iterator[Row]:
    """Fees and disputes, as the processor's balance booked them. A fee of no payment is no visit's money."""
    for one in bank.list_balance_transactions(since=since, until=until):
        where = (one.amount.currency, "", one.created_at, one.intent_id)
        if one.fee and one.kind not in {"payout", "payout_reversal", "other"}:
            yield "fee", one.balance_id, -one.fee.minor_units, *where
        if one.kind in {"dispute", "dispute_reversal"} and one.amount:
            yield "dispute", one.balance_id, one.amount.minor_units, *where


def _keep(run_id: int, rows: Iterable[Row]) -> None:
    """Batch by batch: the listing may use the same connection in between."""
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH)):
        with connection.cursor() as cursor, cursor.copy(f"COPY payments_processorobject ({COLUMNS}) FROM STDIN") as out:
            for row in batch:
                out.write_row((run_id, *row))


def pairs(run_id: int, processor: str, *, since: datetime, until: datetime) -> Iterator[Pair]:
    """Every object of the run or of the ledger's lines in that time, sorted. In a transaction.

    ``within``: it belongs to this time by at least one side; the rest was laid down for its neighbours' sake.
    """
    times = {"run": run_id, "processor": processor, "since": since, "until": until}
    with _streaming() as cursor:
        cursor.execute(COMPARE, times)
        for what, object_id, ours, cur, at, payment, theirs, their_cur, state, their_at, reference in cursor:
            yield Pair(
                what=what,
                object_id=object_id,
                ours=None if ours is None else Side(ours, cur),
                theirs=None if theirs is None else Side(theirs, their_cur, state),
                at=their_at or at,
                within=any(one is not None and since <= one < until for one in (at, their_at)),
                payment_id=payment,
                reference=reference or "",
            )


@contextmanager
def _streaming() -> Iterator[Any]:
    """A cursor on the server's side, which hands rows over as they are asked for."""
    connection.ensure_connection()
    assert connection.connection is not None
    with connection.connection.cursor(name=f"pairs_{uuid.uuid4().hex}") as cursor:
        cursor.itersize = BATCH
        yield cursor


def moved(side: Side | None) -> int:
    """What a side says moved; an object that moved nothing counts as nothing."""
    return 0 if side is None or side.state in NO_MONEY else side.minor
