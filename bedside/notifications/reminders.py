"""Reminders: one row for each lead time, person and channel, with the instant it is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.core import clock
from bedside.core.events import publish
from bedside.notifications import queue
from bedside.notifications.events import ReminderScheduled
from bedside.notifications.models import Audience, Channel, Kind, Notification

# The usual; a service may have its own (Service.reminder_leads).
LEAD_TIMES: Mapping[str, timedelta] = {"24h": timedelta(hours=24), "1h": timedelta(hours=1)}


def reminder_times(
    start: datetime, now: datetime, lead_times: Mapping[str, timedelta], toggles: Mapping[str, bool]
) -> dict[str, datetime]:
    """When each reminder of a visit at ``start`` is due, by variant. Pure; instants are aware.

    A lead time is real hours before the start, whatever the clocks do between. A visit booked inside a lead time gets
    no such reminder: its confirmation has just arrived. Neither does a variant that is switched off.
    """
    start = start.astimezone(UTC)  # subtracting from a zone's own time would count hours on the wall
    due = {variant: start - lead for variant, lead in lead_times.items() if toggles.get(variant, False)}
    return {variant: at for variant, at in due.items() if at > now}


def toggles_of(service: Service) -> dict[str, bool]:
    """Whether the variant goes out at all, by the service's switches."""
    return {variant: any(service.reminds(variant, channel) for channel in Channel) for variant in LEAD_TIMES}


def queue_reminders(appointment: Appointment) -> list[Notification]:
    """Queue every reminder of a visit and ask for its job, in the caller's transaction. Doing it twice adds nothing."""
    service = appointment.service
    due = reminder_times(appointment.start, clock.now(), service.reminder_leads, toggles_of(service))
    made = [
        queue.enqueue(
            appointment, kind=Kind.REMINDER, variant=variant, audience=audience, channel=channel, due_at=due_at
        )
        for variant, due_at in due.items()
        for audience in Audience
        for channel in Channel
        if appointment.service.reminds(variant, channel)
    ]
    reminders = [notification for notification in made if notification is not None]
    for notification in reminders:
        queue.defer_send(notification)
    if reminders:
        publish(ReminderScheduled(appointment_id=appointment.pk))
    return reminders
