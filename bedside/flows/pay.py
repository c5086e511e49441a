"""Pay: ask the processor for the truth and act on it. Webhook, return page and poll all lead here; the first wins."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import IntegrityError, transaction
from psycopg.errors import ExclusionViolation

from bedside.appointments.errors import AlreadyOver, HoldExpired
from bedside.appointments.events import AppointmentPaid
from bedside.appointments.locks import lock_provider
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import alerts, audit, clock
from bedside.core.audit import Actor
from bedside.core.events import publish
from bedside.core.models import AuditEntry
from bedside.core.money import format_money
from bedside.flows import announce, credits, hold, intake, payment_link, refund
from bedside.payments import ledger
from bedside.payments.errors import CreditChanged
from bedside.payments.events import PaymentCaptured, PaymentFailed
from bedside.payments.models import Payment
from bedside.payments.processors import processor
from bedside.payments.processors.base import CheckoutState
from bedside.payments.states import PaymentStatus, may_pay
from bedside.schedule.impact import can_be_held
from bedside.schedule.licenses import is_licensed
from bedside.schedule.limits import full_days
from bedside.schedule.windows import to_minute, up_to_minute

log = structlog.get_logger(__name__)
FREE = "none"  # the "processor" of a visit that costs nothing


def settle(payment_id: int) -> Appointment:
    """Bring a payment, and its appointment, to what the processor says. Idempotent; vendors' errors pass through."""
    payment = Payment.objects.select_related("appointment").get(pk=payment_id)
    if not payment.session_id:
        return payment.appointment
    state = processor().look_up(payment.session_id)
    with transaction.atomic():
        lock_provider(payment.appointment.provider_id)
        appointment = Appointment.objects.select_for_update().get(pk=payment.appointment_id)
        payment = Payment.objects.select_for_update().get(pk=payment_id)
        payment.appointment = appointment
        if state.paid and state.amount.currency != payment.currency:
            _say_currency(payment, state)
        elif state.paid and may_pay(payment.status, PaymentStatus.SUCCEEDED) and not payment.captured_minor:
            _capture(payment, state)
            _conclude(appointment, payment)
        elif state.decline_code and payment.status == PaymentStatus.INITIATED:
            _note_decline(payment, state.decline_code)
        elif state.status == "expired" and payment.status == PaymentStatus.INITIATED:
            payment.status = PaymentStatus.EXPIRED
            payment.save(update_fields=["status"])
    return appointment


def settle_free(appointment: Appointment, payment: Payment) -> None:
    """Nothing is to be paid, so no processor is asked. In the booking's own transaction, under the provider's lock."""
    nothing = CheckoutState("", "complete", paid=True, amount=payment.amount, intent_id=f"free-{payment.pk}")
    _capture(payment, nothing)
    _conclude(appointment, payment)


def _capture(payment: Payment, state: CheckoutState) -> None:
    payment.status = PaymentStatus.SUCCEEDED
    payment.captured_minor = state.amount.minor_units
    payment.intent_id = state.intent_id
    payment.failure_code = ""
    payment.succeeded_at = state.paid_at or clock.now()
    payment.save()
    ledger.record_charge(payment, occurred_at=payment.succeeded_at)
    publish(PaymentCaptured(appointment_id=payment.appointment_id, payment_id=payment.pk))
    if state.amount != payment.amount:
        alerts.raise_alert(
            "amount-differs",
            f"payment:{payment.pk}",
            "The processor took another amount than was asked for. Compare the two and refund the difference.",
            appointment_id=payment.appointment_id,
        )


def _say_currency(payment: Payment, state: CheckoutState) -> None:
    """Money of another currency fits neither the price nor the books: a person must look, and nothing is counted."""
    alerts.raise_alert(
        "currency-differs",
        f"payment:{payment.pk}",
        f"The processor took {format_money(state.amount)} for visit {payment.appointment.code}, and {payment.currency} "
        "was asked for. Nothing is counted here: refund it in the processor's dashboard and call the patient.",
        appointment_id=payment.appointment_id,
    )


