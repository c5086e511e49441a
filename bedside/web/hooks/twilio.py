"""The text gateway's callbacks: how a text fared, and what people answer."""

from __future__ import annotations

from xml.sax.saxutils import escape

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from bedside.core import clock
from bedside.flows import inbound
from bedside.notifications import receipts
from bedside.notifications.transports.signatures import BadSignature, verify_twilio
from bedside.web.hooks.door import Refused, first_time, webhook

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


@webhook("twilio")
def twilio(request: HttpRequest) -> HttpResponse:
    """Twilio signs the address that it called: behind a proxy that is the public one, not the one we see."""
    try:
        fields = verify_twilio(
            f"{settings.PUBLIC_URL}{request.get_full_path()}",
            request.body,
            request.headers.get("X-Twilio-Signature", ""),
            settings.ENV.secret("twilio_auth_token"),
        )
    except BadSignature as error:
        raise Refused(error) from error
    sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
    if not sid:
        raise Refused("signed, but not about a message")
    words = _keep(sid, fields)
    return HttpResponse(_twiml(words), content_type="text/xml")


def _keep(sid: str, fields: dict[str, str]) -> str:
    """What to answer, "" for nothing. Twilio's signature has no time in it, so what was seen is remembered."""
    status = fields.get("MessageStatus", "")
    told = fields.get("OptOutType", "")
    kind = f"status.{status}" if status else f"inbound.{told.lower() or 'text'}"
    with transaction.atomic():
        kept = first_time("twilio", f"{sid}:{kind}", kind, sid)
        if kept is None:
            return ""
        words = ""
        if status:
            receipts.record_receipt(sid, status, fields.get("ErrorCode", ""))
        elif fields.get("From"):
            words = inbound.receive(number=fields["From"], body=fields.get("Body", ""), vendor_id=sid, told=told)
        kept.processed_at = clock.now()
        kept.save(update_fields=["processed_at"])
    return words


def _twiml(words: str) -> str:
    """Twilio sends what stands in ``Message``; without one it answers nothing by itself."""
    return f"{HEAD}<Response>{f'<Message>{escape(words)}</Message>' if words else ''}</Response>"
