"""Receipts by email: sent again from the desk, and attached to the messages that speak of them.

What travels by email names the visit discreetly and bears no codes; the patient's page has the whole document.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import translation

from bedside.core import audit
from bedside.core.audit import Actor
from bedside.flows import receipt
from bedside.notifications import queue
from bedside.notifications.attachments import register_attachments
from bedside.notifications.models import Audience, Channel, Kind, Notification
from bedside.notifications.transports.base import Attachment
from bedside.payments.errors import NothingToReceipt
from bedside.payments.models import Payment, Refund
from bedside.payments.receipt_models import Receipt
from bedside.reports import receipt_pdf

PDF = "application/pdf"


def send(*, receipt_id: int, actor: Actor) -> Notification:
    """Email a receipt to the patient, again as often as it is asked for; each time is a new version."""
    with transaction.atomic():
        found = Receipt.objects.select_related("payment__appointment__provider").get(pk=receipt_id)
        # The payment's lock: two who ask at once get two versions, not one key twice.
        Payment.objects.select_for_update().get(pk=found.payment_id)
        appointment, variant = found.payment.appointment, str(found.number)
        before = Notification.objects.filter(appointment=appointment, kind=Kind.RECEIPT, variant=variant).count()
        notification = queue.enqueue(
            appointment,
            kind=Kind.RECEIPT,
            variant=variant,
            audience=Audience.PATIENT,
            channel=Channel.EMAIL,
            version=before + 1,
            requested_by=actor,
        )
        assert notification is not None, "emails are always allowed, and the version is new under the lock"
        audit.record(actor, "receipt.sent", appointment, after={"number": found.number})
        queue.defer_send(notification)
    return notification


def attachments_for(notification: Notification) -> list[Attachment]:
    """The PDF of the receipt that a message speaks of; a refund's is written now if its job hasn't run."""
    found = _spoken_of(notification)
    if found is None:
        return []
    with translation.override(notification.locale):
        return [Attachment(found.filename, PDF, receipt_pdf.render(found, discreet=True))]


def _spoken_of(notification: Notification) -> Receipt | None:
    if notification.kind == Kind.RECEIPT:
        return Receipt.objects.get(number=int(notification.variant))
    if notification.kind != Kind.REFUNDED or notification.audience != Audience.PATIENT:
        return None
    # A refund's message counts the refunds of its visit: its version says which one it is (`announce.refunded`).
    refunds = Refund.objects.filter(payment__appointment=notification.appointment_id).order_by("pk")
    for refund_id in refunds.values_list("pk", flat=True)[notification.version - 1 : notification.version]:
        try:
            return receipt.issue_for_refund(refund_id=refund_id)
        except NothingToReceipt:
            return None
    return None


def register() -> None:
    """Once, when Django is ready."""
    register_attachments(attachments_for)
