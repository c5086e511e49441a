"""Disputes at the stand-in processor: a patient's bank takes a payment back, and decides in the end."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum

from bedside.core import clock
from bedside.sandbox import books, webhooks
from bedside.sandbox import stripe_shapes as shapes
from bedside.sandbox.errors import VendorRefused
from bedside.sandbox.models import Checkout, ProcessorDispute

EVIDENCE_WITHIN = timedelta(days=7)
REASONS = ("fraudulent", "product_not_received", "credit_not_processed", "duplicate", "general")
OVER = ("won", "lost")


def open_dispute(session_id: str, reason: str = "fraudulent") -> dict[str, Any]:
    """The bank disputes what is left of a payment. Refused where nothing is left, or one is open already."""
    if reason not in REASONS:
        raise VendorRefused(400, "parameter_invalid", f"A reason is one of {', '.join(REASONS)}.")
    with transaction.atomic():
        checkout = Checkout.objects.select_for_update().filter(session_id=session_id, payment_status="paid").first()
        if checkout is None:
            raise VendorRefused(404, "resource_missing", "No such paid checkout session.")
        given = checkout.refunds.exclude(status="failed").aggregate(total=Sum("amount_minor"))["total"] or 0
        if given >= checkout.amount_minor:
            raise VendorRefused(409, "charge_already_refunded", "This charge has been refunded.")
        if checkout.disputes.exists():
            raise VendorRefused(409, "charge_disputed", "This charge has been disputed already.")
        now = clock.now()
        dispute = ProcessorDispute.objects.create(
            dispute_id=f"dp_{secrets.token_hex(12)}",
            checkout=checkout,
            amount_minor=checkout.amount_minor - given,
            reason=reason,
            due_by=now + EVIDENCE_WITHIN,
            created_at=now,
        )
        books.disputed(dispute)
        shape = shapes.dispute(dispute)
        webhooks.stripe("charge.dispute.created", shape)
        webhooks.stripe("charge.dispute.funds_withdrawn", shape)
    return shape


def respond(dispute_id: str) -> dict[str, Any]:
    """The evidence was handed in on the processor's own page: the bank looks at it."""
    return _move(dispute_id, "under_review")


def close(dispute_id: str, status: str) -> dict[str, Any]:
    """The bank's decision: ``won`` (the money comes back to the practice) or ``lost``."""
    if status not in OVER:
        raise VendorRefused(400, "parameter_invalid", "A dispute ends won or lost.")
    return _move(dispute_id, status)


def retrieve(*, dispute_id: str) -> dict[str, Any]:
    """GET /v1/disputes/ID."""
    return shapes.dispute(_find(dispute_id))


def _move(dispute_id: str, status: str) -> dict[str, Any]:
    with transaction.atomic():
        dispute = _find(dispute_id, lock=True)
        if dispute.status in OVER:
            if dispute.status == status:
                return shapes.dispute(dispute)
            raise VendorRefused(409, "dispute_closed", "This dispute has been decided.")
        dispute.status = status
        dispute.save(update_fields=["status"])
        if status == "won":
            books.dispute_won(dispute)
        shape = shapes.dispute(dispute)
        webhooks.stripe("charge.dispute.closed" if status in OVER else "charge.dispute.updated", shape)
        if status == "won":
            webhooks.stripe("charge.dispute.funds_reinstated", shape)
    return shape


def _find(dispute_id: str, *, lock: bool = False) -> ProcessorDispute:
    rows = ProcessorDispute.objects.select_related("checkout")
    found = (rows.select_for_update(of=("self",)) if lock else rows).filter(dispute_id=dispute_id).first()
    if found is None:
        raise VendorRefused(404, "resource_missing", "No such dispute.")
    return found
