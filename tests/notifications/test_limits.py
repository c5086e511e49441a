"""No more than so many messages to one person within an hour, beside those that tell of their own visit or money."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.core import clock as house_clock
from bedside.core.audit import Actor
from bedside.core.ratelimit import RateLimited
from bedside.flows import resend
from bedside.notifications import claiming, recording, sending
from bedside.notifications.models import Channel, Kind, Notification
from tests.conftest import TestClock
from tests.factories import make_appointment, make_service, make_user
from tests.notifications.conftest import Vendor, a_message

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_an_hour(settings: Any) -> None:
    settings.MESSAGE_LIMITS = {"patient": 3}
    settings.RATE_LIMITS = {"by-hand": (2, 3600)}


def go(channel: str = Channel.SMS) -> list[int]:
    """Send what is due; the ids of what went."""
    taken = claiming.take_next(channel, 50, sender=1)
    recording.record([sending.hand_over(attempt) for attempt in taken.attempts])
    return [attempt.notification.pk for attempt in taken.attempts]


def by_hand(visit: Appointment, count: int, first: int = 1, **fields: Any) -> list[Notification]:
    asked = {"kind": Kind.MANUAL, "channel": Channel.SMS} | fields
    return [a_message(visit, version=first + n, **asked) for n in range(count)]


def test_the_fourth_waits_until_an_hour_after_the_first_and_says_so(
    visit: Appointment, vendor: Vendor, clock: TestClock
) -> None:
    first = by_hand(visit, 2)
    assert len(go()) == 2
    began = clock.now()
    clock.forward(timedelta(minutes=10))
    more = by_hand(visit, 2, first=3)
    assert go() == [more[0].pk]
    waiting = more[1]
    waiting.refresh_from_db()
    assert (waiting.status, waiting.error_code, waiting.attempts) == ("queued", "too-many", 0)
    assert waiting.due_at == began + timedelta(hours=1)
    assert "It waits" in waiting.error_advice
    clock.set(waiting.due_at)
    assert go() == [waiting.pk]
    waiting.refresh_from_db()
    assert (waiting.status, waiting.error_code) == ("sent", "")
    assert len(first) + len(more) == len(vendor.taken) == 4


def test_within_one_batch_they_are_counted_too(visit: Appointment, vendor: Vendor) -> None:
    by_hand(visit, 5)
    assert len(go()) == 3


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.CREDIT, Kind.REFUNDED])
def test_what_tells_of_the_own_visit_or_money_goes_at_once(visit: Appointment, vendor: Vendor, kind: str) -> None:
    by_hand(visit, 4)
    own = a_message(visit, kind=kind, channel=Channel.SMS)
    assert own.pk in go()


def test_a_confirmation_asked_for_again_counts(visit: Appointment, vendor: Vendor) -> None:
    by_hand(visit, 3)
    again = a_message(visit, channel=Channel.SMS, version=2, requested_by=Actor.patient())
    assert again.pk not in go()


def test_who_shares_a_number_shares_its_limit_and_each_channel_has_its_own(visit: Appointment, vendor: Vendor) -> None:
    sister = make_appointment(make_service(), status="paid", patient_mobile=visit.patient_mobile)
    by_hand(visit, 2)
    by_hand(sister, 2)
    by_hand(visit, 3, channel=Channel.EMAIL)
    assert len(go()) == 3
    assert len(go(Channel.EMAIL)) == 3


def test_a_reminder_that_would_come_too_late_is_left_out_with_its_reason(vendor: Vendor, clock: TestClock) -> None:
    visit = make_appointment(make_service(), status="paid", start=house_clock.now() + timedelta(minutes=70))
    by_hand(visit, 3)
    reminder = a_message(visit, kind=Kind.REMINDER, variant="1h", channel=Channel.SMS)
    go()
    reminder.refresh_from_db()
    assert (reminder.status, reminder.error_code) == ("withdrawn", "too-many")


def test_the_desk_s_own_resends_end_with_a_clear_word(visit: Appointment) -> None:
    desk = Client()
    desk.force_login(make_user())
    for _ in range(2):
        resend.resend(appointment_id=visit.pk, actor=Actor("admin"))
    with pytest.raises(RateLimited):
        resend.resend(appointment_id=visit.pk, actor=Actor("admin"))
    count = Notification.objects.count()
    said = {"audience": "patient", "words": "Hello", "channels": ["email"]}
    written = desk.post(f"/desk/appointments/{visit.code}/message", said)
    assert written.status_code == 429
    assert "Please wait a while, or call the patient." in written.text
    pressed = desk.post(f"/desk/appointments/{visit.code}/resend", {"channel": "email"}, follow=True)
    assert "Please wait a while, or call the patient." in pressed.text
    assert Notification.objects.count() == count
