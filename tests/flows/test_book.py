"""Booking: what is asked, what is written, what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bedside.appointments.errors import ConsentRequired, NotOffered
from bedside.appointments.models import Appointment
from bedside.core import clock, faults
from bedside.core.models import AuditEntry, Event
from bedside.flows.details import Consent
from bedside.payments.errors import CheckoutUnavailable
from bedside.payments.models import Payment
from tests.factories import make_service
from tests.flows.conftest import first_opening

pytestmark = pytest.mark.django_db


def test_a_booking_holds_the_time_and_opens_a_checkout(book_visit) -> None:  # type: ignore[no-untyped-def]
    booking = book_visit()
    appointment = booking.appointment
    assert appointment.status == "pending_payment"
    assert appointment.hold_expires_at == clock.now() + timedelta(minutes=35)
    payment = appointment.payment
    assert payment.status == "initiated"
    assert payment.session_url == booking.checkout_url
    assert payment.session_expires_at < appointment.hold_expires_at
    assert list(Event.objects.values_list("name", flat=True)) == ["AppointmentCreated"]
    assert AuditEntry.objects.get().action == "appointment.created"


def test_the_events_carry_no_personal_data(book_visit) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    event = Event.objects.get()
    text = str(event.ids) + str(event.topics)
    assert "robin" not in text.lower()
    assert "2025550143" not in text
    assert event.ids["appointment_id"] == appointment.pk


def test_without_consent_nothing_is_booked(book_visit) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConsentRequired):
        book_visit(consent=Consent(given=False))
    assert not Appointment.objects.exists()


def test_the_consent_is_kept_with_its_text_time_and_source(book_visit) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit(consent=Consent(given=True, text="I agree to texts.", source="web")).appointment
    assert appointment.sms_consent
    assert appointment.sms_consent_text == "I agree to texts."
    assert appointment.sms_consent_at == clock.now()
    assert appointment.sms_consent_source == "web"


@pytest.mark.parametrize(
    "shift",
    [timedelta(minutes=7), timedelta(hours=-24 * 30), timedelta(hours=14), timedelta(days=300)],
    ids=["off the step", "in the past", "at night", "beyond the horizon"],
)
def test_a_time_that_is_not_offered_is_refused_with_alternatives(book_visit, shift: timedelta) -> None:  # type: ignore[no-untyped-def]
    service = make_service()
    with pytest.raises(NotOffered) as refusal:
        book_visit(service=service, start=first_opening(service) + shift)
    assert not Appointment.objects.exists()
    if shift < timedelta(days=60):
        assert refusal.value.alternatives


def test_when_the_processor_is_down_the_time_is_free_again_at_once(book_visit) -> None:  # type: ignore[no-untyped-def]
    service = make_service()
    faults.arm("checkout-down", 5)
    with pytest.raises(CheckoutUnavailable):
        book_visit(service=service)
    assert Appointment.objects.get().status == "expired"
    faults.arm("checkout-down", 0)
    assert book_visit(service=service).appointment.status == "pending_payment"


def test_a_checkout_whose_answer_was_lost_is_asked_again_under_the_same_key(book_visit) -> None:  # type: ignore[no-untyped-def]
    from bedside.sandbox.models import Checkout

    faults.arm("checkout-hangs", 1)
    booking = book_visit()
    assert Checkout.objects.count() == 1
    assert Payment.objects.get().session_id == Checkout.objects.get().session_id
    assert booking.checkout_url
