"""What the desk searches for, and tokens, never reach the log."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from django.test import Client

from tests.factories import make_appointment

pytestmark = pytest.mark.django_db


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the log's own handlers write, as a person or a machine would read it."""
    stream = io.StringIO()
    handlers = [handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler]
    assert handlers, "the house's log writes nowhere"
    before = [handler.setStream(stream) for handler in handlers]
    yield stream
    for handler, old in zip(handlers, before, strict=True):
        handler.setStream(old or io.StringIO())


def test_a_search_that_fails_leaves_no_name_in_the_log(desk: Client, written: io.StringIO) -> None:
    assert desk.get("/desk/appointments", {"q": "alex.morgan@example.com", "status": "lost"}).status_code == 422
    logged = written.getvalue()
    assert "/desk/appointments" in logged
    assert "alex.morgan" not in logged


def test_a_refused_cancellation_leaves_no_token_in_the_log(written: io.StringIO) -> None:
    appointment = make_appointment(status="completed")
    response = Client().post(f"/api/v1/bookings/{appointment.token}/cancel", content_type="application/json")
    assert response.status_code == 409
    logged = written.getvalue()
    assert "/api/v1/bookings/" in logged
    assert appointment.token not in logged


def test_a_waitlist_link_leaves_no_token_in_the_log(written: io.StringIO) -> None:
    assert Client().get("/waitlist/AbCdEfGh123456789").status_code == 404
    assert "/waitlist/" in written.getvalue()
    assert "AbCdEfGh" not in written.getvalue()
