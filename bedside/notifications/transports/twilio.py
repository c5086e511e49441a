"""Texts for real, through Twilio's official library.

Twilio has no idempotency key on Messages: after a try whose answer was lost, `find` looks for a text with the same
words to the same number since then.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bedside.notifications.transports.base import Attachment, TransportError
from bedside.notifications.vendor_codes import meaning_of

TIMEOUT_SECONDS = 10
# Twilio's clock and ours differ a little.
CLOCKS_DIFFER = timedelta(minutes=2)
_kept = threading.local()


class TwilioTransport:
    """A `Transport` for texts. Credentials, and the number or messaging service, come from the settings."""

    name = "twilio"

    def __init__(self) -> None:
        environment = settings.ENV
        self.sender = environment.twilio_from
        keys = environment.twilio_account_sid, environment.secret("twilio_auth_token"), environment.twilio_api_base
        # Each thread keeps its client, and so its connection to Twilio, from text to text.
        if getattr(_kept, "keys", None) != keys:
            _kept.keys, _kept.client = keys, _connect(*keys)
        self.client: Client = _kept.client

    def send(
        self,
        *,
        to: str,
        subject: str,
        body: str,
        html: str,
        reference: str,
        kind: str,
        audience: str,
        attachments: Sequence[Attachment] = (),
    ) -> str:
        """POST Messages; returns the SID. Raises `TransportError`, with advice by Twilio's code."""
        service = self.sender.startswith("MG")
        by = {"messaging_service_sid": self.sender} if service else {"from_": self.sender}
        try:
            message = self.client.messages.create(
                to=to, body=body, status_callback=f"{settings.PUBLIC_URL}/hooks/twilio", **by
            )
        except TwilioRestException as error:
            raise _refused(error) from None
        except requests.RequestException:
            # Timed out or dropped: Twilio may have taken it. The next try asks.
            raise TransportError("connection-dropped", permanent=False) from None
        return str(message.sid)

    def find(self, reference: str, *, to: str, body: str, since: datetime) -> str | None:
        """The SID of a text with these words to this number that Twilio has made since then."""
        try:
            recent = self.client.messages.list(to=to, date_sent_after=since - CLOCKS_DIFFER, limit=50)
        except TwilioRestException as error:
            raise _refused(error) from None
        except requests.RequestException:
            raise TransportError("connection-dropped", permanent=False) from None
        return next((str(message.sid) for message in recent if message.body == body), None)


def _connect(account: str, token: str, base: str) -> Client:
    client = Client(account, token, http_client=TwilioHttpClient(timeout=TIMEOUT_SECONDS, max_retries=0))
    if base:
        client.api.base_url = base
    return client


def _refused(error: TwilioRestException) -> TransportError:
    """The library's error quotes the number: only the code goes on."""
    code = str(error.code or error.status)
    meaning = meaning_of(code, error.status)
    return TransportError(code, permanent=meaning.permanent, advice=str(meaning.advice))
