"""POST bookings/TOKEN/reschedule: the token stays, the time moves, refusals say why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from tests.api.conftest import ApiClient, assert_problem, starts
from tests.factories import make_appointment, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(service: Service) -> Appointment:
    return make_appointment(service)


def move(api: ApiClient, visit: Appointment, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return api.send(f"/api/v1/bookings/{visit.token}/reschedule", body, **headers or {})


def test_the_booking_moves_and_its_token_still_opens_it(api: ApiClient, visit: Appointment, service: Service) -> None:
    wanted = starts(service, 5)[2]
    response = move(api, visit, start=wanted, timezone="America/Chicago")
    assert response.status_code == 200, response.content
    shown = response.json()
    assert (shown["token"], shown["status"], shown["timezone"]) == (visit.token, "paid", "America/Chicago")
    assert shown["start"].startswith("2026-12-06T08:30")
    assert shown["move"]["moves_left"] == 2
    assert api.get(f"/api/v1/bookings/{visit.token}").json() == shown


def test_the_same_key_moves_once(api: ApiClient, visit: Appointment, service: Service) -> None:
    headers = {"Idempotency-Key": "move-1"}
    wanted = starts(service, 5)[2]
    first, again = (move(api, visit, headers, start=wanted) for _ in range(2))
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Appointment.objects.count() == 2


def test_a_taken_time_comes_with_alternatives(api: ApiClient, visit: Appointment, service: Service) -> None:
    other = make_appointment(service, start=visit.start + timedelta(days=1))
    problem = assert_problem(move(api, visit, start=other.start.isoformat()), 409, "slot-taken")
    assert problem["alternatives"]
    problem = assert_problem(
        move(api, visit, start=(visit.start + timedelta(minutes=1)).isoformat()), 422, "not-offered"
    )
    assert problem["errors"]["start"]


def test_the_policy_decides(api: ApiClient, visit: Appointment, service: Service, clock: Any) -> None:
    clock.set(visit.start - timedelta(hours=5))
    assert_problem(move(api, visit, start=starts(service, 5)[2]), 409, "move-not-allowed")
    assert api.get(f"/api/v1/bookings/{visit.token}").json()["move"]["possible"] is False


def test_bad_requests(api: ApiClient, visit: Appointment, service: Service) -> None:
    good = starts(service, 5)[2]
    assert "start" in assert_problem(move(api, visit), 422, "invalid-fields")["errors"]
    for body in ({"start": "noon"}, {"start": good, "timezone": "Mars/Olympus"}, {"start": good, "provider": 7}):
        assert_problem(move(api, visit, **body), 422, "invalid-fields")
    assert_problem(move(api, visit, start=good, provider=make_provider().slug), 404, "unknown-provider")
    assert_problem(move(api, visit, start=visit.start.isoformat()), 422, "same-time")
    assert_problem(api.send("/api/v1/bookings/nothing/reschedule", {"start": good}), 404, "not-found")
    visit.refresh_from_db()
    assert visit.status == "paid"
