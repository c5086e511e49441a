"""The client of the stand-in mail server and text gateway."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bedside.notifications.transports.base import Attachment, TransportError
from bedside.notifications.vendor_codes import meaning_of
from bedside.sandbox import inbox
from bedside.sandbox.errors import ConnectionDropped, VendorRefused


class SandboxTransport:
    """A `Transport` for "email" or "sms". Nothing leaves this machine."""

    name = "sandbox"

    def __init__(self, channel: str) -> None:
        self.channel = channel

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
        try:
            if self.channel == "email":
                return inbox.take_email(
                    to=to,
                    subject=subject,
                    body=body,
                    html=html,
                    reference=reference,
                    kind=kind,
                    audience=audience,
                    files=[(file.name, file.content_type, file.data) for file in attachments],
                )
            return inbox.take_text(to=to, body=body, reference=reference, kind=kind, audience=audience)
        except ConnectionDropped as error:
            raise TransportError("connection-dropped", permanent=False) from error
        except VendorRefused as error:
            raise self._refused(error) from error

    def find(self, reference: str, *, to: str, body: str, since: datetime) -> str | None:
        return inbox.find(reference)

    def _refused(self, error: VendorRefused) -> TransportError:
        """A mail server's 4xx is "later", a text gateway's is a no."""
        meaning = meaning_of(error.code, 0 if self.channel == "email" else error.status)
        return TransportError(error.code, permanent=meaning.permanent, advice=str(meaning.advice))
