"""One at a time at the video service, for each appointment, without a transaction held open meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

NAMESPACE = 0x71DE  # keeps these apart from other advisory locks


@contextmanager
def one_at_a_time(appointment_id: int) -> Iterator[None]:
    """Wait for, and hold, the appointment's lock of this connection. It ends with the connection.

    A row lock would need a transaction for as long as the vendor takes to answer.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [NAMESPACE, appointment_id])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [NAMESPACE, appointment_id])
