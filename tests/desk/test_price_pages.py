"""Promo codes and taxes at the desk: made, changed, archived, on record; nothing half-saved."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.prices.models import PromoCode, TaxRate
from bedside.core.audit import Actor
from bedside.core.models import AuditEntry
from bedside.flows import features
from tests.factories import make_appointment, make_service

pytestmark = pytest.mark.django_db
CODES, TAXES = "/desk/catalogue/promo-codes", "/desk/catalogue/taxes"


def version_in(desk: Client, url: str) -> dict[str, Any]:
    """What the form at ``url`` was opened with."""
    return {"version": desk.get(url).context["form"]["version"].value()}


def promo(**fields: Any) -> dict[str, Any]:
    return {"code": "Welcome-10", "percent": "10", "amount": ""} | fields


def tax(**fields: Any) -> dict[str, Any]:
    return {"name": "Sales tax", "percent": "8.875", "inclusive": "", "valid_from": "2026-01-01"} | fields


def text(response: Any) -> str:
    from html import unescape

    return unescape(response.content.decode())


def test_from_the_rail_to_a_new_code_and_its_uses(desk: Client) -> None:
    assert f'href="{CODES}"' in text(desk.get("/desk/"))
    assert f'href="{CODES}/new"' in text(desk.get(CODES))
    service = make_service(name="Follow-up")
    sent = promo(services=[service.pk], limit_total="5", limit_per_patient="1", valid_until="2026-12-31", note="Winter")
    response = desk.post(f"{CODES}/new", sent)
    assert response["Location"] == f"{CODES}/WELCOME-10"
    made = PromoCode.objects.get()
    assert (made.code, int(made.percent or 0), made.limit_total, made.limit_per_patient) == ("WELCOME-10", 10, 5, 1)
    assert made.valid_until == date(2026, 12, 31)
    make_appointment(service, promo_code=made, discount_amount=850, patient_name="Alex Morgan")
    make_appointment(service, promo_code=made, discount_amount=850, patient_name="Gone Away", status="canceled")
    page = text(desk.get(f"{CODES}/WELCOME-10"))
    for words in ("10%", "Follow-up", "Used by 1 booking", "Alex Morgan", "$8.50", "Winter"):
        assert words in page
    assert "Gone Away" not in page
    assert "1 / 5" in text(desk.get(CODES))
    assert AuditEntry.objects.get(action="promo_code.created").after["services"] == [service.slug]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"code": "x"}, "Use 2 to 32 letters"),
        ({"code": "no/slash"}, "Use 2 to 32 letters"),
        ({"percent": ""}, "either a percentage or an amount"),
        ({"amount": "5"}, "either a percentage or an amount"),
        ({"percent": "0"}, "above 0"),
        ({"percent": "100.01"}, "above 0"),
        ({"percent": "ten"}, "Enter a percentage"),
        ({"percent": "NaN"}, "Enter a percentage"),
        ({"percent": "", "amount": "-3"}, "above zero"),
        ({"percent": "", "amount": "lots"}, "Enter an amount"),
        ({"valid_from": "2026-12-02", "valid_until": "2026-12-01"}, "before the first"),
        ({"valid_from": "tomorrow"}, "Enter a date"),
        ({"limit_total": "0"}, "from 1 to"),
        ({"limit_total": "99999999999999999999"}, "from 1 to"),
        ({"limit_per_patient": "some"}, "whole number"),
        ({"services": ["999"]}, "not one of the available"),
    ],
)
def test_bad_terms_are_said_beside_their_field_and_nothing_is_kept(
    desk: Client, fields: dict[str, Any], said: str
) -> None:
    response = desk.post(f"{CODES}/new", promo(**fields))
    assert response.status_code == 422
    assert said in text(response)
    assert not PromoCode.objects.exists()


def test_two_codes_never_share_a_name(desk: Client) -> None:
    desk.post(f"{CODES}/new", promo())
    response = desk.post(f"{CODES}/new", promo(code="welcome-10", percent="20"))
    assert response.status_code == 422
    assert "There is a code of this name already" in text(response)
    assert PromoCode.objects.count() == 1


def test_editing_keeps_what_was_booked_and_is_on_record(desk: Client) -> None:
    desk.post(f"{CODES}/new", promo())
    visit = make_appointment(promo_code=PromoCode.objects.get(), discount_amount=850, price_minor=7650)
    page = text(desk.get(f"{CODES}/WELCOME-10/edit"))
    assert 'value="10"' in page
    assert 'name="code"' not in page
    assert (
        desk.post(
            f"{CODES}/WELCOME-10/edit", {"amount": "20.00"} | version_in(desk, f"{CODES}/WELCOME-10/edit")
        ).status_code
        == 302
    )
    made = PromoCode.objects.get()
    assert (made.percent, made.amount_minor, made.currency) == (None, 2000, "USD")
    assert Appointment.objects.get(pk=visit.pk).price_minor == 7650
    entry = AuditEntry.objects.get(action="promo_code.changed")
    assert (entry.before["percent"], entry.after["amount_minor"]) == ("10", 2000)
    desk.post(f"{CODES}/WELCOME-10/edit", {"amount": "20.00"} | version_in(desk, f"{CODES}/WELCOME-10/edit"))
    assert AuditEntry.objects.filter(action="promo_code.changed").count() == 1


def test_archiving_asks_first_and_can_be_undone(desk: Client) -> None:
    desk.post(f"{CODES}/new", promo())
    url = f"{CODES}/WELCOME-10/archive"
    assert "keeps the price" in text(desk.get(url))
    assert not PromoCode.objects.get().archived
    desk.post(url)
    assert PromoCode.objects.get().archived
    assert "Archived" in text(desk.get(CODES))
    desk.post(url, {"back": "1"})
    assert not PromoCode.objects.get().archived


def test_switched_off_nothing_is_made(desk: Client) -> None:
    features.switch(name="promo-codes", on=False, actor=Actor.system())
    assert "switched off" in text(desk.get(CODES))
    response = desk.post(f"{CODES}/new", promo())
    assert response.status_code == 422
    assert "switched off" in text(response)
    assert not PromoCode.objects.exists()


def test_a_rate_is_made_changed_and_archived(desk: Client) -> None:
    make_service(tax_category="wellness")
    assert "wellness" in text(desk.get(f"{TAXES}/new"))
    assert desk.post(f"{TAXES}/new", tax(place="us-ny", category="wellness")).status_code == 302
    rate = TaxRate.objects.get()
    assert (rate.place, rate.category, rate.inclusive) == ("US-NY", "wellness", False)
    page = text(desk.get(TAXES))
    for words in ("Sales tax", "8.875%", "New York, United States", "wellness", "In use"):
        assert words in page
    url = f"{TAXES}/{rate.pk}"
    desk.post(url, tax(place="US-NY", inclusive="1", category="wellness") | version_in(desk, url))
    rate.refresh_from_db()
    assert rate.inclusive
    assert "without it" in text(desk.get(f"{TAXES}/{rate.pk}/archive"))
    desk.post(f"{TAXES}/{rate.pk}/archive")
    desk.post(f"{TAXES}/new", tax(place="US-NY", category="wellness"))
    response = desk.post(f"{TAXES}/{rate.pk}/archive", {"back": "1"}, follow=True)
    assert "Another rate holds" in text(response)
    rate.refresh_from_db()
    assert rate.archived
    assert AuditEntry.objects.filter(subject_kind="taxrate").count() == 4


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Name the tax"),
        ({"percent": "101"}, "from 0 to 100"),
        ({"percent": "-1"}, "from 0 to 100"),
        ({"percent": "1.23456"}, "four digits"),
        ({"percent": "x"}, "Enter a percentage"),
        ({"place": "XX-99"}, "country or state"),
        ({"place": "Texas"}, "country or state"),
        ({"valid_from": ""}, "Enter a date"),
        ({"valid_until": "2025-12-31"}, "before the first"),
        ({"category": "made up"}, "Select a valid choice"),
    ],
)
def test_bad_rates_are_refused(desk: Client, fields: dict[str, Any], said: str) -> None:
    response = desk.post(f"{TAXES}/new", tax(**fields))
    assert response.status_code == 422
    assert said in text(response)
    assert not TaxRate.objects.exists()


def test_two_rates_for_the_same_days_are_refused(desk: Client) -> None:
    desk.post(f"{TAXES}/new", tax())
    response = desk.post(f"{TAXES}/new", tax(percent="9", valid_from="2026-06-01"))
    assert response.status_code == 422
    assert "Another rate holds" in text(response)
    assert TaxRate.objects.count() == 1
