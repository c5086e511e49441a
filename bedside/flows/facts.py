"""What a message may say beyond what notifications itself knows: the meeting's link, and the money."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from django.conf import settings
from django.db.models import QuerySet, Sum

from bedside.core import remember
from bedside.core.money import Money
from bedside.flows import payment_link
from bedside.notifications.content import Facts, base_facts, register_facts
from bedside.notifications.models import Audience, Kind, Notification
from bedside.payments.credit_models import Credit, CreditEntry, CreditKind
from bedside.payments.models import Payment, Refund
from bedside.payments.states import RefundStatus
from bedside.schedule.waiting.models import WaitlistOffer
from bedside.video.models import Meeting, MeetingStatus

# The kinds that say what comes back.
SAYS_REFUND = frozenset({Kind.CANCELED, Kind.REFUNDED})


def facts_for(notification: Notification) -> Facts:
    """Everything at this moment: a message is written when it goes, not when it was queued."""
    facts = base_facts(notification)
    if notification.kind == Kind.CREDIT:
        return _with_credit(facts, notification)
    if notification.kind == Kind.WAITLIST_OFFER:
        return _with_offer(facts, notification)
    if notification.kind in {Kind.PAYMENT_LINK, Kind.PAYMENT_FAILED}:
        return _with_link(facts, notification)
    if notification.kind == Kind.CANCELED:
        facts = replace(facts, credit_returned=_returned(notification))
    visit = notification.appointment_id
    payment = remember.recall(f"facts:payment:{visit}", lambda: _payments([visit]).first())
    join_url = ""
    if notification.audience == Audience.PATIENT:
        meeting = remember.recall(f"facts:meeting:{visit}", lambda: _meetings([visit]).first())
        join_url = meeting.join_url if meeting else ""
    if payment is None:
        return replace(facts, join_url=join_url)
    refund, to_card = _refund(notification, payment) if notification.kind in SAYS_REFUND else (None, True)
    paid = Money(payment.captured_minor, payment.currency)
    credit = None
    if notification.kind == Kind.CANCELED:
        instead = Credit.objects.filter(idempotency_key=f"cancel-{notification.appointment_id}").first()
        credit = instead.amount if instead else None
    return replace(facts, join_url=join_url, paid=paid, refund=refund, refund_to_card=to_card, credit=credit)


def gather(notifications: Sequence[Notification]) -> None:
    """The payments and meetings of many messages, in two questions."""
    visits = {one.appointment_id for one in notifications}
    payments: dict[int, Payment] = {}
    for payment in _payments(visits):
        payments.setdefault(payment.appointment_id, payment)
    meetings = {meeting.appointment_id: meeting for meeting in _meetings(visits)}
    for visit in visits:
        remember.keep(f"facts:payment:{visit}", payments.get(visit))
        remember.keep(f"facts:meeting:{visit}", meetings.get(visit))


def _payments(visits: Collection[int]) -> QuerySet[Payment]:
    """What was captured, the latest first."""
    return Payment.objects.filter(appointment__in=visits, captured_minor__gt=0).order_by("-pk")


def _meetings(visits: Collection[int]) -> QuerySet[Meeting]:
    return Meeting.objects.filter(appointment__in=visits, status=MeetingStatus.READY)


def _refund(notification: Notification, payment: Payment) -> tuple[Money | None, bool]:
    """What comes back, and whether to the card. A receipt speaks of its own refund (its version counts the visit's
    refunds); a cancellation of what comes back in all."""
    refunds = Refund.objects.filter(payment__appointment_id=notification.appointment_id).select_related("payment")
    found = list(refunds.order_by("pk"))
    if notification.kind == Kind.REFUNDED:
        found = found[notification.version - 1 : notification.version]
    else:
        found = [refund for refund in found if refund.status != RefundStatus.FAILED]
    minor = sum(refund.refund_amount for refund in found)
    to_card = not any(refund.payment.is_manual for refund in found)
    return (Money(minor, payment.currency) if minor else None), to_card


def _returned(notification: Notification) -> Money | None:
    """What the cancellation gave back to the credits that had paid."""
    moved = CreditEntry.objects.filter(payment__appointment_id=notification.appointment_id, kind=CreditKind.RETURNED)
    minor = moved.aggregate(sum=Sum("amount_minor"))["sum"]
    return Money(minor, notification.appointment.currency) if minor else None


def _with_credit(facts: Facts, notification: Notification) -> Facts:
    """The credit that the message is about: its version counts the visit's credits."""
    of_visit = Credit.objects.filter(appointment_id=notification.appointment_id).order_by("pk")
    for credit in of_visit[notification.version - 1 : notification.version]:
        return replace(facts, credit=credit.amount, credit_code=credit.shown_code, credit_until=credit.expires_at)
    return facts


def _with_link(facts: Facts, notification: Notification) -> Facts:
    """What is to be paid, and until when the link opens a checkout."""
    appointment = notification.appointment
    payment = appointment.payment
    until = payment_link.pay_until(appointment) if appointment.hold_expires_at else None
    return replace(facts, due=payment.amount if payment else appointment.price, pay_until=until)


def _with_offer(facts: Facts, notification: Notification) -> Facts:
    """The time that is offered to somebody who waits, and the link that takes it."""
    offer = WaitlistOffer.objects.select_related("entry").get(draft_id=notification.appointment_id)
    return replace(facts, claim_url=f"{settings.PUBLIC_URL}/waitlist/{offer.entry.token}", claim_until=offer.expires_at)


def register() -> None:
    """Once, when Django is ready."""
    register_facts(facts_for, gather)
