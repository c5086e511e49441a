"""Reading requests: JSON bodies and query strings, with every field's trouble collected and answered at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from bedside.flows.details import check_location, check_zone
from bedside.web.api.problems import InvalidFields, Problem

T = TypeVar("T")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}", re.ASCII)
# Arithmetic near the calendar's ends overflows, and nobody books there.
MOST_SLUGS = 50
YEARS = range(1970, 2200)
Errors = dict[str, list[str]]


def json_body(request: HttpRequest) -> Mapping[str, Any]:
    """The body as a JSON object. Raises 415 for another content type and 400 for what isn't a JSON object."""
    if request.content_type != "application/json":
        raise Problem(415, "json-required", _("Send JSON, with the header Content-Type: application/json."))
    try:
        body = json.loads(request.body)
        # Half a surrogate pair is no text: it can't be stored, nor sent to anybody.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Problem(400, "broken-json", _("The body isn't JSON that can be read.")) from error
    if not isinstance(body, dict):
        raise Problem(400, "broken-json", _("Send a JSON object."))
    return body


class Fields:
    """Collects what is wrong, field by field; `done` raises it all together."""

    def __init__(self) -> None:
        self.errors: Errors = {}

    def read(self, name: str, check: Callable[[], T]) -> T | None:
        """What ``check`` gives, or None with its complaint kept under ``name``."""
        try:
            return check()
        except ValidationError as error:
            self.errors.setdefault(name, []).extend(error.messages)
            return None

    def done(self) -> None:
        if self.errors:
            raise InvalidFields(self.errors)


def zone(value: object) -> ZoneInfo:
    if not isinstance(value, str):
        raise ValidationError(_("Use a time zone such as America/New_York."))
    return ZoneInfo(check_zone(value))


def slug(value: object) -> str:
    """A slug, as text; whether something bears it is another question."""
    if not isinstance(value, str) or not value:
        raise ValidationError(_("This is needed."))
    return value if SLUG.fullmatch(value) else ""


def slugs(value: object) -> list[str]:
    """One slug, a list of them, or nothing."""
    if value is None:
        return []
    if not isinstance(value, list):
        return [slug(value)]
    if len(value) > MOST_SLUGS:
        raise ValidationError(_("Name at most %(most)d.") % {"most": MOST_SLUGS})
    return [slug(one) for one in value]


def location(value: object) -> str:
    """A place that says enough, for example US-NY or GB; empty where there is none."""
    if value is None:
        return ""
    if not isinstance(value, str) or not value:
        raise ValidationError(_("Use a state such as US-NY, or a country such as GB, or leave it out."))
    return check_location(value)


def day(value: object) -> date:
    try:
        if not isinstance(value, str) or not DATE.fullmatch(value):
            raise ValueError
        found = date.fromisoformat(value)
        if found.year not in YEARS:
            raise ValueError
    except ValueError as error:
        raise ValidationError(_("Use a date such as 2026-12-01.")) from error
    return found


def start(value: object) -> datetime:
    """An instant, UTC, from RFC 3339 text that bears an offset."""
    text = value if isinstance(value, str) else ""
    match = RFC3339.fullmatch(text)
    try:
        if not match:
            raise ValueError
        found = datetime.fromisoformat(text.upper())
        if found.year not in YEARS:
            raise ValueError
    except ValueError as error:
        raise ValidationError(_("Use a start such as 2026-12-01T14:30:00-05:00.")) from error
    if found.tzinfo is None:
        raise ValidationError(_("Give the start with its offset from UTC, for example 2026-12-01T14:30:00-05:00."))
    return found.astimezone(UTC)


def reason(value: object) -> str:
    """Why a booking is canceled: optional, plain text of at most 1,000 characters."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 1000 or any(ord(c) < 32 and c not in "\r\n\t" for c in value):
        raise ValidationError(_("Give the reason as plain text of at most 1,000 characters, or leave it out."))
    return value.strip()
