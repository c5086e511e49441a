"""The payment link: the visit's own page, sent by email and text, opens a fresh checkout while the hold lasts."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from bedside.appointments.errors import AlreadyOver, HoldExpired
from bedside.appointments.models import Appointment, Source
from bedside.appointments.states import Status
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.flows import announce, checkout
from bedside.payments.errors import CheckoutUnavailable
from bedside.payments.models import Payment
from bedside.payments.processors.base import ProcessorError
from bedside.payments.states import PaymentStatus

# Stripe's sessions live 30 minutes at least, and the hold outlasts its session: too late for a new one after this.
LAST_CALL = timedelta(minutes=30) + checkout.SESSION_MARGIN + timedelta(minutes=1)


def pay_until(appointment: Appointment) -> datetime:
    """Until when the link opens a checkout. UTC."""
    assert appointment.hold_expires_at is not None
    return appointment.hold_expires_at - LAST_CALL


def can_pay(appointment: Appointment) -> bool:
    """Whether there is still a page to pay on, or one can be opened."""
    if not appointment.hold_is_open or appointment.source != Source.DESK or pay_until(appointment) > clock.now():
        return appointment.hold_is_open
    payment = appointment.payment
    return bool(payment and payment.session_expires_at and payment.session_expires_at > clock.now())


def shown_until(appointment: Appointment) -> datetime | None:
    """Until when the patient is told that the time is held: by link, as long as it opens a checkout."""
    if appointment.source != Source.DESK or appointment.hold_expires_at is None:
        return appointment.hold_expires_at
    return pay_until(appointment)


def send(*, appointment_id: int, actor: Actor) -> None:
    """Send the link by email and text, as a new version. Raises PermissionRefused, AlreadyOver, HoldExpired."""
    if not actor.is_staff:
        raise PermissionRefused
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        if appointment.status != Status.PENDING_PAYMENT:
            raise AlreadyOver
        if pay_until(appointment) <= clock.now():
            raise HoldExpired
        audit.record(actor, "payment_link.sent", appointment, after={"until": pay_until(appointment).isoformat()})
        announce.payment_link(appointment, actor)


def open_checkout(appointment_id: int) -> str:
    """A new session of the processor, after asking what became of the one before. The hold stays if it can't be had.

    Raises HoldExpired, AlreadyOver, CheckoutUnavailable.
    """
    from bedside.flows import pay

    payment = Payment.objects.filter(appointment_id=appointment_id).order_by("-pk").first()
    if payment is not None and payment.session_id:
        try:
            pay.settle(payment.pk)
        except ProcessorError as error:
            raise CheckoutUnavailable from error
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        payment = Payment.objects.select_for_update().filter(appointment=appointment).order_by("-pk").first()
        if appointment.status != Status.PENDING_PAYMENT or payment is None or payment.is_manual:
            raise AlreadyOver
        if pay_until(appointment) <= clock.now():
            raise HoldExpired
        if payment.status == PaymentStatus.EXPIRED:
            payment.status, payment.failure_code = PaymentStatus.INITIATED, ""
            payment.save(update_fields=["status", "failure_code"])
        payment.appointment = appointment
    return checkout.open_for(payment, link=True)
