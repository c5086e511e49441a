"""Booking over the API, from the hold to the link and to canceling."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import override_settings

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.core import clock, faults
from bedside.video.models import Meeting
from tests.api.conftest import ApiClient, assert_problem, starts
from tests.factories import make_appointment

pytestmark = pytest.mark.django_db


def test_a_booking_is_held_and_waits_for_its_payment(api: ApiClient, good: dict[str, Any]) -> None:
    response = api.book(good)
    assert response.status_code == 201, response.content
    booking = response.json()
    assert booking["status"] == "pending_payment"
    assert booking["amount"] == {"minor_units": 8500, "currency": "USD"}
    assert datetime.fromisoformat(booking["hold_expires_at"]) > clock.now()
    assert booking["checkout_url"].startswith("http")
    assert response["Location"] == f"/api/v1/bookings/{booking['token']}"
    appointment = Appointment.objects.get()
    assert appointment.token == booking["token"]
    assert appointment.source == "api"
    assert appointment.sms_consent_source == "api"
    assert appointment.patient_mobile == "+12025550143"


def test_fields_that_nobody_asked_for_are_ignored(api: ApiClient, good: dict[str, Any]) -> None:
    assert api.book(good | {"utm_source": "newsletter", "price": 1}).status_code == 201
    assert Appointment.objects.get().price_minor == 8500


def test_a_start_in_another_zone_is_the_same_instant(api: ApiClient, good: dict[str, Any]) -> None:
    from zoneinfo import ZoneInfo

    start = datetime.fromisoformat(good["start"]).astimezone(ZoneInfo("Asia/Kolkata"))
    response = api.book(good | {"start": start.isoformat(), "timezone": "Asia/Kolkata"})
    assert response.status_code == 201, response.content
    assert response.json()["start"] == start.isoformat()
    assert Appointment.objects.get().start == start


def test_an_international_number_needs_no_country(api: ApiClient, good: dict[str, Any]) -> None:
    good["patient"]["mobile"] = "+44 7400 123456"
    assert api.book(good).status_code == 201
    assert Appointment.objects.get().patient_mobile == "+447400123456"


def test_a_local_number_is_of_the_practices_country(api: ApiClient, good: dict[str, Any]) -> None:
    good["patient"]["mobile"] = "(202) 555-0143"
    assert api.book(good).status_code == 201
    assert Appointment.objects.get().patient_mobile == "+12025550143"


def test_a_taken_time_is_a_conflict_with_alternatives(api: ApiClient, good: dict[str, Any]) -> None:
    assert api.book(good).status_code == 201
    problem = assert_problem(api.book(good), 409, "slot-taken")
    for other in problem["alternatives"]:
        assert set(other) == {"start", "end", "provider"}
        assert api.book(good | {"start": other["start"]}).status_code == 201
        break
    else:
        pytest.fail("There are other times on that day.")


def test_a_silent_processor_keeps_nothing(api: ApiClient, good: dict[str, Any]) -> None:
    faults.arm("checkout-down", times=5)
    assert_problem(api.book(good), 503, "checkout-unavailable")
    assert Appointment.objects.get().status == "expired"


def test_the_token_shows_the_booking(api: ApiClient, good: dict[str, Any]) -> None:
    created = api.book(good).json()
    shown = api.get(f"/api/v1/bookings/{created['token']}").json()
    assert shown == created
    assert shown["provider"] == "dr-rivera"
    assert shown["service"] == "primary-care"
    assert shown["join_url"] is None


def test_a_paid_booking_shows_its_link(api: ApiClient) -> None:
    appointment = make_appointment()
    Meeting.objects.create(appointment=appointment, status="ready", join_url="https://video.example.com/j/1")
    shown = api.get(f"/api/v1/bookings/{appointment.token}").json()
    assert shown["status"] == "paid"
    assert shown["join_url"] == "https://video.example.com/j/1"
    assert shown["checkout_url"] is None


@pytest.mark.parametrize("token", ["nothing", "x" * 300, "%00", "%F0%9F%99%82", "a.b"])
def test_unknown_tokens_are_not_found(api: ApiClient, token: str) -> None:
    assert_problem(api.get(f"/api/v1/bookings/{token}"), 404, "not-found")
    assert_problem(api.send(f"/api/v1/bookings/{token}/cancel", {}), 404, "not-found")


def test_canceling_frees_the_time_and_says_so(api: ApiClient, good: dict[str, Any], service: Any) -> None:
    token = api.book(good).json()["token"]
    response = api.send(f"/api/v1/bookings/{token}/cancel", {"reason": "Feeling better"})
    assert response.status_code == 200, response.content
    assert response.json()["status"] == "canceled"
    appointment = Appointment.objects.get()
    assert appointment.cancellation_reason == "Feeling better"
    assert appointment.canceled_by == "patient"
    assert good["start"] in starts(service)


def test_canceling_needs_no_body_and_can_be_repeated(api: ApiClient) -> None:
    appointment = make_appointment()
    for _ in range(2):
        response = api.post(f"/api/v1/bookings/{appointment.token}/cancel", content_type="application/json")
        assert response.status_code == 200
        assert response.json()["status"] == "canceled"


def test_a_visit_that_took_place_can_not_be_canceled(api: ApiClient) -> None:
    appointment = make_appointment(status="completed")
    assert_problem(api.send(f"/api/v1/bookings/{appointment.token}/cancel", {}), 409, "already-over")


@pytest.mark.parametrize("reason", ["x" * 1001, "\x00", 5, []])
def test_a_reason_is_plain_text(api: ApiClient, reason: Any) -> None:
    appointment = make_appointment()
    problem = assert_problem(
        api.send(f"/api/v1/bookings/{appointment.token}/cancel", {"reason": reason}), 422, "invalid-fields"
    )
    assert list(problem["errors"]) == ["reason"]
    appointment.refresh_from_db()
    assert appointment.status == "paid"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "bookings", "POST"),
        ("GET", "bookings", "POST"),
        ("POST", "openings", "GET, HEAD"),
        ("PUT", "services", "GET, HEAD"),
    ],
)
def test_another_method_is_a_problem_that_names_the_right_ones(
    api: ApiClient, method: str, path: str, allowed: str
) -> None:
    response = api.generic(method, f"/api/v1/{path}")
    assert_problem(response, 405, "method-not-allowed")
    assert response["Allow"] == allowed


@pytest.mark.parametrize("path", ["", "nothing", "bookings/", "bookings/a/b/c", "openings/"])
def test_other_addresses_are_problems_too(api: ApiClient, path: str) -> None:
    assert_problem(api.get(f"/api/v1/{path}"), 404, "not-found")


@override_settings(RATE_LIMITS={"token-miss": (3, 60)})
def test_tokens_can_not_be_guessed_without_end(api: ApiClient) -> None:
    for _ in range(3):
        assert_problem(api.get("/api/v1/bookings/guess"), 404, "not-found")
    response = api.get("/api/v1/bookings/guess")
    assert_problem(response, 429, "rate-limited")
    assert 0 < int(response["Retry-After"]) <= 60


@override_settings(RATE_LIMITS={"book-address": (1, 600)})
def test_bookings_of_one_address_are_limited(api: ApiClient, good: dict[str, Any], service: Any) -> None:
    assert api.book(good).status_code == 201
    response = api.book(good | {"start": starts(service)[-1]})
    assert_problem(response, 429, "rate-limited")
    assert int(response["Retry-After"]) > 0


def test_a_promo_code_lowers_the_amount_and_one_that_frees_the_visit_pays_it(
    api: ApiClient, good: dict[str, Any], service: Service
) -> None:
    from bedside.clinic.prices.models import PromoCode

    PromoCode.objects.create(code="TENTH", percent=10)
    PromoCode.objects.create(code="GIFT", percent=100)
    booking = api.book(good | {"promo_code": "tenth"}).json()
    full = service.price_minor
    assert booking["amount"] == {"minor_units": full - full // 10, "currency": "USD"}
    assert (booking["promo_code"], booking["list_price"]["minor_units"]) == ("TENTH", full)
    assert booking["discount_amount"]["minor_units"] == full // 10
    free = api.book(good | {"promo_code": "Gift", "start": starts(service)[8]})
    assert free.status_code == 201
    assert (free.json()["status"], free.json()["checkout_url"]) == ("paid", None)


def test_a_credit_pays_what_it_can_and_only_for_its_patient(api: ApiClient, good: dict[str, Any], clock: Any) -> None:
    from tests.flows.test_credits import issue, make_payment

    credit = issue(make_payment(clock, patient_email=good["patient"]["email"]), 1000)
    for code in ("ABCD-EFGH-JKMN", "x" * 41, 7):
        refused = api.book(good | {"credit_code": code})
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["credit_code"])
    booking = api.book(good | {"credit_code": credit.shown_code}).json()
    assert booking["credit_amount"]["minor_units"] == 1000
    assert credit.left_minor == 0
