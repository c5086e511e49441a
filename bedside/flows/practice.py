"""The practice's own settings: how it is called and reached, its days and hours, what new services start from.

``version`` is `PracticeFacts.version` as the form was opened. The wording of the consent to texts gets a version of its
own whenever it changes; what was agreed to before keeps its words and version.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import time
from typing import Any

import phonenumbers
from babel.numbers import list_currencies
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from bedside.clinic.errors import ChangedMeanwhile, InvalidFacts
from bedside.clinic.events import PracticeUpdated
from bedside.clinic.models import Practice
from bedside.core import audit, clock, remember
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.events import publish
from bedside.core.fingerprint import fingerprint
from bedside.flows.details import check_email, check_zone, is_number
from bedside.flows.facts_checked import FURTHEST, LONGEST, Errors
from bedside.payments.models import LedgerEntry, Payment

MAX_WORDS = 600
LIMITS = {
    "default_horizon_days": (1, FURTHEST),
    "waitlist_offer_minutes": (5, 1440),
    "join_minutes": (5, 60),
}


@dataclass(frozen=True, kw_only=True)
class PracticeFacts:
    """All that the settings page edits. ``consent_en`` and ``consent_es`` empty: the house's own sentence."""

    name: str
    about: str
    email: str
    phone: str
    country: str
    timezone: str
    currency: str
    languages: tuple[str, ...]
    quiet_from: time
    quiet_until: time
    default_notice_minutes: int
    default_horizon_days: int
    default_step_minutes: int
    waitlist_offer_minutes: int
    join_minutes: int
    consent_en: str
    consent_es: str

    @property
    def version(self) -> int:
        return fingerprint(asdict(self))


PLAIN = tuple(f.name for f in fields(PracticeFacts) if f.name not in {"languages", "consent_en", "consent_es"})


def facts_of(practice: Practice) -> PracticeFacts:
    """As saved."""
    words = practice.sms_consent_words
    return PracticeFacts(
        **{name: getattr(practice, name) for name in PLAIN},
        languages=tuple(practice.languages),
        consent_en=words.get("en", ""),
        consent_es=words.get("es", ""),
    )


def currency_is_fixed() -> bool:
    """Once money was asked for in it, the currency stays."""
    return LedgerEntry.objects.exists() or Payment.objects.exists()


def change(*, version: int, facts: PracticeFacts, actor: Actor) -> bool:
    """Whether anything changed. Raises InvalidFacts, ChangedMeanwhile, PermissionRefused."""
    if not actor.is_staff:
        raise PermissionRefused
    facts = _checked(facts)
    with transaction.atomic():
        practice = Practice.objects.select_for_update().filter(pk=1).first()
        is_new = practice is None
        practice = practice or Practice.current()
        saved = facts_of(practice)
        if saved.version != version:
            remember.forget("practice")
            raise ChangedMeanwhile
        if facts.currency != saved.currency and currency_is_fixed():
            raise InvalidFacts(errors={"currency": _("Money has moved in this currency, so it stays.")})
        was, now = asdict(saved), asdict(facts)
        changed = sorted(name for name in now if was[name] != now[name])
        if not changed and not is_new:
            return False
        _write(practice, facts)
        before, after = ({name: _said(values[name]) for name in changed} for values in (was, now))
        if {"consent_en", "consent_es"} & set(changed):
            before["sms_consent_version"] = practice.sms_consent_version or settings.SMS_CONSENT_VERSION
            practice.sms_consent_version = after["sms_consent_version"] = _next_version(before["sms_consent_version"])
        practice.save()
        audit.record(actor, "practice.changed", practice, before=before, after=after)
        publish(PracticeUpdated(practice_id=practice.pk))
    remember.forget("practice")
    return True


def _next_version(present: str) -> str:
    """The practice's day; "2026-12-01.2" for the second wording of a day."""
    day = clock.now().astimezone(Practice.current().zone).date().isoformat()
    if present.partition(".")[0] != day:
        return day
    return f"{day}.{int(present.partition('.')[2] or 1) + 1}"


def _write(practice: Practice, facts: PracticeFacts) -> None:
    for name in PLAIN:
        setattr(practice, name, getattr(facts, name))
    practice.languages = list(facts.languages)
    words = {"en": facts.consent_en, "es": facts.consent_es}
    practice.sms_consent_words = {language: text for language, text in words.items() if text}


def _said(value: Any) -> Any:
    return value.strftime("%H:%M") if isinstance(value, time) else list(value) if isinstance(value, tuple) else value


def _checked(facts: PracticeFacts) -> PracticeFacts:
    """With the phone number in E.164; raises where something makes no sense."""
    errors: Errors = {}
    phone = ""
    try:
        phone = _phone(facts.phone, facts.country) if facts.phone else ""
    except phonenumbers.NumberParseException:
        errors["phone"] = _("Use a number that patients can call, for example (202) 555-0100.")
    for name, check in (("email", check_email), ("timezone", check_zone)):
        try:
            if getattr(facts, name) or name != "email":
                check(getattr(facts, name))
        except ValidationError as error:
            errors[name] = error.messages[0]
    if not facts.name.strip():
        errors["name"] = _("Give the practice the name that patients know.")
    if facts.currency not in list_currencies():
        errors["currency"] = _("Use a currency's three letters, for example USD.")
    if "en" not in facts.languages or not set(facts.languages) <= set(dict(settings.LANGUAGES)):
        errors["languages"] = _("English stays; choose the others from the list.")
    if facts.quiet_from == facts.quiet_until:
        errors["quiet_until"] = _("Use two different times: between them nothing is sent that can wait.")
    errors |= _wrong_numbers(facts) | _wrong_words(facts)
    if errors:
        raise InvalidFacts(errors=errors)
    return replace(facts, name=" ".join(facts.name.split()), about=facts.about.strip(), phone=phone)


def _phone(text: str, country: str) -> str:
    """E.164 of any line, not only of mobiles. Raises NumberParseException."""
    number = phonenumbers.parse(text[:40], country)
    if number.extension or not is_number(number, country):
        raise phonenumbers.NumberParseException(phonenumbers.NumberParseException.NOT_A_NUMBER, "")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _wrong_numbers(facts: PracticeFacts) -> Errors:
    errors: Errors = {}
    for name, (least, most) in LIMITS.items():
        if not least <= getattr(facts, name) <= most:
            errors[name] = _("Use %(least)d to %(most)d.") % {"least": least, "most": most}
    if not 5 <= facts.default_step_minutes <= LONGEST or 1440 % facts.default_step_minutes:
        errors["default_step_minutes"] = _("Use a step that fills the day evenly: 5, 10, 15, 20, 30, 60 and so on.")
    furthest = max(facts.default_horizon_days, 1) * 1440
    if not 0 <= facts.default_notice_minutes < furthest and "default_horizon_days" not in errors:
        errors["default_notice_minutes"] = _("Use a notice that is shorter than how far ahead visits can be booked.")
    return errors


def _wrong_words(facts: PracticeFacts) -> Errors:
    """Carriers ask that a consent names the sender and how to stop."""
    errors: Errors = {}
    for name in ("consent_en", "consent_es"):
        words = getattr(facts, name)
        if words and ("STOP" not in words or facts.name.strip() not in words):
            errors[name] = _("Name the practice, and say that STOP ends the texts: carriers ask for both.")
        elif len(words) > MAX_WORDS:
            errors[name] = _("At most %(most)d characters.") % {"most": MAX_WORDS}
    return errors
