"""Cancel: by the policy that was agreed to when booking. The time is free at once; everyone is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import transaction

from bedside.appointments.errors import AlreadyOver, ChangedMeanwhile, ReasonRequired
from bedside.appointments.events import AppointmentCanceled
from bedside.appointments.locks import lock_provider
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic import policy
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.events import publish
from bedside.core.money import Money
from bedside.flows import announce, credits, hold, refund
from bedside.payments.models import Payment
from bedside.payments.states import PaymentStatus

MAX_REASON = 1000
GiveKind = Literal["proposal", "refund", "credit", "nothing"]


@dataclass(frozen=True)
class Give:
    """What the desk gives back: the policy's proposal, or with a reason something else. ``amount`` for a refund."""

    kind: GiveKind = "proposal"
    amount: Money | None = None


PROPOSAL = Give()


@dataclass(frozen=True)
class Preview:
    """What canceling now would do. ``free_until`` is UTC; ``refund`` would come back, ``kept`` would stay; ``why``.

    ``credit`` would go back to the credits that paid for it. ``by_hand``: the desk took the money, and gives it back.
    """

    possible: bool
    free: bool
    free_until: datetime
    refund: Money
    paid: Money
    kept: Money
    why: policy.Why
    credit: Money
    by_hand: bool


def preview(appointment: Appointment, *, actor: Actor | None = None, for_patient: bool = False) -> Preview:
    """By the policy agreed to when booking. The practice itself canceling is always free for the patient.

    ``for_patient``: the desk does it because the patient asked, and so by the same policy.
    """
    now = clock.now()
    terms = appointment.terms
    by_practice = actor is not None and actor.kind != "patient" and not for_patient
    payment = None if appointment.status == Status.PENDING_PAYMENT else _paid_payment(appointment)
    paid, left = (payment.captured_minor, left_now(payment)) if payment else (0, 0)
    spent = credits.spent_on(payment) if payment else 0
    if by_practice:
        found = policy.practice_cancels(paid, returned=paid - left)
        unspent = policy.practice_cancels(spent)
    else:
        found = policy.proposal(terms, paid, appointment.start, now, returned=paid - left)
        unspent = policy.proposal(terms, spent, appointment.start, now)
    possible = appointment.status == Status.PENDING_PAYMENT or (
        appointment.status == Status.PAID and appointment.start > now
    )
    currency = appointment.currency
    return Preview(
        possible=possible,
        free=found.why in {"free", "practice"},
        free_until=terms.free_until(appointment.start),
        refund=Money(found.refund, currency),
        paid=Money(paid, currency),
        kept=Money(found.kept, currency),
        why=found.why,
        credit=Money(unspent.refund, currency),
        by_hand=bool(payment and payment.is_manual),
    )


def left_now(payment: Payment) -> int:
    """What may go back at present, minor units: nothing while the patient's bank holds the money and decides."""
    left = payment.refundable_minor
    return 0 if left and refund.is_disputed(payment) else left


def cancel(
    *,
    appointment_id: int,
    actor: Actor,
    reason: str = "",
    for_patient: bool = False,
    give: Give = PROPOSAL,
    version: int | None = None,
    promised: int | None = None,
) -> Appointment:
    """Cancel an upcoming visit or an unpaid hold; canceling twice is a no-op.

    ``version`` is what the form was drawn from; ``promised`` (minor units) what it said that comes back: whoever was
    told of more than there is now is asked again.

    Only the desk gives something else than the policy proposes, for a reason. Raises AlreadyOver, ChangedMeanwhile,
    ReasonRequired, PermissionRefused, and what a refund raises; then nothing has changed.
    """
    if (give != PROPOSAL or for_patient) and not actor.is_staff:
        raise PermissionRefused
    if give != PROPOSAL and not reason.strip():
        raise ReasonRequired
    with transaction.atomic():
        provider_id = Appointment.objects.values_list("provider_id", flat=True).get(pk=appointment_id)
        lock_provider(provider_id)
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        if appointment.status == Status.CANCELED:
            return appointment
        if appointment.status == Status.RESCHEDULED or (version is not None and version != appointment.version):
            raise ChangedMeanwhile
        outcome = preview(appointment, actor=actor, for_patient=for_patient)
        if not outcome.possible:
            raise AlreadyOver
        if promised is not None and promised > outcome.refund.minor_units:
            raise ChangedMeanwhile
        _close(appointment, outcome, actor, reason[:MAX_REASON], for_patient, give)
    return appointment


def _close(
    appointment: Appointment, outcome: Preview, actor: Actor, reason: str, for_patient: bool, give: Give
) -> None:
    """Under the row's lock, everything checked."""
    was_paid = appointment.status == Status.PAID
    before = appointment.move_to(Status.CANCELED)
    appointment.canceled_at, appointment.canceled_by = clock.now(), actor.kind
    appointment.cancellation_reason = reason
    appointment.canceled_for_patient = for_patient
    appointment.save()
    back = given_back(give, outcome.refund)
    after = {
        "status": appointment.status,
        "refund_minor": back.minor_units,
        "proposed_minor": outcome.refund.minor_units,
        "credit_back_minor": unspent(give, outcome.credit).minor_units,
        "kept_minor": (outcome.refund + outcome.kept - back).minor_units,
        "given": give.kind,
        "for_patient": for_patient,
    }
    audit.record(actor, "appointment.canceled", appointment, before={"status": before}, after=after, reason=reason)
    if was_paid:
        _tell_and_give(appointment, give, back, outcome.credit, actor)
    publish(AppointmentCanceled(**hold.ids_of(appointment)))


def owed_since(appointment: Appointment, payment: Payment) -> Money:
    """What the policy gives back of a visit that won't take place and nobody has given: its bank held the money."""
    paid, returned = payment.captured_minor, payment.captured_minor - payment.refundable_minor
    if appointment.status == Status.NO_SHOW:
        found = policy.no_show(appointment.terms, paid, returned=returned)
    elif appointment.canceled_at is None:
        return Money(0, payment.currency)
    elif appointment.canceled_by != "patient" and not appointment.canceled_for_patient:
        found = policy.practice_cancels(paid, returned=returned)
    else:
        found = policy.proposal(appointment.terms, paid, appointment.start, appointment.canceled_at, returned=returned)
    return Money(found.refund, payment.currency)


def given_back(give: Give, proposed: Money) -> Money:
    """The amount that goes back, as money or as a credit."""
    if give.kind == "nothing":
        return Money(0, proposed.currency)
    return give.amount if give.amount is not None and give.kind != "proposal" else proposed


def unspent(give: Give, proposed: Money) -> Money:
    """What goes back to the credits that paid: as the policy proposes, unless the desk gives nothing."""
    return Money(0, proposed.currency) if give.kind == "nothing" else proposed


def _tell_and_give(appointment: Appointment, give: Give, back: Money, credit: Money, actor: Actor) -> None:
    announce.canceled(appointment, actor)
    payment = _paid_payment(appointment)
    if payment is None:
        return
    credits.unspend(payment, unspent(give, credit), actor=actor, key=f"cancel-{appointment.pk}")
    if not back:
        return
    if give.kind == "credit":
        credits.issue(payment, amount=back, reason="Canceled.", actor=actor, key=f"cancel-{appointment.pk}")
        return
    refund.request(
        payment, amount_minor=back.minor_units, reason="Canceled.", actor=actor, key=f"cancel-{appointment.pk}"
    )


def _paid_payment(appointment: Appointment) -> Payment | None:
    return Payment.objects.filter(appointment=appointment, status=PaymentStatus.SUCCEEDED).order_by("-pk").first()
