"""The stand-in payment processor: checkout sessions, payments and refunds that behave as Stripe's do, in its shapes.

Money is minor units, times on the wire are Unix seconds. Faults, armed by name, make it fail as the real one does.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum

from bedside.core import clock, faults, written
from bedside.sandbox import books, webhooks
from bedside.sandbox import stripe_shapes as shapes
from bedside.sandbox.cards import CARDS, Card, read_card
from bedside.sandbox.errors import ConnectionDropped, VendorRefused
from bedside.sandbox.models import Checkout, IdempotencyKey, ProcessorRefund

SHORTEST, LONGEST = timedelta(minutes=30), timedelta(hours=24)
REFUND_TAKES = DISPUTE_COMES = timedelta(seconds=10)


def create_session(
    *,
    idempotency_key: str,
    client_reference_id: str,
    amount: int,
    currency: str,
    description: str,
    customer_email: str,
    success_url: str,
    cancel_url: str,
    expires_at: int,
    metadata: dict[str, str] | None = None,
) -> dict[str, Any]:
    """POST /v1/checkout/sessions. ``expires_at`` lies 30 minutes to 24 hours ahead."""
    asked = {key: value for key, value in locals().items() if key != "idempotency_key"}
    broken = faults.armed("checkout-down")
    made: Checkout | None = None
    new_id = f"cs_test_{secrets.token_hex(24)}"

    def make() -> str:
        ends = datetime.fromtimestamp(expires_at, UTC)
        now = clock.now().replace(microsecond=0)
        if not SHORTEST <= ends - now <= LONGEST:
            raise VendorRefused(400, "parameter_invalid_integer", "expires_at must be 30 minutes to 24 hours ahead.")
        if amount <= 0:
            raise VendorRefused(400, "amount_too_small", "The amount must be above zero.")
        nonlocal made
        made = Checkout(
            session_id=new_id,
            intent_id=f"pi_{secrets.token_hex(12)}",
            client_reference=client_reference_id,
            amount_minor=amount,
            currency=currency.lower(),
            description=description[:200],
            email=customer_email,
            success_url=success_url,
            cancel_url=cancel_url,
            metadata=metadata or {},
            expires_at=ends,
            created_at=clock.now(),
        )
        written.insert(made)
        return made.session_id

    session_id = _once(idempotency_key, asked, make, broken=broken, new_id=new_id)
    if faults.armed("checkout-hangs"):
        raise ConnectionDropped
    return shapes.session(made or _find(session_id))


def retrieve_session(*, session_id: str) -> dict[str, Any]:
    """GET /v1/checkout/sessions/ID, with the intent, its charge and its refunds expanded."""
    with transaction.atomic():
        return shapes.session(_present(_find(session_id, lock=True)))


def expire_session(*, session_id: str) -> dict[str, Any]:
    """POST /v1/checkout/sessions/ID/expire. Refused unless the session is open, as Stripe does."""
    with transaction.atomic():
        checkout = _present(_find(session_id, lock=True))
        if checkout.status == "open":
            _expire(checkout)
            return shapes.session(checkout)
    message = f"Only an open session can be expired, not a {checkout.status} one."
    raise VendorRefused(400, "checkout_session_not_open", message)


def pay(session_id: str, card_number: str) -> dict[str, Any]:
    """The hosted page's button. Paying a complete session again changes nothing; a decline leaves it open.

    Raises VendorRefused with status 410 for an expired session.
    """
    card = read_card(card_number)
    with transaction.atomic():
        checkout = _present(_find(session_id, lock=True))
        if checkout.status == "open":
            _decline(checkout, card) if card.decline_code else _take(checkout, card)
    if checkout.status == "expired":
        raise VendorRefused(410, "checkout_session_expired", "This payment page has expired.")
    return shapes.session(checkout)


def create_refund(
    *, idempotency_key: str, payment_intent: str, amount: int, metadata: dict[str, str] | None = None
) -> dict[str, Any]:
    """POST /v1/refunds. Never more than was captured, over all refunds that have not failed."""
    asked = {"payment_intent": payment_intent, "amount": amount} | ({"metadata": metadata} if metadata else {})
    refused, broken = faults.armed("refund-fails"), faults.armed("refund-down")

    def make() -> str:
        checkout = Checkout.objects.select_for_update().filter(intent_id=payment_intent, payment_status="paid").first()
        if checkout is None:
            raise VendorRefused(404, "resource_missing", "No such paid payment intent.")
        given = checkout.refunds.exclude(status="failed").aggregate(total=Sum("amount_minor"))["total"] or 0
        if checkout.disputes.exclude(status="won").exists():
            raise VendorRefused(400, "charge_disputed", "This charge is disputed and can't be refunded.")
        if given >= checkout.amount_minor:
            raise VendorRefused(400, "charge_already_refunded", "This charge has been refunded.")
        if not 0 < amount <= checkout.amount_minor - given:
            raise VendorRefused(400, "amount_too_large", "The refund is larger than what is left of the charge.")
        return _give_back(checkout, amount, refused=refused, metadata=metadata or {}).refund_id

    refund_id = _once(idempotency_key, asked, make, broken=broken)
    if faults.armed("refund-hangs"):
        raise ConnectionDropped
    return retrieve_refund(refund_id=refund_id)


def retrieve_refund(*, refund_id: str) -> dict[str, Any]:
    """GET /v1/refunds/ID."""
    refund = ProcessorRefund.objects.select_related("checkout").filter(refund_id=refund_id).first()
    if refund is None:
        raise VendorRefused(404, "resource_missing", "No such refund.")
    return shapes.refund(refund)


def settle_refund(refund_id: str, status: str) -> None:
    """The bank's answer to a refund, later. The webhook tells."""
    with transaction.atomic():
        rows = ProcessorRefund.objects.select_for_update(of=("self",)).select_related("checkout")
        refund = rows.get(refund_id=refund_id)
        if refund.status == status:
            return
        if status == "failed":
            books.refund_failed(refund)
        refund.status = status
        refund.failure_reason = "expired_or_canceled_card" if status == "failed" else ""
        refund.save(update_fields=["status", "failure_reason"])
        webhooks.stripe("refund.failed" if status == "failed" else "refund.updated", shapes.refund(refund))


