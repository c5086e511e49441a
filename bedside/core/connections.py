"""Giving a thread's database connection back to the pool."""

from __future__ import annotations

from django.db import close_old_connections, connection


def release() -> None:
    """Between two pieces of work. Within a transaction (a test's own, say) nothing happens."""
    if not connection.in_atomic_block:
        close_old_connections()
