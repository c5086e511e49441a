"""Which way a channel goes out: the vendor's where it is configured, the stand-in's in the sandbox."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from bedside.notifications.models import Channel
from bedside.notifications.transports.base import Transport, TransportError


def transport(channel: str) -> Transport:
    """The transport for "email" or "sms". Raises `TransportError` (permanent) where the channel has none."""
    if settings.SANDBOX:
        from bedside.notifications.transports.sandbox import SandboxTransport

        return SandboxTransport(channel)
    if channel == Channel.EMAIL:
        from bedside.notifications.transports.email import EmailTransport

        return EmailTransport()
    if settings.ENV.twilio_account_sid:
        from bedside.notifications.transports.twilio import TwilioTransport

        return TwilioTransport()
    raise TransportError(
        "no-text-gateway",
        permanent=True,
        advice=_(
            "Texts can't be sent: no text gateway is connected. Connect one and send again; until then use email."
        ),
    )
