"""From facts to words: the message's address, subject, plain text and HTML, in the recipient's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

import structlog
from django.db import DatabaseError
from django.template import Context
from django.template.loader import get_template
from django.utils import translation
from django.utils.translation import gettext as _

from bedside.clinic import policy_words
from bedside.core import when
from bedside.core.alerts import raise_alert
from bedside.core.money import Money, format_money
from bedside.notifications.content import Facts
from bedside.notifications.gsm7 import to_gsm7
from bedside.notifications.models import Audience, Channel, Notification
from bedside.notifications.wording.checking import fill
from bedside.notifications.wording.defaults import allowed
from bedside.notifications.wording.laying_out import as_html
from bedside.notifications.wording.names import values
from bedside.notifications.wording.slots import Slot
from bedside.notifications.wording.stored import edited_parts

log = structlog.get_logger(__name__)
# The alert for words that can't be used any more.
BROKEN = "template-broken"
# What services are called in messages unless somebody chose other words; said in the recipient's language.
DISCREET = "Video visit"
# Sentences that default files share, and that edited words have as variables.
SENTENCES = {"cancellation": "notifications/_window.txt", "opt_out": "notifications/_stop.txt"}


@dataclass(frozen=True)
class Message:
    """A message as it goes out. ``subject`` and ``html`` are empty for texts."""

    to: str
    subject: str
    body: str
    html: str


def render(notification: Notification, facts: Facts) -> Message:
    """Write a message. Raises what templates raise; nothing is sent then."""
    slot = Slot(notification.kind, notification.audience, notification.channel, notification.locale)
    written = write(slot, facts, variant=notification.variant, words=notification.words)
    return replace(written, to=address_of(notification))


def write(slot: Slot, facts: Facts, *, variant: str = "", words: str = "") -> Message:
    """A message to nobody yet: in the words that an admin wrote where there are such, else in the default ones.

    Edited words that can't be used any more stop no message: the default goes out, and an alert tells of it.
    """
    with translation.override(slot.language):
        said = _words(facts, slot.language, variant, words)
        if edited := edited_parts(slot):
            try:
                return write_edited(slot, edited, said)
            except Exception as error:
                if isinstance(error, DatabaseError):
                    raise
                _tell_of_broken(slot, error)
        return _write_default(slot, said)


def write_draft(slot: Slot, parts: Mapping[str, str], facts: Facts, *, variant: str = "", words: str = "") -> Message:
    """A message in words that aren't kept yet (none: the default). Raises BrokenWords."""
    with translation.override(slot.language):
        said = _words(facts, slot.language, variant, words)
        return write_edited(slot, parts, said) if parts else _write_default(slot, said)


def _write_default(slot: Slot, said: dict[str, Any]) -> Message:
    if slot.channel == Channel.SMS:
        return Message("", "", to_gsm7(one_line(_text(f"{slot.folder}.txt", said))), "")
    said["subject"] = one_line(_text(f"{slot.folder}.subject.txt", said))
    html = get_template(f"{slot.folder}.html").template.render(Context(said))  # type: ignore[attr-defined]
    return Message("", said["subject"], paragraphs(_text(f"{slot.folder}.txt", said)), tight(html))


def write_edited(slot: Slot, parts: Mapping[str, str], said: dict[str, Any]) -> Message:
    """The parts in the places of the default's own; its facts and its button stay. Raises BrokenWords."""
    said = said | {name: _text(file, said).strip() for name, file in SENTENCES.items()}
    filled = fill(slot, parts, values(said), allowed(slot))
    if slot.channel == Channel.SMS:
        return Message("", "", to_gsm7(one_line(filled["text"])), "")
    said |= {"subject": one_line(filled["subject"]), "default": f"{slot.folder}.txt", "edited": filled}
    body = paragraphs(_text("notifications/edited.txt", said))
    laid_out = {part: as_html(filled[part]) for part in ("lead", "more")}
    said |= {"default": f"{slot.folder}.html", "edited": filled | laid_out}
    html = get_template("notifications/edited.html").template.render(Context(said))  # type: ignore[attr-defined]
    return Message("", said["subject"], body, tight(html))


