"""Many at once over the API: one time is sold once, one key is used once, and nobody gets a server error."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from bedside.appointments.models import Appointment
from tests.api.conftest import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 50


def all_at_once(request: Callable[[int], Any], clients: int = CLIENTS) -> list[Any]:
    """Run ``request`` in that many threads, let go together; gives the responses."""
    barrier, responses = threading.Barrier(clients), [None] * clients

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=30)
            responses[number] = request(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return responses


def as_patient(good: dict[str, Any], number: int) -> dict[str, Any]:
    patient = {"name": "Robin Sample", "email": f"robin{number}@example.com", "mobile": f"+1202555{100 + number:04d}"}
    return good | {"patient": patient}


def test_of_fifty_who_want_the_same_time_one_gets_it(good: dict[str, Any]) -> None:
    responses = all_at_once(lambda number: ApiClient().book(as_patient(good, number)))
    assert Counter(response.status_code for response in responses) == {201: 1, 409: 49}
    refusals = [response.json() for response in responses if response.status_code == 409]
    assert {refusal["type"] for refusal in refusals} == {"slot-taken"}
    assert all(refusal["alternatives"] for refusal in refusals)
    taken = [refusal for refusal in refusals if any(one["start"] == good["start"] for one in refusal["alternatives"])]
    assert not taken
    assert Appointment.objects.filter(status="pending_payment").count() == 1


def test_fifty_repetitions_of_one_request_book_once(good: dict[str, Any]) -> None:
    responses = all_at_once(lambda _: ApiClient().book(good, **{"Idempotency-Key": "one-key"}))
    assert {response.status_code for response in responses} <= {201, 409}
    assert len({response.content for response in responses if response.status_code == 201}) == 1
    refusals = {response.json()["type"] for response in responses if response.status_code == 409}
    assert refusals <= {"idempotency-key-under-way"}
    assert Appointment.objects.count() == 1
    again = ApiClient().book(good, **{"Idempotency-Key": "one-key"})
    assert again.status_code == 201
    assert again["Idempotent-Replayed"] == "true"
