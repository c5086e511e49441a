"""Email for real: through the mail server of ``EMAIL_URL``, or through any provider that anymail knows."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from datetime import datetime
from email.utils import formataddr, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.translation import gettext as _

from bedside.clinic.models import Practice
from bedside.notifications.transports.base import Attachment, TransportError

TIMEOUT_SECONDS = 20
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
# "No such mailbox" in its variants: the address is at fault, not the day.
BAD_ADDRESS = frozenset({510, 511, 512, 550, 551, 553, 556})


class EmailTransport:
    """Sends one message with a Message-ID of ours, the same at every try, so that receivers drop doubles."""

    name = "email"

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
        """Hand it to the mail server; returns the Message-ID. Raises `TransportError`."""
        practice = Practice.current()
        sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        message_id = f"<{reference}@{urlsplit(settings.PUBLIC_URL).hostname}>"
        message = EmailMultiAlternatives(
            subject,
            body,
            formataddr((practice.name, sender)),
            [to],
            connection=mail_server(),
            reply_to=[practice.email] if practice.email else None,
            headers={
                "Message-ID": message_id,
                # Out-of-office answers to a machine help nobody.
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
            },
        )
        if html:
            message.attach_alternative(html, "text/html")
        for attachment in attachments:
            message.attach(attachment.name, attachment.data, attachment.content_type)
        # The vendors' errors quote the address: none is chained, so none is logged.
        try:
            message.send()
        except smtplib.SMTPException as error:
            raise _from_smtp(error) from None
        except AnymailError as error:
            raise _from_anymail(error) from None
        except OSError:
            raise TransportError("mail-server-unreachable", permanent=False) from None
        # A provider has an id of its own, and its webhooks speak of that.
        taken = getattr(message, "anymail_status", None)
        return str(taken.message_id) if taken is not None and taken.message_id is not None else message_id

    def find(self, reference: str, *, to: str, body: str, since: datetime) -> str | None:
        """Mail servers can't be asked. A double after a crash carries the same Message-ID, and receivers drop it."""
        return None


def mail_server() -> BaseEmailBackend:
    """The configured way out. Raises `TransportError` (permanent) where there is none."""
    backend = settings.EMAIL_BACKEND
    if backend != SMTP_BACKEND:
        return get_connection(backend)
    url = getattr(settings, "EMAIL_URL", "")
    if not url:
        raise TransportError(
            "no-mail-server",
            permanent=True,
            advice=_("Email can't be sent: no mail server is connected. Connect one and send again."),
        )
    return get_connection(backend, **_server_from(url))


def _server_from(url: str) -> dict[str, Any]:
    """``smtp://name:password@host:587`` with STARTTLS, ``smtps://`` with TLS at once, ``smtp+plain://`` neither."""
    parts = urlsplit(url)
    direct = parts.scheme == "smtps"
    return {
        "host": parts.hostname or "localhost",
        "port": parts.port or (465 if direct else 587),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": direct,
        "use_tls": parts.scheme == "smtp",
        "timeout": TIMEOUT_SECONDS,
    }


def _from_smtp(error: smtplib.SMTPException) -> TransportError:
    """A reply of 5xx is the server's last word, 4xx is "later". A refused sign-in is ours to mend: tried again."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return TransportError("mail-sign-in-refused", permanent=False, advice=_("The mail server refused our sign-in."))
    code = getattr(error, "smtp_code", 0)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    if code in BAD_ADDRESS:
        return TransportError(str(code), permanent=True, advice=bad_address_advice())
    if 500 <= code < 600:
        return TransportError(str(code), permanent=True, advice=_("The mail server refused the message."))
    return TransportError(str(code) if code else "mail-server-unreachable", permanent=False)


def _from_anymail(error: AnymailError) -> TransportError:
    """The provider's HTTP answer decides: 429 and 5xx pass, other refusals stay."""
    if isinstance(error, AnymailRecipientsRefused):
        return TransportError("refused-address", permanent=True, advice=bad_address_advice())
    status = getattr(error, "status_code", None)
    if isinstance(error, AnymailAPIError) and (status is None or status == 429 or status >= 500):
        return TransportError(f"email-{status or 'unreachable'}", permanent=False)
    return TransportError(
        f"email-{status or 'refused'}", permanent=True, advice=_("The email provider refused the message.")
    )


def bad_address_advice() -> str:
    return _("This address doesn't exist: correct it and send again.")
