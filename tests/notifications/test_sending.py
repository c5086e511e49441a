"""Sending: once, at the right time, still true; with retries, advice and an alert where the vendor fails."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from bedside.appointments.models import Appointment
from bedside.core import clock as house_clock
from bedside.core.models import Alert, Event
from bedside.notifications import claiming, claims, recording, retries, sending, sweeping
from bedside.notifications.models import Channel, Kind, Notification
from bedside.notifications.transports.base import TransportError
from tests.conftest import TestClock
from tests.factories import make_appointment, make_service
from tests.notifications.conftest import Vendor, a_message, soon

pytestmark = pytest.mark.django_db
BUSY = TransportError("503", permanent=False)


def test_a_due_message_is_sent_and_its_event_told(visit: Appointment, vendor: Vendor) -> None:
    message = a_message(visit)
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.status, message.vendor_id, message.attempts) == ("sent", "vendor-1", 1)
    assert vendor.taken[0]["to"] == visit.patient_email
    assert Event.objects.filter(name="NotificationSent").count() == 1


def test_sending_twice_sends_once(visit: Appointment, vendor: Vendor) -> None:
    message = a_message(visit)
    sending.send(message.pk)
    sending.send(message.pk)
    assert len(vendor.taken) == 1


def test_not_before_it_is_due(visit: Appointment, vendor: Vendor, clock: TestClock) -> None:
    message = a_message(visit, due_at=soon(hours=1))
    sending.send(message.pk)
    assert vendor.taken == []
    clock.forward(timedelta(hours=1))
    sending.send(message.pk)
    assert len(vendor.taken) == 1


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
def test_trouble_that_passes_is_tried_again_after_growing_waits(
    visit: Appointment, vendor: Vendor, clock: TestClock, channel: str
) -> None:
    message = a_message(visit, channel=channel)
    vendor.failures = [BUSY] * len(retries.BACKOFF[channel])
    for wait in retries.BACKOFF[channel]:
        sending.send(message.pk)
        message.refresh_from_db()
        assert message.status == "queued"
        assert message.due_at == house_clock.now() + wait
        sending.send(message.pk)  # too early: nothing happens
        clock.set(message.due_at)
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("sent", retries.max_attempts(channel))


def test_when_the_tries_are_used_up_it_fails_with_advice_and_an_alert(
    visit: Appointment, vendor: Vendor, clock: TestClock
) -> None:
    message = a_message(visit, channel=Channel.SMS)
    vendor.failures = [BUSY] * 9
    for _ in range(retries.max_attempts(Channel.SMS)):
        message.refresh_from_db()
        clock.set(message.due_at)
        sending.send(message.pk)
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("failed", "503")
    assert "Send it again, or call." in message.error_advice
    assert Alert.objects.filter(kind="text-failed", resolved_at=None).count() == 1
    assert Event.objects.filter(name="NotificationFailed").count() == 1


def test_a_number_that_cannot_be_texted_is_not_tried_again(visit: Appointment, vendor: Vendor) -> None:
    message = a_message(visit, channel=Channel.SMS)
    vendor.failures = [TransportError("30006", permanent=True, advice="Ask for a mobile number.")]
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.status, message.error_advice, message.attempts) == ("failed", "Ask for a mobile number.", 1)
    sending.send(message.pk)
    assert vendor.taken == []


def test_a_reminder_of_a_canceled_visit_is_withdrawn_at_the_moment_it_fires(visit: Appointment, vendor: Vendor) -> None:
    message = a_message(visit, kind=Kind.REMINDER)
    Appointment.objects.filter(pk=visit.pk).update(status="canceled", canceled_at=house_clock.now())
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("withdrawn", "visit-canceled")
    assert vendor.taken == []


def test_a_reminder_that_is_late_never_arrives_after_the_visit_began(
    visit: Appointment, vendor: Vendor, clock: TestClock
) -> None:
    message = a_message(visit, kind=Kind.REMINDER, due_at=visit.start - timedelta(hours=1))
    clock.set(visit.start)
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("withdrawn", "visit-started")


def test_after_a_crash_between_sending_and_recording_the_vendor_is_asked_first(
    visit: Appointment, vendor: Vendor, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = a_message(visit)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(recording, "_record_sent", die)
    with pytest.raises(Killed):
        sending.send(message.pk)
    monkeypatch.undo()
    monkeypatch.setattr(sending, "transport", lambda channel: vendor)
    monkeypatch.setattr(house_clock, "now", clock.now)
    vendor.known[message.reference] = "vendor-1"
    sending.send(message.pk)  # the claim of the dead worker still stands
    assert Notification.objects.get(pk=message.pk).status == "queued"
    assert claims.give_back_lost() == 0
    clock.forward(timedelta(minutes=4))
    assert claims.give_back_lost() == 1
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.status, message.vendor_id) == ("sent", "vendor-1")
    assert len(vendor.taken) == 1


def test_a_dropped_connection_is_looked_up_before_the_second_try(
    visit: Appointment, vendor: Vendor, clock: TestClock
) -> None:
    message = a_message(visit, channel=Channel.SMS)
    vendor.failures = [TransportError("connection-dropped", permanent=False)]
    sending.send(message.pk)
    vendor.known[message.reference] = "taken-at-first"
    clock.forward(timedelta(minutes=1))
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.status, message.vendor_id) == ("sent", "taken-at-first")
    assert vendor.taken == []


def test_a_template_at_fault_fails_at_once_and_tells_nothing_personal(
    visit: Appointment, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError(visit.patient_email)

    monkeypatch.setattr(claiming, "render", broken)
    message = a_message(visit)
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("failed", "not-rendered")
    assert visit.patient_email not in message.error_advice


def test_a_queue_that_stands_still_raises_an_alert_and_resolves_it(
    visit: Appointment, vendor: Vendor, clock: TestClock
) -> None:
    message = a_message(visit)
    clock.forward(timedelta(minutes=11))
    sweeping.watch()
    assert Alert.objects.filter(kind="queue-stuck", resolved_at=None).exists()
    sending.send(message.pk)
    sweeping.watch()
    assert not Alert.objects.filter(kind="queue-stuck", resolved_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_ten_workers_at_once_send_one_message_once(vendor: Vendor) -> None:
    visit = make_appointment(make_service(), status="paid")
    message = a_message(visit)
    together = threading.Barrier(10)

    def work() -> None:
        try:
            together.wait()
            sending.send(message.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vendor.taken) == 1
    assert Notification.objects.get(pk=message.pk).attempts == 1


@pytest.mark.django_db(transaction=True)
def test_no_vendor_is_called_inside_a_transaction(vendor: Vendor) -> None:
    visit = make_appointment(make_service(), status="paid")
    inside: list[bool] = []
    vendor.before = lambda: inside.append(connection.in_atomic_block)
    sending.send(a_message(visit).pk)
    assert inside == [False]
