"""The stand-in video room: a link for the guest, a short-lived one for the host, and word of who came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from bedside.core import faults
from bedside.payments.models import ProcessorEvent
from bedside.sandbox import jobs
from bedside.sandbox.models import Participant, Room, Webhook
from bedside.video.models import Meeting
from bedside.video.services.base import MeetingDetails, VideoError
from bedside.video.services.sandbox import SandboxVideo
from tests.factories import make_appointment

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(clock: Any) -> Callable[..., MeetingDetails]:
    def create(reference: str = "a1") -> MeetingDetails:
        return SandboxVideo().create(
            topic="Video visit",
            start=clock.now() + timedelta(hours=1),
            duration_minutes=30,
            host_id="h1",
            reference=reference,
        )

    return create


def local(url: str) -> str:
    return url.removeprefix("http://127.0.0.1:8000")


def test_the_same_reference_is_the_same_meeting(make: Callable[..., MeetingDetails]) -> None:
    assert make() == make()
    assert make("a2").meeting_id != make().meeting_id


def test_a_deleted_meeting_opens_no_more_and_deleting_again_is_fine(client: Client, make: Any) -> None:
    details = make()
    SandboxVideo().delete(details.meeting_id)
    SandboxVideo().delete(details.meeting_id)
    assert client.get(local(details.join_url)).status_code == 404
    with pytest.raises(VideoError):
        SandboxVideo().start_url(details.meeting_id)


def test_the_service_being_down_is_worth_another_try(make: Any) -> None:
    faults.arm("video-down")
    with pytest.raises(VideoError) as caught:
        make()
    assert not caught.value.permanent
    assert make().meeting_id


def test_the_guests_link_opens_the_guests_side_and_a_wrong_passcode_doesnt(client: Client, make: Any) -> None:
    details = make()
    assert "Join the meeting" in client.get(local(details.join_url)).content.decode()
    for query in ("", "?pwd=wrong", "?zak=forged"):
        assert client.get(f"/sandbox/video/{details.meeting_id}{query}").status_code == 403


def test_the_hosts_link_lives_two_hours(client: Client, make: Any, clock: Any) -> None:
    start_url = local(SandboxVideo().start_url(make().meeting_id))
    assert "Start the meeting" in client.get(start_url).content.decode()
    clock.forward(timedelta(hours=1, minutes=59))
    assert client.get(start_url).status_code == 200
    clock.forward(timedelta(minutes=2))
    assert client.get(start_url).status_code == 403


def test_a_hosts_link_opens_no_other_room(client: Client, make: Any) -> None:
    ticket = SandboxVideo().start_url(make("a1").meeting_id).partition("zak=")[2]
    assert client.get(f"/sandbox/video/{make('a2').meeting_id}?zak={ticket}").status_code == 403


def test_joining_and_leaving_are_told_once_each(client: Client, make: Any) -> None:
    details = make()
    page = f"/sandbox/video/{details.meeting_id}"
    for step in ("join", "join", "leave", "leave"):
        assert client.post(f"{page}/{step}", {"pwd": details.passcode}).status_code == 302
    assert list(Webhook.objects.order_by("pk").values_list("kind", flat=True)) == [
        "meeting.participant_joined",
        "meeting.participant_left",
    ]
    assert Participant.objects.get().left_at is not None


def test_nobody_joins_without_the_key(client: Client, make: Any) -> None:
    details = make()
    assert client.post(f"/sandbox/video/{details.meeting_id}/join", {"pwd": "wrong"}).status_code == 403
    assert client.post("/sandbox/video/123/join", {"pwd": "x"}).status_code == 404
    assert client.post(f"/sandbox/video/{details.meeting_id}/shout", {"pwd": details.passcode}).status_code == 404
    assert not Participant.objects.exists()


def test_a_patient_in_the_room_is_seen_waiting_until_the_host_comes(
    client: Client, make: Any, wire: list[int], clock: Any
) -> None:
    details = make()
    Meeting.objects.create(appointment=make_appointment(), meeting_id=details.meeting_id, host_id="h1", status="ready")
    client.post(f"/sandbox/video/{details.meeting_id}/join", {"pwd": details.passcode})
    deliver(wire)
    assert Meeting.objects.get().patient_waiting_since == clock.now().replace(microsecond=0)
    ticket = SandboxVideo().start_url(details.meeting_id).partition("zak=")[2]
    client.post(f"/sandbox/video/{details.meeting_id}/join", {"zak": ticket}, content_type="application/json")
    deliver(wire)
    meeting = Meeting.objects.get()
    assert (meeting.patient_waiting_since, meeting.host_joined_at) == (None, clock.now().replace(microsecond=0))
    assert set(wire) == {200}
    assert ProcessorEvent.objects.filter(processor="zoom").count() == 2
    assert Room.objects.get().participants.count() == 2


def deliver(wire: list[int]) -> None:
    for job in ProcrastinateJob.objects.filter(task_name="sandbox.deliver_webhook"):
        jobs.deliver_webhook.func(**job.args)