def _conclude(appointment: Appointment, payment: Payment) -> None:
    """The money is here: the visit stands, or the money goes back."""
    if appointment.status == Status.PENDING_PAYMENT:
        mark_paid(appointment)
    elif appointment.status == Status.EXPIRED and _take_again(appointment, payment):
        log.info("late_payment_took_slot_again", appointment_id=appointment.pk)
    else:
        log.warning("late_payment_refunded", appointment_id=appointment.pk)
        alerts.raise_alert(
            "late-payment",
            f"payment:{payment.pk}",
            "A payment came late, and its time can't be given any more. It is being refunded in full; the patient is "
            "told.",
            appointment_id=appointment.pk,
        )
        refund.request(
            payment,
            amount_minor=payment.captured_minor,
            reason="The payment came late, and the time could not be given any more.",
            actor=Actor.system(),
            key=f"late-{payment.pk}",
        )


def mark_paid(appointment: Appointment) -> None:
    """The visit stands: everyone is told, and the meeting is made. In the caller's transaction, under its locks."""
    before = appointment.move_to(Status.PAID)
    appointment.paid_at = clock.now()
    appointment.hold_expires_at = None
    appointment.save()
    audit.record(Actor.system(), "appointment.paid", appointment, before={"status": before}, after={"status": "paid"})
    announce.confirmed(appointment)
    intake.ask(appointment)
    publish(AppointmentPaid(**hold.ids_of(appointment)))


def _take_again(appointment: Appointment, payment: Payment) -> bool:
    """The late-payment rule: the same time, if it is still ahead and nobody else has it; a credit likewise.

    What changed meanwhile counts as for a new booking: the provider's day may be full, or the license over.
    """
    now = clock.now()
    if appointment.start <= now or not _may_be_seen(appointment, now):
        return False
    hold.expire_in_the_way(appointment.provider, appointment.blocked, now)
    try:
        with transaction.atomic():
            credits.spend_again(payment)
            mark_paid(appointment)
    except CreditChanged:
        appointment.refresh_from_db()
        return False
    except IntegrityError as error:
        if not isinstance(error.__cause__, ExclusionViolation):
            raise
        appointment.refresh_from_db()
        return False
    return True


def _may_be_seen(appointment: Appointment, now: datetime) -> bool:
    """Whether the provider still works here and then, is licensed where the patient will be, and may have one more."""
    service, provider, place = appointment.service, appointment.provider, appointment.patient_location
    since, until = to_minute(appointment.start), up_to_minute(appointment.end)
    if not provider.active or (place and not is_licensed(provider, place, until)):
        return False
    if not can_be_held(appointment) and not _was_agreed_outside_hours(appointment):
        return False
    full = full_days(service, {provider.pk: provider}, since, until, now).get(provider.pk, [])
    return not any(begins <= since < ends for begins, ends in full)


def _was_agreed_outside_hours(appointment: Appointment) -> bool:
    """The desk took the time although it wasn't offered, with a reason."""
    booked = AuditEntry.objects.filter(
        action="appointment.created", subject_kind="appointment", subject_id=str(appointment.pk)
    )
    return booked.filter(after__override=True).exists()


def _note_decline(payment: Payment, code: str) -> None:
    if payment.failure_code == code:
        return
    payment.failure_code = code
    payment.save(update_fields=["failure_code"])
    announce.payment_failed(payment.appointment)
    publish(PaymentFailed(appointment_id=payment.appointment_id, payment_id=payment.pk))


def checkout_url(appointment: Appointment) -> str:
    """Where an unpaid visit can be paid, while its hold lasts: the open session, or for a payment link a fresh one.

    Raises HoldExpired, AlreadyOver, CheckoutUnavailable (the hold stays).
    """
    if appointment.status == Status.EXPIRED or (
        appointment.status == Status.PENDING_PAYMENT and not appointment.hold_is_open
    ):
        raise HoldExpired
    payment: Payment | None = appointment.payment
    if appointment.status != Status.PENDING_PAYMENT or payment is None:
        raise AlreadyOver
    if payment.session_url and payment.session_expires_at and payment.session_expires_at > clock.now():
        return str(payment.session_url)
    return payment_link.open_checkout(appointment.pk)
