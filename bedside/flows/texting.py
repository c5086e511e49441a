"""Whether this patient gets texts: withdrawn with one click, asked for again with another."""

from __future__ import annotations

from django.db import transaction

from bedside.appointments.models import Appointment
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.notifications import optout, queue
from bedside.notifications.models import Channel, Notification
from bedside.notifications.states import NotificationStatus


def stop_texts(*, appointment_id: int, actor: Actor) -> None:
    """No more texts to this visit's number. The consent and its evidence stay on the record, with when it ended."""
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        source = "desk" if actor.is_staff else "page"
        if not optout.opt_out(appointment.patient_mobile, source) and appointment.sms_consent_withdrawn_at:
            return
        appointment.sms_consent_withdrawn_at = clock.now()
        appointment.save(update_fields=["sms_consent_withdrawn_at"])
        audit.record(actor, "texts.stopped", appointment, after={"source": source})


def allow_texts(*, appointment_id: int, actor: Actor) -> None:
    """Texts again, for somebody who agreed to them when booking. The gateway may still want START from the phone."""
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        if not optout.opt_in(appointment.patient_mobile, "desk" if actor.is_staff else "page"):
            return
        appointment.sms_consent_withdrawn_at = None
        appointment.save(update_fields=["sms_consent_withdrawn_at"])
        audit.record(actor, "texts.started", appointment)
        for text in _withdrawn_reminders(appointment):
            text.status, text.error_code = NotificationStatus.QUEUED, ""
            text.save(update_fields=["status", "error_code"])
            queue.defer_send(text)


def _withdrawn_reminders(appointment: Appointment) -> list[Notification]:
    """What was taken back only because of the opt-out, and is still ahead."""
    return list(
        Notification.objects.select_for_update().filter(
            appointment=appointment,
            channel=Channel.SMS,
            audience="patient",
            kind="reminder",
            status=NotificationStatus.WITHDRAWN,
            error_code="opted-out",
            due_at__gt=clock.now(),
        )
    )
