"""Stripe's own example objects (github.com/stripe/openapi, MIT), read by the code that reads the real ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stripe

from bedside.core.money import Money
from bedside.payments.processors import stripe_objects as read
from bedside.sandbox.models import Checkout

FIXTURES = json.loads((Path(__file__).parent.parent / "contracts" / "stripe_objects.json").read_text(encoding="utf-8"))
THEN = datetime.fromtimestamp(1234567890, UTC)


def example(kind: str, **fields: Any) -> dict[str, Any]:
    """As it comes out of the library: through its own object and back."""
    made = stripe.StripeObject.construct_from({**FIXTURES[kind], **fields}, "sk_test_x")
    plain: dict[str, Any] = made.to_dict()
    return plain


def test_a_session() -> None:
    opened = read.checkout_session(example("checkout.session", url="https://checkout.stripe.com/c/pay/x"))
    assert opened.url.endswith("/x")
    state = read.checkout_state(example("checkout.session"))
    assert (state.status, state.paid, state.intent_id) == (
        "open",
        False,
        "pi_1EUnBwG8HQyUTXnXUuFbmLnB",
    ) or not state.paid


def test_a_paid_session_with_everything_expanded() -> None:
    charge = example("charge", refunds={"object": "list", "data": [FIXTURES["refund"]]})
    intent = example("payment_intent", latest_charge=charge, amount_received=8500)
    session = example(
        "checkout.session", payment_intent=intent, payment_status="paid", status="complete", currency="usd"
    )
    state = read.checkout_state(session)
    assert (state.paid, state.amount, state.paid_at) == (True, Money(8500), THEN)
    assert [one.refund_id for one in state.refunds] == [FIXTURES["refund"]["id"]]


def test_a_refund() -> None:
    refund = read.refund_state(example("refund", metadata={"bedside_refund": "cancel-7"}))
    assert (refund.status, refund.amount, refund.key, refund.created_at) == ("succeeded", Money(100), "cancel-7", THEN)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("pending", "pending"), ("requires_action", "pending"), ("succeeded", "succeeded"), ("failed", "failed"),
     ("canceled", "failed"), (None, "pending"), ("something_new", "pending")],
)  # fmt: skip
def test_every_state_of_a_refund(theirs: str | None, ours: str) -> None:
    assert read.refund_state(example("refund", status=theirs)).status == ours


def test_a_charge() -> None:
    charge = read.charge(example("charge", amount_captured=100, metadata={"appointment_id": "7"}))
    assert (charge.amount, charge.refunded, charge.disputed) == (Money(100), Money(0), False)
    assert (charge.reference, charge.created_at) == ("7", THEN)


def test_a_balance_transaction() -> None:
    found = read.balance_transaction(example("balance_transaction"))
    assert (found.kind, found.amount, found.created_at) == ("charge", Money(100), THEN)
    assert found.net == Money(FIXTURES["balance_transaction"]["net"])
    assert read.balance_transaction(example("balance_transaction", reporting_category="climate_order")).kind == "other"


def test_a_dispute_and_what_it_moved() -> None:
    moved = {**FIXTURES["balance_transaction"], "amount": -1000, "fee": 1500, "reporting_category": "dispute"}
    dispute = read.dispute_state(example("dispute", balance_transactions=[moved]))
    assert (dispute.status, dispute.reason, dispute.amount) == ("warning_needs_response", "general", Money(1000))
    assert dispute.due_at is not None
    assert dispute.refundable  # an inquiry, before the bank has taken anything
    [one] = dispute.movements
    assert (one.kind, one.net) == ("dispute", Money(-2500))


def test_an_event_speaks_of_its_object() -> None:
    event = example("event", data={"object": FIXTURES["checkout.session"]})
    assert read.spoken_of(event) == FIXTURES["checkout.session"]["id"]
    for kind in ("refund", "dispute"):
        assert read.spoken_of(example("event", data={"object": FIXTURES[kind]})) == FIXTURES[kind]["id"]
    # Of the pinned version, a charge carries no refunds: it is known by its payment intent.
    charge = {**FIXTURES["charge"], "refunds": None, "payment_intent": "pi_7"}
    assert read.spoken_of(example("event", data={"object": charge})) == "pi_7"


def test_what_the_stand_in_writes_has_only_fields_that_stripe_has() -> None:
    from bedside.sandbox import stripe_shapes as shapes
    from bedside.sandbox.models import BalanceEntry, ProcessorDispute, ProcessorRefund

    checkout = Checkout(session_id="cs_1", intent_id="pi_1", amount_minor=1, currency="usd", expires_at=THEN,
                        created_at=THEN)  # fmt: skip
    entry = BalanceEntry(balance_id="txn_1", category="charge", source_id="ch_1", amount_minor=1, created_at=THEN)
    for kind, shape in (
        ("checkout.session", shapes.session(checkout)),
        ("payment_intent", shapes.intent(checkout) | {"payment_details": None}),
        ("refund", shapes.refund(ProcessorRefund(checkout=checkout, amount_minor=1, created_at=THEN))),
        ("balance_transaction", shapes.balance_transaction(entry)),
        ("dispute", _dispute_shape(shapes, ProcessorDispute(checkout=checkout, due_by=THEN, created_at=THEN))),
    ):
        unknown = set(shape) - set(FIXTURES[kind]) - {"payment_details"}
        assert not unknown, (kind, unknown)


def _dispute_shape(shapes: Any, one: Any) -> dict[str, Any]:
    from unittest.mock import patch

    with patch.object(shapes.BalanceEntry.objects, "filter") as rows:
        rows.return_value.order_by.return_value = []
        shape: dict[str, Any] = shapes.dispute(one)
    return shape
