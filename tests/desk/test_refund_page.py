"""Refunding at the desk: what it will do before it is done, done once, and every bad input refused."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from bedside.accounts.models import User
from bedside.core import clock
from bedside.core.flags import WaffleFlag
from bedside.core.models import AuditEntry
from bedside.flows import refund
from bedside.payments import ledger
from bedside.payments.models import LedgerEntry, Payment, Refund
from tests.factories import make_appointment, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(db: None) -> Payment:
    made = Payment.objects.create(
        appointment=make_appointment(patient_name="Alex Morgan"),
        status="succeeded",
        amount_minor=8500,
        captured_minor=8500,
        currency="USD",
        processor="sandbox",
        intent_id="pi_1",
        succeeded_at=clock.now(),
    )
    ledger.record_charge(made, occurred_at=clock.now())
    return made


def url(payment: Payment) -> str:
    return f"/desk/appointments/{payment.appointment.code}/refund"


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    return found[1]


def form(desk: Client, payment: Payment, **fields: str) -> dict[str, str]:
    page = desk.get(url(payment)).content.decode()
    values = {"amount": "85.00", "reason": "Camera broke", "token": token_of(page), "payment": str(payment.pk)}
    return values | fields


def test_the_page_is_reached_from_the_visit_and_offers_what_is_left(desk: Client, payment: Payment) -> None:
    assert url(payment) in desk.get(f"/desk/appointments/{payment.appointment.code}").content.decode()
    page = desk.get(url(payment)).content.decode()
    assert 'value="85.00"' in page
    assert "$85.00 is left of what was paid." in page


def test_before_the_button_it_says_what_happens_and_shows_the_messages(desk: Client, payment: Payment) -> None:
    page = desk.post(url(payment), form(desk, payment, amount="20")).content.decode()
    for said in (
        "Refund $20.00?",
        "$20.00 goes back to the card.",
        "$65.00 stays with the practice.",
        "Alex Morgan gets a receipt by email and text",
        "The visit stays booked.",
        "we returned $20.00 to the card you paid with.",
        "we returned $20.00 to your card.",
    ):
        assert said in page
    assert not Refund.objects.exists()


def test_confirming_twice_is_one_refund(desk: Client, payment: Payment, admin: User) -> None:
    asked = form(desk, payment) | {"confirm": "1"}
    for _ in range(2):
        response = desk.post(url(payment), asked, follow=True)
        assert "$85.00 is on its way back." in response.content.decode()
    made = Refund.objects.get()
    assert (made.refund_amount, made.reason, made.requested_by_id) == (8500, "Camera broke", admin.pk)
    entry = AuditEntry.objects.get(action="refund.requested")
    assert (entry.actor_id, entry.reason) == (admin.pk, "Camera broke")


def test_the_same_form_with_another_amount_is_refused(desk: Client, payment: Payment) -> None:
    asked = form(desk, payment, amount="20") | {"confirm": "1"}
    desk.post(url(payment), asked)
    response = desk.post(url(payment), asked | {"amount": "30"})
    assert response.status_code == 409
    assert "This form was used already" in response.content.decode()
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("confirm", [{}, {"confirm": "1"}])
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "0"}, "above zero"),
        ({"amount": "-5"}, "above zero"),
        ({"amount": "85.01"}, "At most $85.00 is left"),
        ({"amount": "99999999999999"}, "Enter an amount"),
        ({"amount": "€20"}, "Use USD"),
        ({"amount": "20 EUR"}, "Use USD"),
        ({"amount": "1.234"}, "at most 2 digits"),
        ({"amount": "ten"}, "Enter an amount"),
        ({"amount": ""}, "Enter an amount"),
        ({"amount": "１２"}, "Enter an amount"),
        ({"reason": "  "}, "Say why"),
        ({"reason": "a\x00b"}, "Null characters"),
        ({"token": ""}, "This page is stale"),
        ({"token": "x"}, "This page is stale"),
    ],
)
def test_bad_input_changes_nothing(
    desk: Client, payment: Payment, fields: dict[str, str], said: str, confirm: dict[str, str]
) -> None:
    response = desk.post(url(payment), form(desk, payment) | fields | confirm)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Refund.objects.exists()


def test_two_at_the_desk_who_both_looked_first(desk: Client, payment: Payment) -> None:
    mine, theirs = form(desk, payment), form(desk, payment, amount="50")
    assert desk.post(url(payment), theirs | {"confirm": "1"}).status_code == 303
    response = desk.post(url(payment), mine | {"confirm": "1"})
    assert response.status_code == 422
    assert "At most $35.00 is left" in response.content.decode()
    assert Payment.objects.get().refunded_minor == 5000


def test_parts_need_their_flag(desk: Client, payment: Payment) -> None:
    WaffleFlag.objects.update_or_create(name="partial-refunds", defaults={"everyone": False})
    assert "refunds in full only" in desk.get(url(payment)).content.decode()
    assert desk.post(url(payment), form(desk, payment, amount="20") | {"confirm": "1"}).status_code == 409
    assert not Refund.objects.exists()
    assert desk.post(url(payment), form(desk, payment) | {"confirm": "1"}).status_code == 303


def test_a_disputed_payment_is_not_refunded(desk: Client, payment: Payment) -> None:
    LedgerEntry.objects.create(
        kind="dispute",
        amount_minor=-8500,
        currency="USD",
        processor="sandbox",
        processor_object="dp_1",
        appointment=payment.appointment,
        payment=payment,
        service_id=payment.appointment.service_id,
        provider_id=payment.appointment.provider_id,
        occurred_at=clock.now(),
        practice_day=clock.now().date(),
    )
    response = desk.post(url(payment), form(desk, payment) | {"confirm": "1"})
    assert response.status_code == 409
    assert "disputed" in response.content.decode()
    assert not Refund.objects.exists()


@pytest.mark.parametrize("status", ["initiated", "failed", "expired"])
def test_what_was_never_paid_leads_back(desk: Client, status: str) -> None:
    unpaid = Payment.objects.create(
        appointment=make_appointment(), status=status, amount_minor=8500, currency="USD", processor="sandbox"
    )
    response = desk.get(url(unpaid), follow=True)
    assert "nothing left to refund" in response.content.decode()


def test_another_visits_payment_is_not_found_here(desk: Client, payment: Payment) -> None:
    other = Payment.objects.create(
        appointment=make_appointment(provider=make_provider()),
        status="succeeded",
        amount_minor=100,
        captured_minor=100,
        currency="USD",
        processor="sandbox",
        intent_id="pi_2",
    )
    asked = form(desk, payment, amount="1.00") | {"payment": str(other.pk), "confirm": "1"}
    assert "nothing left" in desk.post(url(payment), asked, follow=True).content.decode()
    assert not Refund.objects.exists()


def test_the_history_stands_on_the_record_and_on_the_patients_page(desk: Client, payment: Payment) -> None:
    desk.post(url(payment), form(desk, payment, amount="20") | {"confirm": "1"})
    refund.record(Refund.objects.get().pk, refund.RefundState("re_1", "succeeded"))
    desk.post(url(payment), form(desk, payment, amount="5", reason="Late start") | {"confirm": "1"})
    page = desk.get(f"/desk/appointments/{payment.appointment.code}").content.decode()
    for said in ("re_1", "Camera broke", "Late start", "Sam Ortega", "$20.00", "$5.00"):
        assert said in page
    visit = Client().get(f"/visits/{payment.appointment.token}").content.decode()
    assert "Refunded" in visit
    assert "On its way back" in visit
    assert "Camera broke" not in visit


def test_only_admins_refund(payment: Payment) -> None:
    assert Client().post(url(payment), {"confirm": "1"}).status_code == 302
    assert not Refund.objects.exists()
