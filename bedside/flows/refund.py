"""Refund: decided and counted in one transaction, carried out by a job, followed to the end."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Sum

from bedside.core import alerts, audit, clock, flags
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.events import publish
from bedside.core.money import Money
from bedside.flows import announce
from bedside.payments import ledger
from bedside.payments.errors import (
    KeyReused,
    NothingToRefund,
    PaymentDisputed,
    RefundNotPositive,
    RefundTooLarge,
    WrongCurrency,
)
from bedside.payments.events import RefundIssued, RefundRefused, RefundRequested
from bedside.payments.models import EntryKind, LedgerEntry, Payment, Refund
from bedside.payments.processors import processor
from bedside.payments.processors.base import ProcessorError, RefundState
from bedside.payments.states import REFUND_MOVES, PaymentStatus, RefundStatus

HEARD_OF_WITHIN, STUCK_AFTER = timedelta(minutes=5), timedelta(days=1)
# What the processor made shows in its listings by then.
SURELY_SEEN_AFTER = timedelta(minutes=2)
# The alert of money that should go back once a dispute is won.
WAITS = "refund-waits"


def request(
    payment: Payment, *, amount_minor: int, reason: str, actor: Actor, key: str, currency: str | None = None
) -> Refund:
    """Count a refund against the payment and have it carried out. ``key``: asking twice with it is one refund.

    Raises NothingToRefund, RefundNotPositive, RefundTooLarge, WrongCurrency, PaymentDisputed, or KeyReused where the
    key stands for another refund. The row's lock, a constraint and a trigger hold the total under what was captured.
    """
    with transaction.atomic():
        locked = Payment.objects.select_for_update().get(pk=payment.pk)
        existing = Refund.objects.filter(idempotency_key=key).first()
        if existing:
            if (existing.payment_id, existing.refund_amount) != (locked.pk, amount_minor):
                raise KeyReused
            return existing
        check(locked, amount_minor, currency)
        refund = Refund.objects.create(
            payment=locked,
            refund_amount=amount_minor,
            reason=reason,
            requested_by=actor.kind,
            requested_by_id=actor.user_id,
            idempotency_key=key,
            created_at=clock.now(),
        )
        locked.refunded_minor += amount_minor
        locked.save(update_fields=["refunded_minor"])
        audit.record(
            actor,
            "refund.requested",
            locked.appointment,
            before={"left_minor": locked.refundable_minor + amount_minor},
            after={"amount_minor": amount_minor, "refund": refund.pk, "left_minor": locked.refundable_minor},
            reason=reason,
        )
        alerts.resolve_alert(WAITS, f"payment:{locked.pk}")
        publish(RefundRequested(appointment_id=locked.appointment_id, refund_id=refund.pk))
    return refund


def by_hand(*, payment_id: int, amount: Money, reason: str, actor: Actor, key: str) -> Refund:
    """A refund that somebody at the desk decides. A part only where the practice allows parts.

    Raises PermissionRefused, FeatureOff, and what `request` raises.
    """
    if not actor.is_staff:
        raise PermissionRefused
    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=payment_id)
        is_new = not Refund.objects.filter(idempotency_key=key).exists()
        if is_new and 0 < amount.minor_units < payment.refundable_minor and amount.currency == payment.currency:
            flags.require("partial-refunds")
        return request(
            payment,
            amount_minor=amount.minor_units,
            currency=amount.currency,
            reason=reason.strip(),
            actor=actor,
            key=key,
        )


def check(payment: Payment, amount_minor: int, currency: str | None = None) -> None:
    """Whether so much may be given back, as money or as credit; raises as `request`. The caller locks the row."""
    if payment.status != PaymentStatus.SUCCEEDED or payment.refundable_minor <= 0:
        raise NothingToRefund
    if is_disputed(payment):
        raise PaymentDisputed
    if currency is not None and currency != payment.currency:
        raise WrongCurrency
    if amount_minor <= 0:
        raise RefundNotPositive
    if amount_minor > payment.refundable_minor:
        raise RefundTooLarge


def is_disputed(payment: Payment) -> bool:
    """Whether a bank holds, or took back, the money: what its disputes moved doesn't add up to nothing."""
    moved = LedgerEntry.objects.filter(payment=payment, kind=EntryKind.DISPUTE).aggregate(sum=Sum("amount_minor"))
    return bool(moved["sum"])


def carry_out(refund_id: int) -> None:
    """Ask the processor, then record its answer. Running twice asks under the same key, which pays once.

    A definite no ends the refund as failed. An unknown outcome passes through: the job asks again, under the same key.
    """
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.status != RefundStatus.PENDING:
        return
    if refund.payment.is_manual:
        # Nobody to ask: the desk hands the money over itself.
        record(refund_id, RefundState(f"manual-refund-{refund.pk}", "succeeded"))
        return
    try:
        state = _ask(refund)
    except ProcessorError as error:
        if error.outcome_unknown or not error.permanent:
            raise
        state = RefundState("", "failed", error.code)
    record(refund_id, state)


