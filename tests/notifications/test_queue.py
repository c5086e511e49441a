"""Promise 3: a message is a row with a key, written with what caused it; it is queued once."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from bedside.appointments.models import Appointment
from bedside.core.audit import Actor
from bedside.notifications import queue
from bedside.notifications.models import Audience, Channel, Kind, Notification
from tests.factories import make_appointment, make_provider, make_service
from tests.notifications.conftest import a_message

CONFIRMATION = {"kind": Kind.CONFIRMATION, "audience": Audience.PATIENT, "channel": Channel.EMAIL}


@pytest.mark.django_db
def test_the_same_message_twice_is_one_row(visit: Appointment) -> None:
    first = a_message(visit)
    assert queue.enqueue(visit, **CONFIRMATION) is None
    assert [one.pk for one in Notification.objects.all()] == [first.pk]


@pytest.mark.django_db
def test_the_database_refuses_a_second_row_with_the_key(visit: Appointment) -> None:
    first = a_message(visit)
    first.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save()


@pytest.mark.django_db
def test_asked_for_again_it_is_a_new_version(visit: Appointment) -> None:
    a_message(visit)
    again = a_message(visit, version=2, requested_by=Actor.patient())
    assert again.requested_by == "patient"
    assert Notification.objects.count() == 2


@pytest.mark.django_db
def test_a_change_that_is_rolled_back_takes_its_message_along(visit: Appointment) -> None:
    with transaction.atomic():
        queue.defer_send(a_message(visit))
        transaction.set_rollback(True)
    assert not Notification.objects.exists()


@pytest.mark.django_db
def test_who_did_not_agree_to_texts_gets_none() -> None:
    refused = make_appointment(make_service(), status="paid", sms_consent=False)
    assert queue.enqueue(refused, kind="confirmation", audience="patient", channel="sms") is None
    assert queue.enqueue(refused, kind="confirmation", audience="patient", channel="email") is not None


@pytest.mark.django_db
def test_a_provider_without_a_number_gets_email_only() -> None:
    visit = make_appointment(make_service(make_provider(mobile_number="")), status="paid")
    assert queue.enqueue(visit, kind="confirmation", audience="provider", channel="sms") is None
    assert queue.enqueue(visit, kind="confirmation", audience="provider", channel="email") is not None


@pytest.mark.django_db
def test_what_waits_is_taken_back_and_what_was_sent_stays(visit: Appointment) -> None:
    sent, waiting = a_message(visit), a_message(visit, channel=Channel.SMS)
    Notification.objects.filter(pk=sent.pk).update(status="sent")
    assert queue.withdraw(visit.pk, reason="canceled") == 1
    waiting.refresh_from_db()
    assert (waiting.status, waiting.error_code) == ("withdrawn", "canceled")
    assert Notification.objects.get(pk=sent.pk).status == "sent"


@pytest.mark.django_db(transaction=True)
def test_twenty_who_queue_the_same_message_at_once_make_one_row() -> None:
    visit = make_appointment(make_service(), status="paid")
    together, made = threading.Barrier(20), []

    def enqueue() -> None:
        try:
            together.wait()
            with transaction.atomic():
                made.append(queue.enqueue(visit, **CONFIRMATION))
        finally:
            connection.close()

    threads = [threading.Thread(target=enqueue) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 20
    assert len([one for one in made if one is not None]) == 1
    assert Notification.objects.count() == 1


@pytest.mark.django_db
def test_what_is_personal_is_sealed_in_the_row(visit: Appointment, vendor) -> None:  # type: ignore[no-untyped-def]
    from bedside.notifications import sending

    message = a_message(visit)
    sending.send(message.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT recipient, subject, body FROM notifications_notification WHERE id = %s", [message.pk])
        row = cursor.fetchone()
    assert all(visit.patient_email.encode() not in bytes(cell) for cell in row)
    message.refresh_from_db()
    assert message.recipient == visit.patient_email
