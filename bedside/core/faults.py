"""Faults, injected by name in the sandbox, to see what Bedside does when a vendor fails."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from bedside.core import remember, written
from bedside.core.models import Fault

# Every name that can be armed, with what it does. The sandbox page lists them.
FAULTS = {
    "checkout-down": "The processor answers 500 when a checkout is opened.",
    "checkout-hangs": "The processor takes the request, then drops the connection.",
    "webhook-lost": "The processor's next webhook never arrives.",
    "webhook-late": "The processor's next webhook arrives 20 seconds late.",
    "webhook-twice": "The processor's next webhook arrives twice.",
    "refund-fails": "The processor refuses the next refund.",
    "refund-down": "The processor answers 500 when a refund is asked for.",
    "refund-hangs": "The processor makes the refund, then drops the connection.",
    "video-down": "The video service answers 500 when a meeting is made.",
    "sms-busy": "The text gateway answers 503.",
    "sms-landline": "The text gateway says the number is a landline (30006).",
    "sms-unreachable": "The text gateway takes the text, then reports that the handset is off (30003).",
    "sms-drops": "The text gateway sends, then drops the connection before answering.",
    "email-busy": "The mail server answers 451, try again later.",
    "email-bounces": "The mail server says the address doesn't exist (550).",
}


def arm(name: str, times: int = 1) -> None:
    """Arm a fault for its next ``times`` uses."""
    if name not in FAULTS:
        raise KeyError(name)
    Fault.objects.update_or_create(name=name, defaults={"remaining": times})


def armed(name: str) -> bool:
    """Whether the fault is armed; takes one use off. Always False outside the sandbox."""
    if not settings.SANDBOX:
        return False
    # Nearly always none is: one look a request says so for all of them.
    if name not in remember.once("faults", _waiting):
        return False
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_fault SET remaining = remaining - 1 WHERE name = %s AND remaining > 0", [name])
        return bool(cursor.rowcount == 1)


def _waiting() -> frozenset[str]:
    return frozenset(written.column("SELECT name FROM core_fault WHERE remaining > 0"))
