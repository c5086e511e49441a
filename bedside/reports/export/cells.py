"""One cell of CSV: a value as programs read it, and as no spreadsheet takes it for a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

# OWASP, "CSV injection": what a spreadsheet may take for the beginning of a formula, full-width signs included.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
REDACTED = "[redacted]"
Cell = Callable[[object], object]


def safe(text: str) -> str:
    """Text that could be taken for a formula gets an apostrophe in front."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def text(value: object) -> object:
    return "" if value is None else safe(str(value))


def integer(value: object) -> object:
    return "" if value is None else value


def flag(value: object) -> object:
    return "" if value is None else "yes" if value else "no"


def day(value: object) -> object:
    """``2026-12-01``."""
    assert value is None or isinstance(value, date)
    return "" if value is None else value.isoformat()


def several(value: object) -> object:
    """Values with semicolons between them."""
    assert value is None or isinstance(value, Iterable)
    return safe("; ".join(str(one) for one in value or () if one is not None))


def instant_in(zone: ZoneInfo) -> Cell:
    """ISO 8601 with the offset that held then: ``2026-12-01T10:00:00-05:00``."""

    def instant(value: object) -> object:
        assert value is None or isinstance(value, datetime)
        return "" if value is None else value.astimezone(zone).isoformat(timespec="seconds")

    return instant


def amount(minor: int | None, currency: str) -> str:
    """Minor units as a decimal amount with the currency's places: 8500 USD is ``85.00``, 85 JPY is ``85``."""
    if minor is None:
        return ""
    places, sign = _places(currency), "-" if minor < 0 else ""
    if not places:
        return f"{minor}"
    whole, rest = divmod(abs(minor), 10**places)
    return f"{sign}{whole}.{rest:0{places}d}"


@lru_cache(maxsize=32)
def _places(currency: str) -> int:
    return get_currency_precision(currency)


def redacted(value: object) -> object:
    """Whether there was one can still be seen."""
    return REDACTED if value else ""
