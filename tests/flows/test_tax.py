"""Tax on a booking: which rate fits, what is asked for, kept and captured."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from bedside.clinic.prices.models import PromoCode, TaxRate
from bedside.flows import pay, price
from bedside.flows.book import Booking
from bedside.sandbox.models import Checkout
from tests.flows.conftest import pay_at_the_bank

pytestmark = pytest.mark.django_db
DAY = date(2026, 12, 1)


def make_rate(percent: str = "8.875", **fields: Any) -> TaxRate:
    values = {"name": "Sales tax", "percent": Decimal(percent), "valid_from": date(2026, 1, 1)}
    return TaxRate.objects.create(**values | fields)


def test_an_added_tax_is_asked_for_kept_and_captured(book_visit: Callable[..., Booking]) -> None:
    make_rate()
    appointment = book_visit().appointment
    assert (appointment.price_minor, appointment.tax_amount, appointment.tax_name) == (9254, 754, "Sales tax")
    assert appointment.list_price.minor_units == 8500
    assert "including $7.54 Sales tax" in str(Checkout.objects.get().__dict__)
    pay_at_the_bank(appointment)
    pay.settle(appointment.payment.pk)
    payment = appointment.payment
    assert (payment.amount_minor, payment.captured_minor, payment.tax_amount) == (9254, 9254, 754)


def test_an_included_tax_changes_no_price(book_visit: Callable[..., Booking]) -> None:
    make_rate("19", inclusive=True, name="VAT")
    appointment = book_visit().appointment
    assert (appointment.price_minor, appointment.tax_amount, appointment.tax_inclusive) == (8500, 1357, True)
    assert appointment.list_price.minor_units == 8500


def test_the_discount_comes_first(book_visit: Callable[..., Booking]) -> None:
    make_rate()
    PromoCode.objects.create(code="TENTH", percent=10)
    appointment = book_visit(promo_code="tenth").appointment
    assert (appointment.price_minor, appointment.discount_amount, appointment.tax_amount) == (8329, 850, 679)
    assert appointment.list_price.minor_units == 8500


def test_the_nearest_place_wins_then_the_country_then_the_practices_own() -> None:
    state = make_rate("8.875", place="US-NY")
    country = make_rate("5", place="US")
    anywhere = make_rate("1")
    assert price.tax_rate("", "US-NY", DAY) == state
    assert price.tax_rate("", "US-CA", DAY) == country
    assert price.tax_rate("", "DE", DAY) == price.tax_rate("", "", DAY) == anywhere
    assert price.tax_rate("books", "US-NY", DAY) is None


def test_rates_hold_on_their_days_and_change_at_midnight() -> None:
    old = make_rate("7", valid_until=date(2026, 11, 30))
    new = make_rate("8", valid_from=date(2026, 12, 1))
    assert price.tax_rate("", "", date(2026, 11, 30)) == old
    assert price.tax_rate("", "", date(2026, 12, 1)) == new
    assert price.tax_rate("", "", date(2025, 12, 31)) is None


def test_the_database_refuses_two_rates_for_one_day() -> None:
    make_rate(valid_until=date(2026, 12, 31))
    with pytest.raises(IntegrityError), transaction.atomic():
        make_rate("9", valid_from=date(2026, 12, 31))
    make_rate("9", valid_from=date(2027, 1, 1))
    make_rate("9", valid_from=date(2026, 12, 1), place="US-NY")
