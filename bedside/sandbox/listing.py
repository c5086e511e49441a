"""The stand-in processor's lists, in pages as Stripe gives them: newest first, ``starting_after`` an id, 100 each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model, Q, QuerySet

from bedside.sandbox import stripe_shapes as shapes
from bedside.sandbox.errors import VendorRefused
from bedside.sandbox.models import BalanceEntry, Checkout, ProcessorDispute, ProcessorPayout, ProcessorRefund

MOST = 100
Shape = Callable[[Any], dict[str, Any]]


def charges(*, gte: int = 0, lt: int = 0, starting_after: str = "", payment_intent: str = "") -> dict[str, Any]:
    """GET /v1/charges."""
    rows = Checkout.objects.filter(payment_status="paid").defer("email", "success_url", "cancel_url", "description")
    if payment_intent:
        rows = rows.filter(intent_id=payment_intent)
    intent = starting_after.replace("ch_", "pi_", 1)
    rows = rows.prefetch_related("refunds", "disputes", "balance")
    return _page(rows, shapes.charge, gte, lt, time="paid_at", key="intent_id", after=intent)


def refunds(*, gte: int = 0, lt: int = 0, starting_after: str = "", payment_intent: str = "") -> dict[str, Any]:
    """GET /v1/refunds."""
    rows = ProcessorRefund.objects.select_related("checkout").defer(*(f"checkout__{one}" for one in _SEALED))
    if payment_intent:
        rows = rows.filter(checkout__intent_id=payment_intent)
    return _page(rows, shapes.refund, gte, lt, key="refund_id", after=starting_after)


def balance_transactions(*, gte: int = 0, lt: int = 0, starting_after: str = "", payout: str = "") -> dict[str, Any]:
    """GET /v1/balance_transactions, with ``source`` expanded as far as its payment intent."""
    rows = BalanceEntry.objects.select_related("checkout").defer(*(f"checkout__{one}" for one in _SEALED))
    if payout:
        rows = rows.filter(payout__payout_id=payout)
    return _page(rows, shapes.balance_transaction, gte, lt, key="balance_id", after=starting_after)


def payouts(*, gte: int = 0, lt: int = 0, starting_after: str = "") -> dict[str, Any]:
    """GET /v1/payouts."""
    return _page(ProcessorPayout.objects.all(), shapes.payout, gte, lt, key="payout_id", after=starting_after)


def disputes(*, gte: int = 0, lt: int = 0, starting_after: str = "") -> dict[str, Any]:
    """GET /v1/disputes."""
    rows = ProcessorDispute.objects.select_related("checkout").defer(*(f"checkout__{one}" for one in _SEALED))
    return _page(rows, shapes.dispute, gte, lt, key="dispute_id", after=starting_after)


def retrieve_payout(*, payout_id: str) -> dict[str, Any]:
    """GET /v1/payouts/ID."""
    found = ProcessorPayout.objects.filter(payout_id=payout_id).first()
    if found is None:
        raise VendorRefused(404, "resource_missing", "No such payout.")
    return shapes.payout(found)


_SEALED = ("email", "success_url", "cancel_url", "description")


def _page(
    rows: QuerySet[Any], shape: Shape, gte: int, lt: int, *, time: str = "created_at", key: str, after: str
) -> dict[str, Any]:
    """One page by (time, pk), descending: the place after an id is found by its row, so pages never overlap."""
    if gte:
        rows = rows.filter(**{f"{time}__gte": datetime.fromtimestamp(gte, UTC)})
    if lt:
        rows = rows.filter(**{f"{time}__lt": datetime.fromtimestamp(lt, UTC)})
    if after:
        last: Model | None = rows.model._default_manager.filter(**{key: after}).first()
        if last is None:
            raise VendorRefused(400, "resource_missing", "starting_after names nothing.")
        at = getattr(last, time)
        # The first bound is what an index can be entered by; the rest are the few of that very moment.
        rows = rows.filter(Q(**{f"{time}__lte": at}) & (Q(**{f"{time}__lt": at}) | Q(pk__lt=last.pk)))
    found = list(rows.order_by(f"-{time}", "-pk")[: MOST + 1])
    return {"object": "list", "data": [shape(one) for one in found[:MOST]], "has_more": len(found) > MOST}