def _once(key: str, asked: dict[str, Any], make: Callable[[], str], *, broken: bool = False, new_id: str = "") -> str:
    """The id of the object made under this key: made once, replayed after that, errors of the server too.

    Two calls at once wait for each other on the unique key. What was refused as invalid left nothing behind and may be
    asked again under the same key, as at Stripe. ``new_id``: the object's, where it is known before it is made.
    """
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
    with transaction.atomic():
        if _claim(key, digest, 500 if broken else 200, "" if broken else new_id) and not broken:
            object_id = make()
            if object_id != new_id:
                IdempotencyKey.objects.filter(key=key).update(object_id=object_id)
            return object_id
    record = IdempotencyKey.objects.get(key=key)
    if bytes(record.parameters) != digest:
        raise VendorRefused(400, "idempotency_key_in_use", "Keys for idempotent requests need the same parameters.")
    if record.status >= 500:
        raise VendorRefused(record.status, "api_error", "Something went wrong on our side.")
    return record.object_id


def _claim(key: str, digest: bytes, status: int, object_id: str) -> bool:
    """True for the first to come with this key. Who comes meanwhile waits until the first has committed or failed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sandbox_idempotencykey (key, parameters, status, object_id, created_at) "
            "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING",
            [key, digest, status, object_id, clock.now()],
        )
        return bool(cursor.rowcount == 1)


def _find(session_id: str, *, lock: bool = False) -> Checkout:
    rows = Checkout.objects.select_for_update() if lock else Checkout.objects.all()
    checkout = rows.filter(session_id=session_id).first()
    if checkout is None:
        raise VendorRefused(404, "resource_missing", "No such checkout session.")
    return checkout


def _present(checkout: Checkout) -> Checkout:
    """As it is now: one whose time has run out is expired by being looked at."""
    if checkout.status == "open" and checkout.expires_at <= clock.now():
        _expire(checkout)
    return checkout


def _expire(checkout: Checkout) -> None:
    checkout.status = "expired"
    checkout.save(update_fields=["status"])
    webhooks.stripe("checkout.session.expired", shapes.session(checkout, expand=False))


def _decline(checkout: Checkout, card: Card) -> None:
    checkout.decline_code = card.decline_code
    checkout.save(update_fields=["decline_code"])
    webhooks.stripe("payment_intent.payment_failed", shapes.intent(checkout))


def _take(checkout: Checkout, card: Card) -> None:
    from bedside.sandbox import jobs

    checkout.status, checkout.payment_status, checkout.decline_code = "complete", "paid", ""
    checkout.paid_at, checkout.last_four = clock.now(), card.number[-4:]
    checkout.save()
    books.charged(checkout)
    if card.disputed:
        jobs.dispute_later(checkout.session_id, clock.now() + DISPUTE_COMES)
    webhooks.stripe("checkout.session.completed", shapes.session(checkout, expand=False), manner=card.webhook)


def _give_back(checkout: Checkout, amount: int, *, refused: bool, metadata: dict[str, str]) -> ProcessorRefund:
    from bedside.sandbox import jobs

    manner = next((card.refund for card in CARDS.values() if card.number[-4:] == checkout.last_four), "")
    refund = ProcessorRefund.objects.create(
        refund_id=f"re_{secrets.token_hex(12)}",
        checkout=checkout,
        amount_minor=amount,
        status="failed" if refused else "pending" if manner == "slow" else "succeeded",
        failure_reason="declined" if refused else "",
        created_at=clock.now(),
        metadata=metadata,
    )
    webhooks.stripe("refund.created", shapes.refund(refund))
    if refused:
        webhooks.stripe("refund.failed", shapes.refund(refund))
        return refund
    books.refunded(refund)
    if refund.status == "succeeded":
        webhooks.stripe("charge.refunded", shapes.charge(checkout))
    if manner:
        outcome = "succeeded" if manner == "slow" else "failed"
        jobs.settle_refund_later(refund.refund_id, outcome, clock.now() + REFUND_TAKES)
    return refund
