"""Pay manually: the desk took the money itself, or waives it. The processor's page is closed first."""

from __future__ import annotations

from django.db import transaction

from bedside.appointments.errors import AlreadyOver, HoldExpired
from bedside.appointments.locks import lock_provider
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.flows import hold, pay
from bedside.payments import ledger
from bedside.payments.errors import AlreadyPaid, ProcessorSilent, ReasonNeeded
from bedside.payments.models import MANUAL, Method, Payment
from bedside.payments.processors.base import ProcessorError
from bedside.payments.states import PaymentStatus


def pay_manually(*, appointment_id: int, method: Method, reference: str = "", actor: Actor) -> Appointment:
    """Record what the desk took for an unpaid visit; with ``Method.WAIVED`` nothing is taken, and ``reference`` is why.

    Raises PermissionRefused, ReasonNeeded, AlreadyPaid (the patient was quicker, online), ProcessorSilent (whether the
    patient is paying can't be known now), AlreadyOver, HoldExpired.
    """
    if not actor.is_staff:
        raise PermissionRefused
    if method == Method.WAIVED and not reference.strip():
        raise ReasonNeeded
    closed = _close_online(appointment_id)
    with transaction.atomic():
        lock_provider(Appointment.objects.values_list("provider_id", flat=True).get(pk=appointment_id))
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        if appointment.status == Status.PAID:
            raise AlreadyPaid
        if appointment.status == Status.EXPIRED:
            raise HoldExpired
        if appointment.status != Status.PENDING_PAYMENT:
            raise AlreadyOver
        payment = Payment.objects.select_for_update().filter(appointment=appointment).order_by("-pk").first()
        if payment is None or payment.session_id != closed:
            # The patient has opened the processor's page in this very moment.
            raise ProcessorSilent
        payment.appointment = appointment
        record(payment, method=method, reference=reference, actor=actor)
    return appointment


def record(payment: Payment, *, method: Method, reference: str, actor: Actor) -> None:
    """The payment and its visit become paid, in the caller's transaction and under its locks."""
    closed = payment.session_id
    payment.processor, payment.method, payment.reference = MANUAL, method, reference.strip()[:200]
    payment.session_id, payment.session_url, payment.session_expires_at = "", "", None
    payment.intent_id, payment.failure_code = f"manual-{payment.pk}", ""
    payment.captured_minor = 0 if method == Method.WAIVED else payment.amount_minor
    payment.status, payment.succeeded_at = PaymentStatus.SUCCEEDED, clock.now()
    payment.save()
    ledger.record_charge(payment, occurred_at=payment.succeeded_at)
    audit.record(
        actor,
        "payment.recorded",
        payment.appointment,
        before={"session": closed} if closed else None,
        after={"method": str(method), "captured_minor": payment.captured_minor, "payment": payment.pk},
        reason=reference if method == Method.WAIVED else "",
    )
    pay.mark_paid(payment.appointment)


def _close_online(appointment_id: int) -> str:
    """Close the processor's page, so that nobody pays twice; the session's id, or "" where there was none."""
    payment = Payment.objects.filter(appointment_id=appointment_id).order_by("-pk").first()
    if payment is None or not payment.session_id or payment.status != PaymentStatus.INITIATED:
        return payment.session_id if payment else ""
    try:
        was_paid = hold.session_was_paid(payment)
        if was_paid:
            pay.settle(payment.pk)
    except ProcessorError as error:
        raise ProcessorSilent from error
    if was_paid:
        raise AlreadyPaid
    return payment.session_id
