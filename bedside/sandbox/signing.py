"""How each vendor signs what it sends. Pure: written apart from the code that verifies, so each tests the other."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl


def stripe(body: bytes, secret: str, at: int) -> dict[str, str]:
    """``Stripe-Signature: t=…,v1=…`` over ``t.body``."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={digest}"}


def zoom(body: bytes, secret: str, at: int) -> dict[str, str]:
    """``x-zm-signature: v0=…`` over ``v0:timestamp:body``."""
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-zm-request-timestamp": str(at), "x-zm-signature": f"v0={digest}"}


def twilio(url: str, body: bytes, token: str) -> dict[str, str]:
    """``X-Twilio-Signature``: HMAC-SHA1 over the public URL and the sorted form fields."""
    fields = sorted(parse_qsl(body.decode(), keep_blank_values=True))
    message = url + "".join(key + value for key, value in fields)
    digest = hmac.new(token.encode(), message.encode(), hashlib.sha1).digest()  # Twilio's choice of hash
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


def email(body: bytes, secret: str, at: int, event_id: str) -> dict[str, str]:
    """Standard Webhooks: ``webhook-signature: v1,…`` over ``id.timestamp.body``."""
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    digest = hmac.new(key, f"{event_id}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": event_id, "webhook-timestamp": str(at), "webhook-signature": signature}
