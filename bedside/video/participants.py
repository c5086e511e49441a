"""Who comes and goes in a room, as the service's webhooks tell it: repeated, late, in any order."""

from __future__ import annotations

import structlog
from django.db import transaction

from bedside.appointments.events import PatientWaiting
from bedside.core.events import publish
from bedside.video.events import HostJoined, PatientLeft
from bedside.video.models import Meeting, MeetingStatus
from bedside.video.services.base import ParticipantEvent

log = structlog.get_logger(__name__)


def record(event: ParticipantEvent) -> bool:
    """Keep what the event tells, and publish what changed. False where it tells nothing new or no meeting of ours."""
    with transaction.atomic():
        meeting = (
            Meeting.objects.select_for_update(of=("self",))
            .select_related("appointment")
            .filter(meeting_id=event.meeting_id, status=MeetingStatus.READY)
            .exclude(meeting_id="")
            .first()
        )
        if meeting is None:
            log.info("participant_of_unknown_meeting", kind=event.kind)
            return False
        changed = _HANDLERS.get((event.role, event.kind), _nothing)(meeting, event)
        if changed:
            meeting.save(update_fields=["patient_waiting_since", "host_joined_at"])
    return changed


def _host_came(meeting: Meeting, event: ParticipantEvent) -> bool:
    """The first time counts. Nobody waits any more."""
    if meeting.host_joined_at is not None:
        return False
    meeting.host_joined_at, meeting.patient_waiting_since = event.at, None
    appointment = meeting.appointment
    publish(HostJoined(appointment_id=appointment.pk, provider_id=appointment.provider_id, meeting_id=meeting.pk))
    return True


def _patient_came(meeting: Meeting, event: ParticipantEvent) -> bool:
    if meeting.patient_waiting_since is not None or meeting.host_joined_at is not None:
        return False
    meeting.patient_waiting_since = event.at
    appointment = meeting.appointment
    publish(
        PatientWaiting(
            appointment_id=appointment.pk, provider_id=appointment.provider_id, service_id=appointment.service_id
        )
    )
    return True


def _patient_went(meeting: Meeting, event: ParticipantEvent) -> bool:
    """A leaving that is told late, from before the patient came back, changes nothing."""
    if meeting.patient_waiting_since is None or event.at < meeting.patient_waiting_since:
        return False
    meeting.patient_waiting_since = None
    appointment = meeting.appointment
    publish(PatientLeft(appointment_id=appointment.pk, provider_id=appointment.provider_id, meeting_id=meeting.pk))
    return True


def _nothing(meeting: Meeting, event: ParticipantEvent) -> bool:
    return False


_HANDLERS = {
    ("host", "joined"): _host_came,
    ("guest", "joined"): _patient_came,
    ("guest", "left"): _patient_went,
}
