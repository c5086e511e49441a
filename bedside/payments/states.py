"""The payment's and the refund's states, as data. Pure: imports no Django."""

from __future__ import annotations

from enum import StrEnum


class PaymentStatus(StrEnum):
    INITIATED = "initiated"
    SUCCEEDED = "succeeded"
    REFUNDED = "refunded"
    FAILED = "failed"
    EXPIRED = "expired"


class RefundStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


P = PaymentStatus
PAYMENT_MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    P.INITIATED: frozenset({P.SUCCEEDED, P.FAILED, P.EXPIRED}),
    P.SUCCEEDED: frozenset({P.REFUNDED}),
    # Money that lands after the hold ran out is still money. A payment link is opened again while its hold lasts.
    P.EXPIRED: frozenset({P.SUCCEEDED, P.INITIATED}),
    P.FAILED: frozenset({P.SUCCEEDED}),
    P.REFUNDED: frozenset({P.SUCCEEDED}),  # a refund that failed later gives the money back to the practice
}

# Stripe's words for a dispute. The "warning" ones are questions of a bank: nothing has been taken yet.
DISPUTE_UNANSWERED = frozenset({"needs_response", "warning_needs_response"})
DISPUTE_OVER = frozenset({"won", "lost", "warning_closed", "prevented"})

R = RefundStatus
REFUND_MOVES: dict[RefundStatus, frozenset[RefundStatus]] = {
    R.PENDING: frozenset({R.SUCCEEDED, R.FAILED}),
    R.SUCCEEDED: frozenset({R.FAILED}),
    R.FAILED: frozenset(),
}


def may_pay(before: str, after: str) -> bool:
    return PaymentStatus(after) in PAYMENT_MOVES[PaymentStatus(before)]
