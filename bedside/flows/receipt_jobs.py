"""Jobs that write receipts: after each payment and refund, and once an hour for whatever was missed."""

from __future__ import annotations

import structlog
from django.db.models import Exists, OuterRef
from procrastinate.contrib.django import app

from bedside.appointments.events import AppointmentPaid
from bedside.core.jobs import PATIENT_RETRY, defer, task
from bedside.flows import receipt
from bedside.payments.errors import NothingToReceipt
from bedside.payments.events import RefundIssued, RefundRefused
from bedside.payments.models import Payment, Refund
from bedside.payments.receipt_models import Receipt, ReceiptKind
from bedside.payments.states import RefundStatus

log = structlog.get_logger(__name__)
AT_ONCE = 1000


@task(name="flows.issue_receipt", retry=PATIENT_RETRY)
def issue_receipt(payment_id: int) -> None:
    _issue(payment_id)


@task(name="flows.issue_refund_receipt", retry=PATIENT_RETRY)
def issue_refund_receipt(refund_id: int) -> None:
    _issue_for_refund(refund_id)


@task(name="flows.correct_refund_receipt", retry=PATIENT_RETRY)
def correct_refund_receipt(refund_id: int) -> None:
    receipt.correct_refund(refund_id=refund_id)


@app.periodic(cron="23 * * * *", periodic_id="receipts")
@task(name="flows.issue_missing_receipts", queueing_lock="flows.issue_missing_receipts")
def issue_missing_receipts(timestamp: int = 0) -> None:
    """What a lost job left behind, oldest first."""
    own = Receipt.objects.filter(payment=OuterRef("pk"), kind=ReceiptKind.PAYMENT)
    paid = Payment.objects.filter(~Exists(own), captured_minor__gt=0)
    for payment_id in paid.order_by("succeeded_at", "pk").values_list("pk", flat=True)[:AT_ONCE]:
        _issue(payment_id)
    own = Receipt.objects.filter(refund=OuterRef("pk"), kind=ReceiptKind.REFUND)
    gone = Refund.objects.filter(~Exists(own), status=RefundStatus.SUCCEEDED)
    for refund_id in gone.order_by("settled_at", "pk").values_list("pk", flat=True)[:AT_ONCE]:
        _issue_for_refund(refund_id)


def _issue(payment_id: int) -> None:
    try:
        receipt.issue(payment_id=payment_id)
    except NothingToReceipt:
        log.info("nothing_to_receipt", payment_id=payment_id)


def _issue_for_refund(refund_id: int) -> None:
    try:
        receipt.issue_for_refund(refund_id=refund_id)
    except NothingToReceipt:
        log.info("nothing_to_receipt", refund_id=refund_id)


# --- Reactions ------------------------------------------------------------------------------------------------------


def receipt_soon(event: AppointmentPaid) -> None:
    paid = Payment.objects.filter(appointment_id=event.appointment_id, captured_minor__gt=0)
    for payment_id in paid.values_list("pk", flat=True):
        defer(issue_receipt, payment_id=payment_id)


def refund_receipt_soon(event: RefundIssued) -> None:
    defer(issue_refund_receipt, refund_id=event.refund_id)


def correction_soon(event: RefundRefused) -> None:
    if Receipt.objects.filter(refund_id=event.refund_id).exists():
        defer(correct_refund_receipt, refund_id=event.refund_id)
