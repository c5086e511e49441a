"""Reverse a credit: what is left of it can't be spent any more, and the money that it stood in for finds its place.

Where the visit stands, it is the visit's payment again. Where the visit won't take place, it goes back to the patient
in the same transaction, unless the desk decides that the practice keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from bedside.appointments.errors import ChangedMeanwhile
from bedside.appointments.models import Appointment
from bedside.appointments.states import WONT_TAKE_PLACE
from bedside.core import alerts, audit
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.money import Money, format_money
from bedside.flows import credits, dashboard_refund, refund
from bedside.payments.credit_models import Credit
from bedside.payments.errors import CreditChanged, RefundsUnknown
from bedside.payments.models import Payment, Refund
from bedside.payments.processors import processor
from bedside.payments.processors.base import ProcessorError, RefundState


@dataclass(frozen=True)
class Preview:
    """What reversing would do. ``left`` can't be spent any more; ``refund`` is what of it may go back as money.

    ``stands``: it counts as the visit's payment again. ``disputed``: the bank holds it. ``by_hand``: the desk took it.
    """

    left: Money
    refund: Money
    stands: bool
    disputed: bool
    by_hand: bool


@dataclass(frozen=True)
class Reversal:
    """What was done: ``left`` was taken back; of that ``refunded`` is on its way, ``kept`` stays, ``waiting`` waits."""

    left: Money
    refunded: Money
    kept: Money
    waiting: Money


def preview(credit: Credit) -> Preview:
    payment, left = credit.payment, credit.left_minor
    stands = credit.goodwill or payment.appointment.status not in WONT_TAKE_PLACE
    owed = 0 if stands else min(left, payment.credited_minor)
    return Preview(
        left=Money(left, credit.currency),
        refund=Money(owed, credit.currency),
        stands=stands,
        disputed=bool(owed) and refund.is_disputed(payment),
        by_hand=payment.is_manual,
    )


def reverse(*, credit_id: int, reason: str, actor: Actor, keep: bool = False) -> Reversal:
    """Take back what is left of a credit. With ``keep`` no money goes back though the visit won't take place.

    Refunds of the processor's own dashboard are asked for first, and count. While a bank holds the money nothing goes
    back, and an alert says what is left to do. Raises PermissionRefused, CreditChanged (nothing is left),
    ChangedMeanwhile, RefundsUnknown (the processor doesn't answer); then nothing has changed.
    """
    if not actor.is_staff:
        raise PermissionRefused
    there = _refunds_there(Credit.objects.select_related("payment__appointment").get(pk=credit_id))
    with transaction.atomic():
        payment = _lock(credit_id)
        credit = Credit.objects.select_for_update().get(pk=credit_id)
        if credit.left_minor <= 0:
            raise CreditChanged
        planned = preview(credit)
        credits.take_back(credit, payment, actor=actor, reason=reason)
        found = _follow(payment, there)
        payment = Payment.objects.select_related("appointment").get(pk=payment.pk)
        owed = Money(min(max(planned.refund.minor_units - found, 0), payment.refundable_minor), payment.currency)
        done = _settle(credit, payment, planned, owed, actor, keep=keep)
        if planned.refund:
            audit.record(
                actor,
                "credit.money_settled",
                payment.appointment,
                after={
                    "credit": credit.pk,
                    "refund_minor": done.refunded.minor_units,
                    "kept_minor": done.kept.minor_units,
                    "waiting_minor": done.waiting.minor_units,
                },
                reason=reason,
            )
    return done


def _refunds_there(credit: Credit) -> list[RefundState]:
    """Refunds at the processor, which somebody may have made in its dashboard; only where money might go back."""
    payment, bank = credit.payment, processor()
    if preview(credit).stands or payment.processor != bank.name or not payment.intent_id:
        return []
    try:
        return list(bank.refunds_of(payment.intent_id))
    except ProcessorError as error:
        raise RefundsUnknown from error


def _lock(credit_id: int) -> Payment:
    """The visit's row, then the payment's: nobody cancels or moves the visit in between."""
    before = Payment.objects.get(credits_issued=credit_id)
    appointment = Appointment.objects.select_for_update().get(pk=before.appointment_id)
    payment = Payment.objects.select_for_update().get(pk=before.pk)
    if payment.appointment_id != appointment.pk:
        raise ChangedMeanwhile
    return payment


def _follow(payment: Payment, there: list[RefundState]) -> int:
    """Bring refunds that the dashboard made to here; what they came to, minor units."""
    ours = set(Refund.objects.filter(payment=payment).values_list("pk", flat=True))
    for state in there:
        try:
            dashboard_refund.follow(payment, state)
        except dashboard_refund.NoRoomYet:
            continue  # its alert stays open
    made = Refund.objects.filter(payment=payment).exclude(pk__in=ours).exclude(status="failed")
    return sum(made.values_list("refund_amount", flat=True))


def _settle(credit: Credit, payment: Payment, planned: Preview, owed: Money, actor: Actor, *, keep: bool) -> Reversal:
    nothing = Money(0, credit.currency)
    if not owed:
        return Reversal(planned.left, nothing, nothing, nothing)
    if keep:
        return Reversal(planned.left, nothing, owed, nothing)
    if refund.is_disputed(payment):
        alerts.raise_alert(
            refund.WAITS,
            f"payment:{payment.pk}",
            f"A credit was taken back while the patient's bank holds the money of visit {payment.appointment.code}. "
            f"If the dispute is won, refund {format_money(owed)} from the visit's page; if lost, nothing is owed.",
            appointment_id=payment.appointment_id,
        )
        return Reversal(planned.left, nothing, nothing, owed)
    refund.request(
        payment,
        amount_minor=owed.minor_units,
        reason="A credit was taken back.",
        actor=actor,
        key=f"reversed-{credit.pk}-{credit.entries.count()}",
    )
    return Reversal(planned.left, owed, nothing, nothing)
