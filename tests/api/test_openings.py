"""GET openings and services: what the schedule offers, in the reader's zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings

from bedside.clinic.models import Service
from bedside.schedule.openings import openings
from tests.api.conftest import ApiClient, assert_problem
from tests.factories import make_appointment, make_provider, make_service

pytestmark = pytest.mark.django_db
QUERY = {"service": "primary-care", "from": "2026-12-02", "to": "2026-12-12", "timezone": "Asia/Kolkata"}


def get(api: ApiClient, **changes: Any) -> Any:
    return api.get("/api/v1/openings", {name: value for name, value in (QUERY | changes).items() if value is not None})


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York", "UTC", "Australia/Lord_Howe"])
def test_openings_are_those_of_the_schedule(api: ApiClient, service: Service, zone: str) -> None:
    make_appointment(service)
    expected = openings(service=service, first=date(2026, 12, 2), last=date(2026, 12, 12), timezone=zone)
    body = get(api, timezone=zone).json()
    assert body["service"] == "primary-care"
    assert body["timezone"] == zone
    found = [
        (datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]), one["provider"])
        for one in body["openings"]
    ]
    assert found == [(one.start, one.end, one.provider.slug) for one in expected]
    assert found


def test_instants_bear_the_offset_of_the_zone_on_both_sides_of_a_clock_change(api: ApiClient) -> None:
    make_service(make_provider(), slug="long-way-off", horizon_days=120)
    body = get(
        api, service="long-way-off", **{"from": "2027-02-25", "to": "2027-03-01"}, timezone="America/New_York"
    ).json()
    assert {one["start"][-6:] for one in body["openings"]} == {"-05:00"}


def test_one_provider_can_be_asked_for(api: ApiClient, service: Service) -> None:
    service.providers.add(make_provider(slug="dr-other"))
    body = get(api, provider="dr-other").json()
    assert {one["provider"] for one in body["openings"]} == {"dr-other"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service": None}, "service"),
        ({"from": None}, "from"),
        ({"to": None}, "to"),
        ({"timezone": None}, "timezone"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": "a\x00"}, "timezone"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "2026-12-01"}, "to"),
        ({"to": "2027-02-02"}, "to"),
        ({"to": "9999-12-31"}, "to"),
    ],
)
def test_bad_questions_name_the_field(api: ApiClient, service: Service, changes: dict[str, Any], field: str) -> None:
    assert list(assert_problem(get(api, **changes), 422, "invalid-fields")["errors"]) == [field]


def test_sixty_two_days_are_the_most(api: ApiClient, service: Service) -> None:
    last = date(2026, 12, 2) + timedelta(days=61)
    assert get(api, to=last.isoformat()).status_code == 200
    assert_problem(get(api, to=(last + timedelta(days=1)).isoformat()), 422, "invalid-fields")


@pytest.mark.parametrize("slug", ["nothing", "a\x00b", "x" * 400])
def test_the_unknown_is_not_found(api: ApiClient, service: Service, slug: str) -> None:
    assert_problem(get(api, service=slug), 404, "unknown-service")
    assert_problem(get(api, provider=slug), 404, "unknown-provider")


def test_what_is_switched_off_is_not_found(api: ApiClient, service: Service) -> None:
    service.active = False
    service.save()
    assert_problem(get(api), 404, "unknown-service")


def test_a_month_of_many_providers_takes_a_handful_of_queries(
    api: ApiClient, django_assert_max_num_queries: Any
) -> None:
    make_service(*[make_provider() for _ in range(8)], slug="primary-care")
    with django_assert_max_num_queries(8):
        assert get(api, to="2026-12-31").json()["openings"]


@override_settings(RATE_LIMITS={"openings": (2, 60)})
def test_asking_is_limited(api: ApiClient, service: Service) -> None:
    assert [get(api).status_code for _ in range(3)] == [200, 200, 429]


def test_services_are_listed_with_price_length_and_people(api: ApiClient, service: Service) -> None:
    make_service(slug="hidden", active=False)
    (only,) = api.get("/api/v1/services").json()["services"]
    assert only["slug"] == "primary-care"
    assert only["duration_minutes"] == 30
    assert only["price"] == {"minor_units": 8500, "currency": "USD"}
    assert [provider["slug"] for provider in only["providers"]] == ["dr-rivera"]
