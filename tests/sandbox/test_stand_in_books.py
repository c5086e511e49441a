"""The stand-in's balance: what each charge, refund and dispute moves, what it costs, and the lists of all of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bedside.core import clock
from bedside.core.money import Money
from bedside.payments.processors.base import ProcessorError, ProcessorRefused
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.sandbox import books, disputes
from bedside.sandbox import processor as server
from bedside.sandbox.models import BalanceEntry, ProcessorDispute, ProcessorPayout, Webhook
from tests.sandbox.conftest import GOOD

pytestmark = pytest.mark.django_db
FAILS_LATER = "4000000000005126"


@pytest.fixture
def paid(open_checkout: Callable[..., Any], bank: SandboxProcessor) -> Callable[..., tuple[str, str]]:
    """Pays a checkout; gives the session's and the intent's ids."""

    def pay(n: int = 1, card: str = GOOD, **fields: Any) -> tuple[str, str]:
        session = open_checkout(payment_key=f"payment-{n}", **fields)
        server.pay(session.session_id, card)
        return session.session_id, bank.look_up(session.session_id).intent_id

    return pay


def span() -> dict[str, datetime]:
    return {"since": clock.now() - timedelta(days=30), "until": clock.now() + timedelta(seconds=1)}


@pytest.mark.parametrize(("amount", "fee"), [(8500, 277), (1, 1), (100, 33), (12050, 379), (50, 31)])
def test_the_fee_is_the_list_price(amount: int, fee: int) -> None:
    assert books.fee_of(amount) == fee


def test_a_charge_is_booked_with_its_fee_and_our_reference(paid: Any, bank: SandboxProcessor) -> None:
    _, intent = paid(metadata={"appointment_id": "7"})
    found = bank.look_up_charge(intent)
    assert found is not None
    charge, booked = found
    assert (charge.intent_id, charge.amount, charge.reference) == (intent, Money(8500), "7")
    assert booked is not None
    assert (booked.kind, booked.fee, booked.net) == ("charge", Money(277), Money(8223))
    assert charge.balance_id == booked.balance_id
    assert bank.look_up_charge("pi_unknown") is None


def test_lists_are_whole_and_in_order_over_many_pages(
    paid: Any, bank: SandboxProcessor, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    monkeypatch.setattr("bedside.sandbox.listing.MOST", 3)
    began = clock.now()
    intents = []
    for n in range(8):
        intents.append(paid(n)[1])
        if n % 3 == 2:
            clock.forward(timedelta(minutes=1))
    assert [charge.intent_id for charge in bank.list_charges(**span())] == intents[::-1]
    moved = list(bank.list_balance_transactions(**span()))
    assert [one.intent_id for one in moved] == intents[::-1]
    earlier = bank.list_charges(since=began, until=began + timedelta(minutes=1))
    assert [charge.intent_id for charge in earlier] == intents[2::-1]


def test_refunds_are_found_by_their_payment_and_say_whose_they_are(paid: Any, bank: SandboxProcessor) -> None:
    _, intent = paid()
    paid(2)
    bank.refund(intent_id=intent, amount=Money(500), idempotency_key="a", key="cancel-1")
    server.create_refund(idempotency_key="dashboard", payment_intent=intent, amount=700)
    found = list(bank.refunds_of(intent))
    assert [(one.key, one.amount, one.intent_id) for one in found] == [
        ("", Money(700), intent),
        ("cancel-1", Money(500), intent),
    ]
    assert list(bank.list_refunds(**span())) == found
    assert books.balance("usd") == 2 * 8223 - 1200


def test_a_refund_that_fails_later_comes_back_to_the_balance(paid: Any, bank: SandboxProcessor) -> None:
    _, intent = paid(card=FAILS_LATER)
    made = bank.refund(intent_id=intent, amount=Money(8500), idempotency_key="a")
    assert books.balance("usd") == -277
    server.settle_refund(made.refund_id, "failed")
    assert books.balance("usd") == 8223
    assert [one.kind for one in bank.list_balance_transactions(**span())] == ["refund_failure", "refund", "charge"]


def test_a_dispute_takes_the_money_and_a_fee_and_winning_brings_the_money_back(
    paid: Any, bank: SandboxProcessor
) -> None:
    session, intent = paid()
    shape = disputes.open_dispute(session, "product_not_received")
    state = bank.look_up_dispute(shape["id"])
    assert (state.status, state.intent_id, state.amount) == ("needs_response", intent, Money(8500))
    assert [(one.kind, one.amount, one.fee) for one in state.movements] == [("dispute", Money(-8500), Money(1500))]
    with pytest.raises(ProcessorRefused, match="charge_disputed"):
        bank.refund(intent_id=intent, amount=Money(1), idempotency_key="a")
    disputes.respond(shape["id"])
    disputes.close(shape["id"], "won")
    disputes.close(shape["id"], "won")
    [won] = bank.list_disputes(**span())
    assert (won.status, [one.kind for one in won.movements]) == ("won", ["dispute", "dispute_reversal"])
    assert books.balance("usd") == 8223 - 1500
    kinds = list(Webhook.objects.filter(kind__startswith="charge.dispute").values_list("kind", flat=True))
    assert [kind.removeprefix("charge.dispute.") for kind in kinds] == [
        "created", "funds_withdrawn", "updated", "closed", "funds_reinstated",
    ]  # fmt: skip


def test_what_is_refunded_or_unpaid_is_not_disputed(paid: Any, bank: SandboxProcessor, open_checkout: Any) -> None:
    session, intent = paid()
    bank.refund(intent_id=intent, amount=Money(8500), idempotency_key="a")
    unpaid = open_checkout(payment_key="payment-2").session_id
    for refused in (session, unpaid, "cs_unknown"):
        with pytest.raises(Exception, match=r"charge_already_refunded|resource_missing"):
            disputes.open_dispute(refused)
    assert not ProcessorDispute.objects.exists()


def test_what_was_taken_goes_to_the_bank_two_days_later(paid: Any, bank: SandboxProcessor, clock: Any) -> None:
    paid()
    clock.forward(timedelta(days=1))
    paid(2, expires_at=clock.now() + timedelta(minutes=31))
    assert books.pay_out(clock.now()) == []
    clock.forward(timedelta(days=1))
    [made] = books.pay_out(clock.now())
    state = bank.look_up_payout(made.payout_id)
    assert (state.amount, state.status) == (Money(8223), "paid")
    assert [one.kind for one in bank.balance_of_payout(made.payout_id)] == ["payout", "charge"]
    assert sum(one.net.minor_units for one in bank.balance_of_payout(made.payout_id)) == 0
    assert [one.payout_id for one in bank.list_payouts(**span())] == [made.payout_id]
    assert books.pay_out(clock.now()) == []
    assert books.balance("usd") == 8223


def test_a_negative_balance_is_not_paid_out(paid: Any, bank: SandboxProcessor, clock: Any) -> None:
    _, intent = paid()
    bank.refund(intent_id=intent, amount=Money(8500), idempotency_key="a")
    clock.forward(timedelta(days=3))
    assert books.pay_out(clock.now()) == []
    assert not ProcessorPayout.objects.exists()
    assert BalanceEntry.objects.count() == 2


@pytest.mark.parametrize("fault", ["refund-down", "refund-hangs"])
def test_a_refund_of_unknown_outcome_says_so(paid: Any, bank: SandboxProcessor, fault: str) -> None:
    from bedside.core import faults

    _, intent = paid()
    faults.arm(fault)
    with pytest.raises(ProcessorError) as caught:
        bank.refund(intent_id=intent, amount=Money(8500), idempotency_key="a", key="k")
    assert (caught.value.outcome_unknown, caught.value.replayed) == (True, fault == "refund-down")
    assert [one.key for one in bank.refunds_of(intent)] == ([] if fault == "refund-down" else ["k"])
