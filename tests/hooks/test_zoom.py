"""The video service's webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from bedside.payments.models import ProcessorEvent
from bedside.sandbox import signing
from bedside.video.models import Meeting
from tests.factories import make_appointment
from tests.hooks.conftest import present, secret

pytestmark = pytest.mark.django_db
Post = Callable[..., Any]
PATH = "/hooks/zoom"


@pytest.fixture
def meeting() -> Meeting:
    return Meeting.objects.create(
        appointment=make_appointment(), meeting_id="98765432101", host_id="h1", status="ready"
    )


def joined(**fields: Any) -> bytes:
    person = {"user_id": "1", "id": "", "join_time": "2026-12-01T15:00:00Z"} | fields
    payload = {"object": {"id": "98765432101", "host_id": "h1", "participant": person}}
    return json.dumps({"event": "meeting.participant_joined", "payload": payload}).encode()


def signed(body: bytes, *, at: int | None = None, key: str | None = None) -> dict[str, str]:
    return signing.zoom(body, key or secret("zoom_webhook_secret"), present() if at is None else at)


def test_a_guest_who_joins_is_waiting(post: Post, meeting: Meeting, clock: Any) -> None:
    assert post(PATH, joined(), signed(joined())).status_code == 200
    meeting.refresh_from_db()
    assert meeting.patient_waiting_since == clock.now()


def test_the_host_is_known_by_the_meetings_own_host(post: Post, meeting: Meeting) -> None:
    body = joined(id="h1")
    post(PATH, body, signed(body))
    meeting.refresh_from_db()
    assert meeting.host_joined_at is not None
    assert meeting.patient_waiting_since is None


def test_the_same_event_again_is_taken_and_does_nothing(post: Post, meeting: Meeting) -> None:
    for _ in range(2):
        assert post(PATH, joined(), signed(joined())).status_code == 200
    assert ProcessorEvent.objects.count() == 1


def test_the_validation_question_is_answered_with_the_sealed_token(post: Post) -> None:
    body = b'{"event":"endpoint.url_validation","payload":{"plainToken":"abc123"}}'
    sealed = hmac.new(secret("zoom_webhook_secret").encode(), b"abc123", hashlib.sha256).hexdigest()
    assert post(PATH, body, signed(body)).json() == {"plainToken": "abc123", "encryptedToken": sealed}


def test_the_validation_question_unsigned_is_not_answered(post: Post) -> None:
    assert post(PATH, b'{"event":"endpoint.url_validation","payload":{"plainToken":"abc"}}', {}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-zm-signature": "v0=abc", "x-zm-request-timestamp": "1"},
        {"x-zm-signature": "v0=abc"},
        {"x-zm-request-timestamp": "1"},
    ],
)
def test_unsigned_and_forged_events_change_nothing(post: Post, meeting: Meeting, headers: dict[str, str]) -> None:
    assert post(PATH, joined(), headers).status_code == 400
    assert nothing_changed(meeting)


def test_stale_altered_and_otherwise_signed_events_change_nothing(post: Post, meeting: Meeting) -> None:
    for headers in (signed(joined(), at=present() - 301), signed(joined(), key="other"), signed(joined(id="h1"))):
        assert post(PATH, joined(), headers).status_code == 400
    assert nothing_changed(meeting)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"event":"meeting.participant_joined"}', joined(join_time="soon")])
def test_signed_rubbish_is_refused(post: Post, meeting: Meeting, body: bytes) -> None:
    assert post(PATH, body, signed(body)).status_code == 400
    assert nothing_changed(meeting)


def test_other_events_and_unknown_meetings_are_harmless(post: Post, meeting: Meeting) -> None:
    for body in (b'{"event":"meeting.started","payload":{}}', joined().replace(b"98765432101", b"11111111111")):
        assert post(PATH, body, signed(body)).status_code == 200
    meeting.refresh_from_db()
    assert meeting.patient_waiting_since is None


def nothing_changed(meeting: Meeting) -> bool:
    meeting.refresh_from_db()
    return meeting.patient_waiting_since is None and not ProcessorEvent.objects.exists()
