"""The one clock. Everything that depends on the time asks here, so that the sandbox clock moves all of it.

In production the offset is always zero and costs nothing. In the sandbox the offset lives in one database row; each web
request and each job reads it again (`refresh`), so every process agrees.
"""

from __future__ import annotations

import contextvars
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

_offset: timedelta = timedelta(0)
_frozen: contextvars.ContextVar[datetime | None] = contextvars.ContextVar("frozen", default=None)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    frozen = _frozen.get()
    return frozen if frozen is not None else datetime.now(UTC) + _offset


def offset() -> timedelta:
    """How far the sandbox clock runs ahead of the machine's."""
    return _offset


def refresh() -> None:
    """Read the sandbox offset again. A no-op in production."""
    global _offset
    if not settings.SANDBOX:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT offset_seconds FROM core_clockoffset WHERE id = 1")
        row = cursor.fetchone()
    _offset = timedelta(seconds=row[0]) if row else timedelta(0)


def machine_time(instant: datetime) -> datetime:
    """What the machine's clock will read when ours reads ``instant``: what a job's ``scheduled_at`` must hold."""
    return instant - _offset


def forward(delta: timedelta) -> datetime:
    """Move the sandbox clock forward, and the due time of every waiting job with it. Returns the new present."""
    if not settings.SANDBOX:
        raise RuntimeError("The clock can only be moved in the sandbox.")
    if delta <= timedelta(0) or delta > timedelta(days=366):
        raise ValueError("The clock moves forward, by a year at most.")
    seconds = int(delta.total_seconds())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_clockoffset (id, offset_seconds) VALUES (1, %s) ON CONFLICT (id) "
            "DO UPDATE SET offset_seconds = core_clockoffset.offset_seconds + EXCLUDED.offset_seconds",
            [seconds],
        )
        cursor.execute(
            "UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - make_interval(secs => %s) "
            "WHERE status = 'todo' AND scheduled_at IS NOT NULL",
            [seconds],
        )
    refresh()
    return now()
