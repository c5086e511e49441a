"""The meeting of an appointment: made once, removed with it, started by a fresh link."""

from __future__ import annotations

import structlog
from django.db import transaction

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core.alerts import raise_alert, resolve_alert
from bedside.core.events import publish
from bedside.video.errors import NoRoomYet, VideoUnavailable
from bedside.video.events import MeetingEvent, MeetingFailed, MeetingReady
from bedside.video.locks import one_at_a_time
from bedside.video.models import Meeting, MeetingStatus
from bedside.video.services import video_service
from bedside.video.services.base import MeetingDetails, VideoError

log = structlog.get_logger(__name__)


def open_meeting(appointment_id: int) -> Meeting:
    """The appointment's meeting, made if there is none. Many callers at once make one. Not in a transaction.

    A visit that isn't paid gets none. Raises `VideoError` where the service made none: the meeting is then marked
    failed, an alert is open, and the caller's job tries again.
    """
    with one_at_a_time(appointment_id):
        appointment = Appointment.objects.select_related("provider", "service").get(pk=appointment_id)
        meeting, made = Meeting.objects.get_or_create(appointment=appointment)
        if meeting.status == MeetingStatus.READY or appointment.status != Status.PAID:
            return meeting
        try:
            if moved := _take_over(appointment, meeting):
                return moved
            details = _create(appointment, tried_before=not made)
        except VideoError as error:
            _record_failure(meeting, error)
            raise
        return _record_ready(meeting, details)


def _create(appointment: Appointment, *, tried_before: bool) -> MeetingDetails:
    return video_service().create(
        topic=topic(appointment),
        start=appointment.start,
        duration_minutes=appointment.minutes,
        host_id=appointment.provider.zoom_user_id,
        reference=f"appointment-{appointment.pk}",
        alternative_hosts=appointment.provider.zoom_alternative_hosts,
        ask_first=tried_before,
    )


def _take_over(appointment: Appointment, meeting: Meeting) -> Meeting | None:
    """A visit that moved keeps its room and its link, where the host stays: one call instead of two."""
    before = appointment.rescheduled_from
    if before is None or before.provider_id != appointment.provider_id:
        return None
    with one_at_a_time(before.pk):
        kept = Meeting.objects.filter(appointment=before, status=MeetingStatus.READY).first()
        if kept is None:
            return None
        video_service().update(
            kept.meeting_id, host_id=kept.host_id, start=appointment.start, duration_minutes=appointment.minutes
        )
        with transaction.atomic():
            meeting.delete()
            Meeting.objects.filter(pk=kept.pk).update(
                appointment=appointment, patient_waiting_since=None, host_joined_at=None
            )
            kept.refresh_from_db()
            publish(_event(MeetingReady, kept))
    resolve_alert("video-down", _alert_key(kept))
    log.info("meeting_moved", appointment_id=appointment.pk)
    return kept


def topic(appointment: Appointment) -> str:
    """What the service's own emails and reports show: no name, no service, nothing about health."""
    return f"Video visit {appointment.code}"


def _record_ready(meeting: Meeting, details: MeetingDetails) -> Meeting:
    with transaction.atomic():
        meeting = Meeting.objects.select_for_update(of=("self",)).select_related("appointment").get(pk=meeting.pk)
        meeting.status, meeting.error = MeetingStatus.READY, ""
        meeting.meeting_id, meeting.host_id = details.meeting_id, details.host_id
        meeting.join_url, meeting.passcode = details.join_url, details.passcode
        meeting.save()
        publish(_event(MeetingReady, meeting))
    resolve_alert("video-down", _alert_key(meeting))
    log.info("meeting_ready", appointment_id=meeting.appointment_id)
    return meeting


def _record_failure(meeting: Meeting, error: VideoError) -> None:
    with transaction.atomic():
        meeting.status, meeting.error = MeetingStatus.FAILED, error.code[:200]
        meeting.save(update_fields=["status", "error"])
        publish(_event(MeetingFailed, meeting))
    raise_alert(
        "video-down",
        _alert_key(meeting),
        f"The video service made no meeting ({error.code}). It is asked again; the visit page will show the link.",
        appointment_id=meeting.appointment_id,
    )


def close_meeting(appointment_id: int) -> None:
    """Remove the appointment's meeting at the service. Gone or never made: nothing to do. Raises `VideoError`.

    A visit that moved and was called off before it took its meeting over leaves none behind either.
    """
    with one_at_a_time(appointment_id):
        meeting = Meeting.objects.filter(appointment_id=appointment_id).exclude(status=MeetingStatus.DELETED).first()
        if meeting is not None:
            # A try that was cut off may have made it without our knowing; only what we know of can be removed.
            if meeting.meeting_id:
                video_service().delete(meeting.meeting_id)
            Meeting.objects.filter(pk=meeting.pk).update(status=MeetingStatus.DELETED, patient_waiting_since=None)
            resolve_alert("video-down", _alert_key(meeting))
            log.info("meeting_closed", appointment_id=appointment_id)
    before = Appointment.objects.values_list("rescheduled_from_id", flat=True).filter(pk=appointment_id).first()
    if before and Meeting.objects.filter(appointment_id=before, status=MeetingStatus.READY).exists():
        close_meeting(before)


def host_start_url(meeting: Meeting) -> str:
    """A fresh link for the provider, asked for at the click and kept nowhere. Raises NoRoomYet, VideoUnavailable."""
    if meeting.status != MeetingStatus.READY:
        raise NoRoomYet
    try:
        return video_service().start_url(meeting.meeting_id)
    except VideoError as error:
        log.warning("no_start_url", appointment_id=meeting.appointment_id, code=error.code)
        raise VideoUnavailable from error


def _event(kind: type[MeetingEvent], meeting: Meeting) -> MeetingEvent:
    return kind(
        appointment_id=meeting.appointment_id, provider_id=meeting.appointment.provider_id, meeting_id=meeting.pk
    )


def _alert_key(meeting: Meeting) -> str:
    return f"appointment:{meeting.appointment_id}"
