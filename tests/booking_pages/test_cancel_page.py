"""Canceling: the consequence stands before the button, and afterwards the page says what the database says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from tests.booking_pages.conftest import text_of
from tests.booking_pages.test_visit import make_paid
from tests.factories import make_appointment

pytestmark = pytest.mark.django_db


def test_in_time_it_says_what_comes_back_and_gives_it_back(client: Client) -> None:
    appointment = make_paid()
    Appointment.objects.filter(pk=appointment.pk).update(start=appointment.start)
    page = text_of(client.get(f"/visits/{appointment.token}/cancel"))
    assert "You get $85.00 back" in page
    assert "Cancel the visit and refund $85.00" in page
    response = client.post(f"/visits/{appointment.token}/cancel", {"reason": "Feeling better"}, follow=True)
    assert response.redirect_chain == [(f"/visits/{appointment.token}", 303)]
    page = text_of(response)
    assert "This visit is canceled" in page
    assert "$85.00 goes back to the card that you paid with." in page
    appointment.refresh_from_db()
    assert appointment.status == "canceled"
    assert appointment.canceled_by == "patient"
    assert appointment.cancellation_reason == "Feeling better"


def test_too_late_it_says_honestly_that_nothing_comes_back(client: Client, clock) -> None:  # type: ignore[no-untyped-def]
    appointment = make_paid()
    clock.set(appointment.start - timedelta(hours=3))
    page = text_of(client.get(f"/visits/{appointment.token}/cancel"))
    assert "Nothing comes back" in page
    assert "Canceling was free until Wednesday, December 2 at 10:00 AM Eastern (New York)." in page
    page = text_of(client.post(f"/visits/{appointment.token}/cancel", {}, follow=True))
    assert "By the cancellation policy, the price is not returned." in page


def test_an_unpaid_hold_can_be_let_go(client: Client) -> None:
    appointment = make_appointment(status="pending_payment")
    page = text_of(client.post(f"/visits/{appointment.token}/cancel", {"release": "1"}, follow=True))
    assert "This visit is canceled" in page
    assert "Nothing was charged." in page


@pytest.mark.parametrize("status", ["canceled", "completed", "expired", "no_show"])
def test_what_is_over_cannot_be_canceled(client: Client, status: str) -> None:
    appointment = make_appointment(status=status)
    assert client.get(f"/visits/{appointment.token}/cancel")["Location"] == f"/visits/{appointment.token}"
    client.post(f"/visits/{appointment.token}/cancel", {})
    appointment.refresh_from_db()
    assert appointment.status == status


def test_a_reason_as_long_as_a_book_is_refused(client: Client) -> None:
    appointment = make_paid()
    response = client.post(f"/visits/{appointment.token}/cancel", {"reason": "x" * 10_000})
    assert response.status_code == 422
    appointment.refresh_from_db()
    assert appointment.status == "paid"
