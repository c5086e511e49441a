"""The notification's states, as data. Pure: imports no Django."""

from __future__ import annotations

from enum import StrEnum


class NotificationStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


N = NotificationStatus
MOVES: dict[NotificationStatus, frozenset[NotificationStatus]] = {
    N.QUEUED: frozenset({N.SENT, N.FAILED, N.WITHDRAWN}),
    # A vendor may take a message and say later that it failed (a bounce, a handset that is off).
    N.SENT: frozenset({N.DELIVERED, N.FAILED}),
    N.FAILED: frozenset({N.QUEUED, N.DELIVERED, N.WITHDRAWN}),
    N.DELIVERED: frozenset(),
    # A try that was under way when it was taken back: the history tells what happened.
    N.WITHDRAWN: frozenset({N.SENT}),
}


def may_move(before: str, after: str) -> bool:
    return NotificationStatus(after) in MOVES[NotificationStatus(before)]
