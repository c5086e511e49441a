"""Promise 1: no slot is ever sold twice."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from bedside.appointments.errors import SlotTaken
from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.flows.book import book
from bedside.flows.details import Consent
from tests.factories import make_appointment, make_provider, make_service
from tests.flows.conftest import first_opening, patient


@pytest.mark.django_db(transaction=True)
def test_fifty_patients_at_once_get_one_booking_and_forty_nine_refusals_with_alternatives() -> None:
    service = make_service()
    start = first_opening(service)
    results: list[str] = []
    barrier = threading.Barrier(50)

    def try_to_book(n: int) -> None:
        try:
            barrier.wait()
            book(service=service, start=start, details=patient(n), consent=Consent(given=True))
            results.append("booked")
        except SlotTaken as error:
            results.append("taken" if error.code == "slot-taken" and error.alternatives else "no alternatives")
        except Exception as error:
            results.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=try_to_book, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(results) == {"booked": 1, "taken": 49}
    assert Appointment.objects.count() == 1


@pytest.mark.django_db
def test_the_database_itself_refuses_a_second_appointment_in_blocked_time() -> None:
    service = make_service(wrap_minutes=10, prep_minutes=0)
    first = make_appointment(service)
    with pytest.raises(IntegrityError, match="appointment_no_double_booking"), transaction.atomic():
        make_appointment(service, start=first.end + timedelta(minutes=5))
    make_appointment(service, start=first.end + timedelta(minutes=10))


@pytest.mark.django_db
def test_overlapping_visits_of_two_providers_are_fine() -> None:
    service = make_service(make_provider(), make_provider())
    one, other = service.providers.all()
    make_appointment(service, provider=one)
    make_appointment(service, provider=other)


@pytest.mark.django_db
def test_any_provider_goes_to_the_one_who_is_free() -> None:
    service = make_service(make_provider(), make_provider())
    start = first_opening(service)
    booked = {
        book(service=service, start=start, details=patient(n), consent=Consent(given=True)).appointment.provider_id
        for n in range(2)
    }
    assert booked == set(service.providers.values_list("pk", flat=True))
    with pytest.raises(SlotTaken):
        book(service=service, start=start, details=patient(3), consent=Consent(given=True))


@pytest.mark.django_db
def test_an_expired_hold_in_the_way_is_released_by_the_next_booking(book_visit, clock) -> None:  # type: ignore[no-untyped-def]
    first = book_visit().appointment
    clock.forward(timedelta(minutes=36))
    second = book_visit(service=first.service, start=first.start).appointment
    first.refresh_from_db()
    assert (first.status, second.status) == ("expired", "pending_payment")


@pytest.mark.django_db
def test_choosing_again_in_the_same_browser_replaces_the_own_hold(book_visit) -> None:  # type: ignore[no-untyped-def]
    key = b"0123456789abcdef"
    first = book_visit(hold_key=key).appointment
    again = book_visit(service=first.service, start=first.start, hold_key=key).appointment
    first.refresh_from_db()
    assert (first.status, again.status) == ("canceled", "pending_payment")
    assert clock.now() == first.canceled_at
