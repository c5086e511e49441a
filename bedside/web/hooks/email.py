"""The mail service's webhooks, in the Standard Webhooks format: delivered, bounced, complained."""

from __future__ import annotations

import json

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from bedside.core import clock
from bedside.notifications import receipts
from bedside.notifications.transports.signatures import BadSignature, verify_email
from bedside.web.hooks.door import Refused, first_time, taken, webhook

STATUSES = {"email.delivered": ("delivered", ""), "email.bounced": ("failed", "550"), "email.complained": ("", "")}


@webhook("email")
def email(request: HttpRequest) -> HttpResponse:
    event_id = request.headers.get("webhook-id", "")
    try:
        verify_email(
            request.body,
            event_id,
            request.headers.get("webhook-timestamp", ""),
            request.headers.get("webhook-signature", ""),
            settings.ENV.secret("email_webhook_secret"),
        )
        event = json.loads(request.body)
        kind, message_id = str(event["type"]), str(event["data"]["message_id"])
    except (BadSignature, ValueError, KeyError, TypeError) as error:
        raise Refused(error) from error
    status, code = STATUSES.get(kind, ("", ""))
    with transaction.atomic():
        kept = first_time("email", event_id, kind, message_id)
        if kept is not None:
            if status:
                receipts.record_receipt(message_id, status, code)
            kept.processed_at = clock.now()
            kept.save(update_fields=["processed_at"])
    return taken()
