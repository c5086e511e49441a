"""The ledger: one line for each thing that money did. Written once per processor object, never changed."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Sum

from bedside.clinic.models import Practice
from bedside.payments.credit_models import CreditEntry
from bedside.payments.models import EntryKind, LedgerEntry, Payment, Refund
from bedside.payments.processors.base import BalanceTransaction
from bedside.payments.tax_share import share

MONEY_BACK = (EntryKind.REFUND, EntryKind.REFUND_FAILED)
CREDIT = "credit"  # the "processor" of what is owed in visits


def record_charge(payment: Payment, *, occurred_at: datetime) -> None:
    """The captured money of a payment, in the present transaction. Doing it again changes nothing."""
    _write(payment, EntryKind.CHARGE, payment.captured_minor, payment.intent_id, occurred_at)


def record_refund(refund: Refund, *, occurred_at: datetime) -> None:
    """Money given back, on the day it happened."""
    _write(refund.payment, EntryKind.REFUND, -refund.refund_amount, refund.refund_id, occurred_at)


def record_refund_failure(refund: Refund, *, occurred_at: datetime) -> None:
    """A refund that had succeeded and then failed: the money came back to the practice."""
    _write(refund.payment, EntryKind.REFUND_FAILED, refund.refund_amount, refund.refund_id, occurred_at)


def record_credit(entry: CreditEntry, *, occurred_at: datetime) -> None:
    """A move of what is owed in visits: owing more is negative, owing less positive. No money moves, and no sale."""
    kind = EntryKind(f"credit_{entry.kind}")
    _write(entry.payment, kind, -entry.amount_minor, f"credit-entry-{entry.pk}", occurred_at, processor=CREDIT)


def record_movement(payment: Payment, moved: BalanceTransaction) -> None:
    """What a dispute took, or gave back, and what it cost: two lines of one balance transaction.

    What is booked in another currency than the payment's is no line here; reconciliation tells it.
    """
    if moved.kind in {"dispute", "dispute_reversal"} and moved.amount and moved.amount.currency == payment.currency:
        _write(payment, EntryKind.DISPUTE, moved.amount.minor_units, moved.balance_id, moved.created_at)
    record_fee(payment, moved)


def record_fee(payment: Payment, moved: BalanceTransaction) -> None:
    """The processor's fee, as money out; one given back is money in. No line where it cost nothing."""
    if moved.fee and moved.fee.currency == payment.currency:
        _write(payment, EntryKind.FEE, -moved.fee.minor_units, moved.balance_id, moved.created_at)


def _write(
    payment: Payment,
    kind: EntryKind,
    amount_minor: int,
    processor_object: str,
    occurred_at: datetime,
    *,
    processor: str = "",
) -> None:
    appointment = payment.appointment
    LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(
                kind=kind,
                amount_minor=amount_minor,
                currency=payment.currency,
                processor=processor or payment.processor,
                processor_object=processor_object,
                appointment=appointment,
                payment=payment,
                service_id=appointment.service_id,
                provider_id=appointment.provider_id,
                occurred_at=occurred_at,
                practice_day=occurred_at.astimezone(Practice.current().zone).date(),
                tax_minor=_tax_within(payment, kind, amount_minor),
            )
        ],
        ignore_conflicts=True,
    )


def _tax_within(payment: Payment, kind: EntryKind, amount_minor: int) -> int:
    """The tax within a line. Refunds give back what rounding left over last, so that all of them give back all tax."""
    if not payment.tax_amount or kind not in {EntryKind.CHARGE, *MONEY_BACK}:
        return 0
    price = payment.amount_minor + payment.credit_minor
    if kind == EntryKind.CHARGE:
        return share(payment.tax_amount, amount_minor, price)
    before = LedgerEntry.objects.filter(payment=payment, kind__in=MONEY_BACK).aggregate(
        money=Sum("amount_minor"), tax=Sum("tax_minor")
    )
    gone = -(before["money"] or 0) - amount_minor
    return -share(payment.tax_amount, gone, price) - (before["tax"] or 0)
