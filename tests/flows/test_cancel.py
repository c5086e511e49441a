"""Canceling: by the policy, once, with the slot free and everyone told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bedside.appointments.errors import AlreadyOver
from bedside.core.audit import Actor
from bedside.core.models import AuditEntry
from bedside.flows import cancel, pay, refund
from bedside.notifications.models import Notification
from bedside.payments.models import Refund
from tests.flows.conftest import pay_at_the_bank

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(book_visit):  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    return pay.settle(appointment.payment.pk)


def test_within_the_free_time_everything_comes_back(paid) -> None:  # type: ignore[no-untyped-def]
    assert cancel.preview(paid).refund.minor_units == 8500
    cancel.cancel(appointment_id=paid.pk, actor=Actor.patient(), reason="Feeling better")
    refund.carry_out(Refund.objects.get().pk)
    paid.refresh_from_db()
    assert (paid.status, paid.canceled_by, paid.cancellation_reason) == ("canceled", "patient", "Feeling better")
    assert paid.payment.status == "refunded"


def test_after_the_free_time_the_patient_gets_nothing_back_and_the_preview_says_so(paid, clock) -> None:  # type: ignore[no-untyped-def]
    clock.set(paid.start - timedelta(hours=3))
    assert not cancel.preview(paid).free
    cancel.cancel(appointment_id=paid.pk, actor=Actor.patient())
    assert not Refund.objects.exists()


def test_when_the_practice_cancels_everything_comes_back_at_any_time(paid, clock) -> None:  # type: ignore[no-untyped-def]
    clock.set(paid.start - timedelta(hours=3))
    cancel.cancel(appointment_id=paid.pk, actor=Actor("admin", 1))
    assert Refund.objects.get().refund_amount == 8500


def test_the_slot_is_free_again(paid, book_visit) -> None:  # type: ignore[no-untyped-def]
    cancel.cancel(appointment_id=paid.pk, actor=Actor.patient())
    assert book_visit(service=paid.service, start=paid.start).appointment.status == "pending_payment"


def test_reminders_are_withdrawn_and_everyone_is_told(paid) -> None:  # type: ignore[no-untyped-def]
    cancel.cancel(appointment_id=paid.pk, actor=Actor.patient())
    assert set(Notification.objects.filter(kind="reminder").values_list("status", flat=True)) == {"withdrawn"}
    assert Notification.objects.filter(kind="canceled").count() == 4


def test_canceling_twice_is_canceling_once(paid) -> None:  # type: ignore[no-untyped-def]
    for _ in range(2):
        cancel.cancel(appointment_id=paid.pk, actor=Actor.patient())
    assert Refund.objects.count() == 1
    assert AuditEntry.objects.filter(action="appointment.canceled").count() == 1


def test_a_visit_that_has_begun_cannot_be_canceled(paid, clock) -> None:  # type: ignore[no-untyped-def]
    clock.set(paid.start + timedelta(minutes=1))
    with pytest.raises(AlreadyOver):
        cancel.cancel(appointment_id=paid.pk, actor=Actor.patient())


def test_the_reason_is_sealed_in_the_audit_trail(paid) -> None:  # type: ignore[no-untyped-def]
    from django.db import connection

    cancel.cancel(appointment_id=paid.pk, actor=Actor.patient(), reason="My knee")
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM core_auditentry WHERE action = 'appointment.canceled'")
        assert b"knee" not in bytes(cursor.fetchone()[0])
    assert AuditEntry.objects.get(action="appointment.canceled").reason == "My knee"
