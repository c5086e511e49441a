"""``bedside signoff``: each line of the checklist, and what contradicts it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bedside.appointments.models import Appointment
from bedside.core import clock as house_clock
from bedside.flows import signoff
from bedside.notifications.models import Notification
from bedside.runtime import money_commands
from tests.factories import make_appointment, make_practice


def failed() -> list[str]:
    return [line.title for line in signoff.signoff() if line.state == signoff.FAIL]


@pytest.mark.django_db
def test_an_empty_practice_is_signed_off_and_the_sandbox_is_said() -> None:
    make_practice()
    said: list[str] = []
    assert money_commands.signoff(said.append) == 0
    assert said[-1].startswith("Signed off")
    assert any("sandbox" in line for line in said)


@pytest.mark.django_db
def test_a_paid_visit_without_messages_or_meeting_stands_in_the_way() -> None:
    appointment = make_appointment()
    assert not {"Paid visits have their video meeting"} & set(failed())
    Appointment.objects.filter(pk=appointment.pk).update(paid_at=house_clock.now() - timedelta(hours=1))
    found = failed()
    assert "Paid visits have their video meeting" in found
    assert "Patients and providers get confirmations after payment" in found
    said: list[str] = []
    assert money_commands.signoff(said.append) == 1
    assert any(appointment.code in line for line in said)


@pytest.mark.django_db
def test_a_reminder_after_a_cancellation_and_a_double_are_found() -> None:
    appointment = make_appointment(status="canceled")
    for n in range(2):
        Notification.objects.create(
            appointment=appointment,
            kind="reminder",
            variant="1h",
            audience="patient",
            channel="email",
            idempotency_key=f"k{n}",
            status="sent",
            due_at=house_clock.now(),
            sent_at=house_clock.now() + timedelta(hours=1),
        )
    found = failed()
    assert "No reminder goes out after a cancellation" in found
    assert "Nothing is sent twice" in found
