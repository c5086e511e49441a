"""Takings are rows that add up: merged now and then, so that there is one a key; and looked up against the ledger."""

from __future__ import annotations

from django.db import connection, transaction

from bedside.reports.standing_sql import COUNTED

FOLD_LOCK = 4_210_061
KEY = "basis, day, service_id, status, payment_status, currency"
FOLD = f"""
WITH keys AS (SELECT DISTINCT {KEY} FROM reports_takings WHERE NOT folded),
gone AS (DELETE FROM reports_takings t USING keys k
    WHERE (t.basis, t.day, t.service_id, t.status, t.payment_status, t.currency)
        = (k.basis, k.day, k.service_id, k.status, k.payment_status, k.currency) RETURNING t.*)
INSERT INTO reports_takings ({KEY}, gross_minor, refunds_minor, paid, folded)
SELECT {KEY}, sum(gross_minor), sum(refunds_minor), sum(paid), true FROM gone GROUP BY {KEY}
HAVING (sum(gross_minor), sum(refunds_minor), sum(paid)) <> (0, 0, 0)
"""  # noqa: S608  # words of ours


def fold() -> None:
    """Merge what was written since the last time. Writers only insert, so nobody waits; one merges at a time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FOLD_LOCK])
        cursor.execute(FOLD)


def differences() -> list[str]:
    """Where the takings are not the ledger; an empty list means that they are, to the cent."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED)
        return [row[0] for row in cursor.fetchall()]
