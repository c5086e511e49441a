"""Tallies: how often something happened on a practice day, and to which service; never to whom."""

from __future__ import annotations

from datetime import date

from django.db import connection, transaction

_ADD = """
    INSERT INTO core_tally (day, what, service_id, provider_id, count) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (day, what, service_id, provider_id) DO UPDATE SET count = core_tally.count + EXCLUDED.count
"""


def add(rows: list[tuple[date, str, int, int, int]]) -> None:
    """Count up: day, what, service's id, provider's id (0: anybody), how many.

    Not waited for until it is on the disk: a crash may lose the last second's counts, and no visitor waits for them.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        # In one order, so that two who count the same rows queue instead of deadlocking.
        for row in sorted(rows):
            cursor.execute(_ADD, row)
