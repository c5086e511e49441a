"""How many times one patient, or one address, may hold at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from bedside.appointments.errors import TooManyHolds
from bedside.appointments.models import Appointment
from bedside.flows import pay
from bedside.flows.book import Booking, book
from bedside.flows.details import Consent
from tests.api.conftest import ApiClient, api, assert_problem, good, service, starts  # noqa: F401
from tests.conftest import TestClock
from tests.factories import make_provider, make_service
from tests.flows.conftest import first_opening, patient, pay_at_the_bank

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def few(settings: Any) -> None:
    settings.HOLD_LIMITS = {"contact": 2, "address": 3}


def test_one_contact_holds_so_many_and_no_more(book_visit: Callable[..., Booking], clock: TestClock) -> None:
    first = book_visit(start=None).appointment
    book_visit(details=replace(patient(), email="other@example.com"))
    with pytest.raises(TooManyHolds) as refused:
        book_visit()
    assert "in 35 minutes" in refused.value.message
    assert refused.value.details["retry_after"] == 35 * 60
    assert Appointment.objects.count() == 2
    pay_at_the_bank(first)
    pay.settle(first.payment.pk)
    book_visit()
    clock.forward(timedelta(minutes=36))
    assert book_visit().appointment.status == "pending_payment"


def test_choosing_again_is_no_second_hold(book_visit: Callable[..., Booking]) -> None:
    for _ in range(4):
        book_visit(hold_key=b"k" * 16)
    assert Appointment.objects.filter(status="pending_payment").count() == 1


def test_one_address_holds_so_many_for_whoever_and_only_its_hash_is_kept(book_visit: Callable[..., Booking]) -> None:
    for n in range(3):
        book_visit(details=replace(patient(n), mobile=f"+1202555{100 + n:04d}"), address="203.0.113.9")
    with pytest.raises(TooManyHolds) as refused:
        book_visit(details=replace(patient(9), mobile="+12025550199"), address="203.0.113.9")
    assert "your network" in refused.value.message
    book_visit(details=replace(patient(9), mobile="+12025550199"), address="203.0.113.10")
    assert b"203.0.113.9" not in bytes(Appointment.objects.first().hold_address)


def test_the_api_says_429_and_when_to_come_back(api: ApiClient, good: dict[str, Any], service: Any) -> None:  # noqa: F811
    for at in starts(service)[:6:3]:
        assert api.book(good | {"start": at}).status_code == 201
    response = api.book(good | {"start": starts(service)[8]})
    assert_problem(response, 429, "too-many-holds")
    assert response["Retry-After"] == str(35 * 60)


@pytest.mark.django_db(transaction=True)
def test_a_patient_in_several_windows_at_once_gets_no_more() -> None:
    services = [make_service(make_provider()) for _ in range(6)]
    openings = [first_opening(one) for one in services]
    results: list[str] = []
    gate = threading.Barrier(6)

    def go(n: int) -> None:
        gate.wait()
        try:
            book(service=services[n], start=openings[n], details=patient(), consent=Consent(given=True))
            results.append("held")
        except TooManyHolds:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["held"] * 2 + ["refused"] * 4
