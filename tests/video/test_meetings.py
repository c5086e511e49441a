"""A meeting for each paid visit: made once, missed loudly, removed with the visit, started by a fresh link."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from bedside.appointments.models import Appointment
from bedside.core import clock as house_clock
from bedside.core import faults
from bedside.core.models import Alert, Event
from bedside.sandbox.models import Room
from bedside.video import jobs, meetings
from bedside.video.errors import NoRoomYet, VideoUnavailable
from bedside.video.models import Meeting
from bedside.video.services.base import VideoError
from tests.conftest import TestClock
from tests.factories import make_appointment, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit() -> Appointment:
    return make_appointment(make_service(name="Depression follow-up"), status="paid", paid_at=house_clock.now())


def test_a_paid_visit_gets_one_meeting_on_its_providers_host(visit: Appointment) -> None:
    meeting = meetings.open_meeting(visit.pk)
    assert (meeting.status, meeting.host_id) == ("ready", visit.provider.zoom_user_id)
    assert meeting.join_url
    assert meetings.open_meeting(visit.pk).meeting_id == meeting.meeting_id
    assert Room.objects.count() == 1
    assert Event.objects.filter(name="MeetingReady").count() == 1


def test_the_topic_tells_nothing_about_health_or_person(visit: Appointment) -> None:
    meetings.open_meeting(visit.pk)
    topic = Room.objects.get().topic
    assert visit.code in topic
    assert "Depression" not in topic
    assert visit.patient_name not in topic


@pytest.mark.parametrize("status", ["pending_payment", "canceled", "expired"])
def test_a_visit_that_is_not_paid_gets_none(status: str) -> None:
    visit = make_appointment(make_service(), status=status)
    meetings.open_meeting(visit.pk)
    assert not Room.objects.exists()


def test_where_the_service_is_down_the_booking_stands_an_alert_is_raised_and_a_later_try_resolves_it(
    visit: Appointment, clock: TestClock
) -> None:
    faults.arm("video-down", 1)
    with pytest.raises(VideoError):
        meetings.open_meeting(visit.pk)
    visit.refresh_from_db()
    assert visit.status == "paid"
    assert Meeting.objects.get().status == "failed"
    assert Alert.objects.filter(kind="video-down", resolved_at=None).exists()
    clock.forward(timedelta(minutes=6))
    assert jobs.missing() == [visit.pk]
    jobs.open_missing_meeting.plain(visit.pk)  # type: ignore[attr-defined]
    assert Meeting.objects.get().status == "ready"
    assert not Alert.objects.filter(kind="video-down", resolved_at=None).exists()
    assert jobs.missing() == []


def test_a_canceled_visits_meeting_is_removed_and_removing_again_is_harmless(visit: Appointment) -> None:
    meetings.open_meeting(visit.pk)
    meetings.close_meeting(visit.pk)
    meetings.close_meeting(visit.pk)
    assert Meeting.objects.get().status == "deleted"
    assert Room.objects.get().deleted_at is not None


def test_the_hosts_link_is_made_fresh_at_the_click_and_kept_nowhere(visit: Appointment, clock: TestClock) -> None:
    meeting = meetings.open_meeting(visit.pk)
    first = meetings.host_start_url(meeting)
    clock.forward(timedelta(minutes=1))
    assert meetings.host_start_url(meeting) != first
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM video_meeting m")
        assert "zak=" not in cursor.fetchone()[0]


def test_without_a_meeting_there_is_no_link(visit: Appointment) -> None:
    with pytest.raises(NoRoomYet):
        meetings.host_start_url(Meeting.objects.create(appointment=visit))


def test_a_room_that_vanished_at_the_service_is_said_plainly(visit: Appointment) -> None:
    meeting = meetings.open_meeting(visit.pk)
    Room.objects.update(deleted_at=house_clock.now())
    with pytest.raises(VideoUnavailable):
        meetings.host_start_url(meeting)


@pytest.mark.django_db(transaction=True)
def test_twenty_workers_at_once_make_one_meeting() -> None:
    visit = make_appointment(make_service(), status="paid", paid_at=house_clock.now())
    together = threading.Barrier(20)

    def work() -> None:
        try:
            together.wait()
            meetings.open_meeting(visit.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Room.objects.count() == 1
    assert Meeting.objects.get().status == "ready"
