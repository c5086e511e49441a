"""Reading Stripe's objects, as plain mappings: shared by the stand-in, which answers in the same shapes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bedside.core.money import Money
from bedside.payments.processors.base import (
    BALANCE_KINDS,
    BalanceTransaction,
    Charge,
    CheckoutSession,
    CheckoutState,
    DisputeState,
    PayoutState,
    RefundState,
)

# The metadata field of a refund that carries our key.
REFUND_KEY = "bedside_refund"
# Stripe's five refund states, as our three. One that waits for the customer is still on its way.
REFUND_STATUS = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}


def instant(epoch: int) -> datetime:
    """Stripe's times are Unix seconds."""
    return datetime.fromtimestamp(epoch, UTC)


def checkout_session(session: Mapping[str, Any]) -> CheckoutSession:
    return CheckoutSession(session["id"], session["url"], instant(session["expires_at"]))


def checkout_state(session: Mapping[str, Any]) -> CheckoutState:
    """From a session with ``payment_intent.latest_charge.refunds`` expanded; what isn't expanded is left out."""
    intent = session.get("payment_intent") or {}
    if isinstance(intent, str):
        intent = {"id": intent}
    charge = intent.get("latest_charge") or {}
    if isinstance(charge, str):
        charge = {}
    trouble = intent.get("last_payment_error") or {}
    paid = session["payment_status"] == "paid"
    taken = intent.get("amount_received") if paid else None
    return CheckoutState(
        session_id=session["id"],
        status=session["status"],
        paid=paid,
        amount=Money((session["amount_total"] or 0) if taken is None else taken, (session["currency"] or "").upper()),
        intent_id=intent.get("id", ""),
        decline_code="" if paid else str(trouble.get("decline_code") or trouble.get("code") or ""),
        paid_at=instant(charge["created"]) if paid and charge.get("created") else None,
        refunds=tuple(refund_state(one) for one in (charge.get("refunds") or {}).get("data", [])),
        reference=str(session.get("client_reference_id") or ""),
        payment_ref=str((session.get("metadata") or {}).get("payment_id", "")),
    )


def refund_state(refund: Mapping[str, Any]) -> RefundState:
    status = REFUND_STATUS.get(refund["status"] or "", "pending")
    return RefundState(
        refund["id"],
        status,
        str(refund.get("failure_reason") or "") if status == "failed" else "",
        intent_id=_id(refund.get("payment_intent")),
        amount=_money(refund["amount"], refund),
        key=str((refund.get("metadata") or {}).get(REFUND_KEY, "")),
        created_at=instant(refund["created"]),
    )


def charge(charge: Mapping[str, Any]) -> Charge:
    """Of a captured charge. ``reference``: our appointment's id, which Checkout copies into the charge."""
    return Charge(
        charge_id=charge["id"],
        intent_id=_id(charge.get("payment_intent")),
        amount=_money(charge.get("amount_captured", charge["amount"]), charge),
        refunded=_money(charge["amount_refunded"], charge),
        disputed=bool(charge.get("disputed")),
        created_at=instant(charge["created"]),
        reference=str((charge.get("metadata") or {}).get("appointment_id", "")),
        balance_id=_id(charge.get("balance_transaction")),
    )


def balance_transaction(entry: Mapping[str, Any]) -> BalanceTransaction:
    """With ``source`` expanded the payment intent is known too."""
    source = entry.get("source")
    kind = str(entry.get("reporting_category") or "")
    return BalanceTransaction(
        balance_id=entry["id"],
        kind=kind if kind in BALANCE_KINDS else "other",
        source_id=_id(source),
        amount=_money(entry["amount"], entry),
        fee=_money(entry["fee"], entry),
        created_at=instant(entry["created"]),
        intent_id=_id(source.get("payment_intent")) if isinstance(source, Mapping) else "",
    )


def dispute_state(dispute: Mapping[str, Any]) -> DisputeState:
    intent_id = _id(dispute.get("payment_intent"))
    due = (dispute.get("evidence_details") or {}).get("due_by")
    return DisputeState(
        dispute_id=dispute["id"],
        intent_id=intent_id,
        charge_id=_id(dispute.get("charge")),
        amount=_money(dispute["amount"], dispute),
        reason=str(dispute["reason"]),
        status=str(dispute["status"]),
        created_at=instant(dispute["created"]),
        due_at=instant(due) if due else None,
        refundable=bool(dispute.get("is_charge_refundable")),
        movements=tuple(balance_transaction(one) for one in dispute.get("balance_transactions") or ()),
    )


def payout_state(payout: Mapping[str, Any]) -> PayoutState:
    return PayoutState(
        payout_id=payout["id"],
        amount=_money(payout["amount"], payout),
        status=str(payout["status"]),
        created_at=instant(payout["created"]),
        arrives_at=instant(payout["arrival_date"]),
        failure_code=str(payout.get("failure_code") or ""),
    )


def _id(found: Any) -> str:
    """The id of an object that is expanded, or not, or missing."""
    return str(found["id"] if isinstance(found, Mapping) else found or "")


def _money(amount: int, of: Mapping[str, Any]) -> Money:
    return Money(amount, str(of["currency"]).upper())


def spoken_of(event: Mapping[str, Any]) -> str:
    """The id of what an event is about, as our payments and refunds know it: a session's or a refund's."""
    subject = event["data"]["object"]
    kind = subject.get("object")
    if kind == "payment_intent":
        # Checkout writes its session's id here; without it, the event is kept but leads to no payment.
        return str((subject.get("payment_details") or {}).get("order_reference") or subject["id"])
    if kind == "charge":
        refunds = (subject.get("refunds") or {}).get("data") or []
        return str(refunds[0]["id"] if refunds else subject.get("payment_intent") or subject["id"])
    return str(subject["id"])
