"""Letters about accounts: an invitation to the desk, a link for a new password. They belong to no appointment."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from bedside.accounts.models import DeskInvitation, User
from bedside.clinic.models import Practice
from bedside.core import clock, when
from bedside.notifications.models import Audience, Channel
from bedside.notifications.queue import PROVIDER_LOCALE
from bedside.notifications.rendering import one_line, paragraphs, tight
from bedside.notifications.transports import transport
from bedside.notifications.transports.base import TransportError

INVITATION = "desk_invitation"
PASSWORD = "password_link"  # noqa: S105  # a kind of letter


def send_invitation(invitation: DeskInvitation, signed: str) -> str:
    """Returns why it is impossible, as advice, or nothing. What may pass by itself is raised (`TransportError`)."""
    practice = Practice.current()
    said = {
        "name": invitation.name,
        "url": f"{settings.PUBLIC_URL}/accounts/join/{quote(signed)}",
        "until": when.long_time(invitation.expires_at, practice.timezone, PROVIDER_LOCALE),
    }
    return _send(INVITATION, f"desk-invitation-{invitation.pk}", invitation.email, said, since=invitation.created_at)


def send_password_link(user: User, reference: str) -> str:
    """As `send_invitation`. The link is made now: it works until it is used, the password changes, or three days."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    said = {"name": str(user), "url": f"{settings.PUBLIC_URL}/accounts/password/reset/key/{key}/"}
    return _send(PASSWORD, reference, user.email, said, since=clock.now())


def _send(kind: str, reference: str, to: str, said: dict[str, str], *, since: datetime) -> str:
    subject, body, html = _write(kind, said)
    way = transport(Channel.EMAIL)
    try:
        if way.find(reference, to=to, body=body, since=since) is None:
            way.send(
                to=to, subject=subject, body=body, html=html, reference=reference, kind=kind, audience=Audience.PROVIDER
            )
    except TransportError as error:
        if error.permanent:
            return error.advice or error.code
        raise
    return ""


def _write(kind: str, said: dict[str, str]) -> tuple[str, str, str]:
    """Subject, plain text, HTML."""
    practice = Practice.current()
    with translation.override(PROVIDER_LOCALE):
        said = said | {"language": PROVIDER_LOCALE, "practice": practice.name, "phone": practice.phone}
        said["subject"] = one_line(_text(kind, "subject.txt", said))
        page = get_template(f"notifications/{kind}/staff.email.html").template  # type: ignore[attr-defined]
        return said["subject"], paragraphs(_text(kind, "txt", said)), tight(page.render(Context(said)))


def _text(kind: str, ending: str, said: dict[str, str]) -> str:
    template = get_template(f"notifications/{kind}/staff.email.{ending}").template  # type: ignore[attr-defined]
    return str(template.render(Context(said, autoescape=False)))
