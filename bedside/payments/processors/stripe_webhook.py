"""A webhook of Stripe's, verified and read. The stand-in signs and writes as Stripe does, so both come through here."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.conf import settings

from bedside.payments.processors import stripe_objects, stripe_signature
from bedside.payments.processors.base import BadSignature, WebhookEvent


def read(body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
    """The raw bytes are verified before anything is parsed. Raises BadSignature; header names match in any case."""
    given = next((value for key, value in headers.items() if key.lower() == "stripe-signature"), "")
    stripe_signature.verify(body, given, *secrets())
    try:
        event = json.loads(body)
        live = event.get("livemode") is True
        return WebhookEvent(str(event["id"]), str(event["type"]), stripe_objects.spoken_of(event), live)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise BadSignature("signed, but not an event") from error


def secrets() -> list[str]:
    """The secret in use and, while it is being rolled over, the one before it."""
    names = ("stripe_webhook_secret", "stripe_webhook_secret_previous")
    return [found for found in map(settings.ENV.secret, names) if found]
