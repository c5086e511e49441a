"""When a failed try is worth another, and how long to wait. Pure: imports no Django."""

from __future__ import annotations

from datetime import timedelta

# The wait after the first, second, ... failed try. A text is soon worth little; a mail server may rest for hours.
BACKOFF: dict[str, tuple[timedelta, ...]] = {
    "sms": (timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15)),
    "email": (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2)),
}


def wait_after(channel: str, attempts: int, *, permanent: bool) -> timedelta | None:
    """How long to wait after the ``attempts``-th failed try (from 1); None where there is no use in another."""
    waits = BACKOFF[channel]
    if permanent or attempts > len(waits):
        return None
    return waits[attempts - 1]


def max_attempts(channel: str) -> int:
    """How many tries a message gets in all."""
    return len(BACKOFF[channel]) + 1
