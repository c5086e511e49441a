"""Credits at the desk: given instead of a refund or as goodwill, found, taken back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from bedside.core.flags import WaffleFlag
from bedside.core.models import AuditEntry
from bedside.payments.credit_models import Credit
from bedside.payments.models import Payment, Refund
from tests.factories import make_appointment
from tests.flows.test_credits import issue, make_payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(db: None, clock: Any) -> Payment:
    return make_payment(clock, patient_name="Alex Morgan", patient_email="alex@example.com")


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_instead_of_a_refund_from_the_visits_page(desk: Client, payment: Payment) -> None:
    url = f"/desk/appointments/{payment.appointment.code}/refund"
    asked = {
        "amount": "85.00",
        "reason": "Prefers to come again",
        "how": "credit",
        "token": token_of(desk.get(url).content.decode()),
        "payment": str(payment.pk),
    }
    review = desk.post(url, asked).content.decode()
    for said in ("Give a credit of $85.00?", "No money goes back", "XXXX-XXXX-XXXX"):
        assert said in review
    assert not Credit.objects.exists()
    for _ in range(2):
        page = desk.post(url, asked | {"confirm": "1"}, follow=True).content.decode()
        assert "has a credit of $85.00 now" in page
    assert "Turned into credit" in page
    assert Credit.objects.get().left_minor == 8500
    assert not Refund.objects.exists()


def test_switched_off_the_choice_is_gone_and_can_not_be_forced(desk: Client, payment: Payment) -> None:
    WaffleFlag.objects.update_or_create(name="credits", defaults={"everyone": False})
    url = f"/desk/appointments/{payment.appointment.code}/refund"
    page = desk.get(url).content.decode()
    assert "A credit" not in page
    asked = {"amount": "85.00", "reason": "x", "how": "credit", "token": token_of(page), "confirm": "1"}
    desk.post(url, asked)
    assert not Credit.objects.exists()
    assert "switched off" in desk.get("/desk/sales/credits").content.decode()


def test_the_list_is_found_searched_and_adds_up(desk: Client, payment: Payment, clock: Any) -> None:
    credit = issue(payment, 5000)
    other = issue(make_payment(clock, patient_name="Kim Lee"), 2000, "other")
    assert "/desk/sales/credits" in desk.get("/desk/sales").content.decode()
    page = desk.get("/desk/sales/credits").content.decode()
    assert "$70.00" in page
    for q in ("alex morgan", "ALEX@example.com", payment.appointment.code, credit.shown_code.lower()):
        found = desk.get("/desk/sales/credits", {"q": q}).context["page"]
        assert [row.pk for row in found] == [credit.pk], q
    desk.post(f"/desk/sales/credits/{other.pk}", {"reason": "Wrong visit"})
    assert [row.pk for row in desk.get("/desk/sales/credits").context["page"]] == [credit.pk]
    assert len(desk.get("/desk/sales/credits", {"state": "all"}).context["page"]) == 2


@pytest.mark.parametrize("q", ["%", "🙂", "x" * 400, "a\x00b", "+"])
def test_odd_searches_find_nothing(desk: Client, payment: Payment, q: str) -> None:
    issue(payment, 5000)
    assert "Nothing matches" in desk.get("/desk/sales/credits", {"q": q, "state": "odd"}).content.decode()


def test_goodwill_is_previewed_given_once_and_audited(desk: Client, payment: Payment) -> None:
    url = "/desk/sales/credits/new"
    asked = {
        "visit": payment.appointment.code.lower(),
        "amount": "10",
        "reason": "We ran late",
        "token": token_of(desk.get(url).content.decode()),
    }
    assert "Give Alex Morgan a credit of $10.00?" in desk.post(url, asked).content.decode()
    for _ in range(2):
        page = desk.post(url, asked | {"confirm": "1"}, follow=True).content.decode()
    credit = Credit.objects.get()
    assert (credit.goodwill, credit.left_minor) == (True, 1000)
    assert credit.shown_code in page
    assert AuditEntry.objects.filter(action="credit.issued").count() == 1
    assert AuditEntry.objects.filter(action="credit.viewed").exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"visit": "NOTHING"}, "no visit with that code"),
        ({"visit": ""}, "Enter the code of the visit."),
        ({"amount": "0"}, "above zero"),
        ({"amount": "20000"}, "At most $10,000.00"),
        ({"amount": "€5"}, "Use USD"),
        ({"reason": ""}, "Say why"),
        ({"token": ""}, "This page is stale"),
    ],
)
def test_bad_input_gives_nothing(desk: Client, payment: Payment, fields: dict[str, str], said: str) -> None:
    asked = {"visit": payment.appointment.code, "amount": "10", "reason": "x", "token": "t" * 20, "confirm": "1"}
    response = desk.post("/desk/sales/credits/new", asked | fields)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Credit.objects.exists()


def test_a_visit_that_was_never_paid_gives_no_credit(desk: Client) -> None:
    asked = {"visit": make_appointment().code, "amount": "10", "reason": "x", "token": "t" * 20, "confirm": "1"}
    assert "never paid" in desk.post("/desk/sales/credits/new", asked).content.decode()


def test_taking_back_needs_a_reason_and_frees_the_refund(desk: Client, payment: Payment) -> None:
    credit = issue(payment, 8500)
    url = f"/desk/sales/credits/{credit.pk}"
    assert desk.post(url, {"reason": " "}).status_code == 422
    page = desk.post(url, {"reason": "Wants the money"}, follow=True).content.decode()
    assert "$85.00 was taken back" in page
    assert "Wants the money" in page
    assert "Nothing is left of this credit" in desk.post(url, {"reason": "Again"}, follow=True).content.decode()
    payment.refresh_from_db()
    assert payment.refundable_minor == 8500


def test_unknown_credits_are_not_found_and_others_must_sign_in(desk: Client) -> None:
    assert desk.get("/desk/sales/credits/999999").status_code == 404
    assert Client().get("/desk/sales/credits").status_code == 302


def test_the_way_around_sales_stands_once(desk: Client) -> None:
    for page in ("sales", "sales/closes", "sales/reconciliation", "sales/refunds", "sales/credits", "billing"):
        assert desk.get(f"/desk/{page}").content.decode().count('<nav class="subnav') == 1, page
