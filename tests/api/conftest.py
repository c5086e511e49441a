"""What tests of the API share: a client that speaks JSON, a service with openings, and a good request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from bedside.clinic.models import Service
from bedside.core import clock
from bedside.schedule.openings import openings
from tests.factories import make_provider, make_service

ZONE = "America/New_York"
Post = Callable[..., Any]


class ApiClient(Client):
    """Posts JSON and counts server errors as failures of their own."""

    def book(self, body: Any, **headers: str) -> Any:
        return self.send("/api/v1/bookings", body, **headers)

    def send(self, path: str, body: Any, **headers: str) -> Any:
        return self.post(path, data=body, content_type="application/json", headers=headers)


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def service() -> Service:
    return make_service(make_provider(slug="dr-rivera"), slug="primary-care")


def starts(service: Service, days_ahead: int = 3) -> list[str]:
    """The day's openings, as the API shows them."""
    day = clock.now().date() + timedelta(days=days_ahead)
    found = openings(service=service, first=day, last=day, timezone=ZONE)
    return [one.start.isoformat() for one in found]


@pytest.fixture
def good(service: Service) -> dict[str, Any]:
    """A request that books the first opening of the day after the day after tomorrow."""
    return {
        "service": service.slug,
        "start": starts(service)[0],
        "timezone": ZONE,
        "patient": {"name": "Robin Sample", "email": "robin@example.com", "mobile": "+12025550143"},
        "sms_consent": True,
    }


def assert_problem(response: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """The response is a problem of this kind; gives its members."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()  # type: ignore[attr-defined]
    assert problem["type"] == code
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return dict(problem)
