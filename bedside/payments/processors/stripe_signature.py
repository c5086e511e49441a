"""Stripe's webhook signature: ``Stripe-Signature: t=UNIX,v1=HEX`` over ``t.rawbody``, HMAC-SHA256.

Source: docs.stripe.com/webhooks, "Verify webhook signatures manually". Written out rather than taken from the library,
which reads the machine's clock: ours may have been moved.
"""

from __future__ import annotations

import hashlib
import hmac

from bedside.core import clock
from bedside.payments.processors.base import BadSignature

TOLERANCE_SECONDS = 300


def verify(body: bytes, header: str, *secrets: str) -> None:
    """Raises BadSignature unless one ``v1`` fits one secret and the time is within 300 seconds of ours, either way.

    There are two secrets while one is being replaced by the next.
    """
    if not any(secrets):
        raise BadSignature("no secret is configured")
    stamps, given = _read(header)
    if len(stamps) != 1 or not given:
        raise BadSignature("the header is missing or unreadable")
    signed = stamps[0].encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    if not any(hmac.compare_digest(ours.encode(), one.encode()) for ours in expected for one in given):
        raise BadSignature("no signature fits")
    if not stamps[0].isascii() or not stamps[0].isdigit() or len(stamps[0]) > 12:
        raise BadSignature("the time is not a number")
    if abs(clock.now().timestamp() - int(stamps[0])) > TOLERANCE_SECONDS:
        raise BadSignature("too old, or from the future")


def _read(header: str) -> tuple[list[str], list[str]]:
    """Times and v1 signatures. Several signatures are in order: secrets are rolled over."""
    pairs = [part.strip().partition("=") for part in header.split(",")]
    return [value for key, _, value in pairs if key == "t"], [value for key, _, value in pairs if key == "v1"]
