"""Sending the confirmation again, from the visit page."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.notifications.models import Notification
from tests.booking_pages.conftest import HTMX, text_of
from tests.factories import make_appointment

pytestmark = pytest.mark.django_db


def test_it_queues_an_email_and_a_text_and_says_so(client: Client) -> None:
    appointment = make_appointment()
    response = client.post(f"/visits/{appointment.token}/resend", headers=HTMX)
    assert response.status_code == 200
    assert "On its way again, by email and text." in text_of(response)
    queued = Notification.objects.filter(appointment=appointment, kind="confirmation", audience="patient")
    assert sorted(queued.values_list("channel", flat=True)) == ["email", "sms"]


def test_without_javascript_it_leads_back_to_the_page(client: Client) -> None:
    appointment = make_appointment()
    response = client.post(f"/visits/{appointment.token}/resend", follow=True)
    assert response.redirect_chain == [(f"/visits/{appointment.token}?said=sent-again#sent", 303)]
    assert "On its way again" in text_of(response)


def test_the_note_outlives_the_refresh_that_the_sending_itself_causes(client: Client) -> None:
    appointment = make_appointment()
    page = text_of(client.post(f"/visits/{appointment.token}/resend", headers=HTMX))
    follows = f"/visits/{appointment.token}?said=sent-again"
    assert f'hx-get="{follows}"' in page
    assert "data-takes-focus" in page
    refreshed = text_of(client.get(follows, headers=HTMX))
    assert "On its way again" in refreshed
    assert f'hx-get="{follows}"' in refreshed
    assert "data-takes-focus" not in refreshed


def test_a_note_that_does_not_exist_says_nothing(client: Client) -> None:
    appointment = make_appointment()
    page = text_of(client.get(f"/visits/{appointment.token}?said=nonsense"))
    assert "sent-note" not in page
    assert "nonsense" not in page


def test_it_is_limited(client: Client, settings) -> None:  # type: ignore[no-untyped-def]
    settings.RATE_LIMITS = {"resend": (2, 600)}
    appointment = make_appointment()
    answers = [client.post(f"/visits/{appointment.token}/resend", headers=HTMX) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "We sent it a few times already." in text_of(answers[-1])
    assert Notification.objects.filter(appointment=appointment).count() == 4


def test_a_canceled_visit_is_not_confirmed_again(client: Client) -> None:
    appointment = make_appointment(status="canceled")
    assert client.post(f"/visits/{appointment.token}/resend", headers=HTMX).status_code == 409
    assert not Notification.objects.exists()


def test_opening_the_address_sends_nothing(client: Client) -> None:
    appointment = make_appointment()
    assert client.get(f"/visits/{appointment.token}/resend").status_code == 405
