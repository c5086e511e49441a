"""Holds: a time kept while its patient pays, and given back by itself when that doesn't happen."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from bedside.appointments.events import AppointmentCanceled, AppointmentExpired
from bedside.appointments.locks import lock_provider
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Provider
from bedside.core import audit, clock, written
from bedside.core.audit import Actor
from bedside.core.events import publish
from bedside.payments.models import Payment
from bedside.payments.processors import processor
from bedside.payments.processors.base import ProcessorError
from bedside.payments.states import PaymentStatus

log = structlog.get_logger(__name__)
_RAN_OUT = """
    SELECT id FROM appointments_appointment
    WHERE provider_id = %s AND blocked && %s AND status = %s AND hold_expires_at <= %s
    ORDER BY id FOR UPDATE
"""


def release(appointment_id: int) -> None:
    """End a hold that has run out: the processor's session first, then the time. Safe to call at any moment.

    Where the processor says that the money came after all, the visit is paid instead.
    """
    from bedside.flows import pay

    appointment = Appointment.objects.get(pk=appointment_id)
    if appointment.status != Status.PENDING_PAYMENT or appointment.hold_is_open:
        return
    payment = appointment.payment
    was_paid = bool(payment and payment.session_id and session_was_paid(payment))
    # Still unpaid after that: it was money of another currency, which keeps no time.
    if payment and was_paid and pay.settle(payment.pk).status != Status.PENDING_PAYMENT:
        return
    with transaction.atomic():
        lock_provider(appointment.provider_id)
        locked = Appointment.objects.select_for_update().get(pk=appointment_id)
        if locked.status == Status.PENDING_PAYMENT and not locked.hold_is_open:
            _expire(locked)


def session_was_paid(payment: Payment) -> bool:
    """Close the processor's session; True where it had been paid. A session past its own end needs no answer."""
    try:
        return processor().expire_checkout(payment.session_id).paid
    except ProcessorError:
        if payment.session_expires_at and payment.session_expires_at < clock.now():
            # It can't be paid any more; if it was, the late-payment rule finds out.
            log.warning("session_not_expired", payment_id=payment.pk)
            return False
        raise


def expire_in_the_way(provider: Provider, block: DateTimeTZRange, now: datetime) -> None:
    """Expire holds that ran out and overlap ``block``, in the caller's transaction and under its provider lock."""
    stale = written.column(_RAN_OUT, provider.pk, block, Status.PENDING_PAYMENT, now)
    if stale:
        for appointment in Appointment.objects.filter(pk__in=stale).select_for_update().order_by("pk"):
            _expire(appointment)


def replace_own(hold_key: bytes) -> None:
    """A patient who goes back and chooses again gives the first time up."""
    own = Appointment.objects.select_for_update().filter(hold_key=hold_key, status=Status.PENDING_PAYMENT)
    for appointment in own.order_by("pk"):
        appointment.move_to(Status.CANCELED)
        appointment.canceled_by, appointment.canceled_at = "patient", clock.now()
        appointment.cancellation_reason = "Chose another time."
        appointment.save()
        audit.record(
            Actor.patient(), "appointment.canceled", appointment, after={"status": "canceled", "why": "chose again"}
        )
        publish(AppointmentCanceled(**ids_of(appointment)))


def give_up(appointment_id: int) -> None:
    """The checkout could not be opened: the time is free again at once."""
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        if appointment.status == Status.PENDING_PAYMENT:
            _expire(appointment)


def _expire(appointment: Appointment) -> None:
    before = appointment.move_to(Status.EXPIRED)
    appointment.save()
    Payment.objects.filter(appointment=appointment, status=PaymentStatus.INITIATED).update(status=PaymentStatus.EXPIRED)
    audit.record(
        Actor.system(),
        "appointment.expired",
        appointment,
        before={"status": before},
        after={"status": appointment.status},
    )
    publish(AppointmentExpired(**ids_of(appointment)))


def ids_of(appointment: Appointment) -> dict[str, int]:
    """The ids that an appointment's events carry."""
    return {
        "appointment_id": appointment.pk,
        "provider_id": appointment.provider_id,
        "service_id": appointment.service_id,
    }
