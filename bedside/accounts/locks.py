"""Who is an admin is changed by one transaction at a time, so that two can't send each other away."""

from __future__ import annotations

from django.db import connection

ADMINS = 0x0B5D_AD01  # one key for all


def lock_admins() -> None:
    """Held until the transaction ends. Taken before any row of a user."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADMINS])
