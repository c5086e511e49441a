"""Bad requests to book: each gets a clear problem with the right status, and changes nothing."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from bedside.appointments.models import Appointment
from bedside.core import clock
from tests.api.conftest import ApiClient, assert_problem
from tests.factories import make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_changes() -> Any:
    yield
    assert not Appointment.objects.exists()


def with_patient(good: dict[str, Any], **fields: Any) -> dict[str, Any]:
    changed = copy.deepcopy(good)
    changed["patient"] |= fields
    return changed


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_another_content_type_is_refused(api: ApiClient, good: dict[str, Any], content_type: str) -> None:
    response = api.generic("POST", "/api/v1/bookings", b"service=primary-care", content_type=content_type)
    assert_problem(response, 415, "json-required")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"service": NaN',
        b"[" * 50_000,
        b'{"service": "\\ud800"}',
        b"1" * 5000,
    ],
)
def test_what_is_no_json_object_is_refused(api: ApiClient, service: Any, body: bytes) -> None:
    response = api.generic("POST", "/api/v1/bookings", body, content_type="application/json")
    assert_problem(response, 400, "broken-json")


def test_more_than_a_megabyte_is_refused(api: ApiClient, service: Any) -> None:
    response = api.generic("POST", "/api/v1/bookings", b"x" * 1_100_000, content_type="application/json")
    assert_problem(response, 413, "too-large")


@pytest.mark.parametrize("field", ["service", "start", "timezone", "patient", "sms_consent"])
def test_a_missing_field_is_named(api: ApiClient, good: dict[str, Any], field: str) -> None:
    del good[field]
    assert list(assert_problem(api.book(good), 422, "invalid-fields")["errors"]) == [field]


def test_everything_wrong_is_named_at_once(api: ApiClient, good: dict[str, Any]) -> None:
    bad = with_patient(good, name="", email="nobody", mobile="12") | {
        "sms_consent": False,
        "start": "soon",
        "timezone": "Mars",
    }
    errors = assert_problem(api.book(bad), 422, "invalid-fields")["errors"]
    expected = {"patient.name", "patient.email", "patient.mobile", "sms_consent", "start", "timezone"}
    assert set(errors) == expected
    assert all(isinstance(sentences, list) and sentences[0] for sentences in errors.values())


@pytest.mark.parametrize("consent", [False, None, "true", "yes", 1, {}])
def test_consent_must_be_given(api: ApiClient, good: dict[str, Any], consent: Any) -> None:
    problem = assert_problem(api.book(good | {"sms_consent": consent}), 422, "invalid-fields")
    assert list(problem["errors"]) == ["sms_consent"]


@pytest.mark.parametrize(
    "name",
    ["", "   ", "🙂", "Robin 😀", "x" * 10_000, "Ro\x00bin", "Robin\x1b[31m", "a\u202eb", 7, None, [], {}, "12345"],
)
def test_names_that_are_none_are_refused(api: ApiClient, good: dict[str, Any], name: Any) -> None:
    problem = assert_problem(api.book(with_patient(good, name=name)), 422, "invalid-fields")
    assert list(problem["errors"]) == ["patient.name"]


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "a@b",
        "a b@example.com",
        "robin@example.com\n",
        "x" * 300 + "@example.com",
        "r\x00@example.com",
        5,
        None,
    ],
)
def test_addresses_that_are_none_are_refused(api: ApiClient, good: dict[str, Any], email: Any) -> None:
    if email == "robin@example.com\n":
        email = "robin@example.com\nbcc: x@example.com"
    problem = assert_problem(api.book(with_patient(good, email=email)), 422, "invalid-fields")
    assert list(problem["errors"]) == ["patient.email"]


@pytest.mark.parametrize(
    "mobile",
    [
        "",
        "12",
        "+1 202 555",
        "911",
        "+999 1234567",
        "not a number",
        "+12025550143 ext. 4",
        "1" * 10_000,
        "☎️",
        2025550143,
        None,
    ],
)
def test_numbers_that_get_no_texts_are_refused(api: ApiClient, good: dict[str, Any], mobile: Any) -> None:
    problem = assert_problem(api.book(with_patient(good, mobile=mobile)), 422, "invalid-fields")
    assert list(problem["errors"]) == ["patient.mobile"]


def test_a_number_of_another_country_than_named_is_refused(api: ApiClient, good: dict[str, Any]) -> None:
    problem = assert_problem(api.book(with_patient(good, mobile="+447400123456", country="US")), 422, "invalid-fields")
    assert "another country" in problem["errors"]["patient.mobile"][0]


def test_an_unknown_country_is_refused(api: ApiClient, good: dict[str, Any]) -> None:
    problem = assert_problem(api.book(with_patient(good, country="ZZ")), 422, "invalid-fields")
    assert list(problem["errors"]) == ["patient.country"]


@pytest.mark.parametrize(
    "start",
    [
        "2026-12-04T09:00:00",
        "2026-12-04",
        "soon",
        "",
        None,
        5,
        "2026-13-40T09:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-12-04T09:00:00+99:00",
    ],
)
def test_a_start_needs_a_real_instant_with_its_offset(api: ApiClient, good: dict[str, Any], start: Any) -> None:
    problem = assert_problem(api.book(good | {"start": start}), 422, "invalid-fields")
    assert list(problem["errors"]) == ["start"]


@pytest.mark.parametrize(
    "shift", [timedelta(minutes=7), timedelta(seconds=1), timedelta(days=-30), timedelta(hours=14), timedelta(days=300)]
)
def test_a_time_that_is_not_offered_comes_with_the_nearest_that_are(
    api: ApiClient, good: dict[str, Any], shift: timedelta
) -> None:
    from datetime import datetime

    start = datetime.fromisoformat(good["start"]) + shift
    problem = assert_problem(api.book(good | {"start": start.isoformat()}), 422, "not-offered")
    assert list(problem["errors"]) == ["start"]
    assert problem["alternatives"]
    assert problem["alternatives"][0]["provider"] == "dr-rivera"
    assert problem["alternatives"][0]["start"].endswith("-05:00")


def test_too_soon_is_not_offered(api: ApiClient, good: dict[str, Any]) -> None:
    soon = clock.now() + timedelta(minutes=15)
    assert_problem(api.book(good | {"start": soon.isoformat()}), 422, "not-offered")


@pytest.mark.parametrize("slug", ["nothing", "x" * 500, "a\x00b", "../etc", "é"])
def test_an_unknown_service_is_not_found(api: ApiClient, good: dict[str, Any], slug: str) -> None:
    assert_problem(api.book(good | {"service": slug}), 404, "unknown-service")


def test_a_provider_who_does_not_offer_it_is_not_found(api: ApiClient, good: dict[str, Any]) -> None:
    make_provider(slug="dr-elsewhere")
    assert_problem(api.book(good | {"provider": "dr-elsewhere"}), 404, "unknown-provider")
    assert_problem(api.book(good | {"provider": "nobody"}), 404, "unknown-provider")


def test_an_unknown_promo_code_is_refused(api: ApiClient, good: dict[str, Any]) -> None:
    problem = assert_problem(api.book(good | {"promo_code": "SPRING"}), 422, "invalid-fields")
    assert list(problem["errors"]) == ["promo_code"]
