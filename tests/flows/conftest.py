"""What tests of flows share: a patient, and a processor that does as it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.flows.book import Booking, book
from bedside.flows.details import Consent, PatientDetails
from bedside.sandbox import processor as bank
from tests.factories import make_service

GOOD_CARD = "4242424242424242"
BAD_CARD = "4000000000000002"


def patient(n: int = 1) -> PatientDetails:
    return PatientDetails("Robin Sample", f"robin{n}@example.com", "+12025550143", "America/New_York")


@pytest.fixture
def book_visit() -> Callable[..., Booking]:
    """Books the first opening from three days on, or ``start``."""

    def make(**fields: Any) -> Booking:
        service = fields.pop("service", None) or make_service()
        start = fields.pop("start", None) or first_opening(service)
        defaults = {"details": patient(), "consent": Consent(given=True, text="I agree.")}
        return book(service=service, start=start, **defaults | fields)

    return make


def first_opening(service: Any, days: int = 3) -> Any:
    from datetime import timedelta

    from bedside.schedule.openings import openings

    day = clock.now().date() + timedelta(days=days)
    return openings(service=service, first=day, last=day, timezone="America/New_York")[0].start


def pay_at_the_bank(appointment: Appointment, card: str = GOOD_CARD) -> None:
    """The patient pays on the processor's page; nobody has told Bedside yet."""
    bank.pay(session_id=appointment.payment.session_id, card_number=card)
