"""The stand-in processor's balance: what each charge, refund, dispute and payout moves, and what it costs.

Fees are Stripe's list price for cards in the United States: 2.9 % and 30 cents a charge, 15 dollars a dispute; a refund
costs nothing and gives no fee back. Amounts are minor units.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum

from bedside.core import clock
from bedside.sandbox import stripe_shapes as shapes
from bedside.sandbox import webhooks
from bedside.sandbox.models import BalanceEntry, Checkout, ProcessorDispute, ProcessorPayout, ProcessorRefund

PERMILLE, FIXED, DISPUTE_FEE = 29, 30, 1500
# What was taken on one day goes to the bank two days later, as at Stripe.
PAYOUT_AFTER = timedelta(days=2)


def fee_of(amount: int) -> int:
    """2.9 % and 30 cents, half a cent rounded up, and never more than the amount."""
    return min(amount, (amount * PERMILLE + 500) // 1000 + FIXED)


def charged(checkout: Checkout) -> None:
    from bedside.sandbox import jobs

    _book("charge", shapes.charge_id(checkout), checkout, checkout.amount_minor, fee=fee_of(checkout.amount_minor))
    jobs.pay_out_later(_payout_time(clock.now()))


def refunded(refund: ProcessorRefund) -> None:
    _book("refund", refund.refund_id, refund.checkout, -refund.amount_minor)


def refund_failed(refund: ProcessorRefund) -> None:
    """Only where the money had left."""
    if BalanceEntry.objects.filter(category="refund", source_id=refund.refund_id).exists():
        _book("refund_failure", refund.refund_id, refund.checkout, refund.amount_minor)


def disputed(dispute: ProcessorDispute) -> None:
    _book("dispute", dispute.dispute_id, dispute.checkout, -dispute.amount_minor, fee=DISPUTE_FEE)


def dispute_won(dispute: ProcessorDispute) -> None:
    _book("dispute_reversal", dispute.dispute_id, dispute.checkout, dispute.amount_minor)


def balance(currency: str) -> int:
    """What the processor holds for the practice, payouts taken off."""
    sums = BalanceEntry.objects.filter(currency=currency.lower()).aggregate(a=Sum("amount_minor"), f=Sum("fee_minor"))
    return int(sums["a"] or 0) - int(sums["f"] or 0)


def pay_out(now: datetime) -> list[ProcessorPayout]:
    """Send to the bank what has come due, one payout per currency. A balance below zero waits for better days."""
    made = []
    with transaction.atomic():
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        due = BalanceEntry.objects.select_for_update().filter(
            payout=None, created_at__lt=midnight - PAYOUT_AFTER + timedelta(days=1)
        )
        by_currency: dict[str, list[BalanceEntry]] = {}
        for entry in due.exclude(category="payout").order_by("pk"):
            by_currency.setdefault(entry.currency, []).append(entry)
        for currency, entries in by_currency.items():
            amount = sum(entry.amount_minor - entry.fee_minor for entry in entries)
            if amount > 0:
                made.append(_pay_out(currency, amount, entries, now))
    return made


def _pay_out(currency: str, amount: int, entries: list[BalanceEntry], now: datetime) -> ProcessorPayout:
    payout = ProcessorPayout.objects.create(
        payout_id=f"po_{secrets.token_hex(12)}", amount_minor=amount, currency=currency, arrives_at=now, created_at=now
    )
    BalanceEntry.objects.filter(pk__in=[entry.pk for entry in entries]).update(payout=payout)
    BalanceEntry.objects.create(
        balance_id=f"txn_{secrets.token_hex(12)}",
        category="payout",
        source_id=payout.payout_id,
        amount_minor=-amount,
        currency=currency,
        payout=payout,
        created_at=now,
    )
    webhooks.stripe("payout.paid", shapes.payout(payout))
    return payout


def _payout_time(at: datetime) -> datetime:
    """Six in the morning UTC, two days after the day of ``at``."""
    return at.replace(hour=6, minute=0, second=0, microsecond=0) + PAYOUT_AFTER


def _book(category: str, source_id: str, checkout: Checkout, amount: int, *, fee: int = 0) -> None:
    BalanceEntry.objects.create(
        balance_id=f"txn_{secrets.token_hex(12)}",
        category=category,
        source_id=source_id,
        checkout=checkout,
        amount_minor=amount,
        fee_minor=fee,
        currency=checkout.currency,
        created_at=clock.now(),
    )
