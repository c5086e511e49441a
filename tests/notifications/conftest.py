"""What tests of messages share: a paid visit, and a vendor that does as it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.notifications import queue, sending
from bedside.notifications.models import Audience, Channel, Kind, Notification
from tests.factories import make_appointment, make_service


@dataclass
class Vendor:
    """A `Transport`: ``failures`` are raised one after the other before it takes anything."""

    failures: list[Exception] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    name: str = "test"

    def send(self, **message: Any) -> str:
        if self.before:
            self.before()
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(message)
        return f"vendor-{len(self.taken)}"

    def find(self, reference: str, **_: Any) -> str | None:
        return self.known.get(reference)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    vendor = Vendor()
    monkeypatch.setattr(sending, "transport", lambda channel: vendor)
    return vendor


@pytest.fixture
def visit() -> Appointment:
    """Paid, the day after tomorrow at 10:00 in New York."""
    return make_appointment(make_service(), status="paid", paid_at=clock.now())


def a_message(visit: Appointment, **fields: Any) -> Notification:
    """A queued confirmation to the patient by email, unless told otherwise."""
    asked = {"kind": Kind.CONFIRMATION, "audience": Audience.PATIENT, "channel": Channel.EMAIL} | fields
    notification = queue.enqueue(visit, **asked)
    assert notification is not None
    return notification


def soon(**delta: int) -> Any:
    return clock.now() + timedelta(**delta)
