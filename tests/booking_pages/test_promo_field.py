"""The promo code on the details page: applied with and without JavaScript, and never a price that wasn't shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.prices.models import PromoCode, TaxRate
from bedside.core.audit import Actor
from bedside.flows import features
from tests.booking_pages.conftest import HTMX, text_of

pytestmark = pytest.mark.django_db
Post = Callable[..., Any]


@pytest.fixture(autouse=True)
def tenth(db: None) -> PromoCode:
    return PromoCode.objects.create(code="TENTH", percent=10)


def test_apply_shows_the_new_total_and_keeps_what_was_typed(post_details: Post) -> None:
    response = post_details(apply="1", promo_code="tenth", email="")
    page = text_of(response)
    assert response.status_code == 200
    for words in ("Code TENTH", "-$8.50", "Continue to payment · $76.50", 'value="Robin Sample"', 'value="tenth"'):
        assert words in page
    assert "Enter your email" not in page
    assert not Appointment.objects.exists()


def test_a_refused_code_is_tied_to_its_field(post_details: Post) -> None:
    page = text_of(post_details(apply="1", promo_code="NONE"))
    assert 'class="input" aria-describedby="id_promo_code-error"' in page
    assert 'id="id_promo_code-error"' in page


def test_with_htmx_only_the_lines_and_the_button_come_back(client: Client, details_url: str) -> None:
    query = {"apply": "1", "promo_code": "TENTH"} | dict(parse_qsl(urlsplit(details_url).query))
    response = client.post(urlsplit(details_url).path, query, headers=HTMX)
    page = text_of(response)
    assert "<html" not in page
    assert 'id="price"' in page
    assert 'hx-swap-oob="true">Continue to payment · $76.50' in page


def test_an_unknown_code_is_said_beside_its_field(post_details: Post) -> None:
    for fields in ({"apply": "1"}, {}):
        response = post_details(promo_code="nosuch", **fields)
        page = text_of(response)
        assert response.status_code == 422
        assert 'id="id_promo_code-error"' in page
        assert "We don't know that code" in page
        assert "Continue to payment · $85.00" in page
    assert not Appointment.objects.exists()


def test_nobody_pays_a_price_that_was_not_shown(post_details: Post) -> None:
    response = post_details(promo_code="tenth", total="8500")
    assert response.status_code == 200
    assert "The price is $76.50 now" in text_of(response)
    assert not Appointment.objects.exists()
    assert post_details(promo_code="tenth", total="7650").status_code == 303
    assert Appointment.objects.get().price_minor == 7650


def test_a_free_visit_leads_to_its_own_page(client: Client, post_details: Post) -> None:
    PromoCode.objects.create(code="GIFT", percent=100)
    assert "Book · nothing to pay" in text_of(post_details(apply="1", promo_code="gift"))
    response = post_details(promo_code="gift", total="0")
    appointment = Appointment.objects.get()
    assert response["Location"].endswith(f"/visits/{appointment.token}")
    page = text_of(client.get(f"/visits/{appointment.token}"))
    assert "You're booked" in page
    assert "$0.00" in page


def test_taxes_are_shown_apart(client: Client, details_url: str, post_details: Post) -> None:
    rate = TaxRate.objects.create(name="Sales tax", percent="8.875", valid_from=date(2026, 1, 1))
    page = text_of(client.get(details_url))
    for words in ("Sales tax 8.875 %", "$7.54", "$85.00", "Continue to payment · $92.54"):
        assert words in page
    assert post_details(total="9254").status_code == 303
    token = Appointment.objects.get().token
    assert "$7.54" in text_of(client.get(f"/visits/{token}"))
    rate.inclusive = True
    rate.save()
    page = text_of(client.get(details_url))
    assert "Includes Sales tax" in page
    assert "Continue to payment · $85.00" in page


def test_switched_off_the_field_is_gone(client: Client, details_url: str) -> None:
    assert "I have a promo code" in text_of(client.get(details_url))
    features.switch(name="promo-codes", on=False, actor=Actor.system())
    assert "promo" not in text_of(client.get(details_url)).lower()


def test_guessing_ends(post_details: Post, settings: Any) -> None:
    settings.RATE_LIMITS = {"promo-try": (2, 600)}
    for _ in range(2):
        assert post_details(apply="1", promo_code="guess").status_code == 422
    assert post_details(apply="1", promo_code="tenth").status_code == 429
    assert post_details(promo_code="tenth").status_code == 429
