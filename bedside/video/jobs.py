"""Meetings that are still missing when the visit's own jobs have given up."""

from __future__ import annotations

from datetime import timedelta

import structlog
from procrastinate.contrib.django import app

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import clock
from bedside.core.jobs import defer, task
from bedside.video import meetings
from bedside.video.models import MeetingStatus
from bedside.video.services.base import VideoError

log = structlog.get_logger(__name__)
# The first tries belong to the job that the payment asked for.
LEFT_ALONE = timedelta(minutes=5)


@task(name="video.open_meeting")
def open_missing_meeting(appointment_id: int) -> None:
    """One more try; the alert is open already, and the next round tries again."""
    try:
        meetings.open_meeting(appointment_id)
    except VideoError as error:
        log.warning("meeting_still_missing", appointment_id=appointment_id, code=error.code)


@app.periodic(cron="*/5 * * * *", periodic_id="missing-meetings")
@task(name="video.sweep", queueing_lock="video.sweep")
def sweep(timestamp: int = 0) -> None:
    """Ask again for paid visits ahead that have no room, the next visit first."""
    for appointment_id in missing():
        defer(open_missing_meeting, once=f"open-meeting:{appointment_id}", appointment_id=appointment_id)


def missing() -> list[int]:
    """Ids of paid visits that are not over and have no meeting ready, the soonest first."""
    now = clock.now()
    ahead = Appointment.objects.filter(status=Status.PAID, end__gt=now, paid_at__lte=now - LEFT_ALONE)
    return list(
        ahead.exclude(meeting__status=MeetingStatus.READY).order_by("start", "pk").values_list("pk", flat=True)[:200]
    )
