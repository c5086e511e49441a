"""Telephone numbers as people write them. In the database they are E.164."""

from __future__ import annotations

import phonenumbers


def as_written(number: str) -> str:
    """Write "(202) 555-0143" for +12025550143, and numbers of other countries in their international form."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    national = parsed.country_code == 1
    style = phonenumbers.PhoneNumberFormat.NATIONAL if national else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, style)
