"""Idempotency-Key: sent again, a request gets its first answer, and is done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bedside.appointments.models import Appointment
from bedside.core import clock, faults, idempotency
from bedside.core.models import IdempotencyRecord
from tests.api.conftest import ApiClient, assert_problem, starts
from tests.factories import make_appointment

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "7d3f1a52-0a55-4a6e-8a5c-1f7f6f0c2f11"}


def test_the_same_request_gets_the_same_answer(api: ApiClient, good: dict[str, Any]) -> None:
    first, again = api.book(good, **KEY), api.book(good, **KEY)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first["Location"] == again["Location"]
    assert not first.has_header("Idempotent-Replayed")
    assert again["Idempotent-Replayed"] == "true"
    assert Appointment.objects.count() == 1


def test_refusals_are_replayed_too(api: ApiClient, good: dict[str, Any]) -> None:
    api.book(good)
    first, again = api.book(good, **KEY), api.book(good, **KEY)
    assert_problem(first, 409, "slot-taken")
    assert first.content == again.content
    assert again["Content-Type"] == "application/problem+json"


def test_another_body_with_the_same_key_is_refused(api: ApiClient, good: dict[str, Any], service: Any) -> None:
    api.book(good, **KEY)
    assert_problem(api.book(good | {"start": starts(service)[-1]}, **KEY), 422, "idempotency-key-reused")
    assert Appointment.objects.count() == 1


def test_the_same_key_for_another_booking_is_refused(api: ApiClient) -> None:
    one, other = make_appointment(), make_appointment()
    assert api.send(f"/api/v1/bookings/{one.token}/cancel", {}, **KEY).status_code == 200
    assert_problem(api.send(f"/api/v1/bookings/{other.token}/cancel", {}, **KEY), 422, "idempotency-key-reused")


def test_endpoints_do_not_share_keys(api: ApiClient, good: dict[str, Any]) -> None:
    token = api.book(good, **KEY).json()["token"]
    assert api.send(f"/api/v1/bookings/{token}/cancel", {}, **KEY).json()["status"] == "canceled"


@pytest.mark.parametrize("key", ["", "x" * 256, "über", "a\tb"])
def test_a_key_is_short_and_printable(api: ApiClient, good: dict[str, Any], key: str) -> None:
    assert_problem(api.book(good, **{"Idempotency-Key": key}), 400, "idempotency-key-invalid")
    assert not Appointment.objects.exists()


def test_trouble_on_our_side_is_not_kept(api: ApiClient, good: dict[str, Any]) -> None:
    faults.arm("checkout-down", times=2)
    assert_problem(api.book(good, **KEY), 503, "checkout-unavailable")
    faults.arm("checkout-down", times=0)
    assert api.book(good, **KEY).status_code == 201


def test_the_key_is_free_again_after_an_error_that_nobody_expected(
    api: ApiClient, good: dict[str, Any], monkeypatch: Any
) -> None:
    def fail(**details: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("bedside.web.api.bookings.book", fail)
        assert_problem(api.book(good, **KEY), 500, "server-error")
    assert api.book(good, **KEY).status_code == 201


def test_a_request_under_way_is_a_conflict_until_it_must_have_died(api: ApiClient, good: dict[str, Any]) -> None:
    api.book(good, **KEY)
    IdempotencyRecord.objects.update(status=None, response=None)
    assert_problem(api.book(good, **KEY), 409, "idempotency-key-under-way")
    IdempotencyRecord.objects.update(created_at=clock.now() - timedelta(minutes=3))
    # The dead request's own hold is replaced: it doesn't stand in the way of its repetition.
    assert api.book(good, **KEY).status_code == 201
    assert Appointment.objects.filter(status="pending_payment").count() == 1


def test_keys_are_forgotten_after_a_day(api: ApiClient, good: dict[str, Any], service: Any) -> None:
    api.book(good, **KEY)
    IdempotencyRecord.objects.update(created_at=clock.now() - timedelta(hours=25))
    assert api.book(good | {"start": starts(service)[-1]}, **KEY).status_code == 201
    IdempotencyRecord.objects.update(created_at=clock.now() - timedelta(hours=25))
    assert idempotency.forget_old() == 1


def test_neither_key_nor_answer_can_be_read_in_the_database(api: ApiClient, good: dict[str, Any]) -> None:
    from django.db import connection

    token = api.book(good, **KEY).json()["token"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, response, request_hash FROM core_idempotencyrecord")
        key, response, request_hash = cursor.fetchone()
    assert KEY["Idempotency-Key"] not in key
    assert token.encode() not in bytes(response)
    assert len(bytes(request_hash)) == 16
