"""Paying: whoever brings the news first wins; the processor is asked for the truth."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from bedside.core.models import Alert, Event
from bedside.core.money import Money
from bedside.flows import hold, pay
from bedside.notifications import sending
from bedside.notifications.models import Notification
from bedside.payments import ledger
from bedside.payments.models import LedgerEntry, Payment
from bedside.payments.processors.base import BalanceTransaction
from bedside.sandbox.models import Checkout
from tests.flows.conftest import BAD_CARD, pay_at_the_bank


@pytest.mark.django_db
def test_a_paid_checkout_makes_the_visit_paid_and_writes_one_ledger_line(book_visit) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    assert pay.settle(appointment.payment.pk).status == "paid"
    assert LedgerEntry.objects.get().amount_minor == 8500
    assert Payment.objects.get().status == "succeeded"


@pytest.mark.django_db
def test_an_unpaid_checkout_changes_nothing(book_visit) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    assert pay.settle(appointment.payment.pk).status == "pending_payment"
    assert not LedgerEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_webhook_return_page_and_poll_at_once_pay_once(book_visit) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    payment_id = appointment.payment.pk
    barrier = threading.Barrier(8)

    def settle() -> None:
        barrier.wait()
        try:
            pay.settle(payment_id)
        finally:
            connection.close()

    threads = [threading.Thread(target=settle) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert LedgerEntry.objects.count() == 1
    assert Event.objects.filter(name="AppointmentPaid").count() == 1
    assert Notification.objects.filter(kind="confirmation").count() == 4


@pytest.mark.django_db
def test_paying_queues_a_confirmation_for_each_person_and_channel_and_the_reminders(book_visit) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    pay.settle(appointment.payment.pk)
    found = set(Notification.objects.values_list("kind", "variant", "audience", "channel"))
    for audience in ("patient", "provider"):
        for channel in ("email", "sms"):
            assert ("confirmation", "", audience, channel) in found
            assert ("reminder", "24h", audience, channel) in found
            assert ("reminder", "1h", audience, channel) in found
    assert len(found) == 12


@pytest.mark.django_db
def test_a_declined_card_is_noted_and_can_be_tried_again(book_visit) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment, BAD_CARD)
    assert pay.settle(appointment.payment.pk).status == "pending_payment"
    assert Payment.objects.get().failure_code
    assert pay.checkout_url(appointment)
    pay_at_the_bank(appointment)
    assert pay.settle(appointment.payment.pk).status == "paid"


@pytest.mark.django_db
def test_who_leaves_after_a_decline_is_told_that_the_time_is_still_held(book_visit, clock) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment, BAD_CARD)
    pay.settle(appointment.payment.pk)
    clock.forward(timedelta(minutes=4))
    for note in Notification.objects.filter(kind="payment_failed"):
        sending.send(note.pk)
    email, text = Notification.objects.filter(kind="payment_failed").order_by("channel")
    assert "Your time is still held: you can try again" in email.body
    assert f"/visits/{appointment.token}" in email.body
    assert "Try again:" in text.body


@pytest.mark.django_db
def test_who_tries_again_at_once_gets_no_such_message(book_visit, clock) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment, BAD_CARD)
    pay.settle(appointment.payment.pk)
    pay_at_the_bank(appointment)
    pay.settle(appointment.payment.pk)
    clock.forward(timedelta(minutes=4))
    for note in Notification.objects.filter(kind="payment_failed"):
        sending.send(note.pk)
    assert set(Notification.objects.filter(kind="payment_failed").values_list("status", flat=True)) == {"withdrawn"}


@pytest.mark.django_db
def test_a_hold_that_ran_out_is_released_and_its_checkout_closed(book_visit, clock) -> None:  # type: ignore[no-untyped-def]
    from bedside.sandbox.models import Checkout

    appointment = book_visit().appointment
    clock.forward(timedelta(minutes=36))
    hold.release(appointment.pk)
    appointment.refresh_from_db()
    assert appointment.status == "expired"
    assert Checkout.objects.get().status == "expired"


@pytest.mark.django_db
def test_a_hold_that_is_still_open_is_left_alone(book_visit) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    hold.release(appointment.pk)
    appointment.refresh_from_db()
    assert appointment.status == "pending_payment"


@pytest.mark.django_db
def test_a_payment_in_the_last_second_wins_over_the_release(book_visit, clock) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    clock.forward(timedelta(minutes=36))
    hold.release(appointment.pk)
    appointment.refresh_from_db()
    assert appointment.status == "paid"


@pytest.mark.django_db
def test_money_of_another_currency_is_not_counted_and_a_person_is_told(book_visit, clock) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    Checkout.objects.update(currency="eur")
    for _ in range(2):
        assert pay.settle(appointment.payment.pk).status == "pending_payment"
    assert not LedgerEntry.objects.exists()
    assert "took €85.00" in Alert.objects.get(kind="currency-differs").message
    clock.forward(timedelta(minutes=40))
    hold.release(appointment.pk)
    appointment.refresh_from_db()
    assert appointment.status == "expired"


@pytest.mark.django_db
def test_fees_and_disputes_of_another_currency_are_no_lines_here(book_visit) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    payment = pay.settle(appointment.payment.pk).payment
    amount, fee = Money(-8500, "EUR"), Money(1500, "EUR")
    moved = BalanceTransaction("txn_x", "dispute", "dp_x", amount, fee, payment.created_at)
    ledger.record_movement(payment, moved)
    assert list(LedgerEntry.objects.values_list("kind", flat=True)) == ["charge"]
