"""The patient's place and the choice of providers over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.models import License, Service
from tests.api.conftest import ApiClient
from tests.factories import make_provider

pytestmark = pytest.mark.django_db
DAYS = {"from": "2026-12-02", "to": "2026-12-05", "timezone": "America/New_York"}


@pytest.fixture
def asking(service: Service) -> Service:
    other = make_provider(slug="other")
    service.providers.add(other)
    License.objects.create(provider=other, place="GB")
    for provider in service.providers.exclude(pk=other.pk):
        License.objects.create(provider=provider, place="US-NY")
    service.asks_location = True
    service.save()
    return service


def found(service: Service, **query: Any) -> Any:
    return Client().get("/api/v1/openings", {"service": service.slug} | DAYS | query)


def test_a_service_that_asks_needs_the_location(asking: Service, good: dict[str, Any]) -> None:
    refused = found(asking)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["location"])
    refused = ApiClient().book(good)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["patient.location"])
    assert not Appointment.objects.exists()
    listed = Client().get("/api/v1/services").json()["services"]
    assert [one["asks_location"] for one in listed if one["slug"] == asking.slug] == [True]


def test_only_who_is_licensed_there_is_offered_and_booked(asking: Service, good: dict[str, Any]) -> None:
    assert {one["provider"] for one in found(asking, location="GB").json()["openings"]} == {"other"}
    assert found(asking, location="US-TX").json()["openings"] == []
    booked = ApiClient().book(good | {"provider": None, "patient": good["patient"] | {"location": "GB"}})
    assert booked.status_code == 201
    assert (Appointment.objects.get().patient_location, booked.json()["provider"]) == ("GB", "other")


def test_a_provider_without_the_license_is_refused_by_name(asking: Service, good: dict[str, Any]) -> None:
    wish = good | {"provider": "other", "patient": good["patient"] | {"location": "US-NY"}}
    refused = ApiClient().book(wish)
    assert (refused.status_code, refused.json()["type"]) == (422, "not-licensed")
    assert "other" not in {one["provider"] for one in refused.json()["alternatives"]}


@pytest.mark.parametrize("location", ["", "US", "US-XX", "us-ny", "New York"])
def test_what_is_no_place_is_a_field_error(asking: Service, good: dict[str, Any], location: str) -> None:
    assert list(found(asking, location=location).json()["errors"]) == ["location"]
    refused = ApiClient().book(good | {"patient": good["patient"] | {"location": location}})
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["patient.location"])


def test_without_the_question_no_location_is_needed(service: Service, good: dict[str, Any]) -> None:
    assert found(service).json()["openings"]
    assert ApiClient().book(good).status_code == 201


def test_several_providers_may_be_asked_for(service: Service, good: dict[str, Any]) -> None:
    one, two, three = (make_provider(slug=slug) for slug in ("one", "two", "three"))
    service.providers.set([one, two, three])
    offered = found(service, provider=["two", "three"]).json()["openings"]
    assert {opening["provider"] for opening in offered} <= {"two", "three"}
    assert found(service, provider=["two", "nobody"]).status_code == 404
    booked = ApiClient().book(good | {"provider": ["two", "three"]})
    assert (booked.status_code, booked.json()["provider"]) == (201, "two")
    assert ApiClient().book(good | {"provider": [7]}).status_code == 422
