"""The queue: one row for each message, written in the transaction that caused it. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import structlog
from django.db import connection

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.core.audit import Actor
from bedside.notifications import optout
from bedside.notifications.claims import in_flight
from bedside.notifications.models import Audience, Channel, Notification
from bedside.notifications.quiet import QuietHours, when_to_text
from bedside.notifications.states import NotificationStatus

log = structlog.get_logger(__name__)
PROVIDER_LOCALE = "en"
_INSERT = (
    "INSERT INTO notifications_notification ({columns}) VALUES ({values}) "
    "ON CONFLICT (idempotency_key) DO NOTHING RETURNING id"
)
# Senders listen here (postman.py).
WAKE_CHANNEL = "bedside_messages"


def enqueue(
    appointment: Appointment,
    *,
    kind: str,
    audience: str,
    channel: str,
    variant: str = "",
    due_at: datetime | None = None,
    hold_until: datetime | None = None,
    version: int = 1,
    requested_by: Actor | None = None,
) -> Notification | None:
    """Queue one message, in the caller's transaction; `defer_send` wakes the senders for one that is due.

    A text waits for the end of the recipient's quiet hours (see quiet.py). None where the person can't, won't or
    mustn't be texted, or where this very message is queued or sent already. ``hold_until``: it waits so long for what
    it should say, unless `let_go` comes first.
    """
    if channel == Channel.SMS and not may_text(appointment, audience):
        return None
    actor = requested_by or Actor.system()
    due = due_at or clock.now()
    if channel == Channel.SMS:
        allowed = _text_time(appointment, kind, audience, actor.kind, due)
        if allowed is None:
            return None
        due = allowed
    key = f"{appointment.pk}:{kind}{variant}:{audience}:{channel}:{version}"
    notification = Notification(
        idempotency_key=key,
        appointment=appointment,
        kind=kind,
        variant=variant,
        audience=audience,
        channel=channel,
        version=version,
        locale=appointment.locale if audience == Audience.PATIENT else PROVIDER_LOCALE,
        due_at=due,
        hold_until=hold_until,
        requested_by=actor.kind,
        requested_by_id=actor.user_id,
    )
    return notification if _insert(notification) else None


def _insert(notification: Notification) -> bool:
    """The unique key decides: the same message from two sides is one row, and breaks nothing. False for the second.

    One statement, where looking first and a savepoint would take four: bookings wait for it.
    """
    fields = [field for field in Notification._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = [field.get_db_prep_save(field.pre_save(notification, True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.format(columns=columns, values=", ".join(["%s"] * len(fields))), values)
        row = cursor.fetchone()
    if row is None:
        return False
    notification.pk, notification._state.adding = row[0], False
    notification._state.db = connection.alias
    return True


def may_text(appointment: Appointment, audience: str) -> bool:
    """Whether this person agreed to texts, has a number for them, and has not answered STOP."""
    return not why_no_text(appointment, audience)


def why_no_text(appointment: Appointment, audience: str) -> str:
    """The reason, as histories show it; "" where texts are welcome."""
    if reason := why_no_number(appointment, audience):
        return reason
    number = appointment.patient_mobile if audience == Audience.PATIENT else appointment.provider.mobile_number
    return "opted-out" if optout.is_opted_out(number) else ""


def why_no_number(appointment: Appointment, audience: str) -> str:
    """The reason that lies in the visit itself: no consent, or no number."""
    if audience == Audience.PATIENT:
        return "" if appointment.sms_consent and appointment.patient_mobile else "no-consent"
    return "" if appointment.provider.mobile_number else "no-number"


def text_time(notification: Notification) -> datetime | None:
    """When this text may go out, by the practice's quiet hours in the recipient's zone; None: not at all."""
    return _text_time(
        notification.appointment,
        notification.kind,
        notification.audience,
        notification.requested_by,
        notification.due_at,
    )


def _text_time(appointment: Appointment, kind: str, audience: str, asked_by: str, due: datetime) -> datetime | None:
    practice, to_patient = Practice.current(), audience == Audience.PATIENT
    return when_to_text(
        kind,
        own_act=asked_by == audience,
        due=due,
        now=clock.now(),
        start=appointment.start,
        zone=appointment.patient_timezone if to_patient else appointment.provider.timezone,
        quiet=QuietHours(practice.quiet_from, practice.quiet_until),
    )


def defer_send(notification: Notification) -> None:
    """Wake the senders when the caller's transaction commits, for a message that is due; others come by the clock."""
    if notification.due_at <= clock.now():
        wake_senders()


def wake_senders() -> None:
    """They look for what is due as soon as the caller's transaction commits, instead of within a second."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [WAKE_CHANNEL])


def let_go(appointment_id: int, kinds: Collection[str]) -> None:
    """What waited for something to say can go now."""
    held = Notification.objects.filter(appointment_id=appointment_id, kind__in=kinds, status=NotificationStatus.QUEUED)
    if held.exclude(hold_until=None).update(hold_until=None):
        wake_senders()


def withdraw(appointment_id: int, *, kinds: Collection[str] | None = None, reason: str) -> int:
    """Take back what is queued for an appointment; returns how many. What is being sent this moment stays."""
    waiting = Notification.objects.filter(appointment_id=appointment_id, status=NotificationStatus.QUEUED)
    if kinds is not None:
        waiting = waiting.filter(kind__in=kinds)
    count = waiting.exclude(in_flight(clock.now())).update(status=NotificationStatus.WITHDRAWN, error_code=reason[:40])
    if count:
        log.info("notifications_withdrawn", appointment_id=appointment_id, count=count, reason=reason)
    return count
