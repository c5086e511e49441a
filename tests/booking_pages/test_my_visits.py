"""Asking for one's links again: they go to the address, and the page never tells whether it is known."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.notifications.models import Notification
from tests.booking_pages.conftest import text_of
from tests.factories import make_appointment, make_practice

pytestmark = pytest.mark.django_db


def ask(client: Client, email: str):  # type: ignore[no-untyped-def]
    return client.post("/my/", {"email": email}, follow=True)


def test_known_and_unknown_addresses_get_the_same_answer(client: Client) -> None:
    appointment = make_appointment()
    known, unknown = ask(client, appointment.patient_email), ask(client, "nobody@example.com")
    assert known.redirect_chain == unknown.redirect_chain == [("/my/?asked=1", 302)]
    assert text_of(known) == text_of(unknown)
    assert "If visits are booked with that address" in text_of(known)


def test_the_links_go_by_email_only_whatever_the_case_of_the_address(client: Client) -> None:
    appointment = make_appointment()
    ask(client, f" {appointment.patient_email.upper()} ")
    sent = Notification.objects.get()
    assert (sent.channel, sent.audience, sent.appointment) == ("email", "patient", appointment)


def test_visits_that_are_over_are_not_sent(client: Client) -> None:
    appointment = make_appointment(status="canceled")
    ask(client, appointment.patient_email)
    assert not Notification.objects.exists()


@pytest.mark.parametrize("email", ["", "robin@", "x" * 10_000, "robin@example.com\x00"])
def test_what_is_no_address_is_said_beside_the_field(client: Client, email: str) -> None:
    make_practice()
    response = client.post("/my/", {"email": email})
    assert response.status_code == 422
    assert "One thing needs your attention" in text_of(response)


def test_asking_is_limited_by_the_askers_address(client: Client, settings) -> None:  # type: ignore[no-untyped-def]
    settings.RATE_LIMITS = {"my-links": (2, 600)}
    make_practice()
    answers = [client.post("/my/", {"email": f"a{n}@example.com"}).status_code for n in range(3)]
    assert answers == [302, 302, 429]
