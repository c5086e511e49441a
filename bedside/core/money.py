"""Money: integer minor units and a currency, never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_precision, get_currency_symbol


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """``minor_units`` of ``currency`` (ISO 4217, upper case): ``Money(8500, "USD")`` is $85.00."""

    minor_units: int
    currency: str = "USD"

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor_units + other.minor_units, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor_units - other.minor_units, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor_units, self.currency)

    def __bool__(self) -> bool:
        return self.minor_units != 0

    def _same(self, other: Money) -> None:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} don't add up")

    def as_dict(self) -> dict[str, int | str]:
        return {"minor_units": self.minor_units, "currency": self.currency}

    def __str__(self) -> str:
        return format_money(self)


@lru_cache(maxsize=4096)
def format_money(money: Money, locale: str = "en_US") -> str:
    """``Money(8500, "USD")`` as "$85.00", in the locale's way."""
    precision = get_currency_precision(money.currency)
    amount = Decimal(money.minor_units).scaleb(-precision)
    return format_currency(amount, money.currency, locale=locale.replace("-", "_"))


# At most this many digits before the point: far above any visit, far below what the database can hold.
AMOUNT = re.compile(r"(-?)\s*(\d{1,3}(?:,\d{3})+|\d{1,7})(?:\.(\d+))?")


class UnreadableMoney(ValueError):
    """``code`` is ``amount``, ``currency`` or ``precision``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_money(text: str, currency: str) -> Money:
    """What a person typed: "85", "$85.00", "1,085.50 USD". Raises UnreadableMoney, also for other currencies' signs."""
    rest = text.strip().replace("\u2212", "-")
    for own in sorted({currency, currency.lower(), get_currency_symbol(currency, "en_US")}, key=len, reverse=True):
        if own in rest:
            rest = rest.replace(own, "", 1)
            break
    rest = rest.strip()
    found = AMOUNT.fullmatch(rest) if rest.isascii() else None
    if found is None:
        other = re.search(r"[^\d\s.,+-]", rest) and re.search(r"\d", rest)
        raise UnreadableMoney("currency" if other else "amount")
    sign, whole, fraction = found[1], found[2].replace(",", ""), found[3] or ""
    precision = get_currency_precision(currency)
    if len(fraction) > precision and fraction[precision:].strip("0"):
        raise UnreadableMoney("precision")
    minor = int(whole + fraction[:precision].ljust(precision, "0"))
    return Money(-minor if sign else minor, currency)
