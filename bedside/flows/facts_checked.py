"""What makes sense in a service, a provider, a license: errors by field, in words. The database holds the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import phonenumbers
from babel.numbers import list_currencies
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from bedside.clinic import places
from bedside.flows.details import check_email, check_mobile, check_zone

LONGEST, LONGEST_BUFFER, FURTHEST = 720, 240, 730
DEAREST = 99_999_999
MOST_LANGUAGES = 12
Errors = dict[str, str]


def service_errors(facts: Mapping[str, Any]) -> Errors:
    """Fields as in catalogue.ServiceFacts."""
    errors: Errors = {}
    minutes, step = facts["duration_minutes"], facts["step_minutes"]
    if not facts["name"]:
        errors["name"] = _("Give it a name that patients understand.")
    if not facts["discreet_name"]:
        errors["discreet_name"] = _("Messages need a name that tells nothing, for example Video visit.")
    if not 5 <= minutes <= LONGEST or minutes % 5:
        errors["duration_minutes"] = _("Use a multiple of five minutes, 5 to %(most)d.") % {"most": LONGEST}
    if not 5 <= step <= LONGEST or 1440 % step:
        errors["step_minutes"] = _("Use a step that fills the day evenly: 5, 10, 15, 20, 30, 45, 60 minutes and so on.")
    for name in ("prep_minutes", "wrap_minutes"):
        if not 0 <= facts[name] <= LONGEST_BUFFER:
            errors[name] = _("Use 0 to %(most)d minutes.") % {"most": LONGEST_BUFFER}
    if not 0 <= facts["price_minor"] <= DEAREST:
        errors["price"] = _("Use a price that isn't negative, and below a million.")
    if facts["currency"] not in list_currencies():
        errors["currency"] = _("Use a currency's three letters, for example USD.")
    if not 1 <= facts["horizon_days"] <= FURTHEST:
        errors["horizon_days"] = _("Use 1 to %(most)d days.") % {"most": FURTHEST}
    elif not 0 <= facts["minimum_notice_minutes"] < facts["horizon_days"] * 1440:
        errors["minimum_notice_minutes"] = _("Use a notice that is shorter than how far ahead visits can be booked.")
    if facts["daily_limit"] is not None and not 1 <= facts["daily_limit"] <= 500:
        errors["daily_limit"] = _("Use 1 to 500, or leave it empty for no limit.")
    if not 0 <= facts["position"] <= 9999:
        errors["position"] = _("Use 0 to 9999.")
    return errors | _reminder_errors(facts)


def _reminder_errors(facts: Mapping[str, Any]) -> Errors:
    first, last = facts["first_reminder_hours"], facts["last_reminder_minutes"]
    if not 2 <= first <= 336:
        return {"first_reminder_hours": _("Use 2 to 336 hours, which is two weeks.")}
    if not 10 <= last <= 1440:
        return {"last_reminder_minutes": _("Use 10 to 1440 minutes, which is a day.")}
    if last >= first * 60:
        return {"last_reminder_minutes": _("The last reminder comes after the first: use fewer minutes.")}
    return {}


def provider_errors(facts: Mapping[str, Any], country: str) -> Errors:
    """Fields as in people.ProviderFacts; ``country``: the practice's, of numbers without one."""
    errors: Errors = {}
    checks: dict[str, Callable[[], object]] = {
        "email": lambda: check_email(facts["email"]),
        "timezone": lambda: check_zone(facts["timezone"]),
        "mobile_number": lambda: facts["mobile_number"] and e164(facts["mobile_number"], country),
    }
    for name, check in checks.items():
        try:
            check()
        except ValidationError as error:
            errors[name] = error.messages[0]
    if not facts["name"]:
        errors["name"] = _("Enter the name as patients see it, for example Dr. Elena Rivera.")
    if len(facts["languages"]) > MOST_LANGUAGES or any(len(one) > 40 for one in facts["languages"]):
        errors["languages"] = _("Name at most %(most)d languages, with commas between them.") % {"most": MOST_LANGUAGES}
    if facts["npi"] and not is_npi(facts["npi"]):
        errors["npi"] = _("That is no NPI: it has ten digits, and the last one checks the others.")
    seen: set[str] = set()
    for n, license in enumerate(facts["licenses"]):
        if not places.is_place(license["place"]):
            errors[f"licenses.{n}.place"] = _("Choose a state such as US-NY, or a country such as GB.")
        elif license["place"] in seen:
            errors[f"licenses.{n}.place"] = _("This place is in the list twice.")
        seen.add(license["place"])
    return errors


def e164(text: str, country: str) -> str:
    """A mobile number in E.164; written without its country's code it is of ``country``. Raises ValidationError."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(text[:40], country))
    except phonenumbers.NumberParseException:
        region = None
    return check_mobile(text, region or country)


def is_npi(text: str) -> bool:
    """Ten digits whose last is the Luhn digit of 80840 and the other nine."""
    if len(text) != 10 or not (text.isascii() and text.isdigit()):
        return False
    digits = [int(c) for c in "80840" + text]
    doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
