"""The sandbox's clock moves forward, and every waiting job with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from bedside.core import clock as house_clock
from bedside.core.jobs import defer
from bedside.core.models import ClockOffset
from bedside.sandbox.jobs import settle_refund
from bedside.web.sandbox.clock import BadSpan, read_span

BAD = ["", "25", "h", "-1h", "0s", "1w", "1.5h", "25h5m", "９h", "367d", "9999999999h", "999999999d", "1h; drop"]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("25h", timedelta(hours=25)),
        ("7d", timedelta(days=7)),
        (" 25 H ", timedelta(hours=25)),
        ("366d", timedelta(days=366)),
    ],
)
def test_spans_are_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert read_span(text) == span


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadSpan, match="."):
        read_span(text)


@pytest.mark.django_db
@pytest.mark.parametrize("text", BAD)
def test_a_bad_span_is_422_and_moves_nothing(client: Client, text: str) -> None:
    as_json = client.post("/sandbox/clock", {"forward": text}, content_type="application/json")
    assert (as_json.status_code, as_json.json()["type"]) == (422, "invalid-span")
    assert client.post("/sandbox/clock", {"forward": text}).status_code == 422
    assert not ClockOffset.objects.exists()


@pytest.mark.django_db
def test_no_body_at_all_is_422(client: Client) -> None:
    for body in ("", "[]", "{", '{"forward": null}'):
        assert client.post("/sandbox/clock", body, content_type="application/json").status_code == 422


@pytest.mark.django_db
def test_a_program_moves_it_without_cookies_and_due_jobs_move_along() -> None:
    due = house_clock.now() + timedelta(hours=25)
    defer(settle_refund, at=due, refund_id="re_1", status="succeeded")
    before = ProcrastinateJob.objects.get(task_name="sandbox.settle_refund").scheduled_at
    response = Client(enforce_csrf_checks=True).post(
        "/sandbox/clock", {"forward": "25h"}, content_type="application/json"
    )
    assert response.status_code == 200
    assert datetime.fromisoformat(response.json()["now"]).tzinfo == UTC
    after = ProcrastinateJob.objects.get(task_name="sandbox.settle_refund").scheduled_at
    assert before is not None
    assert after == before - timedelta(hours=25)
    assert ClockOffset.objects.get().offset_seconds == 25 * 3600


@pytest.mark.django_db
def test_moving_it_wakes_the_workers(client: Client) -> None:
    client.post("/sandbox/clock", {"forward": "1h"})
    assert ProcrastinateJob.objects.filter(task_name="sandbox.wake").count() == 1


@pytest.mark.django_db
def test_a_fault_is_armed_by_name_and_an_unknown_one_is_refused(client: Client) -> None:
    from bedside.core import faults

    armed: Any = client.post("/sandbox/faults", {"name": "sms-busy", "times": 2}, content_type="application/json")
    assert armed.json() == {"name": "sms-busy", "remaining": 2}
    assert [faults.armed("sms-busy") for _ in range(3)] == [True, True, False]
    for fields in ({"name": "sms-lazy"}, {"name": "sms-busy", "times": "-1"}, {"name": "sms-busy", "times": "many"}):
        assert client.post("/sandbox/faults", fields, content_type="application/json").status_code == 422
