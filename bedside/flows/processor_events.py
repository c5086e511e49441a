"""What a webhook leads to: what it speaks of is fetched as it is now, and followed. Its payload is not trusted.

Events come late, twice, out of order, or not at all; each of them ends in the same present state. What is not ours is
noted and left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F

from bedside.core import alerts, audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.jobs import defer
from bedside.flows import dashboard_refund, dispute, fees, pay, payout
from bedside.payments.errors import EventHandled
from bedside.payments.models import Payment, ProcessorEvent
from bedside.payments.processors import processor
from bedside.payments.processors.base import ProcessorError, ProcessorRefused

log = structlog.get_logger(__name__)
UNKNOWN, OTHER_ENVIRONMENT, NOT_FOLLOWED = "Of nothing here.", "Of another environment.", "Nothing follows from it."
# After so many failed tries the desk is told; the job goes on trying for an hour.
TRIES_BEFORE_ALERT = 3
# How far back the hourly look reaches: webhooks are given up by Stripe after three days.
LOOK_BACK = timedelta(days=4)


def handle(processor_event_id: int) -> None:
    """Follow what an event speaks of. Errors of vendors pass through, so that its job tries again; the row says why."""
    event = ProcessorEvent.objects.get(pk=processor_event_id)
    if event.processed_at is not None:
        return
    try:
        note = _follow(event)
    except Exception as error:
        _remember_failure(event, error)
        raise
    ProcessorEvent.objects.filter(pk=event.pk).update(
        processed_at=clock.now(), error="", note=note, attempts=F("attempts") + 1
    )
    if event.attempts:
        alerts.resolve_alert("webhook-failed", f"event:{event.pk}")


def _follow(event: ProcessorEvent) -> str:
    """A note where nothing followed, else nothing."""
    for prefix, follow in FOLLOWED.items():
        if event.kind.startswith(prefix):
            try:
                return "" if follow(event.object_id) else UNKNOWN
            except ProcessorRefused as error:
                if error.code != "resource_missing":
                    raise
                return UNKNOWN
    return NOT_FOLLOWED


def _remember_failure(event: ProcessorEvent, error: Exception) -> None:
    code = error.code if isinstance(error, ProcessorError) else ""
    ProcessorEvent.objects.filter(pk=event.pk).update(
        error=f"{type(error).__name__} {code}".strip()[:200], attempts=F("attempts") + 1
    )
    if event.attempts + 1 >= TRIES_BEFORE_ALERT:
        alerts.raise_alert(
            "webhook-failed",
            f"event:{event.pk}",
            "An event of the payment processor can't be handled. See Events: what failed, and a way to run it again.",
        )


def run_again(*, event_id: int, actor: Actor) -> None:
    """Have a failed event handled now. Raises PermissionRefused, or EventHandled where it was handled meanwhile."""
    from bedside.flows.jobs import handle_processor_event

    if not actor.is_staff:
        raise PermissionRefused
    with transaction.atomic():
        event = ProcessorEvent.objects.select_for_update().get(pk=event_id)
        if event.processed_at is not None:
            raise EventHandled
        audit.record(actor, "event.run_again", event, before={"error": event.error, "attempts": event.attempts})
        defer(handle_processor_event, once=f"event-again:{event.pk}", processor_event_id=event.pk)


# --- What each kind speaks of -------------------------------------------------------------------------------------


def follow_session(session_id: str) -> bool:
    payments = Payment.objects.filter(processor=processor().name, session_id=session_id).exclude(session_id="")
    found = list(payments.values_list("pk", flat=True)) or _opened_unawares(session_id)
    for payment_id in found:
        pay.settle(payment_id)
    return bool(found)


def _opened_unawares(session_id: str) -> list[int]:
    """A session whose opening was answered when nobody was left to hear: known again by what we wrote into it.

    The code must fit the id, for another installation may use the same account of the processor.
    """
    if not session_id.startswith("cs_"):
        return []
    state = processor().look_up(session_id)
    if not state.payment_ref.isdigit():
        return []
    ours = Payment.objects.filter(
        pk=int(state.payment_ref), processor=processor().name, session_id="", appointment__code=state.reference
    )
    with transaction.atomic():
        ours.update(session_id=session_id)
        return list(Payment.objects.filter(session_id=session_id).values_list("pk", flat=True))


def follow_charge(object_id: str) -> bool:
    """Of a charge, known by its payment intent or by one of its refunds: all of its refunds, and its fee."""
    if not object_id.startswith("pi_"):
        return follow_refund(object_id)
    payment = payment_of(object_id)
    if payment is None:
        return False
    for state in list(processor().refunds_of(object_id)):
        dashboard_refund.follow(payment, state)
    fees.collect(payment.pk)
    return True


def follow_refund(refund_id: str) -> bool:
    state = processor().look_up_refund(refund_id)
    payment = payment_of(state.intent_id)
    if payment is not None:
        dashboard_refund.follow(payment, state)
    return payment is not None


def follow_dispute(dispute_id: str) -> bool:
    state = processor().look_up_dispute(dispute_id)
    payment = payment_of(state.intent_id)
    if payment is not None:
        dispute.record(payment, state)
    return payment is not None


def follow_payout(payout_id: str) -> bool:
    bank = processor()
    payout.record(bank.name, bank.look_up_payout(payout_id))
    return True


# The first prefix that fits decides.
FOLLOWED: dict[str, Callable[[str], bool]] = {
    "checkout.session.": follow_session,
    "payment_intent.": follow_session,
    "charge.dispute.": follow_dispute,
    "charge.": follow_charge,
    "refund.": follow_refund,
    "payout.": follow_payout,
}


def payment_of(intent_id: str) -> Payment | None:
    """Our payment of this intent. One whose own news is still on its way is settled first; None where it isn't ours."""
    bank = processor()
    ours = Payment.objects.filter(processor=bank.name, intent_id=intent_id).exclude(intent_id="")
    payment = ours.first()
    if payment is not None or not intent_id:
        return payment
    found = bank.look_up_charge(intent_id)
    if found is not None and found[0].reference.isdigit():
        open_here = Payment.objects.filter(appointment_id=int(found[0].reference), processor=bank.name, intent_id="")
        for payment_id in open_here.exclude(session_id="").values_list("pk", flat=True):
            pay.settle(payment_id)
    return ours.first()


def look_around() -> None:
    """What no webhook told, of the last four days. Each thing by itself: one that fails doesn't hide the others."""
    bank, now = processor(), clock.now()
    span = {"since": now - LOOK_BACK, "until": now + timedelta(seconds=1)}
    failures: list[Exception] = []

    def each(action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:
            log.warning("look_around_failed", error=type(error).__name__)
            failures.append(error)

    for refunded in bank.list_refunds(**span):
        payment = payment_of(refunded.intent_id)
        if payment is not None:
            each(lambda payment=payment, state=refunded: dashboard_refund.follow(payment, state))  # type: ignore[misc]
    for disputed in bank.list_disputes(**span):
        payment = payment_of(disputed.intent_id)
        if payment is not None:
            each(lambda payment=payment, state=disputed: dispute.record(payment, state))  # type: ignore[misc]
    for paid_out in bank.list_payouts(**span):
        each(lambda state=paid_out: payout.record(bank.name, state))  # type: ignore[misc]
    each(lambda: fees.collect_between(**span))
    dispute.remind_of_due()
    alerts.resolve_alert("processor-key", bank.name)  # it has let us read everything
    if failures:
        raise failures[0]
