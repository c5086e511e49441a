"""Booking with a credit: in part, in whole, returned where the visit is not paid, spent again on late money."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.clinic import policy
from bedside.core.audit import Actor
from bedside.core.money import Money
from bedside.flows import cancel, conclude, credits, hold, pay, reverse_credit
from bedside.flows.commands import check
from bedside.flows.details import PatientDetails
from bedside.flows.facts import facts_for
from bedside.notifications.models import Notification
from bedside.notifications.rendering import render
from bedside.payments.credit_models import Credit
from bedside.payments.errors import CreditUnusable
from bedside.payments.models import Payment, Refund
from tests.factories import make_service
from tests.flows.conftest import first_opening, pay_at_the_bank
from tests.flows.test_credits import in_books, issue, make_payment

pytestmark = pytest.mark.django_db
ALEX = PatientDetails("Alex Morgan", "alex@example.com", "+12025550177", "America/New_York")


@pytest.fixture
def credit(clock: Any) -> Credit:
    """$50.00 of Alex."""
    return issue(make_payment(clock, patient_email="alex@example.com", patient_mobile="+12025550177"), 5000)


def test_a_part_is_paid_by_credit_and_the_rest_at_the_bank(book_visit: Any, credit: Credit) -> None:
    booking = book_visit(details=ALEX, credit_code=credit.shown_code.lower())
    payment = booking.payment
    assert (payment.amount_minor, payment.credit_minor, credit.left_minor) == (3500, 5000, 0)
    pay_at_the_bank(booking.appointment)
    pay.settle(payment.pk)
    payment.refresh_from_db()
    assert (payment.captured_minor, payment.appointment.status, in_books()) == (3500, "paid", 0)


def test_all_of_it_is_paid_by_credit_and_no_processor_is_asked(book_visit: Any, credit: Credit) -> None:
    booking = book_visit(service=make_service(price_minor=4000), details=ALEX, credit_code=credit.code)
    payment = Payment.objects.get(pk=booking.payment.pk)
    assert (booking.appointment.status, payment.status, payment.processor) == ("paid", "succeeded", "none")
    assert (payment.captured_minor, payment.credit_minor, payment.session_id) == (0, 4000, "")
    assert booking.checkout_url.endswith(f"/visits/{booking.appointment.token}")
    assert credit.left_minor == 1000
    assert not [problem for problem in check() if "captured" in problem or "credit" in problem]


def test_somebody_else_can_not_spend_it_and_nothing_is_booked(book_visit: Any, credit: Credit) -> None:
    stranger = PatientDetails("Kim Lee", "kim@example.com", "+12025550188", "America/New_York")
    with pytest.raises(CreditUnusable):
        book_visit(details=stranger, credit_code=credit.code)
    assert Payment.objects.count() == 1
    assert credit.left_minor == 5000


def test_a_hold_that_runs_out_returns_it(book_visit: Any, credit: Credit, clock: Any) -> None:
    booking = book_visit(details=ALEX, credit_code=credit.code)
    clock.forward(timedelta(minutes=40))
    hold.release(booking.appointment.pk)
    assert (credit.left_minor, in_books()) == (5000, 5000)


def test_choosing_another_time_moves_it_along(book_visit: Any, credit: Credit) -> None:
    service = make_service()
    book_visit(service=service, details=ALEX, credit_code=credit.code, hold_key=b"k" * 16)
    again = book_visit(service=service, details=ALEX, credit_code=credit.code, hold_key=b"k" * 16)
    assert (again.payment.credit_minor, credit.left_minor) == (5000, 0)


def test_money_that_comes_late_spends_it_again(book_visit: Any, credit: Credit, clock: Any) -> None:
    booking = book_visit(details=ALEX, credit_code=credit.code)
    pay_at_the_bank(booking.appointment)
    hold.give_up(booking.appointment.pk)
    assert credit.left_minor == 5000
    pay.settle(booking.payment.pk)
    booking.appointment.refresh_from_db()
    assert (booking.appointment.status, credit.left_minor, in_books()) == ("paid", 0, 0)


def test_money_that_comes_late_goes_back_where_the_credit_is_gone(book_visit: Any, credit: Credit) -> None:
    booking = book_visit(details=ALEX, credit_code=credit.code)
    pay_at_the_bank(booking.appointment)
    hold.give_up(booking.appointment.pk)
    book_visit(details=ALEX, credit_code=credit.code)
    pay.settle(booking.payment.pk)
    booking.appointment.refresh_from_db()
    assert booking.appointment.status == "expired"
    assert Refund.objects.get().refund_amount == 3500
    assert credit.left_minor == 0


def paid_with(book_visit: Any, credit: Credit, **service: Any) -> Any:
    """A visit that Alex has paid, with the credit first."""
    booking = book_visit(service=make_service(**service), details=ALEX, credit_code=credit.code)
    payment = Payment.objects.get(pk=booking.payment.pk)
    if payment.amount_minor:
        pay_at_the_bank(booking.appointment)
        pay.settle(payment.pk)
    booking.appointment.refresh_from_db()
    return booking.appointment


def test_canceling_in_time_returns_money_and_credit(book_visit: Any, credit: Credit) -> None:
    appointment = paid_with(book_visit, credit)
    outcome = cancel.preview(appointment, actor=Actor.patient())
    cancel.cancel(appointment_id=appointment.pk, actor=Actor.patient())
    assert (outcome.refund, outcome.credit) == (Money(3500), Money(5000))
    assert Refund.objects.get().refund_amount == 3500
    assert (credit.left_minor, in_books(), credits.used_by(appointment.payment)) == (5000, 5000, {})
    told = Notification.objects.filter(kind="canceled", audience="patient")
    said = [render(note, facts_for(note)).body for note in told]
    assert all("$50.00 is on your credit again" in body for body in said)


def test_canceling_a_visit_that_only_credit_paid(book_visit: Any, credit: Credit) -> None:
    appointment = paid_with(book_visit, credit, price_minor=4000)
    page = Client().get(f"/visits/{appointment.token}/cancel").content.decode()
    assert "$40.00 goes back to your credit" in page
    assert "$40.00 of it paid with your credit" in Client().get(f"/visits/{appointment.token}").content.decode()
    cancel.cancel(appointment_id=appointment.pk, actor=Actor.patient())
    cancel.cancel(appointment_id=appointment.pk, actor=Actor.patient())
    assert (credit.left_minor, Refund.objects.count()) == (5000, 0)
    assert "$40.00 is on your credit again" in Client().get(f"/visits/{appointment.token}").content.decode()


def test_too_late_neither_comes_back_unless_the_practice_cancels(book_visit: Any, credit: Credit, clock: Any) -> None:
    appointment = paid_with(book_visit, credit)
    clock.set(appointment.start - timedelta(hours=2))
    assert cancel.preview(appointment, actor=Actor.patient()).credit == Money(0)
    assert cancel.preview(appointment, actor=Actor("admin", 1)).credit == Money(5000)
    cancel.cancel(appointment_id=appointment.pk, actor=Actor.patient())
    assert (credit.left_minor, Refund.objects.count()) == (0, 0)


def test_the_desk_gives_nothing_for_a_reason(book_visit: Any, credit: Credit) -> None:
    appointment = paid_with(book_visit, credit)
    give = cancel.Give("nothing")
    cancel.cancel(appointment_id=appointment.pk, actor=Actor("admin", 1), reason="Abuse", give=give)
    assert (credit.left_minor, Refund.objects.count()) == (0, 0)


def test_a_missed_visit_keeps_the_fee_of_the_credit_too(book_visit: Any, credit: Credit, clock: Any) -> None:
    appointment = paid_with(book_visit, credit)
    appointment.refresh_from_db()
    share = policy.no_show(appointment.terms, 5000).refund
    clock.set(appointment.end + timedelta(hours=1))
    conclude.no_show(appointment_id=appointment.pk, actor=Actor("admin", 1))
    assert credit.left_minor == share


def test_credits_reversed_in_the_middle_of_a_visit_that_used_them(book_visit: Any, credit: Credit) -> None:
    appointment = paid_with(book_visit, credit, price_minor=4000)
    reverse_credit.reverse(credit_id=credit.pk, reason="Wrong", actor=Actor("admin", 1))
    cancel.cancel(appointment_id=appointment.pk, actor=Actor.patient())
    assert (credit.left_minor, in_books()) == (4000, 4000)


def test_the_details_page_takes_the_code(credit: Credit) -> None:
    service = make_service()
    start = first_opening(service)
    url = f"/book/{service.slug}/details"
    typed = {
        "start": start.isoformat(),
        "name": "Alex Morgan",
        "email": "alex@example.com",
        "country": "US",
        "mobile": "(202) 555-0199",
        "sms_consent": "on",
        "credit_code": credit.shown_code,
    }
    patient = Client()
    assert "I have a credit" in patient.get(url, {"start": start.isoformat()}).content.decode()
    page = patient.post(url, typed | {"apply": "1"}).content.decode()
    assert "-$50.00" in page
    assert "Continue to payment · $35.00" in page
    wrong = patient.post(url, typed | {"email": "kim@example.com"})
    assert wrong.status_code == 422
    assert "That credit code can&#x27;t be used" in wrong.content.decode()
    assert credit.left_minor == 5000
    assert patient.post(url, typed).status_code == 303
    assert credit.left_minor == 0


def test_a_credit_instead_of_a_refund_is_said_on_the_visits_page(book_visit: Any) -> None:
    booking = book_visit(details=ALEX)
    pay_at_the_bank(booking.appointment)
    pay.settle(booking.payment.pk)
    give = cancel.Give("credit", Money(8500))
    cancel.cancel(appointment_id=booking.appointment.pk, actor=Actor("admin", 1), reason="Agreed", give=give)
    assert Credit.objects.get().left_minor == 8500
    page = Client().get(f"/visits/{booking.appointment.token}").content.decode()
    assert "You have a credit of $85.00 for another visit" in page
    assert "Your credit" in page
