"""What can happen to a message. Ids only."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class NotificationEvent(DomainEvent):
    appointment_id: int
    notification_id: int


class NotificationSent(NotificationEvent):
    """The vendor took the message."""


class NotificationDelivered(NotificationEvent):
    """The vendor reports that it arrived."""


class NotificationFailed(NotificationEvent):
    """The message could not be sent, and will not be tried again by itself."""


@dataclass(frozen=True, kw_only=True)
class ReminderScheduled(DomainEvent):
    """The appointment's reminders are queued, each with its due time."""

    appointment_id: int
