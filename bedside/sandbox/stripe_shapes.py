"""The stand-in's rows in the shapes of Stripe's objects (those fields that anybody reads), and its events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from bedside.sandbox.models import BalanceEntry, Checkout, ProcessorDispute, ProcessorPayout, ProcessorRefund


def epoch(instant: datetime) -> int:
    return int(instant.timestamp())


def session(checkout: Checkout, *, expand: bool = True) -> dict[str, Any]:
    """``expand``: with the intent, its charge and refunds inside; a webhook carries the ids alone, as Stripe's do."""
    started = checkout.payment_status == "paid" or checkout.decline_code
    return {
        "id": checkout.session_id,
        "object": "checkout.session",
        "amount_subtotal": checkout.amount_minor,
        "amount_total": checkout.amount_minor,
        "cancel_url": checkout.cancel_url if expand else None,
        "client_reference_id": checkout.client_reference,
        "created": epoch(checkout.created_at),
        "currency": checkout.currency,
        "expires_at": epoch(checkout.expires_at),
        "livemode": False,
        "metadata": checkout.metadata,
        "mode": "payment",
        "payment_intent": (intent(checkout) if expand else checkout.intent_id) if started else None,
        "payment_method_types": ["card"],
        "payment_status": checkout.payment_status,
        "status": checkout.status,
        "success_url": checkout.success_url if expand else None,
        "ui_mode": "hosted",
        "url": f"{settings.PUBLIC_URL}/sandbox/checkout/{checkout.session_id}" if checkout.status == "open" else None,
    }


def intent(checkout: Checkout) -> dict[str, Any]:
    paid = checkout.payment_status == "paid"
    return {
        "id": checkout.intent_id,
        "object": "payment_intent",
        "amount": checkout.amount_minor,
        "amount_received": checkout.amount_minor if paid else 0,
        "created": epoch(checkout.created_at),
        "currency": checkout.currency,
        "last_payment_error": _trouble(checkout.decline_code) if checkout.decline_code else None,
        "latest_charge": charge(checkout) if paid else None,
        "livemode": False,
        "metadata": checkout.metadata,
        "payment_details": {"order_reference": checkout.session_id},
        "status": "succeeded" if paid else "requires_payment_method",
    }


def charge_id(checkout: Checkout) -> str:
    return f"ch_{checkout.intent_id.removeprefix('pi_')}"


def charge(checkout: Checkout) -> dict[str, Any]:
    given = sorted(checkout.refunds.all(), key=lambda one: -one.pk)
    total = sum(one.amount_minor for one in given if one.status != "failed")
    booked = next((one for one in checkout.balance.all() if one.category == "charge"), None)
    return {
        "id": charge_id(checkout),
        "object": "charge",
        "amount": checkout.amount_minor,
        "amount_captured": checkout.amount_minor,
        "amount_refunded": total,
        "balance_transaction": balance_transaction(booked, expand=False) if booked else None,
        "captured": True,
        "created": epoch(checkout.paid_at or checkout.created_at),
        "currency": checkout.currency,
        "disputed": bool(checkout.disputes.all()),
        "livemode": False,
        "metadata": checkout.metadata,
        "paid": True,
        "payment_intent": checkout.intent_id,
        "payment_method_details": {"card": {"brand": "visa", "last4": checkout.last_four}, "type": "card"},
        "refunded": total >= checkout.amount_minor,
        "refunds": {"object": "list", "data": [refund(one, of=checkout) for one in given], "has_more": False},
        "status": "succeeded",
    }


def refund(one: ProcessorRefund, *, of: Checkout | None = None) -> dict[str, Any]:
    checkout = of or one.checkout
    shape = {
        "id": one.refund_id,
        "object": "refund",
        "amount": one.amount_minor,
        "charge": charge_id(checkout),
        "created": epoch(one.created_at),
        "currency": checkout.currency,
        "metadata": one.metadata,
        "payment_intent": checkout.intent_id,
        "reason": None,
        "status": one.status,
    }
    return shape | {"failure_reason": one.failure_reason} if one.failure_reason else shape


def balance_transaction(entry: BalanceEntry, *, expand: bool = True) -> dict[str, Any]:
    """``expand``: with a source that names its payment intent."""
    of_payment = entry.checkout is not None and expand
    return {
        "id": entry.balance_id,
        "object": "balance_transaction",
        "amount": entry.amount_minor,
        "created": epoch(entry.created_at),
        "currency": entry.currency,
        "fee": entry.fee_minor,
        "net": entry.amount_minor - entry.fee_minor,
        "reporting_category": entry.category,
        "source": {"id": entry.source_id, "payment_intent": entry.checkout.intent_id}
        if of_payment and entry.checkout
        else entry.source_id,
        "status": "available" if entry.payout_id else "pending",
        "type": "adjustment" if entry.category.startswith("dispute") else entry.category,
    }


def dispute(one: ProcessorDispute) -> dict[str, Any]:
    moved = BalanceEntry.objects.filter(source_id=one.dispute_id).order_by("pk")
    return {
        "id": one.dispute_id,
        "object": "dispute",
        "amount": one.amount_minor,
        "balance_transactions": [balance_transaction(entry, expand=False) for entry in moved],
        "charge": charge_id(one.checkout),
        "created": epoch(one.created_at),
        "currency": one.checkout.currency,
        "evidence_details": {"due_by": epoch(one.due_by), "has_evidence": False, "past_due": False},
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": one.checkout.intent_id,
        "reason": one.reason,
        "status": one.status,
    }


def payout(one: ProcessorPayout) -> dict[str, Any]:
    return {
        "id": one.payout_id,
        "object": "payout",
        "amount": one.amount_minor,
        "arrival_date": epoch(one.arrives_at),
        "created": epoch(one.created_at),
        "currency": one.currency,
        "failure_code": None,
        "livemode": False,
        "status": one.status,
    }


def event(event_id: str, kind: str, subject: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {
        "id": event_id,
        "object": "event",
        "api_version": "2025-03-31.basil",
        "created": epoch(at),
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def _trouble(code: str) -> dict[str, Any]:
    return {"type": "card_error", "code": "card_declined", "decline_code": code}
