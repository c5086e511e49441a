"""The stand-in's refunds: once per key, never more than was captured, and followed by webhooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bedside.core import faults
from bedside.core.money import Money
from bedside.payments.processors.base import ProcessorError
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.sandbox import processor as server
from bedside.sandbox.models import ProcessorRefund, Webhook
from tests.sandbox.conftest import GOOD

pytestmark = pytest.mark.django_db


@pytest.fixture
def pay_with(open_checkout: Callable[..., Any], bank: SandboxProcessor) -> Callable[[str], str]:
    """Pays a checkout of $85.00 and gives the intent's id."""

    def pay(card: str = GOOD) -> str:
        session = open_checkout()
        server.pay(session.session_id, card)
        return bank.look_up(session.session_id).intent_id

    return pay


def refund(bank: SandboxProcessor, intent: str, minor: int, key: str = "r1") -> Any:
    return bank.refund(intent_id=intent, amount=Money(minor, "USD"), idempotency_key=key)


def test_the_same_key_refunds_once(bank: SandboxProcessor, pay_with: Any) -> None:
    intent = pay_with()
    assert refund(bank, intent, 8500) == refund(bank, intent, 8500)
    assert ProcessorRefund.objects.count() == 1


def test_the_same_key_with_another_amount_is_an_error(bank: SandboxProcessor, pay_with: Any) -> None:
    intent = pay_with()
    refund(bank, intent, 100)
    with pytest.raises(ProcessorError, match="idempotency_key_in_use"):
        refund(bank, intent, 200)


def test_refunds_never_exceed_what_was_captured(bank: SandboxProcessor, pay_with: Any) -> None:
    intent = pay_with()
    refund(bank, intent, 8000, "r1")
    with pytest.raises(ProcessorError, match="amount_too_large"):
        refund(bank, intent, 501, "r2")
    refund(bank, intent, 500, "r3")
    with pytest.raises(ProcessorError, match="charge_already_refunded"):
        refund(bank, intent, 1, "r4")


def test_an_unpaid_intent_has_nothing_to_refund(bank: SandboxProcessor, open_checkout: Any) -> None:
    open_checkout()
    with pytest.raises(ProcessorError, match="resource_missing"):
        refund(bank, "pi_nothing", 100)


def test_a_refund_shows_on_the_session_and_is_told_by_webhook(bank: SandboxProcessor, pay_with: Any) -> None:
    given = refund(bank, pay_with(), 8500)
    session_id = server.Checkout.objects.get().session_id
    assert bank.look_up(session_id).refunds == (given,)
    assert Webhook.objects.filter(kind="charge.refunded").count() == 1


def test_a_refused_refund_says_so_and_leaves_the_money_refundable(bank: SandboxProcessor, pay_with: Any) -> None:
    intent = pay_with()
    faults.arm("refund-fails")
    state = refund(bank, intent, 8500)
    assert (state.status, state.failure_code) == ("failed", "declined")
    assert refund(bank, intent, 8500, "r2").status == "succeeded"


@pytest.mark.parametrize(
    ("card", "first", "last"),
    [("4000000000007726", "pending", "succeeded"), ("4000000000005126", "succeeded", "failed")],
)
def test_some_cards_are_refunded_slowly_or_not_in_the_end(
    bank: SandboxProcessor, pay_with: Any, card: str, first: str, last: str
) -> None:
    given = refund(bank, pay_with(card), 8500)
    assert given.status == first
    server.settle_refund(given.refund_id, last)
    server.settle_refund(given.refund_id, last)
    assert bank.look_up_refund(given.refund_id).status == last
    assert Webhook.objects.filter(kind__in=["refund.updated", "refund.failed"]).count() == 1
