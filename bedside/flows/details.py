"""What a patient types: name, email, mobile number, zone. Checked once, here, for the pages, the API and the desk."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType

from bedside.appointments.errors import InvalidDetails
from bedside.clinic import places
from bedside.clinic.models import Practice
from bedside.core.zones import known_zones

MAX_NAME = 120
MAX_EMAIL = 254
# Emoji and other pictures: they break texts into costly parts and are no part of a name on a record.
PICTURES = re.compile("[\U0001f000-\U0001faff\U00002600-\U000027bf\U0000fe0f\U0000200d]")
TEXTABLE = {
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.UNKNOWN,
}


@dataclass(frozen=True)
class PatientDetails:
    """Checked details. ``mobile`` is E.164; ``timezone`` an IANA name; ``email`` as typed, trimmed.

    ``location`` is where the patient will be ("US-NY"), or empty where it isn't asked.
    """

    name: str
    email: str
    mobile: str
    timezone: str
    locale: str = "en"
    location: str = ""


@dataclass(frozen=True)
class Consent:
    """Consent to appointment texts: what was agreed to, when and where. ``given`` must be True to book."""

    given: bool
    text: str = ""
    source: str = "web"
    version: str = ""
    at: datetime | None = None


def consent_text(practice_name: str) -> str:
    """The sentence beside the checkbox: the practice's own, else the house's. A change of that needs a new version."""
    own = Practice.current().sms_consent_words
    if own:
        language = (get_language() or "en").partition("-")[0]
        if language in own or "en" in own:
            return str(own.get(language) or own["en"])
    return _(
        "I agree to receive text messages from %(practice)s about my appointments: confirmation, reminders, changes, "
        "refunds and payment problems. Message and data rates may apply. Reply STOP at any time to opt out."
    ) % {"practice": practice_name}


def consent_version() -> str:
    """Of the sentence that is shown now."""
    return Practice.current().sms_consent_version or str(settings.SMS_CONSENT_VERSION)


def check_details(
    *,
    name: object,
    email: object,
    mobile: object,
    country: str,
    timezone: object,
    locale: object = "en",
    location: object = "",
) -> PatientDetails:
    """Checked details, or `InvalidDetails` with a sentence for each field. ``country``: ISO 3166 of a local number."""
    errors: dict[str, str] = {}
    checked: dict[str, str] = {}
    checks: dict[str, Callable[[], str]] = {
        "name": lambda: check_name(name),
        "email": lambda: check_email(email),
        "mobile": lambda: check_mobile(mobile, country),
        "timezone": lambda: check_zone(timezone),
        "location": lambda: check_location(location),
    }
    for field, check in checks.items():
        try:
            checked[field] = check()
        except ValidationError as error:
            errors[field] = error.messages[0]
    if errors:
        raise InvalidDetails(errors=errors)
    known = dict(settings.LANGUAGES)
    return PatientDetails(**checked, locale=str(locale) if str(locale) in known else "en")


def check_name(value: object) -> str:
    """A full name: printable, at most 120 characters, no pictures."""
    text = unicodedata.normalize("NFC", str(value or "")).strip()
    if not text:
        raise ValidationError(_("Enter your full name, as your clinician should greet you."))
    if len(text) > MAX_NAME:
        raise ValidationError(_("Use at most %(max)d characters for your name.") % {"max": MAX_NAME})
    if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn"} for c in text) or PICTURES.search(text):
        raise ValidationError(_("Use letters for your name, without emoji or special characters."))
    if not any(c.isalpha() for c in text):
        raise ValidationError(_("Enter your full name, as your clinician should greet you."))
    return re.sub(r"\s+", " ", text)


def check_email(value: object) -> str:
    text = str(value or "").strip()
    if not text:
        raise ValidationError(_("Enter your email address: your link is sent there."))
    try:
        if len(text) > MAX_EMAIL:
            raise ValidationError("")
        validate_email(text)
    except ValidationError as error:
        raise ValidationError(_("Use an email address such as robin@example.com.")) from error
    return text


def check_mobile(value: object, country: str) -> str:
    """E.164 of a number that can receive texts, valid for the country that was chosen."""
    region = country.upper() if country.upper() in phonenumbers.SUPPORTED_REGIONS else "US"
    example = {"example": example_number(region)}
    advice = _("Use a mobile number that can receive texts, for example %(example)s.") % example
    text = str(value or "").strip()
    if not text or len(text) > 40:
        raise ValidationError(advice)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise ValidationError(advice) from error
    if number.extension or not is_number(number, region):
        raise ValidationError(advice)
    if number.country_code != phonenumbers.country_code_for_region(region):
        raise ValidationError(_("That number is from another country. Choose its country beside the number."))
    if phonenumbers.number_type(number) not in TEXTABLE:
        raise ValidationError(_("That number can't receive texts. Use a mobile number."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_number(number: phonenumbers.PhoneNumber, region: str) -> bool:
    """Valid by the numbering plan; in the sandbox also the numbers reserved for fiction (555-01xx): nobody has them."""
    if phonenumbers.is_valid_number(number):
        return True
    national = str(number.national_number)
    return settings.SANDBOX and number.country_code == 1 and len(national) == 10 and national[3:8] == "55501"


def example_number(region: str) -> str:
    """How a mobile number looks in that country; for North America one that is reserved for fiction."""
    if phonenumbers.country_code_for_region(region) == 1:
        return "(202) 555-0143"
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    return (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        if number
        else "+44 7400 123456"
    )


def location_needed() -> str:
    """What is said where the service asks and there is no answer."""
    return _("Say where you will be during the visit: only clinicians who are licensed there may see you.")


def check_location(value: object) -> str:
    """A place that says enough, for example US-NY or GB; empty where nothing was said."""
    text = str(value or "")
    if text and not places.is_exact(text):
        raise ValidationError(
            _("Use a state such as US-NY, or a country such as GB.")
            if places.is_place(text) is False
            else _("Name the state as well, for example US-NY: licenses differ from state to state.")
        )
    return text


def check_zone(value: object) -> str:
    text = str(value or "").strip()
    if text not in known_zones():
        raise ValidationError(_("Use a time zone such as America/New_York."))
    return text
