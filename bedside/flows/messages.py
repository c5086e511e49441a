"""What the desk does about messages: send again, write one by hand, correct where they go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from bedside.appointments.errors import ChangedMeanwhile, InvalidDetails
from bedside.appointments.models import Appointment
from bedside.core import audit, clock, ratelimit
from bedside.core.alerts import resolve_alert
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.fingerprint import fingerprint
from bedside.flows.details import check_email, check_mobile
from bedside.notifications import queue
from bedside.notifications.models import Audience, Channel, Kind, Notification
from bedside.notifications.states import NotificationStatus

MAX_WORDS = {Channel.SMS: 300, Channel.EMAIL: 4000}
AT_ONCE = 500


@dataclass(frozen=True)
class Retried:
    """``queued`` again; ``left``: ids that had no use in it, with why."""

    queued: int
    left: dict[int, str]


def retry(*, notification_ids: Sequence[int], actor: Actor) -> Retried:
    """Queue failed messages again. Pressing twice sends once: what isn't failed is left as it is."""
    _staff_only(actor)
    left: dict[int, str] = {}
    queued = 0
    for notification_id in list(notification_ids)[:AT_ONCE]:
        why = _retry_one(notification_id, actor)
        if why:
            left[notification_id] = why
        else:
            queued += 1
    return Retried(queued, left)


def _retry_one(notification_id: int, actor: Actor) -> str:
    with transaction.atomic():
        rows = Notification.objects.select_for_update(of=("self",)).select_related("appointment__provider")
        notification = rows.filter(pk=notification_id).first()
        if notification is None or notification.status != NotificationStatus.FAILED:
            return "not-failed"
        if notification.channel == Channel.SMS:
            why = queue.why_no_text(notification.appointment, notification.audience)
            if why:
                return why
        _queue_again(notification)
        audit.record(
            actor,
            "notification.retried",
            notification.appointment,
            before={"notification": notification.pk, "status": "failed"},
            after={"status": "queued"},
        )
    return ""


def _queue_again(notification: Notification) -> None:
    """A new round of tries. The vendor is still asked first, by our reference, whether an old one arrived."""
    alert = "text-failed" if notification.channel == Channel.SMS else "email-failed"
    notification.status, notification.attempts = NotificationStatus.QUEUED, 0
    notification.due_at = clock.now()
    if notification.vendor_id:
        # That one was taken and failed later: this is a new message for the vendor.
        notification.vendor_id, notification.attempted_at = "", None
    notification.error_code = notification.error_advice = ""
    notification.save()
    resolve_alert(alert, f"notification:{notification.pk}")
    queue.defer_send(notification)


def write(
    *, appointment_id: int, actor: Actor, words: str, channels: Sequence[str], audience: str = Audience.PATIENT
) -> list[Notification]:
    """Send a message by hand, with the visit's facts and the video link. Raises InvalidDetails, RateLimited."""
    _staff_only(actor)
    words = words.strip()
    errors: dict[str, str] = {}
    if not words:
        errors["words"] = _("Write what you want to say.")
    most = min((MAX_WORDS[Channel(channel)] for channel in channels if channel in Channel.values), default=0)
    if not most:
        errors["channels"] = _("Choose email, text, or both.")
    elif len(words) > most:
        errors["words"] = _("Use at most %(most)d characters for this channel.") % {"most": most}
    if errors:
        raise InvalidDetails(errors=errors)
    ratelimit.hit("by-hand", str(appointment_id))
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        version = Notification.objects.filter(appointment=appointment, kind=Kind.MANUAL, audience=audience).count() + 1
        made = [
            note
            for channel in channels
            if (note := _one_by_hand(appointment, words, channel, audience, version, actor)) is not None
        ]
        audit.record(actor, "notification.written", appointment, after={"channels": [one.channel for one in made]})
    return made


def _one_by_hand(
    appointment: Appointment, words: str, channel: str, audience: str, version: int, actor: Actor
) -> Notification | None:
    note = queue.enqueue(
        appointment, kind=Kind.MANUAL, audience=audience, channel=channel, version=version, requested_by=actor
    )
    if note is not None:
        note.words = words
        note.save(update_fields=["words"])
        queue.defer_send(note)
    return note


def contact_version(appointment: Appointment) -> int:
    """Of where the patient's messages go now; other changes of the visit don't count."""
    return fingerprint({"email": appointment.patient_email, "mobile": appointment.patient_mobile})


def correct(
    *,
    appointment_id: int,
    actor: Actor,
    email: str | None = None,
    mobile: str | None = None,
    country: str = "US",
    version: int | None = None,
) -> int:
    """Correct where messages go, and try again what failed there, in one step. Returns how many were queued.

    ``version``: `contact_version` as the form was opened; None: whatever it is. Raises ChangedMeanwhile, or
    InvalidDetails with the sentence beside the field; nothing is changed then.
    """
    _staff_only(actor)
    changed: dict[str, str] = {}
    errors: dict[str, str] = {}
    checks: dict[str, tuple[str | None, Callable[[], str]]] = {
        "email": (email, lambda: check_email(email)),
        "mobile": (mobile, lambda: check_mobile(mobile, country)),
    }
    for field, (value, check) in checks.items():
        try:
            if value is not None:
                changed[field] = check()
        except ValidationError as error:
            errors[field] = error.messages[0]
    if errors:
        raise InvalidDetails(errors=errors)
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        if version is not None and version != contact_version(appointment):
            raise ChangedMeanwhile
        if "email" in changed:
            appointment.patient_email = changed["email"]
        if "mobile" in changed:
            appointment.patient_mobile = changed["mobile"]
        appointment.updated_at = clock.now()
        appointment.version += 1
        appointment.save()
        audit.record(actor, "appointment.contact_corrected", appointment, after={"fields": sorted(changed)})
        by_field = {"email": Channel.EMAIL, "mobile": Channel.SMS}
        channels = [by_field[field] for field in changed]
        failed = Notification.objects.select_for_update().filter(
            appointment=appointment,
            audience=Audience.PATIENT,
            channel__in=channels,
            status=NotificationStatus.FAILED,
        )
        texts_welcome = queue.may_text(appointment, Audience.PATIENT)
        again = [note for note in failed.order_by("pk") if note.channel == Channel.EMAIL or texts_welcome]
        for notification in again:
            # Another address is another message: the old one's fate at the vendor says nothing about it.
            notification.attempted_at = None
            _queue_again(notification)
    return len(again)


def _staff_only(actor: Actor) -> None:
    if not actor.is_staff:
        raise PermissionRefused
