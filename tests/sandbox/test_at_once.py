"""The stand-in processor under fire: many at once come to one result."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection

from bedside.core.money import Money
from bedside.payments.processors.base import ProcessorError
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.sandbox import processor as server
from bedside.sandbox.errors import VendorRefused
from bedside.sandbox.models import Checkout, ProcessorRefund, Webhook
from tests.sandbox.conftest import GOOD

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work: Callable[[int], Any], times: int = 8) -> list[Any]:
    def one(number: int) -> Any:
        try:
            return work(number)
        except ProcessorError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_the_same_key_at_once_is_one_session(open_checkout: Callable[..., Any]) -> None:
    assert len({session.session_id for session in at_once(lambda _: open_checkout())}) == 1
    assert Checkout.objects.count() == 1


def test_paying_at_once_is_paid_and_told_once(open_checkout: Callable[..., Any]) -> None:
    session = open_checkout()
    states = at_once(lambda _: server.pay(session.session_id, GOOD)["status"])
    assert states == ["complete"] * 8
    assert Webhook.objects.filter(kind="checkout.session.completed").count() == 1


def test_refunds_at_once_stop_at_what_was_captured(open_checkout: Callable[..., Any], bank: SandboxProcessor) -> None:
    session = open_checkout()
    server.pay(session.session_id, GOOD)
    intent = bank.look_up(session.session_id).intent_id
    at_once(lambda n: bank.refund(intent_id=intent, amount=Money(2000, "USD"), idempotency_key=f"r{n}"))
    assert sum(ProcessorRefund.objects.values_list("amount_minor", flat=True)) == 8000


def test_paying_and_expiring_at_once_end_in_one_of_the_two(
    open_checkout: Callable[..., Any], bank: SandboxProcessor
) -> None:
    session = open_checkout()

    def act(number: int) -> None:
        if number % 2:
            bank.expire_checkout(session.session_id)
        else:
            with suppress(VendorRefused):
                server.pay(session.session_id, GOOD)

    at_once(act)
    state = bank.look_up(session.session_id)
    assert (state.status, state.paid) in {("complete", True), ("expired", False)}
    assert Webhook.objects.count() == 1
