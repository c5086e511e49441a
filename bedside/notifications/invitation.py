"""The letter that invites a provider to the portal. It belongs to no appointment, so no row of messages is kept."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from bedside.clinic.models import Practice, ProviderInvitation
from bedside.core import when
from bedside.notifications.models import Audience, Channel
from bedside.notifications.queue import PROVIDER_LOCALE
from bedside.notifications.rendering import one_line, paragraphs, tight
from bedside.notifications.transports import transport
from bedside.notifications.transports.base import TransportError

KIND = "invitation"


def send(invitation: ProviderInvitation, signed: str) -> str:
    """Hand it to the mail server; returns why that is impossible, as advice, or nothing.

    What may pass by itself is raised (`TransportError`): the job tries again, and asks first whether it arrived.
    """
    reference = f"invitation-{invitation.pk}"
    subject, body, html = _write(invitation, f"{settings.PUBLIC_URL}/accounts/claim/{quote(signed)}")
    way = transport(Channel.EMAIL)
    try:
        if way.find(reference, to=invitation.email, body=body, since=invitation.created_at) is None:
            way.send(
                to=invitation.email,
                subject=subject,
                body=body,
                html=html,
                reference=reference,
                kind=KIND,
                audience=Audience.PROVIDER,
            )
    except TransportError as error:
        if error.permanent:
            return error.advice or error.code
        raise
    return ""


def _write(invitation: ProviderInvitation, url: str) -> tuple[str, str, str]:
    """Subject, plain text, HTML."""
    practice, provider = Practice.current(), invitation.provider
    with translation.override(PROVIDER_LOCALE):
        said = {
            "language": PROVIDER_LOCALE,
            "practice": practice.name,
            "phone": practice.phone,
            "provider": provider.name,
            "url": url,
            "until": when.long_time(invitation.expires_at, provider.timezone, PROVIDER_LOCALE),
        }
        said["subject"] = one_line(_text("provider.email.subject.txt", said))
        page = get_template(f"notifications/{KIND}/provider.email.html").template  # type: ignore[attr-defined]
        return said["subject"], paragraphs(_text("provider.email.txt", said)), tight(page.render(Context(said)))


def _text(name: str, said: dict[str, str]) -> str:
    template = get_template(f"notifications/{KIND}/{name}").template  # type: ignore[attr-defined]
    return str(template.render(Context(said, autoescape=False)))
