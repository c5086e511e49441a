"""What tests of the stand-ins share: an open checkout, and a web between the sandbox and Bedside's own endpoints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.test import Client

from bedside.core import clock
from bedside.core.money import Money
from bedside.payments.processors.base import CheckoutSession
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.sandbox import jobs

GOOD, DECLINED, LATE, TWICE, LOST = (
    "4242424242424242",
    "4000000000000002",
    "4000000000000077",
    "4000000000003220",
    "4000000000000341",
)


@pytest.fixture
def bank() -> SandboxProcessor:
    return SandboxProcessor()


@pytest.fixture
def open_checkout(bank: SandboxProcessor) -> Callable[..., CheckoutSession]:
    """Opens one for $85.00 that lives 31 minutes; keywords replace what is asked for."""

    def make(**fields: Any) -> CheckoutSession:
        defaults = {
            "payment_key": "payment-1",
            "reference": "BK7F3K9",
            "amount": Money(8500, "USD"),
            "description": "Video visit with Lakeside Clinic",
            "email": "robin@example.com",
            "success_url": "http://127.0.0.1:8000/visits/abc?paid=1",
            "cancel_url": "http://127.0.0.1:8000/visits/abc?unpaid=1",
            "expires_at": clock.now() + timedelta(minutes=31),
        }
        return bank.open_checkout(**defaults | fields)

    return make


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Carries what the sandbox posts to our own endpoints, byte for byte; collects the answers' statuses."""
    answers: list[int] = []

    def carry(request: httpx.Request) -> httpx.Response:
        headers = {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in request.headers.items() if k != "content-type"}
        answer = Client().generic(
            "POST", request.url.path, request.content, content_type=request.headers["content-type"], **headers
        )
        answers.append(answer.status_code)
        return httpx.Response(answer.status_code, content=answer.content)

    real = httpx.Client
    monkeypatch.setattr(jobs.httpx, "Client", lambda **options: real(transport=httpx.MockTransport(carry)))
    return answers
