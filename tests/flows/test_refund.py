"""Refunds: counted once, never more than was captured, followed to the end."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from bedside.core import faults
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import Alert
from bedside.core.money import Money
from bedside.flows import pay, refund
from bedside.flows.facts import facts_for
from bedside.notifications.models import Notification
from bedside.notifications.rendering import render
from bedside.payments.errors import KeyReused, NothingToRefund, RefundTooLarge, WrongCurrency
from bedside.payments.models import LedgerEntry, Payment, Refund
from bedside.payments.processors.base import RefundState
from tests.flows.conftest import pay_at_the_bank


@pytest.fixture
def payment(book_visit):  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    pay.settle(appointment.payment.pk)
    return Payment.objects.get()


def ask(payment: Payment, amount: int, key: str) -> Refund:
    return refund.request(payment, amount_minor=amount, reason="", actor=Actor("admin", 1), key=key)


@pytest.mark.django_db
def test_partial_refunds_add_up_and_stop_at_what_was_captured(payment: Payment) -> None:
    for key, amount in (("a", 5000), ("b", 3500)):
        refund.carry_out(ask(payment, amount, key).pk)
    payment.refresh_from_db()
    assert payment.status == "refunded"
    with pytest.raises(NothingToRefund):
        ask(payment, 1, "c")
    assert sum(LedgerEntry.objects.values_list("amount_minor", flat=True)) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("amount", [0, -5, 8501])
def test_refunds_of_nothing_or_too_much_are_refused(payment: Payment, amount: int) -> None:
    with pytest.raises(RefundTooLarge):
        ask(payment, amount, "x")


@pytest.mark.django_db
def test_the_same_key_is_one_refund_and_one_ledger_line(payment: Payment) -> None:
    first, again = ask(payment, 8500, "same"), ask(payment, 8500, "same")
    assert first.pk == again.pk
    refund.carry_out(first.pk)
    refund.carry_out(first.pk)
    assert LedgerEntry.objects.filter(kind="refund").count() == 1


@pytest.mark.django_db
def test_a_refund_that_the_processor_refuses_is_put_back_and_raises_an_alert(payment: Payment) -> None:
    faults.arm("refund-fails")
    refund.carry_out(ask(payment, 8500, "x").pk)
    payment.refresh_from_db()
    assert (payment.refunded_minor, payment.status) == (0, "succeeded")
    assert Alert.objects.get(kind="refund-failed")
    assert not LedgerEntry.objects.filter(kind="refund").exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_refund_at_once_never_refund_more_than_was_captured(payment: Payment) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(6)

    def try_refund(n: int) -> None:
        barrier.wait()
        try:
            ask(payment, 5000, f"key-{n}")
            outcomes.append("asked")
        except (RefundTooLarge, NothingToRefund):
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=try_refund, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["asked"] + ["refused"] * 5


@pytest.mark.django_db
def test_a_refund_that_fails_after_it_had_succeeded_puts_the_money_back_into_the_books(payment: Payment) -> None:
    asked = ask(payment, 8500, "x")
    refund.carry_out(asked.pk)
    asked.refresh_from_db()
    refund.record(asked.pk, RefundState(asked.refund_id, "failed", "expired_or_canceled_card"))
    payment.refresh_from_db()
    assert (payment.status, payment.refunded_minor) == ("succeeded", 0)
    assert sum(LedgerEntry.objects.values_list("amount_minor", flat=True)) == 8500
    assert Alert.objects.get(kind="refund-failed")


@pytest.mark.django_db
def test_a_refund_under_way_is_followed_by_its_id(payment: Payment) -> None:
    asked = ask(payment, 8500, "x")
    refund.record(asked.pk, RefundState("re_slow", "pending"))
    asked.refresh_from_db()
    assert (asked.status, asked.refund_id) == ("pending", "re_slow")
    refund.record(asked.pk, RefundState("re_slow", "succeeded"))
    assert Payment.objects.get().status == "refunded"


@pytest.mark.django_db
def test_the_same_key_for_another_amount_is_refused(payment: Payment) -> None:
    ask(payment, 2000, "same")
    with pytest.raises(KeyReused):
        ask(payment, 3000, "same")
    assert Payment.objects.get().refunded_minor == 2000


@pytest.mark.django_db
def test_another_currency_is_refused(payment: Payment) -> None:
    with pytest.raises(WrongCurrency):
        refund.by_hand(payment_id=payment.pk, amount=Money(100, "EUR"), reason="x", actor=Actor("admin", 1), key="k")


@pytest.mark.django_db
def test_only_the_desk_refunds_by_hand(payment: Payment) -> None:
    with pytest.raises(PermissionRefused):
        refund.by_hand(payment_id=payment.pk, amount=Money(100), reason="x", actor=Actor.patient(), key="k")


@pytest.mark.django_db
def test_the_database_refuses_more_than_was_captured_whoever_writes(payment: Payment) -> None:
    ask(payment, 8000, "a")
    with pytest.raises(IntegrityError), transaction.atomic():
        Refund.objects.create(payment=payment, refund_amount=501, requested_by="admin", idempotency_key="around")
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(credited_minor=501)


@pytest.mark.django_db
def test_receipts_name_their_own_amount_also_after_one_that_failed(payment: Payment) -> None:
    faults.arm("refund-fails")
    for key, amount in (("a", 1000), ("b", 2000), ("c", 3000)):
        refund.carry_out(ask(payment, amount, key).pk)
    receipts = Notification.objects.filter(kind="refunded", channel="sms").order_by("pk")
    said = [render(receipt, facts_for(receipt)).body for receipt in receipts]
    assert ["$20.00" in said[0], "$30.00" in said[1], len(said)] == [True, True, 2]


@pytest.mark.django_db
def test_nothing_is_reminded_of_once_everything_was_given_back(payment: Payment) -> None:
    reminders = Notification.objects.filter(kind="reminder", status="queued")
    assert reminders.exists()
    refund.carry_out(ask(payment, 500, "a").pk)
    assert reminders.exists()
    refund.carry_out(ask(payment, 8000, "b").pk)
    assert not reminders.exists()


@pytest.mark.django_db
def test_a_refund_nobody_hears_of_for_a_day_raises_an_alert_and_is_asked_again(payment: Payment, clock: Any) -> None:
    asked = ask(payment, 8500, "x")
    assert refund.overdue() == []
    clock.forward(timedelta(hours=25))
    assert refund.overdue() == [asked.pk]
    assert Alert.objects.get(kind="refund-stuck", resolved_at=None)
    refund.carry_out(asked.pk)
    assert refund.overdue() == []
    assert not Alert.objects.filter(kind="refund-stuck", resolved_at=None).exists()
