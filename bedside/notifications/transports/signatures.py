"""Signatures of what text gateways and mail services send back. Verified on the raw bytes, before anything is read."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl

from bedside.core import clock

TOLERANCE_SECONDS = 300
MOST_FIELDS = 200


class BadSignature(Exception):
    """Unsigned, forged, altered or too old. The reason is for logs, never for the sender."""


def verify_twilio(url: str, body: bytes, signature: str, token: str) -> dict[str, str]:
    """The form's fields, once ``X-Twilio-Signature`` fits. ``url`` is the public one that Twilio called.

    HMAC-SHA1 over the URL and the fields sorted by name (twilio.com/docs/usage/security). It carries no time, so a
    repeated one can't be told by age: callers keep what they have seen.
    """
    if not token or not signature:
        raise BadSignature("no signature, or no token is configured")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadSignature("not a form") from error
    signed = url + "".join(key + value for key, value in sorted(fields))
    expected = base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest())
    if not hmac.compare_digest(expected, signature.encode()):
        raise BadSignature("it doesn't fit")
    return dict(fields)


def verify_email(body: bytes, event_id: str, timestamp: str, signatures: str, secret: str) -> None:
    """Standard Webhooks (standardwebhooks.com): a ``v1`` of ``id.timestamp.body``, within 300 s of our clock."""
    if not (secret and event_id and timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadSignature("no id, no time, or no secret is configured")
    signed = f"{event_id}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest())
    given = [one.partition(",") for one in signatures.split(" ")]
    if not any(version == "v1" and hmac.compare_digest(expected, value.encode()) for version, _, value in given):
        raise BadSignature("no signature fits")
    if abs(clock.now().timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignature("too old, or from the future")


def _key(secret: str) -> bytes:
    """Standard Webhooks' secrets are ``whsec_`` and base64; one without the prefix is taken as it stands."""
    return base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
