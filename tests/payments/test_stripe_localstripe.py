"""The client against localstripe, somebody else's stand-in for Stripe, for what that can do.

It knows no Checkout Sessions, keeps no idempotency keys and allows over-refunds: those are tested in
``test_stripe_client.py``.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bedside.core.money import Money
from bedside.payments.processors import stripe_objects
from bedside.payments.processors.base import ProcessorRefused
from bedside.payments.processors.stripe import StripeProcessor

KEY = "sk_test_1234567890"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address, on a port that is free; the process is ended by its own id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("localstripe")
    log = Path(folder / "log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"],
            stdout=out, stderr=out, cwd=folder, env={"TMPDIR": str(folder)},
        )  # fmt: skip
    try:
        url = f"http://localhost:{port}"
        for _ in range(200):
            try:
                httpx.get(f"{url}/v1/balance", auth=(KEY, ""), trust_env=False)
                break
            except httpx.TransportError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def client(address: str, no_waiting: None) -> StripeProcessor:
    return StripeProcessor(KEY, api_base=address)


@pytest.fixture
def intent(address: str) -> str:
    """A payment of $85.00 that succeeded, made as a browser would: not by our client, which never sees a card."""
    with httpx.Client(base_url=address, auth=(KEY, ""), trust_env=False) as browser:
        card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2030", "cvc": "123"}
        method = browser.post(
            "/v1/payment_methods", data={"type": "card"} | {f"card[{name}]": value for name, value in card.items()}
        ).json()
        asked = {"amount": "8500", "currency": "usd", "payment_method": method["id"], "confirm": "true"}
        made = browser.post("/v1/payment_intents", data=asked).json()
    assert made["status"] == "succeeded", made
    return str(made["id"])


def test_a_charge_is_read_with_how_it_was_booked(client: StripeProcessor, intent: str) -> None:
    found = client.look_up_charge(intent)
    assert found is not None
    charge, booked = found
    assert (charge.intent_id, charge.amount) == (intent, Money(8500))
    assert booked is not None
    assert (booked.kind, booked.source_id, booked.amount) == ("charge", charge.charge_id, Money(8500))


def test_refunds_are_made_and_followed(client: StripeProcessor, intent: str) -> None:
    made = client.refund(intent_id=intent, amount=Money(2500), idempotency_key="refund-1", key="cancel-1")
    assert (made.status, made.amount, made.key) == ("succeeded", Money(2500), "cancel-1")
    assert client.look_up_refund(made.refund_id) == made
    assert list(client.refunds_of(intent)) == [made]


def test_charges_and_the_balance_are_listed(client: StripeProcessor, intent: str) -> None:
    client.refund(intent_id=intent, amount=Money(8500), idempotency_key="refund-2")
    # It can't list between two times, so the times are left out.
    charges = client._api.v1.charges.list({"limit": 100})
    assert intent in [stripe_objects.charge(one.to_dict()).intent_id for one in charges]
    page = client._api.v1.balance_transactions.list({"limit": 100})
    kinds = {stripe_objects.balance_transaction(one.to_dict()).kind for one in page}
    assert kinds == {"charge", "refund"}


def test_what_is_unknown_is_a_definite_no(client: StripeProcessor) -> None:
    with pytest.raises(ProcessorRefused):
        client.look_up_refund("re_unknown")
    with pytest.raises(ProcessorRefused):
        client.refund(intent_id="pi_unknown", amount=Money(100), idempotency_key="refund-3")
