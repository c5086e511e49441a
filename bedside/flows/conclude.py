"""Conclude: a visit took place, or the patient missed it. For a day either can be taken back, where no money moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bedside.appointments.errors import AlreadyOver, ChangedMeanwhile, ReasonRequired
from bedside.appointments.events import (
    AppointmentCompleted,
    AppointmentEvent,
    AppointmentMissed,
    AppointmentReopened,
)
from bedside.appointments.locks import lock_provider
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic import policy
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError, PermissionRefused
from bedside.core.events import publish
from bedside.core.money import Money
from bedside.flows import credits, hold, refund
from bedside.flows.cancel import PROPOSAL, Give, given_back, left_now
from bedside.payments.credit_models import CreditEntry, CreditKind
from bedside.payments.models import Payment, Refund
from bedside.payments.states import PaymentStatus, RefundStatus

UNDO_WITHIN = timedelta(hours=24)
MAX_REASON = 1000


class NotYet(BedsideError):
    """The visit has not begun, or the patient may still come."""

    code = "not-yet"
    status = 409
    default_message = _("The visit has not begun yet, or the patient may still come. Try again later.")


class CannotUndo(BedsideError):
    code = "cannot-undo"
    status = 409
    default_message = _("This can't be taken back any more: a day has passed, or money has gone back already.")


def may_complete(appointment: Appointment) -> bool:
    """From its start on."""
    return appointment.status == Status.PAID and clock.now() >= appointment.start


def may_miss(appointment: Appointment) -> bool:
    """From the moment at which the policy counts it as missed."""
    return appointment.status == Status.PAID and clock.now() >= appointment.terms.missed_from(appointment.start)


def no_show_preview(appointment: Appointment) -> tuple[Money, Money]:
    """What the policy gives back of a missed visit, and what it keeps."""
    payment = _paid_payment(appointment)
    paid, left = (payment.captured_minor, left_now(payment)) if payment else (0, 0)
    found = policy.no_show(appointment.terms, paid, returned=paid - left)
    return Money(found.refund, appointment.currency), Money(found.kept, appointment.currency)


def complete(*, appointment_id: int, actor: Actor, version: int | None = None) -> Appointment:
    """The visit took place. Twice is once. Raises NotYet, AlreadyOver, ChangedMeanwhile, PermissionRefused."""
    return _conclude(appointment_id, Status.COMPLETED, may_complete, AppointmentCompleted, actor, version=version)


def no_show(
    *, appointment_id: int, actor: Actor, reason: str = "", give: Give = PROPOSAL, version: int | None = None
) -> Appointment:
    """The patient missed it: the policy's fee is kept and the rest goes back, or for a reason what the desk gives.

    Raises NotYet, AlreadyOver, ChangedMeanwhile, ReasonRequired, PermissionRefused, and what a refund raises.
    """
    if give != PROPOSAL and not reason.strip():
        raise ReasonRequired
    return _conclude(
        appointment_id, Status.NO_SHOW, may_miss, AppointmentMissed, actor, version=version, reason=reason, give=give
    )


def _conclude(
    appointment_id: int,
    status: Status,
    is_time: Callable[[Appointment], bool],
    event: type[AppointmentEvent],
    actor: Actor,
    *,
    version: int | None,
    reason: str = "",
    give: Give = PROPOSAL,
) -> Appointment:
    if not actor.is_staff:
        raise PermissionRefused
    with transaction.atomic():
        appointment = _locked(appointment_id)
        if appointment.status == status:
            return appointment
        _check_version(appointment, version)
        if appointment.status != Status.PAID:
            raise AlreadyOver
        if not is_time(appointment):
            raise NotYet
        proposed, kept = no_show_preview(appointment)
        before = appointment.move_to(status)
        appointment.concluded_at = clock.now()
        appointment.save()
        after: dict[str, object] = {"status": appointment.status}
        if status == Status.NO_SHOW:
            back = given_back(give, proposed)
            after |= {
                "refund_minor": back.minor_units,
                "proposed_minor": proposed.minor_units,
                "kept_minor": (proposed + kept - back).minor_units,
                "credit_back_minor": _give(appointment, give, back, actor),
                "given": give.kind,
            }
        audit.record(
            actor,
            f"appointment.{status}",
            appointment,
            before={"status": before},
            after=after,
            reason=reason.strip()[:MAX_REASON],
        )
        publish(event(**hold.ids_of(appointment)))
    return appointment


def undo_until(appointment: Appointment) -> datetime | None:
    """Until when it can be taken back; None where it can't be."""
    if appointment.status not in {Status.COMPLETED, Status.NO_SHOW} or appointment.concluded_at is None:
        return None
    until = appointment.concluded_at + UNDO_WITHIN
    return until if clock.now() < until and not _money_went_back(appointment) else None


def undo(*, appointment_id: int, actor: Actor, version: int | None = None) -> Appointment:
    """Back to a paid visit. Raises CannotUndo, ChangedMeanwhile, PermissionRefused."""
    if not actor.is_staff:
        raise PermissionRefused
    with transaction.atomic():
        appointment = _locked(appointment_id)
        _check_version(appointment, version)
        if undo_until(appointment) is None:
            raise CannotUndo
        before = appointment.move_to(Status.PAID)
        appointment.concluded_at = None
        appointment.save()
        audit.record(
            actor, "appointment.reopened", appointment, before={"status": before}, after={"status": appointment.status}
        )
        publish(AppointmentReopened(**hold.ids_of(appointment)))
    return appointment


def _locked(appointment_id: int) -> Appointment:
    lock_provider(Appointment.objects.values_list("provider_id", flat=True).get(pk=appointment_id))
    return Appointment.objects.select_for_update().get(pk=appointment_id)


def _check_version(appointment: Appointment, version: int | None) -> None:
    if appointment.status == Status.RESCHEDULED or (version is not None and version != appointment.version):
        raise ChangedMeanwhile


def _give(appointment: Appointment, give: Give, back: Money, actor: Actor) -> int:
    """What went back to the credits that paid, minor units."""
    payment = _paid_payment(appointment)
    if payment is None:
        return 0
    key = f"no-show-{appointment.pk}-{appointment.version}"
    spent = credits.spent_on(payment)
    unspent = 0 if give.kind == "nothing" else policy.no_show(appointment.terms, spent).refund
    credits.unspend(payment, Money(unspent, payment.currency), actor=actor, key=key)
    if back and give.kind == "credit":
        credits.issue(payment, amount=back, reason="Missed visit.", actor=actor, key=key)
    elif back:
        refund.request(payment, amount_minor=back.minor_units, reason="Missed visit.", actor=actor, key=key)
    return unspent


def _paid_payment(appointment: Appointment) -> Payment | None:
    return Payment.objects.filter(appointment=appointment, status=PaymentStatus.SUCCEEDED).order_by("-pk").first()


def _money_went_back(appointment: Appointment) -> bool:
    """Since it was concluded, as a refund or a credit."""
    since = {"created_at__gte": appointment.concluded_at}
    refunds = Refund.objects.filter(payment__appointment=appointment, **since).exclude(status=RefundStatus.FAILED)
    returned = CreditEntry.objects.filter(
        payment__appointment=appointment, kind=CreditKind.RETURNED, at__gte=appointment.concluded_at
    )
    return refunds.exists() or returned.exists() or appointment.credits_issued.filter(goodwill=False, **since).exists()
