"""A queue that stands still: nobody sends, or nothing gets through."""

from __future__ import annotations

from datetime import timedelta

from bedside.core import clock
from bedside.core.alerts import raise_alert, resolve_alert
from bedside.notifications.models import Notification
from bedside.notifications.states import NotificationStatus

# Senders follow within seconds; confirmations wait for the meeting's link first.
STUCK_AFTER = timedelta(minutes=10)


def overdue() -> int:
    """How many messages have been due for longer than a working queue ever leaves them."""
    return Notification.objects.filter(status=NotificationStatus.QUEUED, due_at__lte=clock.now() - STUCK_AFTER).count()


def watch() -> None:
    """Raise or resolve the alert about a queue that stands still."""
    count = overdue()
    if count:
        late = f"{count} {'message is' if count == 1 else 'messages are'} more than {STUCK_AFTER.seconds // 60}"
        raise_alert("queue-stuck", "notifications", f"{late} minutes late. See that a worker is running.")
    else:
        resolve_alert("queue-stuck", "notifications")
