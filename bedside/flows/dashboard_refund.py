"""A refund that somebody made in the processor's own dashboard: it appears here as if it had been made here."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Sum

from bedside.core import alerts, audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError
from bedside.core.money import Money, format_money
from bedside.flows import refund
from bedside.payments.credit_models import Credit, CreditEntry, CreditKind
from bedside.payments.models import Payment, Refund
from bedside.payments.processors.base import RefundState
from bedside.payments.states import RefundStatus

REASON = "Made in the processor's dashboard."


class NoRoomYet(BedsideError):
    """Refunds of ours are counted that the processor is about to refuse: this one fits in after them."""

    code = "refund-does-not-fit-yet"


def follow(payment: Payment, state: RefundState) -> None:
    """Bring a refund of this payment to what the processor says, whoever made it. Idempotent.

    Raises NoRoomYet, with an alert, where refunds under way here, or a credit that can still be taken back, leave no
    room for one that the dashboard made.
    """
    key = f"payment:{payment.pk}"
    try:
        with transaction.atomic():
            _follow(payment, state)
    except NoRoomYet:
        alerts.raise_alert(
            "refund-unexplained",
            key,
            "The processor's dashboard shows a refund that doesn't fit what is left of the payment here. "
            "It is tried again. Where a credit was given instead, reverse it first; else compare the two.",
            appointment_id=payment.appointment_id,
        )
        raise


def _follow(payment: Payment, state: RefundState) -> None:
    locked = Payment.objects.select_for_update().select_related("appointment").get(pk=payment.pk)
    ours = Refund.objects.filter(payment=locked)
    known = ours.filter(refund_id=state.refund_id).first() or (
        ours.filter(idempotency_key=state.key).first() if state.key else None
    )
    if known is None and state.status == RefundStatus.FAILED:
        return  # it came to nothing before anybody here had heard of it
    refund.record((known or _adopt(locked, state)).pk, state)


def _adopt(payment: Payment, state: RefundState) -> Refund:
    assert state.amount is not None
    amount = state.amount.minor_units
    if state.amount.currency != payment.currency:
        raise NoRoomYet
    _make_room(payment, amount - payment.refundable_minor)
    alerts.resolve_alert("refund-unexplained", f"payment:{payment.pk}")
    made = Refund.objects.create(
        payment=payment,
        refund_amount=amount,
        reason=REASON,
        requested_by="system",
        idempotency_key=f"dashboard-{state.refund_id}",
        refund_id=state.refund_id,
        status=RefundStatus.PENDING,
        created_at=state.created_at or clock.now(),
    )
    payment.refunded_minor += amount
    payment.save(update_fields=["refunded_minor"])
    audit.record(
        Actor.system(),
        "refund.found",
        payment.appointment,
        after={"amount_minor": amount, "refund": made.pk},
        reason=REASON,
    )
    return made


def _make_room(payment: Payment, missing: int) -> None:
    """``missing`` minor units were given as a credit that is gone: spent, or lapsed. The money went back all the same.

    Raises NoRoomYet where refunds of ours are under way, or the credit can still be taken back by the desk.
    """
    if missing <= 0:
        return
    given = Credit.objects.select_for_update().filter(payment=payment, goodwill=False).order_by("pk")
    open_minor = sum(credit.left_minor for credit in given)
    under_way = payment.refunds.filter(status=RefundStatus.PENDING).exists()
    if under_way or missing > payment.credited_minor - open_minor:
        raise NoRoomYet
    payment.credited_minor -= missing
    payment.save(update_fields=["credited_minor"])
    lapsed = CreditEntry.objects.filter(credit__in=given, kind=CreditKind.EXPIRED).aggregate(sum=Sum("amount_minor"))
    twice = Money(max(missing + (lapsed["sum"] or 0), 0), payment.currency)
    if twice:
        alerts.raise_alert(
            "given-twice",
            f"payment:{payment.pk}",
            f"The processor's dashboard refunded money of visit {payment.appointment.code} that had been given as a "
            f"credit, and {format_money(twice)} of the credit was spent already: the patient has had it twice. "
            "The books count both; agree with the patient on what to do.",
            appointment_id=payment.appointment_id,
        )
