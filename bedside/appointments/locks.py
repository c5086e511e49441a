"""The one lock order: a day's choice, then a provider's lock before anything that takes, frees or moves their time.

Fifty racing inserts against the bare constraint end in one success, violations and *deadlocks*; with this lock taken
first they end in one success and violations only.
"""

from __future__ import annotations

from datetime import date

from django.db import connection

NAMESPACE = 0x0B5D  # keeps these apart from other advisory locks
CHOICES = 0x0B5E
CONTACTS = 0x0B5F


def lock_providers(*provider_ids: int) -> None:
    """Hold several providers' locks, always in the order of their ids: two moves that cross never wait in a circle."""
    for provider_id in sorted(set(provider_ids)):
        lock_provider(provider_id)


def lock_provider(provider_id: int) -> None:
    """Hold the provider's lock until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NAMESPACE, provider_id])


def lock_choice(day: date) -> None:
    """Choose among providers for that day one after the other, so that each choice sees the one before.

    Held until the transaction ends. Taken before any provider's lock, never after.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [CHOICES, day.toordinal()])


def lock_contact(*indexes: bytes) -> None:
    """Take a patient's bookings one after the other, told by blind indexes. After a provider's lock, never before."""
    with connection.cursor() as cursor:
        for number in sorted({int.from_bytes(index[:4], "big", signed=True) for index in indexes}):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [CONTACTS, number])
