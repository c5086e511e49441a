"""The stand-in's checkout sessions follow Stripe's rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bedside.core import faults
from bedside.core.money import Money
from bedside.payments.processors.base import ProcessorError
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.sandbox import processor as server
from bedside.sandbox.errors import VendorRefused
from bedside.sandbox.models import Checkout
from tests.sandbox.conftest import DECLINED, GOOD

pytestmark = pytest.mark.django_db
Open = Callable[..., Any]


def test_the_same_key_gives_the_same_session(open_checkout: Open) -> None:
    assert open_checkout() == open_checkout()
    assert Checkout.objects.count() == 1


def test_the_same_key_with_other_parameters_is_an_error(open_checkout: Open) -> None:
    open_checkout()
    with pytest.raises(ProcessorError) as caught:
        open_checkout(amount=Money(8600, "USD"))
    assert caught.value.code == "idempotency_key_in_use"
    assert caught.value.permanent


@pytest.mark.parametrize("minutes", [-5, 0, 29, 24 * 60 + 1])
def test_a_session_must_live_thirty_minutes_to_a_day(open_checkout: Open, clock: Any, minutes: int) -> None:
    with pytest.raises(ProcessorError) as caught:
        open_checkout(expires_at=clock.now() + timedelta(minutes=minutes))
    assert caught.value.permanent
    assert not caught.value.outcome_unknown
    assert not Checkout.objects.exists()


def test_thirty_minutes_to_the_second_are_enough(open_checkout: Open, clock: Any) -> None:
    assert open_checkout(expires_at=clock.now() + timedelta(minutes=30)).url.startswith(
        "http://127.0.0.1:8000/sandbox/"
    )


def test_a_refused_request_may_be_mended_under_the_same_key(open_checkout: Open, clock: Any) -> None:
    with pytest.raises(ProcessorError):
        open_checkout(expires_at=clock.now())
    assert open_checkout().session_id


def test_a_session_expires_by_itself_and_then_takes_no_card(
    open_checkout: Open, bank: SandboxProcessor, clock: Any
) -> None:
    session = open_checkout()
    clock.forward(timedelta(minutes=31))
    assert bank.look_up(session.session_id).status == "expired"
    with pytest.raises(VendorRefused) as caught:
        server.pay(session.session_id, GOOD)
    assert caught.value.status == 410
    assert not bank.look_up(session.session_id).paid


def test_expiring_an_open_session_closes_it_and_doing_it_again_is_fine(
    open_checkout: Open, bank: SandboxProcessor
) -> None:
    session = open_checkout()
    assert bank.expire_checkout(session.session_id).status == "expired"
    assert bank.expire_checkout(session.session_id).status == "expired"


def test_expiring_a_paid_session_is_answered_with_its_state(open_checkout: Open, bank: SandboxProcessor) -> None:
    session = open_checkout()
    server.pay(session.session_id, GOOD)
    state = bank.expire_checkout(session.session_id)
    assert (state.status, state.paid, state.amount) == ("complete", True, Money(8500, "USD"))


def test_a_decline_leaves_the_session_open_and_another_card_pays_it(
    open_checkout: Open, bank: SandboxProcessor, clock: Any
) -> None:
    session = open_checkout()
    server.pay(session.session_id, DECLINED)
    declined = bank.look_up(session.session_id)
    assert (declined.status, declined.paid, declined.decline_code) == ("open", False, "generic_decline")
    server.pay(session.session_id, GOOD)
    paid = bank.look_up(session.session_id)
    assert (paid.status, paid.paid, paid.decline_code) == ("complete", True, "")
    assert paid.intent_id.startswith("pi_")
    assert paid.paid_at == clock.now().replace(microsecond=0)


def test_paying_twice_takes_the_money_once(open_checkout: Open, bank: SandboxProcessor) -> None:
    session = open_checkout()
    server.pay(session.session_id, GOOD)
    first = bank.look_up(session.session_id)
    server.pay(session.session_id, DECLINED)
    assert bank.look_up(session.session_id) == first


def test_a_server_error_is_replayed_under_its_key_and_not_under_a_new_one(open_checkout: Open) -> None:
    faults.arm("checkout-down")
    for _ in range(2):
        with pytest.raises(ProcessorError) as caught:
            open_checkout()
        assert caught.value.outcome_unknown
    assert open_checkout(payment_key="payment-2").session_id


def test_a_dropped_connection_leaves_a_session_that_the_same_key_finds(open_checkout: Open) -> None:
    faults.arm("checkout-hangs")
    with pytest.raises(ProcessorError) as caught:
        open_checkout()
    assert caught.value.outcome_unknown
    assert open_checkout().session_id == Checkout.objects.get().session_id


def test_an_unknown_session_is_a_permanent_error(bank: SandboxProcessor) -> None:
    with pytest.raises(ProcessorError) as caught:
        bank.look_up("cs_test_nothing")
    assert caught.value.permanent
