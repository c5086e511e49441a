"""A time that somebody else took meanwhile: said kindly, with the nearest that are open, and nothing typed is lost."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.core import faults
from tests.booking_pages.conftest import text_of
from tests.factories import make_appointment

pytestmark = pytest.mark.django_db


def test_posting_for_it_is_a_409_with_alternatives_as_buttons(post_details, service: Service, start: datetime) -> None:  # type: ignore[no-untyped-def]
    make_appointment(service, start=start)
    response = post_details()
    page = text_of(response)
    assert response.status_code == 409
    assert "9:00 AM has just been taken by somebody else" in page
    assert "What you typed is kept." in page
    assert 'value="Robin Sample"' in page
    assert len(re.findall(r'name="alternative" value="2026-12-04T[\d:]+Z\|rivera"', page)) >= 2
    # Enter in a field presses the first button of its form: that must not choose a time.
    assert page.index('<button type="submit" disabled hidden>') < page.index('name="alternative"')


def test_an_alternative_books_with_what_was_typed(post_details, service: Service, start: datetime) -> None:  # type: ignore[no-untyped-def]
    make_appointment(service, start=start)
    page = text_of(post_details())
    alternative = re.findall(r'name="alternative" value="([^"]+)"', page)[0]
    response = post_details(alternative=alternative)
    assert response.status_code == 303
    booked = Appointment.objects.get(status="pending_payment")
    assert booked.patient_name == "Robin Sample"
    assert booked.start != start


def test_opening_its_details_offers_the_nearest_as_links(
    client: Client, service: Service, start: datetime, details_url: str
) -> None:
    make_appointment(service, start=start)
    response = client.get(details_url)
    assert response.status_code == 409
    page = text_of(response)
    assert f'class="btn btn--quiet" href="/book/{service.slug}/details?start=' in page
    # There is nothing to send, so there is nothing to fill in.
    assert "id_name" not in page
    assert "We hold your time" not in page


def test_when_the_payment_service_is_down_nothing_is_lost(post_details) -> None:  # type: ignore[no-untyped-def]
    faults.arm("checkout-down", times=2)
    response = post_details()
    page = text_of(response)
    assert response.status_code == 503
    assert "Nothing was charged." in page
    assert 'value="Robin Sample"' in page
    assert not Appointment.objects.filter(status="pending_payment").exists()
    assert post_details().status_code == 303
