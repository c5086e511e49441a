"""Disputes: a patient's bank takes a payment back. Followed from the first word to the last; a person answers."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from bedside.appointments.states import Status
from bedside.core import alerts, audit, clock
from bedside.core.audit import Actor
from bedside.core.events import publish
from bedside.core.money import format_money
from bedside.flows import cancel, refund
from bedside.payments import ledger
from bedside.payments.bank_models import Dispute
from bedside.payments.events import DisputeChanged
from bedside.payments.models import Payment
from bedside.payments.processors.base import DisputeState
from bedside.payments.states import DISPUTE_OVER, DISPUTE_UNANSWERED

DUE_SOON = timedelta(days=2)


def record(payment: Payment, state: DisputeState) -> Dispute:
    """Bring a dispute, and the ledger, to what the processor says. Idempotent; one that is decided stays decided."""
    with transaction.atomic():
        payment = Payment.objects.select_for_update().select_related("appointment").get(pk=payment.pk)
        dispute = Dispute.objects.filter(processor=payment.processor, dispute_id=state.dispute_id).first()
        before = dispute.status if dispute else ""
        dispute = dispute or Dispute(payment=payment, processor=payment.processor, dispute_id=state.dispute_id)
        if before not in DISPUTE_OVER or state.status in DISPUTE_OVER:
            _write(dispute, state)
        for moved in state.movements:
            ledger.record_movement(payment, moved)
        if dispute.status != before:
            _tell(dispute, payment, before)
    return dispute


def _write(dispute: Dispute, state: DisputeState) -> None:
    dispute.status, dispute.reason = state.status[:30], state.reason[:60]
    dispute.amount_minor, dispute.currency = state.amount.minor_units, state.amount.currency
    dispute.refundable, dispute.due_at, dispute.opened_at = state.refundable, state.due_at, state.created_at
    if dispute.is_over and dispute.closed_at is None:
        dispute.closed_at = clock.now()
    dispute.save()


def _tell(dispute: Dispute, payment: Payment, before: str) -> None:
    audit.record(
        Actor.system(),
        "dispute.opened" if not before else "dispute.changed",
        payment.appointment,
        before={"status": before} if before else None,
        after={"status": dispute.status, "reason": dispute.reason, "amount_minor": dispute.amount_minor},
    )
    publish(DisputeChanged(appointment_id=payment.appointment_id, dispute_id=dispute.pk))
    key = f"dispute:{dispute.pk}"
    if dispute.needs_answer:
        until = f" Evidence counts until {dispute.due_at:%B %d, %H:%M} UTC." if dispute.due_at else ""
        alerts.raise_alert(
            "dispute",
            key,
            f"A patient's bank disputes a payment of {dispute.amount}.{until} See Disputes for what to hand in.",
            appointment_id=payment.appointment_id,
        )
    else:
        alerts.resolve_alert("dispute", key)
        alerts.resolve_alert("dispute-due", key)
    if dispute.is_over:
        _say_whose_the_money_is(payment, dispute)


def _say_whose_the_money_is(payment: Payment, dispute: Dispute) -> None:
    """Decided: what the bank gave back of a visit that fell through meanwhile is owed to the patient by the policy."""
    key, appointment = f"payment:{payment.pk}", payment.appointment
    if not payment.refundable_minor or refund.is_disputed(payment):
        alerts.resolve_alert(refund.WAITS, key)
        return
    ended = appointment.concluded_at if appointment.status == Status.NO_SHOW else appointment.canceled_at
    if ended is None or ended < dispute.opened_at:
        return
    owed = cancel.owed_since(appointment, payment)
    if owed:
        alerts.raise_alert(
            refund.WAITS,
            key,
            f"The bank gave the money of visit {appointment.code} back. It fell through meanwhile, and by the policy "
            f"{format_money(owed)} goes back to the patient: refund it from the visit's page.",
            appointment_id=appointment.pk,
        )


def remind_of_due() -> None:
    """An alert for each dispute whose evidence is due within two days and was not handed in."""
    now = clock.now()
    due = Dispute.objects.filter(status__in=DISPUTE_UNANSWERED, due_at__gt=now, due_at__lte=now + DUE_SOON)
    for dispute in due.select_related("payment"):
        alerts.raise_alert(
            "dispute-due",
            f"dispute:{dispute.pk}",
            f"Evidence for a dispute of {dispute.amount} is due by {dispute.due_at:%B %d, %H:%M} UTC.",
            appointment_id=dispute.payment.appointment_id,
        )