def alert_key(slot: Slot) -> str:
    """What the alert about a slot's words is known by."""
    return f"{slot.kind}:{slot.audience}:{slot.channel}:{slot.language}"


def _tell_of_broken(slot: Slot, error: Exception) -> None:
    key = alert_key(slot)
    log.error("edited_words_broken", slot=key, error=type(error).__name__)
    raise_alert(
        BROKEN,
        key,
        f"The edited words of {key.replace(':', ', ')} can't be used: the default goes out instead. "
        "Open Messages, Templates, and save them again.",
    )


def address_of(notification: Notification) -> str:
    """Where it goes now: a number that the desk has corrected is used by the next try."""
    appointment, provider = notification.appointment, notification.appointment.provider
    if notification.channel == Channel.SMS:
        return str(appointment.patient_mobile if notification.audience == Audience.PATIENT else provider.mobile_number)
    return appointment.patient_email if notification.audience == Audience.PATIENT else provider.email


def one_line(text: str) -> str:
    """Subjects and texts: all white space becomes single spaces, so that no header can be slipped in."""
    return " ".join(text.split())


def paragraphs(text: str) -> str:
    """Plain-text email: no trailing spaces, never more than one empty line between two paragraphs."""
    lines = "\n".join(line.strip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def tight(html: str) -> str:
    """HTML without the empty lines that template tags leave."""
    return "\n".join(line.rstrip() for line in html.splitlines() if line.strip()) + "\n"


def _text(name: str, said: dict[str, Any]) -> str:
    """Plain text needs no escaping: "Dr. O'Neil" is himself."""
    return get_template(name).template.render(Context(said, autoescape=False))  # type: ignore[attr-defined,no-any-return]


def _words(facts: Facts, locale: str, variant: str, words: str) -> dict[str, Any]:
    """The facts, with every time and amount said in the recipient's zone and language."""
    zone = facts.zone
    return {
        "facts": facts,
        "practice": facts.practice_name,
        "phone": facts.practice_phone,
        "patient": facts.patient_name,
        "provider": facts.provider_name,
        "service": _("Video visit") if facts.service_name == DISCREET else facts.service_name,
        "minutes": facts.duration_minutes,
        "variant": variant,
        "words": words,
        "language": locale,
        "long": when.long_time(facts.start, zone, locale),
        "short": when.short_time(facts.start, zone, locale),
        "tiny": when.tiny_time(facts.start, zone, locale),
        "time": when.clock_time(facts.start, zone, locale),
        "was": when.long_time(facts.was, zone, locale) if facts.was else "",
        "was_tiny": when.tiny_time(facts.was, zone, locale) if facts.was else "",
        "window": policy_words.sentence(facts.terms, facts.start, facts.now, zone, locale) if facts.terms else "",
        "missed": policy_words.missed(facts.terms) if facts.terms else "",
        "free_until": when.long_time(facts.free_until, zone, locale),
        "free_until_tiny": when.tiny_time(facts.free_until, zone, locale),
        "paid": _amount(facts.paid, locale),
        "refund": _amount(facts.refund, locale),
        "due": _amount(facts.due, locale),
        "claim_until": when.long_time(facts.claim_until, zone, locale) if facts.claim_until else "",
        "claim_until_tiny": when.clock_time(facts.claim_until, zone, locale) if facts.claim_until else "",
        "credit": _amount(facts.credit, locale),
        "credit_returned": _amount(facts.credit_returned, locale),
        "credit_until": when.dated(facts.credit_until, zone, locale) if facts.credit_until else "",
        "pay_until": when.long_time(facts.pay_until, zone, locale) if facts.pay_until else "",
        "pay_until_tiny": when.tiny_time(facts.pay_until, zone, locale) if facts.pay_until else "",
    }


def _amount(money: Money | None, locale: str) -> str:
    return "" if not money else format_money(money, str(when.babel_locale(locale)))


_PREHEADER = re.compile(r'<div style="display:none[^>]*>(.*?)&#847;', re.DOTALL)


def preheader_of(html: str) -> str:
    """What mail programs show beside the subject."""
    found = _PREHEADER.search(html)
    return one_line(unescape(found[1])) if found else ""
