"""The stand-in mail server and text gateway: they take messages, tell how they fared, and let people answer."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from email.utils import make_msgid
from urllib.parse import parse_qsl
from xml.sax.saxutils import unescape

from django.db import transaction

from bedside.core import clock, faults
from bedside.core.crypto import blind_index
from bedside.sandbox import webhooks
from bedside.sandbox.errors import ConnectionDropped, VendorRefused
from bedside.sandbox.models import Message, MessageFile, OptOut, Webhook

# The gateway's own number, from the range kept for fiction.
GATEWAY_NUMBER = "+12025550199"
# Word for word as Twilio's default opt-out handling takes them.
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})
LONGEST_REPLY = 1600
# A real network takes a moment to report, and the sender has its answer by then.
REPORT_AFTER = timedelta(seconds=2)


def take_email(
    *,
    to: str,
    subject: str,
    body: str,
    html: str,
    reference: str,
    kind: str = "",
    audience: str = "",
    files: Sequence[tuple[str, str, bytes]] = (),
) -> str:
    """SMTP's DATA; ``files`` are (name, MIME type, bytes).

    Returns the message id. Refused with 451 (later) or 550 (no such mailbox) by fault.
    """
    if faults.armed("email-busy"):
        raise VendorRefused(451, "451", "Try again later.")
    if faults.armed("email-bounces"):
        raise VendorRefused(550, "550", "No such mailbox.")
    vendor_id = make_msgid(domain="sandbox.example")
    message = _keep("email", to, subject, body, html, vendor_id, reference, kind, audience)
    for name, content_type, data in files:
        MessageFile.objects.create(
            message=message, name=name, content_type=content_type, data=base64.b64encode(data).decode()
        )
    with transaction.atomic():
        webhooks.email("email.delivered", {"message_id": message.vendor_id}, after=REPORT_AFTER)
    return vendor_id


def take_text(*, to: str, body: str, reference: str, kind: str = "", audience: str = "") -> str:
    """POST /Messages. Returns the SID. Rejects numbers that answered STOP (21610), and fails by fault."""
    if faults.armed("sms-busy"):
        raise VendorRefused(503, "503", "Service unavailable.")
    if faults.armed("sms-landline"):
        raise VendorRefused(400, "30006", "Landline or unreachable carrier.")
    if is_opted_out(to):
        raise VendorRefused(400, "21610", "Attempt to send to an unsubscribed recipient.")
    sid = f"SM{secrets.token_hex(16)}"
    with transaction.atomic():
        _keep("sms", to, "", body, "", sid, reference, kind, audience)
        unreachable = faults.armed("sms-unreachable")
        _report(sid, to, "undelivered" if unreachable else "delivered", "30003" if unreachable else "")
    if faults.armed("sms-drops"):
        raise ConnectionDropped
    return sid


def find(reference: str) -> str | None:
    """The id of what was taken under the client's reference."""
    taken = Message.objects.filter(client_reference=reference, inbound=False)
    return taken.order_by("pk").values_list("vendor_id", flat=True).first()


def reply(number: str, words: str) -> Message:
    """Somebody writes on the phone: kept, opted in or out as Twilio does by itself, and told to Bedside."""
    sid = f"SM{secrets.token_hex(16)}"
    word = words.strip().upper()
    with transaction.atomic():
        message = Message.objects.create(
            channel="sms",
            to=number,
            body=words[:LONGEST_REPLY],
            vendor_id=sid,
            inbound=True,
            status="received",
            at=clock.now(),
        )
        fields = {
            "MessageSid": sid,
            "SmsStatus": "received",
            "From": number,
            "To": GATEWAY_NUMBER,
            "Body": message.body,
        }
        webhooks.twilio("inbound", fields | _opt(number, word))
    return message


def carry_out(twiml: str, webhook: Webhook) -> None:
    """Send what the receiver answered to a text, once: ``<Response><Message>words</Message></Response>``."""
    found = re.search(r"<Message>(.*?)</Message>", twiml, re.DOTALL)
    number = dict(parse_qsl(webhook.body)).get("From", "")
    if not found or not number or is_opted_out(number):
        return
    sid = f"SM{hashlib.sha256(webhook.event_id.encode()).hexdigest()[:32]}"
    if not Message.objects.filter(vendor_id=sid).exists():
        _keep("sms", number, "", unescape(found.group(1)), "", sid, "", "reply", "patient")


def is_opted_out(number: str) -> bool:
    return OptOut.objects.filter(number_index=blind_index("mobile", number)).exists()


def _opt(number: str, word: str) -> dict[str, str]:
    """Twilio's ``OptOutType``, after acting on the word. Only the whole message counts, in any case."""
    if word in STOP_WORDS:
        OptOut.objects.get_or_create(
            number_index=blind_index("mobile", number), defaults={"number": number, "at": clock.now()}
        )
        return {"OptOutType": "STOP"}
    if word in START_WORDS:
        OptOut.objects.filter(number_index=blind_index("mobile", number)).delete()
        return {"OptOutType": "START"}
    return {"OptOutType": "HELP"} if word in HELP_WORDS else {}


def _keep(
    channel: str, to: str, subject: str, body: str, html: str, vendor_id: str, reference: str, kind: str, audience: str
) -> Message:
    return Message.objects.create(
        channel=channel,
        to=to,
        subject=subject,
        body=body,
        html=html,
        vendor_id=vendor_id,
        client_reference=reference,
        kind=kind,
        audience=audience,
        at=clock.now(),
    )


def _report(sid: str, to: str, status: str, error_code: str) -> None:
    fields = {"MessageSid": sid, "MessageStatus": status, "To": to, "From": GATEWAY_NUMBER}
    webhooks.twilio("status", fields | ({"ErrorCode": error_code} if error_code else {}), after=REPORT_AFTER)
