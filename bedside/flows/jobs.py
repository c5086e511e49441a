"""The jobs that flows ask for. Each looks at the present state first: it may run twice, late, or after the fact."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction
from procrastinate.contrib.django import app

from bedside.appointments.events import (
    AppointmentCanceled,
    AppointmentCreated,
    AppointmentEvent,
    AppointmentRescheduled,
)
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import clock, written
from bedside.core.jobs import PATIENT_RETRY, defer, task
from bedside.flows import announce, credits, fees, hold, pay, processor_events, refund, steps
from bedside.flows import imports as imports  # its jobs are found through this module
from bedside.flows import invite as invite  # likewise
from bedside.payments.events import PaymentCaptured, RefundRequested
from bedside.payments.models import Payment
from bedside.payments.processors.base import ProcessorError
from bedside.payments.states import PaymentStatus
from bedside.video import meetings

log = structlog.get_logger(__name__)
# A payment whose webhook has not come after this long is asked about.
WEBHOOK_PATIENCE = timedelta(seconds=60)


@task(name="flows.release_hold", retry=PATIENT_RETRY)
def release_hold(appointment_id: int) -> None:
    hold.release(appointment_id)


@task(name="flows.close_checkout", retry=PATIENT_RETRY)
def close_checkout(appointment_id: int) -> None:
    """Nobody should pay for a time that is gone. Who paid in the very last moment is settled by the rule."""
    for payment in Payment.objects.filter(appointment_id=appointment_id).exclude(session_id=""):
        if not payment.captured_minor and hold.session_was_paid(payment):
            pay.settle(payment.pk)


@task(name="flows.prepare_visit", retry=PATIENT_RETRY)
def prepare_visit(appointment_id: int) -> None:
    """The meeting first, then the confirmations that waited for its link."""
    if Appointment.objects.get(pk=appointment_id).status != Status.PAID:
        return
    meetings.open_meeting(appointment_id)
    with transaction.atomic():
        announce.meeting_is_ready(appointment_id)


@task(name="flows.close_meeting", retry=PATIENT_RETRY)
def close_meeting(appointment_id: int) -> None:
    meetings.close_meeting(appointment_id)


@task(name="flows.carry_out_refund", retry=PATIENT_RETRY)
def carry_out_refund(refund_id: int) -> None:
    refund.carry_out(refund_id)


@task(name="flows.handle_processor_event", retry=PATIENT_RETRY)
def handle_processor_event(processor_event_id: int) -> None:
    processor_events.handle(processor_event_id)


@task(name="flows.collect_fee", retry=PATIENT_RETRY)
def collect_fee(payment_id: int) -> None:
    fees.collect(payment_id)


@app.periodic(cron="23 * * * *", periodic_id="look_around")
@task(name="flows.look_around", queueing_lock="flows.look_around", retry=PATIENT_RETRY)
def look_around(timestamp: int = 0) -> None:
    """What no webhook told: the processor's refunds, disputes, payouts and fees of the last days."""
    processor_events.look_around()


@app.periodic(cron="* * * * *", periodic_id="sweep")
@task(name="flows.sweep", queueing_lock="flows.sweep")
def sweep(timestamp: int = 0) -> None:
    """What a lost job or a lost webhook left behind: holds that ran out, payments nobody told us of, stuck refunds."""
    now = clock.now()
    due = Appointment.objects.filter(status=Status.PENDING_PAYMENT, hold_expires_at__lte=now)
    for appointment_id in due.values_list("pk", flat=True)[:200]:
        defer(release_hold, once=f"release:{appointment_id}", appointment_id=appointment_id)
    open_payments = Payment.objects.filter(
        status=PaymentStatus.INITIATED,
        created_at__lte=now - WEBHOOK_PATIENCE,
        session_expires_at__gte=now - timedelta(hours=2),
    ).exclude(session_id="")
    for payment_id in open_payments.values_list("pk", flat=True)[:500]:
        defer(ask_about_payment, once=f"ask:{payment_id}", payment_id=payment_id)
    for refund_id in refund.overdue():
        defer(carry_out_refund, once=f"refund:{refund_id}", refund_id=refund_id)


@app.periodic(cron="17 * * * *", periodic_id="expire_credits")
@task(name="flows.expire_credits", queueing_lock="flows.expire_credits")
def expire_credits(timestamp: int = 0) -> None:
    """Credits whose day has come lapse, one transaction each."""
    for credit_id in credits.due_to_expire():
        credits.expire(credit_id)


@app.periodic(cron="37 * * * *", periodic_id="look_up_waits")
@task(name="flows.look_up_waits", queueing_lock="flows.look_up_waits")
def look_up_waits(timestamp: int = 0) -> None:
    """How long people wait for an opening, for the operational metrics."""
    steps.look_up_waits()


@task(name="flows.ask_about_payment")
def ask_about_payment(payment_id: int) -> None:
    """A webhook may be lost: the processor is asked instead."""
    try:
        pay.settle(payment_id)
    except ProcessorError as error:
        log.warning("payment_not_answered", payment_id=payment_id, code=error.code)


# --- Reactions: what an event asks for (the table is in reactions.py) ---------------------------------------------


def end_hold_when_due(event: AppointmentCreated) -> None:
    ends = "SELECT hold_expires_at FROM appointments_appointment WHERE id = %s"
    (held_until,) = written.column(ends, event.appointment_id)
    defer(release_hold, at=held_until, appointment_id=event.appointment_id)


def prepare_visit_soon(event: AppointmentEvent) -> None:
    defer(prepare_visit, appointment_id=event.appointment_id)


def close_checkout_soon(event: AppointmentEvent) -> None:
    if Payment.objects.filter(appointment_id=event.appointment_id, captured_minor=0).exclude(session_id="").exists():
        defer(close_checkout, appointment_id=event.appointment_id)


def collect_fee_soon(event: PaymentCaptured) -> None:
    defer(collect_fee, payment_id=event.payment_id)


def close_meeting_soon(event: AppointmentCanceled) -> None:
    defer(close_meeting, appointment_id=event.appointment_id)


def close_previous_meeting_soon(event: AppointmentRescheduled) -> None:
    """With the same host, the new visit takes the meeting over (video.meetings)."""
    if event.previous_provider_id != event.provider_id:
        defer(close_meeting, appointment_id=event.previous_appointment_id)


def refund_soon(event: RefundRequested) -> None:
    defer(carry_out_refund, refund_id=event.refund_id)
