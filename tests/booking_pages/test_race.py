"""Fifty browsers post the same time at once: one goes on to pay, the others get the nearest times, nobody an error."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import connection
from django.test import Client

from bedside.appointments.models import Appointment
from tests.booking_pages.conftest import text_of

BROWSERS = 50


@pytest.mark.django_db(transaction=True)
def test_one_browser_gets_the_time_and_the_others_alternatives(post_details) -> None:  # type: ignore[no-untyped-def]
    answers: list[str] = []
    together = threading.Barrier(BROWSERS)

    def post(n: int) -> None:
        try:
            together.wait()
            response = post_details(Client(), email=f"robin.{n}@example.com")
            page = text_of(response) if response.status_code == 409 else ""
            kind = "with alternatives" if 'name="alternative"' in page else ""
            answers.append(f"{response.status_code} {kind}".strip())
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=[n]) for n in range(BROWSERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(answers) == {"303": 1, "409 with alternatives": BROWSERS - 1}
    assert Appointment.objects.count() == 1
