"""Files that travel with an email. Notifications knows none itself: flows registers who makes them."""

from __future__ import annotations

from collections.abc import Callable

from bedside.notifications.invitations import invitation_for
from bedside.notifications.models import Channel, Notification
from bedside.notifications.transports.base import Attachment

AttachmentsFor = Callable[[Notification], list[Attachment]]
_attachments_for: AttachmentsFor | None = None


def register_attachments(function: AttachmentsFor) -> None:
    """Once, from flows."""
    global _attachments_for
    _attachments_for = function


def attachments_for(notification: Notification) -> list[Attachment]:
    """What goes with this message; nothing with a text. Asked between transactions, at each try."""
    if notification.channel != Channel.EMAIL:
        return []
    invitation = invitation_for(notification)
    own = [invitation] if invitation else []
    return own + (_attachments_for(notification) if _attachments_for else [])
