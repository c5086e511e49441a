"""Zoom's webhooks: ``x-zm-signature: v0=HEX`` over ``v0:timestamp:rawbody``, and what their events say.

Source: developers.zoom.us/docs/api/webhooks, "Verify webhook events". Times are Unix seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bedside.core import clock
from bedside.video.services.base import BadSignature, ParticipantEvent

TOLERANCE_SECONDS = 300
KINDS = {"meeting.participant_joined": ("joined", "join_time"), "meeting.participant_left": ("left", "leave_time")}


def verify(body: bytes, headers: Mapping[str, str], secret: str) -> None:
    """Raises BadSignature unless the signature fits and the time is within 300 seconds of ours, either way."""
    lowered = {key.lower(): value for key, value in headers.items()}
    timestamp, signature = lowered.get("x-zm-request-timestamp", ""), lowered.get("x-zm-signature", "")
    if not secret or not signature:
        raise BadSignature("no signature, or no secret is configured")
    message = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise BadSignature("it doesn't fit")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadSignature("the time is not a number")
    if abs(clock.now().timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignature("too old, or from the future")


def answer_to_validation(event: Mapping[str, Any], secret: str) -> dict[str, str] | None:
    """The answer to ``endpoint.url_validation`` (Zoom repeats it every 72 hours); None for other events."""
    if event.get("event") != "endpoint.url_validation":
        return None
    token = str((event.get("payload") or {}).get("plainToken", ""))
    sealed = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    return {"plainToken": token, "encryptedToken": sealed}


def read_event(body: bytes) -> dict[str, Any]:
    """The event of verified bytes. Raises BadSignature where they hold none."""
    try:
        event = json.loads(body)
    except ValueError as error:
        raise BadSignature("signed, but not JSON") from error
    if not isinstance(event, dict):
        raise BadSignature("signed, but not an event")
    return event


def participant_event(body: bytes) -> ParticipantEvent | None:
    """Who came or went, from verified bytes; None for events that aren't about that.

    Zoom gives events no id: the same bytes are the same event, since a repeated one is sent unchanged.
    """
    event = read_event(body)
    if event.get("event") not in KINDS:
        return None
    kind, moment = KINDS[event["event"]]
    try:
        meeting = event["payload"]["object"]
        person = meeting["participant"]
        return ParticipantEvent(
            event_id=hashlib.sha256(body).hexdigest()[:40],
            kind=kind,
            meeting_id=str(meeting["id"]),
            role="host" if person.get("id") and person["id"] == meeting.get("host_id") else "guest",
            at=datetime.fromisoformat(person[moment]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadSignature("signed, but unreadable") from error
