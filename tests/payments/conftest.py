"""What tests of money share: Stripe over HTTP on this machine, and a client of it that doesn't wait between tries."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import stripe
from django.test import Client

from bedside.core import clock
from bedside.flows import fees, processor_events
from bedside.flows.book import Booking
from bedside.payments.models import Payment, ProcessorEvent
from bedside.payments.processors.stripe import StripeProcessor
from bedside.sandbox.jobs import headers_for
from bedside.sandbox.models import Webhook
from tests.desk.conftest import admin, desk  # noqa: F401 (fixtures)
from tests.flows.conftest import book_visit, pay_at_the_bank  # noqa: F401 (a fixture)
from tests.payments.stripe_server import StripeServer


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "_sleep_time_seconds", lambda *_: 0.0)


@pytest.fixture
def server() -> Iterator[StripeServer]:
    made = StripeServer()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def stripe_client(server: StripeServer, no_waiting: None) -> StripeProcessor:
    return StripeProcessor("rk_test_key", api_base=server.url, timeout=(0.3, 0.3))


# --- Webhooks between the stand-in and Bedside's own door -----------------------------------------------------------


def undelivered() -> list[Webhook]:
    return list(Webhook.objects.filter(vendor="stripe", delivered_at=None, lost=False).order_by("pk"))


def deliver(webhook: Webhook) -> int:
    """Signs it as the stand-in does, and posts the exact bytes; the answer's status."""
    body = webhook.body.encode()
    headers = headers_for(webhook, "", body)
    answer = Client().generic("POST", "/hooks/stripe", body, content_type="application/json", headers=headers)
    Webhook.objects.filter(pk=webhook.pk).update(delivered_at=clock.now())
    return answer.status_code


def handle_all() -> None:
    """What the worker does with events that wait."""
    for event_id in ProcessorEvent.objects.filter(processed_at=None).order_by("pk").values_list("pk", flat=True):
        processor_events.handle(event_id)


def news() -> None:
    """Everything that the processor has to say arrives and is handled."""
    while waiting := undelivered():
        for webhook in waiting:
            assert deliver(webhook) == 200
        handle_all()


@pytest.fixture
def paid(book_visit: Callable[..., Booking]) -> Payment:  # noqa: F811
    """A visit that was booked and paid for, $85.00, and heard of."""
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    news()
    payment = Payment.objects.get()
    fees.collect(payment.pk)
    assert payment.status == "succeeded"
    return payment
