"""What a booking costs: list price, less the discount, with tax, less credit. Pure: imports no Django.

Amounts are integer minor units. A booking is one line, and each step rounds once, to the nearest minor unit with
halves up: the discount of the list price, then the tax of what is left. An inclusive tax is found inside the price, an
exclusive one is added on top; a price with an exclusive tax added holds the very same tax when it is read as inclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Discount:
    """A part of the price (``percent``, 0 to 100), or an amount without one. Never more than the price."""

    percent: Decimal | None = None
    amount_minor: int = 0

    def off(self, price_minor: int) -> int:
        if self.percent is not None:
            return min(rounded(price_minor * self.percent / HUNDRED), price_minor)
        return min(self.amount_minor, price_minor)


@dataclass(frozen=True, slots=True)
class Tax:
    """``percent`` of the price. ``inclusive``: the price holds it already."""

    percent: Decimal
    inclusive: bool = False

    def of(self, price_minor: int) -> int:
        if self.inclusive:
            return rounded(price_minor * self.percent / (HUNDRED + self.percent))
        return rounded(price_minor * self.percent / HUNDRED)


@dataclass(frozen=True, slots=True)
class Quote:
    """A price and how it came about. ``credit_minor`` is the patient's credit that pays a part of the total."""

    list_minor: int
    discount_minor: int = 0
    tax_minor: int = 0
    tax_inclusive: bool = False
    credit_minor: int = 0

    @property
    def total_minor(self) -> int:
        """What the visit costs, tax included, however it is paid."""
        added = 0 if self.tax_inclusive else self.tax_minor
        return self.list_minor - self.discount_minor + added

    @property
    def due_minor(self) -> int:
        """What is left to pay by card."""
        return self.total_minor - self.credit_minor


def quote(list_minor: int, *, discount: Discount | None = None, tax: Tax | None = None, credit_minor: int = 0) -> Quote:
    """``credit_minor`` is what the patient has; no more of it is used than there is to pay."""
    if list_minor < 0 or credit_minor < 0:
        raise ValueError("a price or a credit below zero")
    off = discount.off(list_minor) if discount else 0
    tax_minor = tax.of(list_minor - off) if tax else 0
    before_credit = Quote(list_minor, off, tax_minor, bool(tax and tax.inclusive))
    if not credit_minor:
        return before_credit
    used = min(credit_minor, before_credit.total_minor)
    return Quote(list_minor, off, tax_minor, before_credit.tax_inclusive, used)


def rounded(amount: Decimal) -> int:
    """To the nearest whole minor unit, halves up."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
