"""Announce: which messages an event means, written in the transaction that caused them."""

from __future__ import annotations

from datetime import datetime, timedelta

from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.core.audit import Actor
from bedside.notifications import queue, reminders
from bedside.notifications.models import Audience, Channel, Kind, Notification
from bedside.payments.credit_models import Credit
from bedside.payments.models import Refund

EVERYONE = (Audience.PATIENT, Audience.PROVIDER)
CHANNELS = (Channel.EMAIL, Channel.SMS)
WITH_LINK = (Kind.CONFIRMATION, Kind.RESCHEDULED, Kind.PROVIDER_CHANGED)
# The variant of provider_changed for the provider who loses the visit; it hangs on the old appointment.
PREVIOUS = "previous"
# Messages with the link wait this long for the meeting to be made; then they go, and say where the link will be.
WAIT_FOR_MEETING = timedelta(seconds=30)
# Most who are declined try another card at once, and need no message.
TRY_AGAIN = timedelta(minutes=4)


def confirmed(appointment: Appointment) -> None:
    """Confirmations for everyone, and the reminders to come."""
    _queue(appointment, Kind.CONFIRMATION, EVERYONE, hold_until=clock.now() + WAIT_FOR_MEETING)
    reminders.queue_reminders(appointment)


def moved(old: Appointment, new: Appointment, *, actor: Actor, kind: Kind = Kind.RESCHEDULED) -> None:
    """What was queued for the old time is withdrawn; everyone is told of the new one, and reminded of it.

    A provider who loses the visit is told too. ``kind``: rescheduled, or provider_changed where the time stays.
    """
    queue.withdraw(old.pk, kinds=[*WITH_LINK, Kind.REMINDER], reason="moved")
    # A refund's receipt that is still to go speaks of a payment that belongs to the new appointment now.
    Notification.objects.filter(appointment=old, kind=Kind.REFUNDED, status="queued").update(appointment=new)
    _queue(new, kind, EVERYONE, requested_by=actor, hold_until=clock.now() + WAIT_FOR_MEETING)
    reminders.queue_reminders(new)
    if old.provider_id != new.provider_id:
        _send(_queue(old, Kind.PROVIDER_CHANGED, (Audience.PROVIDER,), variant=PREVIOUS, requested_by=actor))


def canceled(appointment: Appointment, actor: Actor) -> None:
    """What is still queued is withdrawn; everyone is told."""
    queue.withdraw(appointment.pk, reason="canceled")
    _send(_queue(appointment, Kind.CANCELED, EVERYONE, requested_by=actor))


def refunded(refund: Refund) -> None:
    """The patient's receipt, by email and text. One for each refund."""
    appointment = refund.payment.appointment
    version = Refund.objects.filter(payment__appointment=appointment, pk__lte=refund.pk).count()
    _send(_queue(appointment, Kind.REFUNDED, (Audience.PATIENT,), version=version))


def nothing_to_remind_of(appointment: Appointment) -> None:
    """Everything was given back: reminders that are still to come are withdrawn."""
    queue.withdraw(appointment.pk, kinds=[Kind.REMINDER], reason="refunded")


def payment_link(appointment: Appointment, actor: Actor) -> None:
    """Where to pay, by email and text; asked for again it is a new version. The appointment's row is locked."""
    sent = Notification.objects.filter(appointment=appointment, kind=Kind.PAYMENT_LINK, channel=Channel.EMAIL)
    version = sent.count() + 1
    _send(_queue(appointment, Kind.PAYMENT_LINK, (Audience.PATIENT,), version=version, requested_by=actor))


def payment_failed(appointment: Appointment) -> None:
    """The card was declined: told unless the patient pays within minutes."""
    due = clock.now() + TRY_AGAIN
    for channel in CHANNELS:
        note = queue.enqueue(
            appointment, kind=Kind.PAYMENT_FAILED, audience=Audience.PATIENT, channel=channel, due_at=due
        )
        if note is not None:
            queue.defer_send(note)


def credit_issued(credit: Credit) -> None:
    """The patient gets the code, by email and text."""
    version = Credit.objects.filter(appointment=credit.appointment, pk__lte=credit.pk).count()
    _send(_queue(credit.appointment, Kind.CREDIT, (Audience.PATIENT,), version=version))


def meeting_is_ready(appointment_id: int) -> None:
    """Messages with the link that waited for it can go now."""
    queue.let_go(appointment_id, WITH_LINK)


def _queue(
    appointment: Appointment,
    kind: Kind,
    audiences: tuple[Audience, ...],
    *,
    version: int = 1,
    variant: str = "",
    requested_by: Actor | None = None,
    hold_until: datetime | None = None,
) -> list[Notification]:
    made = [
        queue.enqueue(
            appointment,
            kind=kind,
            audience=audience,
            channel=channel,
            variant=variant,
            version=version,
            requested_by=requested_by or Actor.system(),
            hold_until=hold_until,
        )
        for audience in audiences
        for channel in CHANNELS
    ]
    return [notification for notification in made if notification is not None]


def _send(notifications: list[Notification]) -> None:
    for notification in notifications:
        queue.defer_send(notification)


def waitlist_offer(draft: Appointment) -> None:
    """A time came free for somebody who waits: by email and text at once, it is theirs for minutes only."""
    _send(_queue(draft, Kind.WAITLIST_OFFER, (Audience.PATIENT,)))
