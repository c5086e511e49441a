"""One appointment at the desk: everything known, what was sent, what was done, and that it was looked at."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from bedside.accounts.models import User
from bedside.appointments.models import Appointment
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.models import AuditEntry
from bedside.notifications.models import Notification
from bedside.payments.models import Payment
from bedside.video.models import Meeting
from bedside.web.templatetags.desk import fact_value, fact_word
from tests.factories import make_appointment, make_practice

pytestmark = pytest.mark.django_db


def page_of(desk: Client, appointment: Appointment) -> str:
    response = desk.get(f"/desk/appointments/{appointment.code}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_shows_the_whole_record(desk: Client) -> None:
    appointment = make_appointment(patient_name="Alex Morgan", patient_email="alex@example.com")
    Meeting.objects.create(
        appointment=appointment,
        status="ready",
        meeting_id="987 654",
        passcode="s3cret",
        join_url="https://video.example.com/j/1",
    )
    Payment.objects.create(
        appointment=appointment,
        status="succeeded",
        amount_minor=8500,
        captured_minor=8500,
        currency="USD",
        processor="sandbox",
        intent_id="pi_77",
    )
    page = page_of(desk, appointment)
    for expected in (
        "Alex Morgan", "a•••@example.com", "•••-•••-0143", appointment.code, "987 654", "s3cret", "https://video.example.com/j/1",
        "pi_77", "$85.00", "I agree to texts about my appointment.", "2026-11", "Thursday, December 3 at 10:00 AM",
    ):  # fmt: skip
        assert expected in page


def test_every_message_shows_channel_state_attempts_and_advice(desk: Client) -> None:
    appointment = make_appointment()
    Notification.objects.create(
        appointment=appointment,
        kind="confirmation",
        audience="patient",
        channel="sms",
        idempotency_key="a",
        status="failed",
        attempts=3,
        due_at=clock.now(),
        error_code="30006",
        error_advice="This is a landline: ask for a mobile number.",
    )
    page = page_of(desk, appointment)
    for expected in ("Confirmation", "Text", "Failed", "30006", "This is a landline: ask for a mobile number."):
        assert expected in page


def test_looking_is_audited(desk: Client, admin: User) -> None:
    appointment = make_appointment()
    page_of(desk, appointment)
    entry = AuditEntry.objects.get(action="appointment.viewed")
    assert (entry.actor_id, entry.subject_id) == (admin.pk, str(appointment.pk))
    assert "appointment.viewed" in page_of(desk, appointment)


def test_a_page_that_refreshes_itself_is_one_look(desk: Client) -> None:
    appointment = make_appointment()
    page_of(desk, appointment)
    for _ in range(3):
        assert desk.get(f"/desk/appointments/{appointment.code}", headers={"HX-Request": "true"}).status_code == 200
    assert AuditEntry.objects.filter(action="appointment.viewed").count() == 1


def test_asking_as_a_refresh_does_not_hide_a_first_look(desk: Client) -> None:
    appointment = make_appointment()
    desk.get(f"/desk/appointments/{appointment.code}", headers={"HX-Request": "true"})
    assert AuditEntry.objects.filter(action="appointment.viewed").count() == 1


def test_moved_visits_show_their_chain(desk: Client) -> None:
    first = make_appointment(status="rescheduled")
    second = make_appointment(first.service, start=first.start + timedelta(days=1), rescheduled_from=first)
    assert f"/desk/appointments/{second.code}" in page_of(desk, first)
    assert f"/desk/appointments/{first.code}" in page_of(desk, second)


def test_an_unknown_code_is_not_found(desk: Client) -> None:
    assert desk.get("/desk/appointments/NOTHING").status_code == 404


def test_resending_makes_a_new_version_and_says_so(desk: Client, admin: User) -> None:
    appointment = make_appointment()
    response = desk.post(f"/desk/appointments/{appointment.code}/resend", follow=True)
    assert "on its way again" in response.content.decode()
    made = Notification.objects.filter(appointment=appointment, kind="confirmation", audience="patient")
    assert set(made.values_list("channel", flat=True)) == {"email", "sms"}
    assert set(made.values_list("requested_by_id", flat=True)) == {admin.pk}
    assert AuditEntry.objects.filter(action="notification.resent", actor_id=admin.pk).exists()


def test_before_canceling_the_page_says_what_it_does(desk: Client) -> None:
    appointment = make_appointment(patient_name="Alex Morgan")
    Payment.objects.create(
        appointment=appointment,
        status="succeeded",
        amount_minor=8500,
        captured_minor=8500,
        currency="USD",
        processor="sandbox",
        intent_id="pi_1",
    )
    page = desk.get(f"/desk/appointments/{appointment.code}/cancel").content.decode()
    assert "$85.00 goes back to the card." in page
    assert "Alex Morgan and" in page
    assert "is free again" in page


def test_canceling_needs_a_reason(desk: Client) -> None:
    appointment = make_appointment()
    response = desk.post(f"/desk/appointments/{appointment.code}/cancel", {"reason": "  "})
    assert response.status_code == 422
    assert "Say why" in response.content.decode()
    appointment.refresh_from_db()
    assert appointment.status == "paid"


def test_canceling_keeps_reason_and_actor(desk: Client, admin: User) -> None:
    appointment = make_appointment()
    response = desk.post(f"/desk/appointments/{appointment.code}/cancel", {"reason": "Provider is ill"}, follow=True)
    page = response.content.decode()
    assert "Provider is ill" in page
    assert "Sam Ortega" in page
    appointment.refresh_from_db()
    assert (appointment.status, appointment.canceled_by, appointment.cancellation_reason) == (
        "canceled",
        "admin",
        "Provider is ill",
    )
    assert AuditEntry.objects.get(action="appointment.canceled").actor_id == admin.pk


def test_what_is_over_can_not_be_canceled(desk: Client) -> None:
    appointment = make_appointment(status="completed")
    response = desk.get(f"/desk/appointments/{appointment.code}/cancel", follow=True)
    assert "be changed any more" in response.content.decode()


def test_the_place_and_why_this_provider_are_on_the_record(desk: Client) -> None:
    from dataclasses import replace

    from bedside.clinic.models import License
    from bedside.flows.book import book
    from bedside.flows.details import Consent
    from tests.factories import make_provider, make_service
    from tests.flows.conftest import first_opening, patient

    providers = [make_provider(name=f"Dr. {name}") for name in ("Adler", "Brook")]
    for provider in providers:
        License.objects.create(provider=provider, place="US-NY")
    service = make_service(*providers, asks_location=True)
    details = replace(patient(), location="US-NY")
    made = book(service=service, start=first_opening(service), details=details, consent=Consent(given=True)).appointment
    page = desk.get(f"/desk/appointments/{made.code}").content.decode()
    assert "New York, United States" in page
    assert "Dr. Adler (0 visits that day), before Dr. Brook (0 visits that day)" in page


@pytest.mark.parametrize("status", ["canceled", "completed", "no_show", "expired"])
def test_what_is_over_promises_no_meeting_and_tells_no_price_of_canceling(desk: Client, status: str) -> None:
    page = page_of(desk, make_appointment(status=status))
    assert "There is no meeting." in page
    assert "The meeting is made" not in page
    assert "<dt>Policy</dt>" not in page
    assert "<dt>Policy</dt>" in page_of(desk, make_appointment(status="paid"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("amount_minor", "7500", "Amount: $75.00"),
        ("refund_minor", "-5", "Refund: -$0.05"),
        ("status", "pending_payment", "Status: Waiting for payment"),
        ("start", "2026-12-01T19:30:00+00:00", "Start: Tuesday, December 1 at 2:30 PM Eastern (New York)"),
        ("override", "True", "Outside the offered times: Yes"),
        ("zoom_user_id", "host-1", "Zoom host: host-1"),
        ("amount_minor", "many", "Amount: many"),
        ("duration_minutes", "30", "Duration minutes: 30"),
    ],
)
def test_what_changed_is_said_in_words(db: None, name: str, value: str, said: str) -> None:
    make_practice()
    assert f"{fact_word(name)}: {fact_value(value, name)}" == said


def test_the_activity_log_speaks_of_money_and_states_in_words(desk: Client) -> None:
    visit = make_appointment()
    audit.record(Actor.system(), "refund.issued", visit, after={"amount_minor": 7500, "status": "succeeded"})
    page = desk.get(f"/desk/appointments/{visit.code}").content.decode()
    assert "Amount: $75.00" in page
    assert "Status: Succeeded" in page
    assert "amount_minor" not in page
