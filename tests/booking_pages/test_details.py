"""The details page: who books, on what terms, and on to paying."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from tests.booking_pages.conftest import code, text_of
from tests.factories import make_provider

pytestmark = pytest.mark.django_db


def test_it_shows_the_time_the_clinician_the_price_the_hold_and_the_policy(client: Client, details_url: str) -> None:
    page = text_of(client.get(details_url))
    for words in (
        "Friday, December 4",
        "9:00 AM",
        "Eastern (New York)",
        "Dr. Elena Rivera",
        "Continue to payment · $85.00",
        "We hold your time for 35 minutes",
        "Free to cancel until Thursday, December 3 at 9:00 AM Eastern (New York).",
        "Free until 24 hours before. After that the visit is charged in full.",
        "I agree to receive text messages from Lakeside Clinic",
    ):
        assert words in page


def test_good_details_lead_to_the_processors_page_and_hold_the_time(post_details, service: Service) -> None:  # type: ignore[no-untyped-def]
    response = post_details()
    appointment = Appointment.objects.get()
    assert response.status_code == 303
    assert response["Location"] == appointment.payment.session_url
    assert appointment.status == "pending_payment"
    assert appointment.patient_mobile == "+12025550143"
    assert appointment.patient_timezone == "America/New_York"
    assert appointment.sms_consent_text.startswith("I agree to receive text messages from Lakeside Clinic")


def test_the_patients_zone_is_kept_with_the_appointment(client: Client, post_details) -> None:  # type: ignore[no-untyped-def]
    client.cookies["tz"] = "America/Chicago"
    post_details()
    assert Appointment.objects.get().patient_timezone == "America/Chicago"


def test_choosing_again_replaces_ones_own_hold(client: Client, post_details, start) -> None:  # type: ignore[no-untyped-def]
    post_details()
    assert post_details(start=code(start + timedelta(minutes=15))).status_code == 303
    assert sorted(Appointment.objects.values_list("status", flat=True)) == ["canceled", "pending_payment"]


def test_who_comes_back_finds_what_was_typed(client: Client, post_details, details_url: str) -> None:  # type: ignore[no-untyped-def]
    post_details()
    page = text_of(client.get(details_url))
    assert 'value="Robin Sample"' in page
    assert 'value="robin@example.com"' in page
    assert 'value="Robin Sample"' not in text_of(Client().get(details_url))


def test_with_anybody_the_page_says_how_many_are_free(client: Client, service: Service, start) -> None:  # type: ignore[no-untyped-def]
    service.providers.add(make_provider(name="Dr. Second"))
    page = text_of(client.get(f"/book/{service.slug}/details?start={code(start)}"))
    assert "2 clinicians are free then." in page


def test_with_anybody_somebody_free_is_found(client: Client, post_details) -> None:  # type: ignore[no-untyped-def]
    assert post_details(provider=None).status_code == 303
    assert Appointment.objects.get().provider.slug == "rivera"


def test_the_whole_list_of_countries_starts_with_the_practices(client: Client, service: Service) -> None:
    page = text_of(client.get("/lists/countries?country=DE"))
    assert page.lstrip().startswith('<option value="US">United States +1')
    assert '<option value="DE" selected>Germany +49' in page
    assert page.count("<option") > 200
