"""Receipts: what the vendor reports of a message after taking it. They come late, in any order, and more than once."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from bedside.core.alerts import raise_alert
from bedside.core.events import publish
from bedside.notifications.events import NotificationDelivered, NotificationFailed
from bedside.notifications.models import Channel, Notification
from bedside.notifications.states import NotificationStatus as Status
from bedside.notifications.states import may_move
from bedside.notifications.vendor_codes import meaning_of

log = structlog.get_logger(__name__)
# Vendors' words as our states. Steps on the way (queued, sending, sent) tell us nothing new.
OUTCOMES = {"delivered": Status.DELIVERED, "undelivered": Status.FAILED, "failed": Status.FAILED}


def record_receipt(vendor_id: str, status: str, error_code: str = "") -> bool:
    """Move the vendor's message to what the vendor says. Says whether anything changed; unknown ids are harmless."""
    outcome = OUTCOMES.get(status)
    if outcome is None or not vendor_id:
        return False
    with transaction.atomic():
        notification = Notification.objects.select_for_update().filter(vendor_id=vendor_id).first()
        if notification is None or notification.status == outcome or not may_move(notification.status, outcome):
            return False
        notification.status = outcome
        failed = outcome == Status.FAILED
        notification.error_code = (error_code or status)[:40] if failed else ""
        notification.error_advice = _advice(error_code) if failed else ""
        notification.save(update_fields=["status", "error_code", "error_advice"])
        event = NotificationFailed if failed else NotificationDelivered
        publish(event(appointment_id=notification.appointment_id, notification_id=notification.pk))
    if failed:
        _alert(notification)
    log.info("receipt_recorded", notification_id=notification.pk, status=str(outcome), code=notification.error_code)
    return True


def _advice(code: str) -> str:
    return str(meaning_of(code).advice or _("It was not delivered. Send it again, or call."))


def _alert(notification: Notification) -> None:
    raise_alert(
        "text-failed" if notification.channel == Channel.SMS else "email-failed",
        f"notification:{notification.pk}",
        f"A {notification.kind} to the {notification.audience} was not delivered ({notification.error_code}). "
        f"{notification.error_advice}",
        appointment_id=notification.appointment_id,
        notification_id=notification.pk,
    )
