"""How many messages one person gets within an hour, on one channel.

What tells of the person's own visit or money always goes at once: a confirmation, a change, a cancellation, a refund.
The rest (reminders, what the desk writes, offers, links to pay, what was asked for again) is counted by where it goes,
as ``settings.MESSAGE_LIMITS`` says by audience; a family that shares a number shares its limit. What is over waits
until the hour has passed; a reminder that would come too late to help is left out, and the history says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from bedside.core.crypto import blind_index
from bedside.notifications.models import Kind, Notification
from bedside.notifications.quiet import READY
from bedside.notifications.rendering import address_of

WINDOW = timedelta(hours=1)
TOO_MANY = "too-many"
FREE = frozenset(
    {
        Kind.CONFIRMATION,
        Kind.RESCHEDULED,
        Kind.PROVIDER_CHANGED,
        Kind.CANCELED,
        Kind.REFUNDED,
        Kind.CREDIT,
        Kind.RECEIPT,
    }
)


def is_counted(notification: Notification) -> bool:
    """Kinds that count; and a confirmation that somebody asked for again."""
    again = notification.kind == Kind.CONFIRMATION and notification.version > 1
    return again or notification.kind not in FREE


class Counter:
    """What the people of a batch got within the last hour, asked for once; what goes out with the batch is added."""

    def __init__(self, batch: Sequence[Notification], now: datetime) -> None:
        self.now = now
        self.times: dict[tuple[bytes, str], list[datetime]] = {}
        counted = [one for one in batch if is_counted(one) and one.audience in settings.MESSAGE_LIMITS]
        if not counted:
            return
        recent = Notification.objects.filter(
            recipient_index__in={blind_index("email", address_of(one)) for one in counted},
            attempted_at__gt=now - WINDOW,
        ).exclude(pk__in=[one.pk for one in counted])
        for one in recent.only("recipient_index", "channel", "attempted_at", "kind", "version").order_by(
            "attempted_at"
        ):
            if is_counted(one) and one.attempted_at:
                self.times.setdefault((bytes(one.recipient_index), one.channel), []).append(one.attempted_at)

    def waits_until(self, notification: Notification) -> datetime | None:
        """When it may go, where it is over the limit; None where it may go now, and then it is counted."""
        limit = settings.MESSAGE_LIMITS.get(notification.audience)
        if limit is None or not is_counted(notification):
            return None
        key = blind_index("email", address_of(notification)), notification.channel
        times = self.times.setdefault(key, [])
        if len(times) >= limit:
            return times[-limit] + WINDOW
        times.append(self.now)
        return None


def is_too_late(notification: Notification, at: datetime) -> bool:
    """A reminder that late helps nobody to get ready."""
    return notification.kind == Kind.REMINDER and at > notification.appointment.start - READY
