"""The list of appointments: columns, filters, figures from the ledger, pages, and a steady number of queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.payments import ledger
from bedside.payments.models import LedgerEntry, Payment, Refund
from tests.factories import make_appointment, make_provider, make_service

pytestmark = pytest.mark.django_db


def codes(desk: Client, **query: Any) -> set[str]:
    """The codes of the rows that a query shows."""
    names = {"first": "from", "last": "to"}
    response = desk.get("/desk/appointments", {names.get(name, name): value for name, value in query.items()})
    assert response.status_code == 200
    return {row.code for row in response.context["page"]}


def pay(appointment: Appointment, *, at: datetime | None = None, refunded: int = 0) -> Payment:
    n = Payment.objects.count()
    payment = Payment.objects.create(
        appointment=appointment,
        status="succeeded",
        amount_minor=appointment.price_minor,
        currency="USD",
        processor="sandbox",
        captured_minor=appointment.price_minor,
        refunded_minor=refunded,
        intent_id=f"pi_{n}",
        succeeded_at=at or clock.now(),
    )
    ledger.record_charge(payment, occurred_at=payment.succeeded_at)
    if refunded:
        refund = Refund.objects.create(
            payment=payment,
            refund_amount=refunded,
            status="succeeded",
            refund_id=f"re_{n}",
            requested_by="admin",
            idempotency_key=f"k{n}",
        )
        ledger.record_refund(refund, occurred_at=clock.now())
    return payment


def test_a_row_says_who_what_when_with_whom_and_how_it_stands(desk: Client) -> None:
    appointment = make_appointment(patient_name="Alex Morgan")
    pay(appointment)
    page = desk.get("/desk/appointments").content.decode()
    for expected in (
        "Alex Morgan",
        appointment.service.name,
        appointment.provider.name,
        "$85.00",
        "Succeeded",
        "Paid",
        "10:00 AM ET",
    ):
        assert expected in page


def test_no_appointments_yet_is_said_kindly(desk: Client) -> None:
    assert "No appointments yet" in desk.get("/desk/appointments").content.decode()


def test_filters_by_service_provider_and_status(desk: Client) -> None:
    one, other = make_appointment(make_service()), make_appointment(make_service(), status="canceled")
    assert codes(desk) == {one.code, other.code}
    assert codes(desk, service=one.service.slug) == {one.code}
    assert codes(desk, provider=other.provider.slug) == {other.code}
    assert codes(desk, status="canceled") == {other.code}
    assert codes(desk, status="canceled", service=one.service.slug) == set()


def test_filters_by_payment_status(desk: Client) -> None:
    paid, unpaid = make_appointment(), make_appointment()
    pay(paid)
    Payment.objects.create(appointment=unpaid, amount_minor=8500, currency="USD", processor="sandbox")
    assert codes(desk, payment_status="succeeded") == {paid.code}
    assert codes(desk, payment_status="initiated") == {unpaid.code}


def test_days_are_the_practices_and_both_are_included(desk: Client) -> None:
    service = make_service()
    # Late on December 3 in New York is December 4 in UTC.
    late = make_appointment(service, start=datetime(2026, 12, 4, 4, 30, tzinfo=UTC))
    early = make_appointment(service, start=datetime(2026, 12, 4, 5, 30, tzinfo=UTC))
    assert codes(desk, first="2026-12-03", last="2026-12-03") == {late.code}
    assert codes(desk, first="2026-12-04") == {early.code}
    assert codes(desk, first="2026-12-03", last="2026-12-04") == {late.code, early.code}


def test_the_day_can_mean_the_payments(desk: Client) -> None:
    appointment = make_appointment()
    make_appointment()
    pay(appointment, at=clock.now() - timedelta(days=3))
    day = (clock.now() - timedelta(days=3)).date().isoformat()
    assert codes(desk, date="payment", first=day, last=day) == {appointment.code}
    assert codes(desk, date="visit", first=day, last=day) == set()


@pytest.mark.parametrize(
    "text",
    ["alex morgan", "  Alex   Morgan ", "ALEX@example.com", "+1 202 555 0177", "(202) 555-0177", "{code}", "{lower}"],
)
def test_search_finds_by_name_email_mobile_and_code(desk: Client, text: str) -> None:
    wanted = make_appointment(
        patient_name="Alex Morgan", patient_email="alex@example.com", patient_mobile="+12025550177"
    )
    make_appointment()
    assert codes(desk, q=text.format(code=wanted.code, lower=wanted.code.lower())) == {wanted.code}


@pytest.mark.parametrize("text", ["nobody", "%", "' OR 1=1 --", "🙂", "x" * 254, "+", "@"])
def test_search_without_a_match_says_so(desk: Client, text: str) -> None:
    make_appointment()
    response = desk.get("/desk/appointments", {"q": text})
    assert response.status_code == 200
    assert "Nothing matches" in response.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"from": "2026-12-05", "to": "2026-12-01"},
        {"service": "nothing"},
        {"status": "lost"},
        {"date": "moon"},
        {"q": "x" * 300},
        {"q": "a\x00b"},
    ],
)
def test_filters_that_make_no_sense_show_no_rows_and_say_why(desk: Client, query: dict[str, str]) -> None:
    make_appointment(patient_name="Alex Morgan")
    response = desk.get("/desk/appointments", query)
    assert response.status_code == 422
    assert "Alex Morgan" not in response.content.decode()


def test_the_figures_are_the_ledgers(desk: Client) -> None:
    one, other = make_appointment(make_service()), make_appointment(make_service(price_minor=12000))
    pay(one, refunded=2500)
    pay(other)
    summary = desk.get("/desk/appointments").context["summary"]
    assert (str(summary.gross), str(summary.refunds), str(summary.net)) == ("$205.00", "$25.00", "$180.00")
    assert summary.paid_count == 2
    assert str(summary.average) == "$102.50"
    filtered = desk.get("/desk/appointments", {"service": other.service.slug}).context["summary"]
    assert str(filtered.gross) == "$120.00"
    assert filtered.paid_count == 1


def test_with_payment_days_a_refund_counts_on_its_own_day(desk: Client) -> None:
    pay(make_appointment(), at=clock.now() - timedelta(days=3), refunded=8500)
    today = clock.now().date().isoformat()
    summary = desk.get("/desk/appointments", {"date": "payment", "from": today, "to": today}).context["summary"]
    assert (str(summary.gross), str(summary.refunds), str(summary.net)) == ("$0.00", "$85.00", "-$85.00")
    assert str(summary.average) == "$0.00"
    assert LedgerEntry.objects.count() == 2


def test_pages_hold_twenty_five_rows_and_cost_the_same_queries(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    provider = make_provider()
    service = make_service(provider)
    first = datetime(2026, 12, 2, 14, tzinfo=UTC)
    made = [make_appointment(service, start=first + timedelta(hours=n)) for n in range(3)]
    with django_assert_max_num_queries(12) as few:
        assert codes(desk) == {appointment.code for appointment in made}
    for n in range(3, 30):
        pay(make_appointment(service, start=first + timedelta(hours=n)))
    with django_assert_max_num_queries(12) as many:
        assert len(codes(desk)) == 25
    assert len(many) == len(few)
    following = desk.get("/desk/appointments").context["page"].next
    assert len(codes(desk, cursor=following)) == 5


def test_the_live_part_comes_alone(desk: Client) -> None:
    make_appointment(patient_name="Alex Morgan")
    part = desk.get("/desk/appointments", headers={"HX-Request": "true"}).content.decode()
    assert part.startswith("<div")
    assert "Alex Morgan" in part
