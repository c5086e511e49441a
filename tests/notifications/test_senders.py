"""The senders: in order of due time, many at once, and one that is at fault stands in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection

from bedside.appointments.models import Appointment
from bedside.core.models import Alert, Event
from bedside.notifications import claiming, claims, postman, queue, sending
from bedside.notifications.content import facts_for
from bedside.notifications.models import Channel, Kind, Notification
from bedside.notifications.transports.base import TransportError
from tests.conftest import TestClock
from tests.factories import make_appointment, make_service
from tests.notifications.conftest import Vendor, a_message, soon

ME = 4711


def take(limit: int = 10, channel: str = Channel.EMAIL) -> list[int]:
    return [attempt.notification.pk for attempt in claiming.take_next(channel, limit, sender=ME).attempts]


@pytest.mark.django_db
def test_what_is_due_first_goes_first_whatever_was_queued_first(visit: Appointment, clock: TestClock) -> None:
    due = {minutes: a_message(visit, version=minutes, due_at=soon(minutes=minutes)).pk for minutes in (5, 2, 9, 1)}
    clock.forward(timedelta(minutes=6))
    assert take(2) == [due[1], due[2]]
    assert take() == [due[5]]
    assert take() == []


@pytest.mark.django_db
def test_each_channel_has_its_own_line(visit: Appointment) -> None:
    email, text = a_message(visit), a_message(visit, channel=Channel.SMS)
    assert take(channel=Channel.SMS) == [text.pk]
    assert take(channel=Channel.EMAIL) == [email.pk]


@pytest.mark.django_db
def test_what_waits_for_the_meeting_goes_when_it_is_there_or_the_wait_is_over(
    visit: Appointment, clock: TestClock
) -> None:
    held = a_message(visit, hold_until=soon(seconds=30))
    later = a_message(visit, version=2, hold_until=soon(seconds=30))
    assert take() == []
    Notification.objects.filter(pk=later.pk).update(kind=Kind.MANUAL)
    queue.let_go(visit.pk, [Kind.CONFIRMATION])
    assert take() == [held.pk]
    clock.forward(timedelta(seconds=30))
    assert take() == [later.pk]


@pytest.mark.django_db
def test_of_two_first_texts_in_one_batch_one_says_how_to_opt_out(visit: Appointment) -> None:
    for version in (1, 2):
        a_message(visit, channel=Channel.SMS, version=version)
    taken = claiming.take_next(Channel.SMS, 10, sender=ME)
    assert ["STOP" in attempt.message.body for attempt in taken.attempts] == [True, False]


@pytest.mark.django_db
def test_a_message_that_breaks_the_batch_is_put_off_and_the_others_go(
    visit: Appointment, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = a_message(visit), a_message(visit, version=2)

    def facts(notification: Notification) -> Any:
        if notification.pk == bad.pk:
            raise DatabaseError
        return facts_for(notification)

    monkeypatch.setattr(claiming, "facts_for", facts)
    with pytest.raises(claiming.CannotTake) as caught:
        take()
    taken = postman._one_by_one(caught.value.ids, ME)
    assert [attempt.notification.pk for attempt in taken.attempts] == [good.pk]
    bad.refresh_from_db()
    assert (bad.status, bad.error_code, bad.attempts) == ("queued", "broken-try", 1)
    assert bad.due_at > good.due_at


@pytest.mark.django_db
def test_a_batch_s_outcomes_are_all_recorded(visit: Appointment, vendor: Vendor) -> None:
    sent, failed = a_message(visit, channel=Channel.SMS), a_message(visit, channel=Channel.SMS, version=2)
    taken = claiming.take_next(Channel.SMS, 10, sender=ME)
    outcomes = [sending.hand_over(attempt) for attempt in taken.attempts]
    refused = TransportError("21610", permanent=True, advice="Ask them to text START.")
    outcomes[1] = sending.Outcome(failed.pk, error=refused, to=visit.patient_mobile)
    sending.recording.record(outcomes)
    sent.refresh_from_db()
    failed.refresh_from_db()
    assert (sent.status, sent.vendor_id, sent.sender) == ("sent", "vendor-1", None)
    assert (failed.status, failed.error_code, failed.sender) == ("failed", "21610", None)
    assert list(Event.objects.filter(name="NotificationSent").values_list("ids", flat=True)) == [
        {"appointment_id": visit.pk, "notification_id": sent.pk}
    ]
    assert Alert.objects.filter(kind="text-failed", resolved_at=None).count() == 1
    assert queue.why_no_text(visit, "patient") == "opted-out"


@pytest.fixture
def living() -> Iterator[psycopg.Connection[Any]]:
    """A sender's own connection, holding its lock."""
    asked = connection.get_connection_params()
    wanted = {name: asked[name] for name in ("dbname", "user", "host", "port", "password") if asked.get(name)}
    with psycopg.connect(**wanted, autocommit=True) as own:
        own.execute("SELECT pg_advisory_lock(%s, %s)", [claims.NAMESPACE, ME])
        yield own


@pytest.mark.django_db
def test_a_message_is_given_back_when_its_sender_is_dead_and_the_call_has_settled(
    visit: Appointment, clock: TestClock, living: psycopg.Connection[Any]
) -> None:
    message = a_message(visit)
    assert take() == [message.pk]
    clock.forward(timedelta(hours=1))
    assert claims.give_back_lost() == 0
    assert take() == []
    assert queue.withdraw(visit.pk, reason="canceled") == 0  # it may be on its way

    living.execute("SELECT pg_advisory_unlock_all()")

    assert claims.give_back_lost() == 1
    taken = claiming.take_next(Channel.EMAIL, 10, sender=ME + 1)
    assert [attempt.may_have_arrived for attempt in taken.attempts] == [True]
    assert claims.give_back_lost() == 0  # its call may still be under way at the vendor
    clock.forward(claims.SETTLED)
    assert claims.give_back_lost() == 1


@pytest.mark.django_db(transaction=True)
def test_thirty_go_out_once_each_by_two_postmen(vendor: Vendor) -> None:
    visits = [make_appointment(make_service(), status="paid") for _ in range(3)]
    for visit in visits:
        for version in range(10):
            a_message(visit, version=version + 1)
    presence: Any = SimpleNamespace(number=ME, wait=lambda heard, seconds: heard)
    postmen = [postman.Postman(Channel.EMAIL, presence) for _ in range(2)]
    while Notification.objects.filter(status="queued").exists():
        for one in postmen:
            one.look()
    for one in postmen:
        one.pool.shutdown()
    assert len(vendor.taken) == len({message["reference"] for message in vendor.taken}) == 30
    assert set(Notification.objects.values_list("attempts", flat=True)) == {1}
