"""Fees: what the processor keeps of a payment, written into the ledger as it was booked there."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from bedside.payments import ledger
from bedside.payments.models import Payment
from bedside.payments.processors import processor
from bedside.payments.processors.base import TryAgainLater


def collect(payment_id: int) -> None:
    """The fee of one payment's charge. Doing it again changes nothing.

    Raises TryAgainLater where the processor has taken the money and not booked it yet: it does so within seconds.
    """
    payment = Payment.objects.select_related("appointment").get(pk=payment_id)
    bank = processor()
    if payment.processor != bank.name or not payment.intent_id:
        return
    found = bank.look_up_charge(payment.intent_id)
    if found is None:
        return
    _, booked = found
    if booked is None:
        raise TryAgainLater("not_booked_yet")
    with transaction.atomic():
        ledger.record_fee(payment, booked)


def collect_between(since: datetime, until: datetime) -> None:
    """The fees of everything that the processor booked in a time: charges, refunds and disputes."""
    bank = processor()
    for moved in bank.list_balance_transactions(since=since, until=until):
        if not moved.fee or not moved.intent_id:
            continue
        payment = (
            Payment.objects.select_related("appointment")
            .filter(processor=bank.name, intent_id=moved.intent_id)
            .exclude(ledger__kind="fee", ledger__processor_object=moved.balance_id)
            .first()
        )
        if payment is not None:
            with transaction.atomic():
                ledger.record_fee(payment, moved)
