"""Webhooks that the stand-in vendors send: written down in the transaction of what they tell, delivered by a job."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from bedside.core import clock, faults
from bedside.sandbox import stripe_shapes
from bedside.sandbox.models import Webhook

LATE = timedelta(seconds=20)


def stripe(kind: str, subject: dict[str, Any], *, manner: str = "") -> Webhook:
    """An event of the processor. ``manner`` (of the card used): "late", "twice", "lost" or ""."""
    event_id = f"evt_{secrets.token_hex(12)}"
    body = json.dumps(stripe_shapes.event(event_id, kind, subject, clock.now()), separators=(",", ":"))
    manner = manner or next((name for name in ("lost", "late", "twice") if faults.armed(f"webhook-{name}")), "")
    return _send("stripe", event_id, kind, body, manner=manner)


def zoom(kind: str, payload: dict[str, Any]) -> Webhook:
    """An event of the video service, for example ``meeting.participant_joined``."""
    at = int(clock.now().timestamp() * 1000)
    body = json.dumps({"event": kind, "event_ts": at, "payload": payload}, separators=(",", ":"))
    return _send("zoom", f"zm_{secrets.token_hex(12)}", kind, body)


def twilio(kind: str, fields: dict[str, str], *, after: timedelta | None = None) -> Webhook:
    """A callback of the text gateway: form fields, as Twilio sends them."""
    return _send("twilio", f"tw_{secrets.token_hex(12)}", kind, urlencode(fields), after=after)


def email(kind: str, data: dict[str, Any], *, after: timedelta | None = None) -> Webhook:
    """An event of the mail service, in the Standard Webhooks format."""
    event_id = f"msg_{secrets.token_hex(12)}"
    body = {"type": kind, "timestamp": clock.now().isoformat(), "data": data}
    return _send("email", event_id, kind, json.dumps(body, separators=(",", ":")), after=after)


def _send(
    vendor: str, event_id: str, kind: str, body: str, *, manner: str = "", after: timedelta | None = None
) -> Webhook:
    from bedside.sandbox import jobs

    webhook = Webhook.objects.create(
        vendor=vendor, event_id=event_id, kind=kind, body=body, created_at=clock.now(), lost=manner == "lost"
    )
    wait = LATE if manner == "late" else after
    if manner != "lost":
        jobs.deliver_soon(webhook.pk, at=clock.now() + wait if wait else None)
    if manner == "twice":
        jobs.deliver_soon(webhook.pk)
    return webhook
