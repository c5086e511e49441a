"""The services page: what can be booked, for how much, when next."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.schedule.models import OpenWindow
from tests.booking_pages.conftest import text_of
from tests.factories import make_practice, make_provider, make_service

pytestmark = pytest.mark.django_db


def test_each_service_shows_its_price_length_policy_and_next_time(client: Client) -> None:
    make_service(name="Primary care", price_minor=8500, duration_minutes=30)
    make_service(name="Skin check", price_minor=9500, duration_minutes=20, free_cancellation_hours=48)
    page = text_of(client.get("/"))
    for words in ("Primary care", "$85.00", "30 minutes", "Free to cancel until 24 hours before", "Next: <time"):
        assert words in page
    for words in ("Skin check", "$95.00", "20 minutes", "Free to cancel until 2 days before"):
        assert words in page


def test_the_next_time_is_said_in_the_patients_zone_which_is_named(client: Client) -> None:
    make_service()
    make_service()
    client.cookies["tz"] = "America/Los_Angeles"
    page = text_of(client.get("/"))
    assert "Times in Pacific (Los Angeles)" in page
    # Tests start at 10:00 in New York; an hour's notice makes 11:00 the first whole step.
    assert ">today 8:00 AM</time>" in page


def test_a_practice_with_one_service_goes_to_its_times_at_once(client: Client) -> None:
    service = make_service()
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"] == f"/book/{service.slug}"


def test_services_that_nobody_offers_or_that_are_off_are_not_shown(client: Client) -> None:
    make_service(name="Open to all")
    make_service(name="Also open")
    make_service(name="Switched off", active=False)
    make_service(make_provider(active=False), name="Nobody does it")
    page = text_of(client.get("/"))
    assert "Open to all" in page
    assert "Switched off" not in page
    assert "Nobody does it" not in page


def test_a_service_without_openings_says_so(client: Client) -> None:
    make_service()
    make_service()
    OpenWindow.objects.all().delete()
    assert "No times open at the moment" in text_of(client.get("/"))


def test_a_practice_without_services_says_what_to_do(client: Client) -> None:
    make_practice()
    response = client.get("/")
    assert response.status_code == 200
    assert "No visits can be booked online yet" in text_of(response)
