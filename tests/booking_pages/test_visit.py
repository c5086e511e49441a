"""The visit page in each of its states: what is true, and what can be done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.core import clock as house_clock
from bedside.notifications.models import Notification
from bedside.payments.models import Payment
from bedside.video.models import Meeting
from tests.booking_pages.conftest import HTMX, text_of
from tests.factories import make_appointment, make_provider, make_service

pytestmark = pytest.mark.django_db

LINK = "https://video.example/j/123?pwd=abc"


def make_paid(**fields) -> Appointment:  # type: ignore[no-untyped-def]
    appointment = make_appointment(make_service(make_provider(name="Dr. Elena Rivera")), **fields)
    Payment.objects.create(
        appointment=appointment,
        status="succeeded",
        amount_minor=8500,
        captured_minor=8500,
        currency="USD",
        processor="sandbox",
    )
    return appointment


def make_meeting(appointment: Appointment, **fields) -> Meeting:  # type: ignore[no-untyped-def]
    values = {"status": "ready", "meeting_id": "123", "join_url": LINK, "passcode": "482913"} | fields
    return Meeting.objects.create(appointment=appointment, **values)


def open_page(client: Client, appointment: Appointment, query: str = "", **options) -> str:  # type: ignore[no-untyped-def]
    response = client.get(f"/visits/{appointment.token}{query}", **options)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return text_of(response)


def test_a_paid_visit_shows_everything_that_the_patient_needs(client: Client) -> None:
    appointment = make_paid()
    make_meeting(appointment)
    page = open_page(client, appointment)
    for words in (
        "You're booked",
        "Thursday, December 3 at 10:00 AM Eastern (New York)",
        "Dr. Elena Rivera",
        "First visit",
        "$85.00",
        LINK,
        "482913",
        "Free to cancel until Wednesday, December 2 at 10:00 AM Eastern (New York).",
        "Add to calendar",
        "Cancel this visit",
        appointment.code,
    ):
        assert words in page


def test_the_join_button_opens_fifteen_minutes_before(client: Client, clock) -> None:  # type: ignore[no-untyped-def]
    appointment = make_paid()
    make_meeting(appointment)
    clock.set(appointment.start - timedelta(minutes=15, seconds=1))
    before = open_page(client, appointment)
    assert 'aria-disabled="true"' in before
    assert "Opens today 9:45 AM" in before
    clock.forward(timedelta(seconds=1))
    now = open_page(client, appointment)
    assert f'<a class="btn btn--block" href="{LINK}"' in now
    assert 'aria-disabled="true"' not in now


def test_while_the_link_is_made_the_page_asks_again_by_itself(client: Client) -> None:
    page = open_page(client, make_paid())
    assert "Making your video link" in page
    assert "load delay:2s" in page


def test_a_link_that_could_not_be_made_is_said_without_alarm(client: Client) -> None:
    appointment = make_paid()
    make_meeting(appointment, status="failed", join_url="")
    assert "We are on it, and will email and text it to you before the visit." in open_page(client, appointment)


def test_what_was_sent_where_is_listed_masked_with_its_state(client: Client) -> None:
    appointment = make_paid()
    for channel, status in (("email", "sent"), ("sms", "failed")):
        Notification.objects.create(
            appointment=appointment, kind="confirmation", audience="patient", channel=channel, status=status,
            idempotency_key=f"{appointment.pk}-{channel}", due_at=house_clock.now(), sent_at=house_clock.now(),
        )  # fmt: skip
    page = open_page(client, appointment)
    assert "Email to ro•••@example.com" in page
    assert "Text to ••• 0143" in page
    assert "Sent</span>" in page
    assert "Failed</span>" in page
    assert "This one didn't arrive." in page
    assert appointment.patient_email not in page
    assert appointment.patient_mobile not in page


def test_reminders_that_wait_for_their_day_are_not_listed(client: Client) -> None:
    appointment = make_paid()
    Notification.objects.create(
        appointment=appointment, kind="reminder", audience="patient", channel="email",
        idempotency_key="r", due_at=appointment.start - timedelta(hours=1),
    )  # fmt: skip
    assert "Reminder" not in open_page(client, appointment)


def test_an_unpaid_visit_counts_down_its_hold_and_leads_to_paying(client: Client, post_details) -> None:  # type: ignore[no-untyped-def]
    url = post_details()["Location"]
    appointment = Appointment.objects.get()
    page = open_page(client, appointment)
    assert "One step left: payment" in page
    assert "data-until=" in page
    assert "Continue to payment · $85.00" in page
    response = client.post(f"/visits/{appointment.token}/pay")
    assert response.status_code == 303
    assert response["Location"] == url


def test_a_declined_card_can_be_tried_again_while_the_hold_lasts(client: Client, post_details) -> None:  # type: ignore[no-untyped-def]
    post_details()
    appointment = Appointment.objects.get()
    Payment.objects.update(failure_code="card_declined")
    page = open_page(client, appointment, "?unpaid=1")
    assert "The payment didn't go through" in page
    assert "Try again · $85.00" in page


def test_coming_back_before_the_webhook_shows_confirming_then_the_truth(client: Client, post_details) -> None:  # type: ignore[no-untyped-def]
    from bedside.sandbox import processor as bank

    post_details()
    appointment = Appointment.objects.get()
    bank.pay(appointment.payment.session_id, "4242424242424242")
    page = open_page(client, appointment, "?paid=1")
    assert "Confirming your payment" in page
    assert f'hx-get="/visits/{appointment.token}?paid=1"' in page
    part = open_page(client, appointment, "?paid=1", headers=HTMX)
    assert "You're booked" in part
    assert "<html" not in part


def test_without_javascript_the_page_asks_again_too(client: Client, post_details) -> None:  # type: ignore[no-untyped-def]
    from bedside.sandbox import processor as bank

    post_details()
    appointment = Appointment.objects.get()
    bank.pay(appointment.payment.session_id, "4242424242424242")
    assert f"url=/visits/{appointment.token}?paid=1&ask=1" in open_page(client, appointment, "?paid=1")
    assert "You're booked" in open_page(client, appointment, "?paid=1&ask=1")


def test_an_expired_hold_says_so_and_offers_the_nearest_times(client: Client, post_details, clock) -> None:  # type: ignore[no-untyped-def]
    post_details()
    appointment = Appointment.objects.get()
    clock.forward(timedelta(minutes=36))
    page = open_page(client, appointment)
    assert "This time is no longer held" in page
    assert "Nothing was charged." in page
    assert "/book/first-visit/details?start=2026-12-04T" in page
    response = client.post(f"/visits/{appointment.token}/pay")
    assert response.status_code == 303
    assert response["Location"] == f"/visits/{appointment.token}"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("completed", "Thank you for your visit"),
        ("no_show", "We missed you"),
        ("canceled", "This visit is canceled"),
        ("expired", "This time is no longer held"),
    ],
)
def test_a_visit_that_is_over_says_how(client: Client, status: str, words: str) -> None:
    appointment = make_appointment(status=status)
    page = open_page(client, appointment)
    assert words in page
    assert "Cancel this visit" not in page
    assert "Join the visit" not in page


def test_a_paid_visit_is_over_half_an_hour_after_its_end(client: Client, clock) -> None:  # type: ignore[no-untyped-def]
    appointment = make_paid()
    make_meeting(appointment)
    clock.set(appointment.end + timedelta(minutes=29))
    assert "Join the visit" in open_page(client, appointment)
    clock.forward(timedelta(minutes=1))
    assert "Thank you for your visit" in open_page(client, appointment)


def test_the_link_follows_a_visit_that_moved(client: Client) -> None:
    old = make_appointment(status="rescheduled")
    new = make_appointment(old.service, start=old.start + timedelta(days=1), rescheduled_from=old)
    page = open_page(client, old)
    assert "You're booked" in page
    assert new.code in page


@pytest.mark.parametrize("path", ["", "/cancel", "/calendar.ics"])
@pytest.mark.parametrize("token", ["nothing", "x" * 500, "%00", "..%2f..", "'%20or%201=1"])
def test_a_token_that_opens_nothing_gets_help(client: Client, token: str, path: str) -> None:
    make_service()
    response = client.get(f"/visits/{token}{path}")
    assert response.status_code == 404
    page = text_of(response)
    assert "We can't find" in page


def test_guessing_tokens_ends_soon(client: Client, settings) -> None:  # type: ignore[no-untyped-def]
    settings.RATE_LIMITS = {"token-miss": (3, 600)}
    make_service()
    answers = [client.get(f"/visits/guess{n}").status_code for n in range(5)]
    assert answers == [404, 404, 404, 429, 429]


def test_the_short_link_leads_to_the_visit(client: Client) -> None:
    response = client.get("/v/abcDEF")
    assert response.status_code == 302
    assert response["Location"] == "/visits/abcDEF"


def test_the_calendar_file_is_discreet_and_has_the_zone_and_the_link(client: Client) -> None:
    appointment = make_paid()
    response = client.get(f"/visits/{appointment.token}/calendar.ics")
    text = response.content.decode().replace("\r\n ", "")
    assert response["Content-Type"].startswith("text/calendar")
    assert "BEGIN:VEVENT" in text
    assert f"/visits/{appointment.token}" in text
    assert "First visit" not in text


def test_a_canceled_visit_has_no_calendar_file(client: Client) -> None:
    appointment = make_appointment(status="canceled")
    assert client.get(f"/visits/{appointment.token}/calendar.ics").status_code == 404
