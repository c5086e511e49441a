"""What an email provider tells of a message, through anymail: one meaning for all providers' words.

Anymail checks each provider's signature or the shared secret (``ANYMAIL_WEBHOOK_SECRET``) before this runs.
"""

from __future__ import annotations

from typing import Any

from anymail.signals import tracking
from django.db import transaction

from bedside.core import clock
from bedside.notifications import receipts
from bedside.web.hooks.door import first_time

# Anymail's normalized event, as our receipt: what became of it, and the code that advice is looked up by.
OUTCOMES = {
    "delivered": ("delivered", ""),
    "bounced": ("failed", "550"),
    "rejected": ("failed", "550"),
    "failed": ("failed", "failed"),
    "complained": ("failed", "complained"),
}


def connect() -> None:
    """Once, when Django is ready."""
    tracking.connect(told, dispatch_uid="bedside.email")


def told(sender: Any, event: Any, esp_name: str, **_: Any) -> None:
    """Events come twice and in any order; those of unknown messages are harmless."""
    message_id = str(event.message_id or "")
    event_id = str(event.event_id or f"{message_id}:{event.event_type}:{event.timestamp}")
    status, code = OUTCOMES.get(str(event.event_type), ("", ""))
    with transaction.atomic():
        kept = first_time("email", f"{esp_name}:{event_id}", str(event.event_type), message_id)
        if kept is None:
            return
        if status:
            receipts.record_receipt(message_id, status, code)
        kept.processed_at = clock.now()
        kept.save(update_fields=["processed_at"])