def _ask(refund: Refund) -> RefundState:
    """Where it was asked for before without an answer, find out first: the money may have moved."""
    if refund.refund_id:
        return processor().look_up_refund(refund.refund_id)
    if refund.asked_at is None:
        refund.asked_at = clock.now()
        refund.save(update_fields=["asked_at"])
    elif (made := _made_before(refund)) is not None:
        return made
    try:
        return _refund_under_its_key(refund)
    except ProcessorError as error:
        if not (error.replayed and clock.now() - refund.asked_at >= SURELY_SEEN_AFTER):
            raise
    # The key is dead: it repeats an error of the processor's own. Where nothing was made under it, another may be used.
    if (made := _made_before(refund)) is not None:
        return made
    refund.attempt, refund.asked_at = refund.attempt + 1, clock.now()
    refund.save(update_fields=["attempt", "asked_at"])
    return _refund_under_its_key(refund)


def _refund_under_its_key(refund: Refund) -> RefundState:
    key = f"refund-{refund.idempotency_key}"
    return processor().refund(
        intent_id=refund.payment.intent_id,
        amount=Money(refund.refund_amount, refund.payment.currency),
        idempotency_key=f"{key}-{refund.attempt}" if refund.attempt else key,
        key=refund.idempotency_key,
    )


def _made_before(refund: Refund) -> RefundState | None:
    """The processor's refund that bears our key, if there is one."""
    there = processor().refunds_of(refund.payment.intent_id)
    return next((state for state in there if state.key == refund.idempotency_key), None)


def overdue() -> list[int]:
    """Refunds that should have been heard of, to be carried out again: any 200 of them. Old ones alert."""
    now = clock.now()
    pending = Refund.objects.filter(status=RefundStatus.PENDING, created_at__lte=now - HEARD_OF_WITHIN)
    for refund in pending.filter(created_at__lte=now - STUCK_AFTER).select_related("payment")[:50]:
        alerts.raise_alert(
            "refund-stuck",
            f"refund:{refund.pk}",
            "A refund has been on its way for a day. Look it up in the processor's dashboard; Bedside goes on asking.",
            appointment_id=refund.payment.appointment_id,
        )
    return list(pending.order_by("?").values_list("pk", flat=True)[:200])


def record(refund_id: int, state: RefundState) -> None:
    """Bring a refund to what the processor says."""
    with transaction.atomic():
        payment_id = Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id)
        payment = Payment.objects.select_for_update().select_related("appointment").get(pk=payment_id)
        refund = Refund.objects.select_for_update().get(pk=refund_id)
        refund.payment = payment
        if state.status == refund.status == RefundStatus.PENDING:
            # Under way at the processor: remembered by its id, so that it is asked about and not made again.
            Refund.objects.filter(pk=refund_id).update(refund_id=state.refund_id)
            return
        if state.status not in REFUND_MOVES[RefundStatus(refund.status)]:
            return
        refund.refund_id = state.refund_id or refund.refund_id
        if state.status == "succeeded":
            _succeed(refund, payment)
        else:
            _fail(refund, payment, state.failure_code)
        refund.save()


def _succeed(refund: Refund, payment: Payment) -> None:
    refund.status, refund.settled_at = RefundStatus.SUCCEEDED, clock.now()
    ledger.record_refund(refund, occurred_at=refund.settled_at)
    returned = (
        sum(r.refund_amount for r in payment.refunds.filter(status=RefundStatus.SUCCEEDED)) + refund.refund_amount
    )
    if returned == payment.captured_minor:
        payment.status = PaymentStatus.REFUNDED
        payment.save(update_fields=["status"])
        announce.nothing_to_remind_of(payment.appointment)
    alerts.resolve_alert("refund-stuck", f"refund:{refund.pk}")
    audit.record(Actor.system(), "refund.issued", payment.appointment, after={"amount_minor": refund.refund_amount})
    announce.refunded(refund)
    publish(RefundIssued(appointment_id=payment.appointment_id, refund_id=refund.pk))


def _fail(refund: Refund, payment: Payment, code: str) -> None:
    if refund.status == RefundStatus.SUCCEEDED:
        # The bank sent it back days later: the money is the practice's again, and the books say so.
        ledger.record_refund_failure(refund, occurred_at=clock.now())
        payment.status = PaymentStatus.SUCCEEDED
    refund.status, refund.settled_at, refund.failure_code = RefundStatus.FAILED, clock.now(), code[:60]
    payment.refunded_minor -= refund.refund_amount
    payment.save(update_fields=["refunded_minor", "status"])
    alerts.resolve_alert("refund-stuck", f"refund:{refund.pk}")
    alerts.raise_alert(
        "refund-failed",
        f"refund:{refund.pk}",
        f"The processor could not give a refund back ({code}). Call the patient and refund another way.",
        appointment_id=payment.appointment_id,
    )
    audit.record(
        Actor.system(),
        "refund.failed",
        payment.appointment,
        after={"code": code, "left_minor": payment.refundable_minor},
    )
    publish(RefundRefused(appointment_id=payment.appointment_id, refund_id=refund.pk))
