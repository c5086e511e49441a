"""The client of Stripe against a server that checks what really arrives, and fails in every way that Stripe may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from django.core.exceptions import ImproperlyConfigured

from bedside.core.models import Alert
from bedside.core.money import Money
from bedside.payments.processors import processor
from bedside.payments.processors.base import (
    CheckoutSession,
    KeyRefused,
    OutcomeUnknown,
    ProcessorError,
    ProcessorRefused,
    TryAgainLater,
)
from bedside.payments.processors.stripe import API_VERSION, StripeProcessor
from tests.payments.stripe_server import StripeServer

EMAIL = "robin@example.com"


@pytest.fixture
def open_checkout(stripe_client: StripeProcessor, server: StripeServer) -> Callable[..., CheckoutSession]:
    def make(**fields: Any) -> CheckoutSession:
        defaults = {
            "payment_key": "payment-1",
            "reference": "BK7F3K9",
            "amount": Money(8500),
            "description": "Video visit with Lakeside Clinic",
            "email": EMAIL,
            "success_url": "https://clinic.example/visits/abc?paid=1",
            "cancel_url": "https://clinic.example/visits/abc?unpaid=1",
            "expires_at": datetime.fromtimestamp(server.now, UTC) + timedelta(minutes=31),
            "metadata": {"appointment_id": "7", "payment_id": "9"},
        }
        return stripe_client.open_checkout(**defaults | fields)

    return make


def test_the_pinned_version_is_the_one_that_the_types_describe() -> None:
    """A newer library must not change what is asked for without anybody looking."""
    assert stripe.api_version == API_VERSION


def test_a_checkout_is_asked_for_in_stripes_own_form(open_checkout: Any, server: StripeServer) -> None:
    session = open_checkout()
    assert session.url.startswith("https://checkout.stripe.com/")
    assert session.expires_at == datetime.fromtimestamp(server.now + 31 * 60, UTC)
    [(method, path, asked, headers)] = server.requests
    assert (method, path) == ("POST", "/v1/checkout/sessions")
    assert asked["client_reference_id"] == "BK7F3K9"
    assert asked["allowed_payment_method_types[0]"] == "card"
    assert asked["metadata[appointment_id]"] == asked["payment_intent_data[metadata][appointment_id]"] == "7"
    assert (headers["idempotency-key"], headers["stripe-version"]) == ("payment-1", API_VERSION)
    assert headers["authorization"] == "Bearer rk_test_key"


def test_no_personal_data_but_the_receipts_address(open_checkout: Any, server: StripeServer) -> None:
    open_checkout()
    [(_, _, asked, _)] = server.requests
    assert [name for name, value in asked.items() if EMAIL in value] == ["customer_email"]
    assert set(asked) == {
        "mode", "allowed_payment_method_types[0]", "client_reference_id", "customer_email", "success_url", "cancel_url",
        "expires_at", "metadata[appointment_id]", "metadata[payment_id]", "line_items[0][quantity]",
        "payment_intent_data[metadata][appointment_id]", "payment_intent_data[metadata][payment_id]",
        "line_items[0][price_data][currency]", "line_items[0][price_data][unit_amount]",
        "line_items[0][price_data][product_data][name]",
    }  # fmt: skip


def test_the_same_key_opens_one_session_and_other_parameters_are_refused(open_checkout: Any) -> None:
    assert open_checkout() == open_checkout()
    with pytest.raises(ProcessorRefused, match="idempotency_error"):
        open_checkout(amount=Money(9000))


def test_a_session_of_less_than_half_an_hour_is_a_definite_no(open_checkout: Any, server: StripeServer) -> None:
    soon = datetime.fromtimestamp(server.now, UTC) + timedelta(minutes=20)
    with pytest.raises(ProcessorRefused) as caught:
        open_checkout(expires_at=soon)
    assert caught.value.permanent


def test_a_paid_session_tells_the_charge_and_its_fee(
    open_checkout: Any, stripe_client: StripeProcessor, server: StripeServer
) -> None:
    session = open_checkout()
    before = stripe_client.look_up(session.session_id)
    assert (before.status, before.paid, before.intent_id) == ("open", False, "")
    server.pay(session.session_id)
    state = stripe_client.look_up(session.session_id)
    assert (state.status, state.paid, state.amount) == ("complete", True, Money(8500))
    assert state.paid_at == datetime.fromtimestamp(server.now, UTC)
    found = stripe_client.look_up_charge(state.intent_id)
    assert found is not None
    charge, booked = found
    assert booked is not None
    assert (charge.reference, charge.intent_id, booked.fee) == ("7", state.intent_id, Money(277))


def test_expiring_a_session_that_was_paid_meanwhile_says_paid(
    open_checkout: Any, stripe_client: StripeProcessor, server: StripeServer
) -> None:
    session = open_checkout()
    server.pay(session.session_id)
    assert stripe_client.expire_checkout(session.session_id).paid
    other = open_checkout(payment_key="payment-2")
    assert stripe_client.expire_checkout(other.session_id).status == "expired"
    assert stripe_client.expire_checkout(other.session_id).status == "expired"


def test_a_refund_carries_our_key_and_is_made_once(
    open_checkout: Any, stripe_client: StripeProcessor, server: StripeServer
) -> None:
    session = open_checkout()
    server.pay(session.session_id)
    intent = stripe_client.look_up(session.session_id).intent_id
    asked = {"intent_id": intent, "amount": Money(5000), "idempotency_key": "refund-a", "key": "a"}
    made = stripe_client.refund(**asked)
    assert stripe_client.refund(**asked) == made
    assert (made.status, made.key, made.amount) == ("succeeded", "a", Money(5000))
    assert list(stripe_client.refunds_of(intent)) == [made] == [stripe_client.look_up_refund(made.refund_id)]
    assert stripe_client.look_up(session.session_id).refunds == (made,)
    with pytest.raises(ProcessorRefused, match="charge_already_refunded"):
        stripe_client.refund(intent_id=intent, amount=Money(5000), idempotency_key="refund-b")


@pytest.mark.parametrize(
    ("fault", "named", "unknown", "permanent"),
    [
        ("500", OutcomeUnknown, True, False),
        ("hang", OutcomeUnknown, True, False),
        ("drop", OutcomeUnknown, True, False),
        ("409", OutcomeUnknown, True, False),
        ("429", TryAgainLater, False, False),
        ("402", ProcessorRefused, False, True),
        ("401", KeyRefused, False, False),
        ("403", KeyRefused, False, False),
    ],
)
@pytest.mark.django_db
def test_every_failure_has_its_name(
    open_checkout: Any, server: StripeServer, fault: str, named: type[ProcessorError], unknown: bool, permanent: bool
) -> None:
    server.fail(fault, fault)
    with pytest.raises(named) as caught:
        open_checkout()
    assert (caught.value.outcome_unknown, caught.value.permanent) == (unknown, permanent)
    assert caught.value.replayed == (fault == "500")
    assert EMAIL not in str(caught.value)
    assert Alert.objects.filter(kind="processor-key").exists() == (named is KeyRefused)


def test_a_dropped_answer_is_asked_for_again_under_the_same_key(open_checkout: Any, server: StripeServer) -> None:
    """Yes, and the connection is gone: the library's second try gets the first one's answer."""
    server.fail("drop")
    assert open_checkout().session_id == "cs_test_1"
    assert len(server.sessions) == 1
    assert [headers["idempotency-key"] for *_, headers in server.requests] == ["payment-1", "payment-1"]


def test_a_500_is_replayed_under_its_key_and_a_new_key_is_a_new_try(open_checkout: Any, server: StripeServer) -> None:
    server.fail("500")
    for _ in range(2):
        with pytest.raises(OutcomeUnknown) as caught:
            open_checkout()
        assert caught.value.replayed
    assert open_checkout(payment_key="payment-1-again").session_id == "cs_test_1"


def test_lists_are_read_page_by_page(stripe_client: StripeProcessor, server: StripeServer) -> None:
    row = {
        "object": "balance_transaction", "amount": 8500, "fee": 277, "currency": "usd", "reporting_category": "charge",
        "source": {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"},
    }  # fmt: skip
    server.lists["balance_transactions"] = [
        row | {"id": f"txn_{n}", "created": server.now - n, "payout": "po_1" if n % 2 else "po_2"} for n in range(250)
    ]
    present = datetime.fromtimestamp(server.now, UTC)
    listed = stripe_client.list_balance_transactions(since=present - timedelta(days=1), until=present)
    first = next(listed)
    assert (first.balance_id, first.intent_id, first.net) == ("txn_1", "pi_1", Money(8223))
    assert len(server.requests) == 1
    assert len([first, *listed]) == 249
    assert [asked.get("starting_after") for _, _, asked, _ in server.requests] == [None, "txn_100", "txn_200"]
    assert server.requests[0][2]["expand[0]"] == "data.source"
    assert len(list(stripe_client.balance_of_payout("po_1"))) == 125


def test_payouts_disputes_and_charges_are_listed(stripe_client: StripeProcessor, server: StripeServer) -> None:
    now = server.now
    server.lists["payouts"] = [
        {"id": "po_1", "object": "payout", "amount": 100, "currency": "usd", "status": "paid", "created": now,
         "arrival_date": now, "failure_code": None}
    ]  # fmt: skip
    charge = {"object": "charge", "amount": 100, "amount_captured": 100, "amount_refunded": 0, "currency": "usd",
              "created": now, "payment_intent": "pi_1", "metadata": {}, "disputed": True}  # fmt: skip
    server.lists["charges"] = [
        charge | {"id": "ch_1", "captured": True, "status": "succeeded", "balance_transaction": "txn_1"},
        charge | {"id": "ch_2", "captured": False, "status": "failed", "balance_transaction": None},
    ]
    server.lists["disputes"] = [
        {"id": "dp_1", "object": "dispute", "amount": 100, "currency": "usd", "created": now, "charge": "ch_1",
         "payment_intent": "pi_1", "reason": "fraudulent", "status": "needs_response", "balance_transactions": [],
         "evidence_details": {"due_by": now + 60}}
    ]  # fmt: skip
    span = {"since": datetime.fromtimestamp(now, UTC), "until": datetime.fromtimestamp(now + 1, UTC)}
    assert [one.payout_id for one in stripe_client.list_payouts(**span)] == ["po_1"]
    assert [(one.charge_id, one.disputed) for one in stripe_client.list_charges(**span)] == [("ch_1", True)]
    [dispute] = stripe_client.list_disputes(**span)
    assert dispute.due_at == datetime.fromtimestamp(now + 60, UTC)


@pytest.mark.parametrize(("key", "live"), [("sk_live_1", True), ("rk_live_1", True), ("sk_test_1", False)])
def test_the_key_tells_whether_the_money_is_real(key: str, live: bool) -> None:
    assert StripeProcessor(key).live is live


def test_a_key_in_the_settings_chooses_stripe(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SANDBOX = False
    monkeypatch.setattr(settings.ENV, "stripe_api_key", "rk_test_chosen")
    chosen = processor()
    assert isinstance(chosen, StripeProcessor)
    assert (chosen.name, chosen.live) == ("stripe", False)
    assert processor() is chosen
    monkeypatch.setattr(settings.ENV, "stripe_api_key", "pk_test_public")
    with pytest.raises(ImproperlyConfigured):
        processor()
