"""The API holds to its own OpenAPI document, whatever is thrown at it (schemathesis, in process)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis.specs.openapi import checks

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.config.wsgi import application
from bedside.web.api.document import openapi
from tests.factories import make_appointment

DOCUMENT = schemathesis.openapi.from_dict(openapi())
DOCUMENT.app = application
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]


# Werkzeug's client doesn't unpack what the gzip middleware packs.
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture
def practice(db: None, service: Service) -> Iterator[Appointment]:
    """A service with openings. As in Django's own test client, the test's connection outlives each request."""
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    yield make_appointment(service)
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


@DOCUMENT.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_the_document_says(case: Any, practice: Appointment) -> None:
    case.call_and_validate(checks=CHECKS, headers=PLAIN)


def test_the_document_is_valid_and_served(practice: Appointment) -> None:
    validate(openapi())  # type: ignore[arg-type]
    assert Client().get("/api/v1/openapi.json").json() == openapi()


def test_real_bookings_are_as_the_document_says(practice: Appointment, good: dict[str, Any]) -> None:
    """What chance doesn't find: the way of a booking that succeeds, is refused, looked at, canceled."""
    book = DOCUMENT["/bookings"]["POST"]
    booked = book.Case(body=good, media_type="application/json").call_and_validate(checks=CHECKS, headers=PLAIN)
    refused = book.Case(body=good, media_type="application/json").call_and_validate(checks=CHECKS, headers=PLAIN)
    assert (booked.status_code, refused.status_code) == (201, 409)
    token = {"token": booked.json()["token"]}
    for path, method in (("/bookings/{token}", "GET"), ("/bookings/{token}/cancel", "POST")):
        case = DOCUMENT[path][method].Case(path_parameters=token, body={}, media_type="application/json")
        assert case.call_and_validate(checks=CHECKS, headers=PLAIN).status_code == 200
    days = {"service": "primary-care", "from": "2026-12-02", "to": "2026-12-12", "timezone": "America/New_York"}
    found = DOCUMENT["/openings"]["GET"].Case(query=days).call_and_validate(checks=CHECKS, headers=PLAIN)
    assert found.json()["openings"]
