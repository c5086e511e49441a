"""What a booking would cost, or costs: the list price, the promo code, the tax, put together by payments.pricing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bedside.clinic.models import Practice, Service
from bedside.clinic.prices.models import PromoCode, TaxRate
from bedside.core import written
from bedside.core.money import Money
from bedside.flows import promo
from bedside.flows.details import PatientDetails
from bedside.payments import pricing


@dataclass(frozen=True)
class Price:
    """A quote in a currency, with the code and the tax that made it."""

    quote: pricing.Quote
    currency: str
    promo_code: PromoCode | None
    tax: TaxRate | None

    def kept(self) -> dict[str, Any]:
        """What the appointment keeps of it, by the names of its columns."""
        return {
            "price_minor": self.quote.total_minor,
            "discount_amount": self.quote.discount_minor,
            "promo_code": self.promo_code,
            "tax_amount": self.quote.tax_minor,
            "tax_inclusive": self.quote.tax_inclusive,
            "tax_name": self.tax.name if self.tax else "",
        }

    @property
    def list_price(self) -> Money:
        return Money(self.quote.list_minor, self.currency)

    @property
    def discount(self) -> Money:
        return Money(self.quote.discount_minor, self.currency)

    @property
    def tax_amount(self) -> Money:
        return Money(self.quote.tax_minor, self.currency)

    @property
    def total(self) -> Money:
        return Money(self.quote.total_minor, self.currency)


def of(
    service: Service,
    *,
    now: datetime,
    code: str = "",
    place: str = "",
    patient: PatientDetails | None = None,
    lock: bool = False,
) -> Price:
    """The price for who is in ``place`` (ISO 3166, or "" where it isn't known) and enters ``code`` ("": none).

    With ``lock``, inside the booking's transaction, the code's row is held until the use is counted. Raises
    PromoRefused.
    """
    today = now.astimezone(Practice.current().zone).date()
    used = promo.checked(code, service=service, today=today, now=now, patient=patient, lock=lock) if code else None
    rate = tax_rate(service.tax_category, place, today)
    quote = pricing.quote(
        service.price_minor,
        discount=pricing.Discount(used.percent, used.amount_minor or 0) if used else None,
        tax=pricing.Tax(rate.percent, rate.inclusive) if rate else None,
    )
    return Price(quote, service.currency, used, rate)


_CHARGED = """
    WHERE category = %s AND place = ANY(%s) AND archived_at IS NULL
      AND valid_from <= %s AND (valid_until IS NULL OR valid_until >= %s)
"""


def tax_rate(category: str, place: str, day: date) -> TaxRate | None:
    """The rate of the category for that place on that day: of the state, else of the country, else the practice's."""
    places = list(dict.fromkeys([place, place.partition("-")[0], ""]))
    rates = written.rows(TaxRate, _CHARGED, [category, places, day, day])
    return min(rates, key=lambda rate: places.index(rate.place), default=None)
