"""The stand-in vendors' own work: delivering webhooks over HTTP, and what a bank does later."""

from __future__ import annotations

from datetime import datetime

import httpx
import structlog
from django.conf import settings
from django.db.models import F

from bedside.core import clock
from bedside.core.jobs import PATIENT_RETRY, defer, task
from bedside.sandbox import inbox, signing
from bedside.sandbox.models import Webhook

log = structlog.get_logger(__name__)
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
PATIENCE_SECONDS = 15


class NotTaken(Exception):
    """The receiver did not answer 2xx: the webhook is sent again later, as every vendor does."""


@task(name="sandbox.deliver_webhook", retry=PATIENT_RETRY)
def deliver_webhook(webhook_id: int) -> None:
    """Signed at the moment of sending, so that a late or repeated one is fresh."""
    webhook = Webhook.objects.get(pk=webhook_id)
    Webhook.objects.filter(pk=webhook_id).update(attempts=F("attempts") + 1)
    url = f"{settings.PUBLIC_URL}/hooks/{webhook.vendor}"
    body = webhook.body.encode()
    try:
        # The public address is our own: no proxy of the machine stands between.
        with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:
            response = client.post(url, content=body, headers=headers_for(webhook, url, body))
    except httpx.HTTPError as error:
        raise NotTaken(f"no answer: {type(error).__name__}") from None
    answer = response.status_code
    Webhook.objects.filter(pk=webhook_id).update(answer=answer)
    if not 200 <= answer < 300:
        raise NotTaken(str(answer))
    Webhook.objects.filter(pk=webhook_id).update(delivered_at=clock.now())
    if webhook.vendor == "twilio" and webhook.kind == "inbound":
        inbox.carry_out(response.text, webhook)


def headers_for(webhook: Webhook, url: str, body: bytes) -> dict[str, str]:
    """The vendor's headers, with its signature of these bytes at this moment."""
    at = int(clock.now().timestamp())
    secret = settings.ENV.secret
    if webhook.vendor == "stripe":
        return {"Content-Type": JSON} | signing.stripe(body, secret("stripe_webhook_secret"), at)
    if webhook.vendor == "zoom":
        return {"Content-Type": JSON} | signing.zoom(body, secret("zoom_webhook_secret"), at)
    if webhook.vendor == "twilio":
        return {"Content-Type": FORM} | signing.twilio(url, body, secret("twilio_auth_token"))
    return {"Content-Type": JSON} | signing.email(body, secret("email_webhook_secret"), at, webhook.event_id)


@task(name="sandbox.settle_refund", retry=PATIENT_RETRY)
def settle_refund(refund_id: str, status: str) -> None:
    from bedside.sandbox import processor

    processor.settle_refund(refund_id, status)


@task(name="sandbox.dispute", retry=PATIENT_RETRY)
def dispute(session_id: str) -> None:
    """Of the card that is always disputed. One that was refunded or disputed meanwhile is left alone."""
    from bedside.sandbox import disputes
    from bedside.sandbox.errors import VendorRefused

    try:
        disputes.open_dispute(session_id)
    except VendorRefused as refused:
        log.info("not_disputed", why=refused.code)


@task(name="sandbox.pay_out", retry=PATIENT_RETRY)
def pay_out() -> None:
    from bedside.sandbox import books

    books.pay_out(clock.now())


@task(name="sandbox.wake")
def wake() -> None:
    """Nothing at all: being fetched is its purpose, for the worker then looks for what has come due."""


def deliver_soon(webhook_id: int, *, at: datetime | None = None) -> None:
    defer(deliver_webhook, at=at, webhook_id=webhook_id)


def settle_refund_later(refund_id: str, status: str, at: datetime) -> None:
    defer(settle_refund, at=at, refund_id=refund_id, status=status)


def dispute_later(session_id: str, at: datetime) -> None:
    defer(dispute, at=at, session_id=session_id)


def pay_out_later(at: datetime) -> None:
    """Once for each morning, however much was taken."""
    defer(pay_out, at=at, once=f"sandbox-pay-out:{at:%Y-%m-%d}")


def wake_workers() -> None:
    defer(wake)
