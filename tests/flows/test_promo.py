"""Promo codes: what they take off, where and when they hold, and that no limit is ever passed, whoever is quick."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from bedside.appointments.models import Appointment
from bedside.clinic.prices.errors import PromoRefused
from bedside.clinic.prices.models import PromoCode
from bedside.core import clock, faults, ratelimit
from bedside.core.audit import Actor
from bedside.flows import cancel, features, hold, pay, promo
from bedside.flows.book import Booking
from bedside.payments.errors import CheckoutUnavailable
from bedside.payments.models import LedgerEntry
from tests.conftest import TestClock
from tests.factories import make_provider, make_service
from tests.flows.conftest import first_opening, patient, pay_at_the_bank

pytestmark = pytest.mark.django_db
Book = Callable[..., Booking]


def make_code(**fields: Any) -> PromoCode:
    services = fields.pop("services", [])
    values = {"code": "WELCOME"} | fields
    if "amount_minor" in values:
        values.setdefault("currency", "USD")
    else:
        values.setdefault("percent", Decimal(10))
    made = PromoCode.objects.create(**values)
    made.services.set(services)
    return made


def person(n: int) -> Any:
    from dataclasses import replace

    return replace(patient(n), mobile=f"+1202555{100 + n:04d}")


def test_a_code_lowers_what_is_asked_for_and_stays_with_the_booking(book_visit: Book) -> None:
    code = make_code()
    appointment = book_visit(promo_code=" wel come ").appointment
    payment = appointment.payment
    assert (appointment.price_minor, appointment.discount_amount, appointment.promo_code) == (7650, 850, code)
    assert (payment.amount_minor, payment.discount_amount) == (7650, 850)
    assert appointment.list_price.minor_units == 8500
    pay_at_the_bank(appointment)
    pay.settle(payment.pk)
    payment.refresh_from_db()
    assert (payment.status, payment.captured_minor) == ("succeeded", 7650)


def test_an_amount_is_never_more_than_the_price(book_visit: Book) -> None:
    make_code(amount_minor=2000)
    assert book_visit(promo_code="WELCOME").appointment.price_minor == 6500


@pytest.mark.parametrize("terms", [{"percent": Decimal(100)}, {"amount_minor": 20_000}], ids=["all of it", "more"])
def test_a_visit_made_free_is_paid_at_once_without_the_processor(book_visit: Book, terms: dict[str, Any]) -> None:
    make_code(**terms)
    faults.arm("checkout-down", 5)
    booking = book_visit(promo_code="WELCOME")
    appointment = Appointment.objects.get()
    assert appointment.status == "paid"
    assert booking.appointment.status == "paid"
    assert booking.checkout_url.endswith(f"/visits/{appointment.token}")
    payment = appointment.payment
    assert (payment.status, payment.amount_minor, payment.captured_minor, payment.session_id) == ("succeeded", 0, 0, "")
    assert LedgerEntry.objects.get().amount_minor == 0
    assert appointment.notifications.filter(kind="confirmation").count() == 4
    canceled = cancel.cancel(appointment_id=appointment.pk, actor=Actor.patient(), reason="")
    assert canceled.status == "canceled"
    assert not payment.refunds.exists()


@pytest.mark.parametrize("typed", ["NOSUCH", "W", "'; drop table --", "ÅÄÖ", "x" * 81, "\x00"])
def test_unknown_codes_are_refused_in_one_and_the_same_sentence(book_visit: Book, typed: str) -> None:
    make_code()
    with pytest.raises(PromoRefused) as refused:
        book_visit(promo_code=typed)
    assert refused.value.message == PromoRefused().message
    assert not Appointment.objects.exists()


def test_a_code_is_read_however_it_is_typed() -> None:
    assert promo.spelled(" summer\u201126 ") == "SUMMER-26"
    assert promo.spelled(None) == promo.spelled("  ") == ""


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"valid_from": date(2026, 12, 2)}, "from Dec. 2, 2026 on"),
        ({"valid_until": date(2026, 11, 30)}, "until Nov. 30, 2026"),
        ({"amount_minor": 500, "currency": "EUR"}, "paid in EUR"),
        ({"archived_at": True}, "don't know that code"),
    ],
)
def test_outside_its_terms_a_code_is_refused_with_the_reason(
    book_visit: Book, terms: dict[str, Any], said: str
) -> None:
    if "archived_at" in terms:
        terms = {"archived_at": clock.now()}
    make_code(**terms)
    with pytest.raises(PromoRefused) as refused:
        book_visit(promo_code="welcome")
    assert said in refused.value.message
    assert not Appointment.objects.exists()


def test_the_days_are_the_practices(book_visit: Book, clock: TestClock) -> None:
    make_code(valid_until=date(2026, 12, 1))
    clock.forward(timedelta(hours=13, minutes=59))  # 11:59 PM in New York, December 2 in UTC
    service = make_service()
    assert book_visit(service=service, promo_code="welcome").appointment.discount_amount == 850
    clock.forward(timedelta(minutes=1))
    with pytest.raises(PromoRefused):
        book_visit(service=service, promo_code="welcome", start=first_opening(service, 5))


def test_a_code_of_some_services_is_refused_for_others(book_visit: Book) -> None:
    service = make_service()
    make_code(services=[service])
    with pytest.raises(PromoRefused) as refused:
        book_visit(promo_code="welcome")
    assert "other visits" in refused.value.message
    assert book_visit(service=service, promo_code="welcome").appointment.discount_amount == 850


def test_switched_off_codes_are_refused(book_visit: Book) -> None:
    make_code()
    features.switch(name="promo-codes", on=False, actor=Actor.system())
    with pytest.raises(PromoRefused) as refused:
        book_visit(promo_code="welcome")
    assert "at the moment" in refused.value.message


def test_one_patient_is_known_by_email_or_by_mobile(book_visit: Book) -> None:
    make_code(limit_per_patient=1)
    service = make_service()
    book_visit(service=service, promo_code="welcome", details=person(1))
    from dataclasses import replace

    for again in (replace(person(1), mobile="+12025550199"), replace(person(1), email="other@example.com")):
        with pytest.raises(PromoRefused) as refused:
            book_visit(service=service, promo_code="welcome", details=again, start=first_opening(service, 5))
        assert "You have used" in refused.value.message
    assert book_visit(service=service, promo_code="welcome", details=person(2), start=first_opening(service, 5))


def test_a_hold_that_ran_out_gives_the_use_back_even_before_it_is_swept(book_visit: Book, clock: TestClock) -> None:
    make_code(limit_total=1)
    service = make_service()
    first = book_visit(service=service, promo_code="welcome", details=person(1)).appointment
    with pytest.raises(PromoRefused):
        book_visit(service=service, promo_code="welcome", details=person(2), start=first_opening(service, 5))
    clock.forward(timedelta(minutes=36))
    second = book_visit(service=service, promo_code="welcome", details=person(2), start=first_opening(service, 5))
    assert second.appointment.discount_amount == 850
    hold.release(first.pk)
    first.refresh_from_db()
    assert first.status == "expired"


def test_a_checkout_that_fails_gives_the_use_back(book_visit: Book) -> None:
    make_code(limit_total=1)
    service = make_service()
    faults.arm("checkout-down", 5)
    with pytest.raises(CheckoutUnavailable):
        book_visit(service=service, promo_code="welcome")
    faults.arm("checkout-down", 0)
    assert book_visit(service=service, promo_code="welcome").appointment.discount_amount == 850


def test_choosing_another_time_keeps_ones_own_use(book_visit: Book) -> None:
    make_code(limit_total=1)
    service = make_service()
    book_visit(service=service, promo_code="welcome", hold_key=b"k" * 16)
    moved = book_visit(service=service, promo_code="welcome", hold_key=b"k" * 16, start=first_opening(service, 5))
    assert moved.appointment.discount_amount == 850


def test_codes_cannot_be_guessed_without_end(book_visit: Book, settings: Any) -> None:
    settings.RATE_LIMITS = {"promo-try": (3, 600)}
    make_code()
    service = make_service()
    for _ in range(3):
        with pytest.raises(PromoRefused):
            book_visit(service=service, promo_code="guess", address="203.0.113.9")
    with pytest.raises(ratelimit.RateLimited):
        book_visit(service=service, promo_code="welcome", address="203.0.113.9")
    assert book_visit(service=service, promo_code="welcome", address="203.0.113.10")


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_pass_the_limit() -> None:
    """Eight patients with eight providers, so that only the code itself stands between them."""
    from bedside.flows.book import book
    from bedside.flows.details import Consent

    make_code(limit_total=3)
    services = [make_service(make_provider()) for _ in range(8)]
    starts = [first_opening(service) for service in services]
    results: list[str] = []
    gate = threading.Barrier(8)

    def go(n: int) -> None:
        gate.wait()
        try:
            book(
                service=services[n],
                start=starts[n],
                details=person(n),
                consent=Consent(given=True),
                promo_code="welcome",
            )
            results.append("taken")
        except PromoRefused:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["refused"] * 5 + ["taken"] * 3
    assert Appointment.objects.filter(promo_code__isnull=False).count() == 3
