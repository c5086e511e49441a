"""Resend: the confirmation again, as a new version, because somebody asked for it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from bedside.appointments.errors import AlreadyOver
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import audit, clock, ratelimit
from bedside.core.audit import Actor
from bedside.notifications import queue
from bedside.notifications.models import Audience, Channel, Kind, Notification


def resend(
    *, appointment_id: int, actor: Actor, channels: Sequence[str] = (Channel.EMAIL, Channel.SMS)
) -> list[Notification]:
    """Queue the patient's confirmation again on these channels. Raises AlreadyOver, RateLimited, for the desk too."""
    ratelimit.hit("by-hand" if actor.is_staff else "resend", str(appointment_id))
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        if appointment.status != Status.PAID or appointment.end <= clock.now():
            raise AlreadyOver
        made = [note for channel in channels if (note := _next_version(appointment, channel, actor)) is not None]
        audit.record(actor, "notification.resent", appointment, after={"channels": list(channels)})
        for notification in made:
            queue.defer_send(notification)
    return made


def _next_version(appointment: Appointment, channel: str, actor: Actor) -> Notification | None:
    """The appointment's row is locked, so two who ask at once get two versions, not one key twice."""
    sent_before = Notification.objects.filter(
        appointment=appointment, kind=Kind.CONFIRMATION, audience=Audience.PATIENT, channel=channel
    ).count()
    return queue.enqueue(
        appointment,
        kind=Kind.CONFIRMATION,
        audience=Audience.PATIENT,
        channel=channel,
        version=sent_before + 1,
        requested_by=actor,
    )
