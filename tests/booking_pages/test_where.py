"""Where the patient will be: asked where the service asks, remembered, and only who is licensed there is offered."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.models import License, Service
from tests.booking_pages.conftest import GOOD, HTMX, code, text_of
from tests.factories import make_provider, make_service
from tests.flows.conftest import first_opening

pytestmark = pytest.mark.django_db


@pytest.fixture
def asking() -> Service:
    rivera = make_provider(slug="rivera", name="Dr. Elena Rivera")
    chen = make_provider(slug="chen", name="Dr. Marcus Chen")
    License.objects.create(provider=rivera, place="US-NY")
    License.objects.create(provider=chen, place="US-IL")
    License.objects.create(provider=chen, place="US-NY", expires_on="2026-11-01")
    return make_service(rivera, chen, slug="therapy", asks_location=True)


def times(client: Client, query: str = "", **headers: Any) -> Any:
    return client.get(f"/book/therapy?{query}", headers=headers)


def test_the_question_comes_before_the_calendar(client: Client, asking: Service) -> None:
    page = text_of(times(client))
    assert "Where will you be during the visit?" in page
    assert '<option value="US-NY">New York</option>' in page
    assert '<option value="US-IL">Illinois</option>' in page
    assert 'id="calendar"' not in page


def test_an_answer_shows_the_times_of_those_licensed_and_stays_in_every_link(client: Client, asking: Service) -> None:
    page = text_of(times(client, "place=US-NY"))
    assert "You'll be in New York, United States" in page
    assert 'id="calendar"' in page
    assert "Dr. Marcus Chen" not in page
    assert "place=US-NY&day=" in page
    assert '<input type="hidden" name="place" value="US-NY">' in page


def test_another_answer_can_be_given(client: Client, asking: Service) -> None:
    assert 'href="?place=ask"' in text_of(times(client, "place=US-NY"))
    response = times(client, "place=ask&provider=rivera")
    page = text_of(response)
    assert response.status_code == 200
    assert "Where will you be" in page
    assert '<input type="hidden" name="provider" value="rivera">' in page


def test_the_answer_is_remembered_for_the_session_only(client: Client, asking: Service) -> None:
    times(client, "place=US-IL")
    assert client.cookies["place"]["max-age"] == client.cookies["place"]["expires"] == ""
    assert "You'll be in Illinois" in text_of(times(client))


def test_somewhere_else_is_told_the_truth(client: Client, asking: Service) -> None:
    assert "is licensed there yet" in text_of(times(client, "place=other"))
    page = text_of(times(client, "place=US-TX"))
    assert "is licensed in Texas, United States yet" in page
    assert 'id="calendar"' not in page


@pytest.mark.parametrize("said", ["US", "nonsense", "US-XX", "<b>"])
def test_an_answer_that_is_no_place_is_asked_again_beside_the_field(client: Client, asking: Service, said: str) -> None:
    response = times(client, urlencode({"place": said}))
    assert response.status_code == 422
    assert 'id="id_place-error"' in text_of(response)


def test_a_live_refresh_without_an_answer_loads_the_page(client: Client, asking: Service) -> None:
    assert "/book/therapy" in client.get("/book/therapy", headers=HTMX)["HX-Redirect"]


def test_other_services_are_not_asked_and_keep_everybody(client: Client, asking: Service) -> None:
    make_service(*asking.providers.all(), slug="follow-up")
    client.cookies["place"] = "US-NY"
    page = text_of(client.get("/book/follow-up"))
    assert "Where will you be" not in page
    assert "Dr. Marcus Chen" in page


def test_details_without_an_answer_lead_back_to_the_question(client: Client, asking: Service) -> None:
    start = code(first_opening(asking))
    response = client.get(f"/book/therapy/details?{urlencode({'start': start})}")
    assert (response.status_code, response["Location"]) == (303, "/book/therapy")
    posted = client.post("/book/therapy/details", GOOD | {"start": start})
    assert (posted.status_code, posted["Location"]) == (303, "/book/therapy")
    assert not Appointment.objects.exists()


def test_the_answer_is_shown_before_paying_and_kept_with_the_appointment(client: Client, asking: Service) -> None:
    start = code(first_opening(asking))
    page = text_of(client.get(f"/book/therapy/details?{urlencode({'start': start, 'place': 'US-IL'})}"))
    assert "You'll be in Illinois, United States during the visit" in page
    assert '<input type="hidden" name="place" value="US-IL">' in page
    response = client.post("/book/therapy/details", GOOD | {"start": start, "place": "US-IL"})
    assert response.status_code == 303
    booked = Appointment.objects.get()
    assert (booked.patient_location, booked.provider.slug) == ("US-IL", "chen")


def test_somebody_who_is_not_licensed_there_is_refused_with_those_who_are(client: Client, asking: Service) -> None:
    sent = GOOD | {"start": code(first_opening(asking)), "place": "US-NY", "provider": "chen"}
    response = client.post("/book/therapy/details", sent)
    assert response.status_code == 422
    page = text_of(response)
    assert "licensed where you will be" in page
    assert "Dr. Elena Rivera" in page
    assert not Appointment.objects.exists()
