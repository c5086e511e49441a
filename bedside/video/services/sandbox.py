"""The client of the stand-in video service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings

from bedside.sandbox import video as server
from bedside.sandbox.errors import VendorRefused
from bedside.video.services import zoom_signature
from bedside.video.services.base import MeetingDetails, ParticipantEvent, VideoError


class SandboxVideo:
    """A `VideoService`. Its rooms are pages under /sandbox/video/."""

    name = "sandbox"

    def create(
        self,
        *,
        topic: str,
        start: datetime,
        duration_minutes: int,
        host_id: str,
        reference: str,
        alternative_hosts: str = "",
        ask_first: bool = False,
    ) -> MeetingDetails:
        try:
            meeting = server.create_meeting(
                topic=topic, start=start, duration_minutes=duration_minutes, host_id=host_id, reference=reference
            )
        except VendorRefused as error:
            raise _refused(error) from error
        return MeetingDetails(str(meeting["id"]), meeting["join_url"], meeting["password"], meeting["host_id"])

    def update(self, meeting_id: str, *, host_id: str, start: datetime, duration_minutes: int) -> None:
        try:
            server.update_meeting(meeting_id, start=start, duration_minutes=duration_minutes)
        except VendorRefused as error:
            raise _refused(error) from error

    def delete(self, meeting_id: str) -> None:
        try:
            server.delete_meeting(meeting_id)
        except VendorRefused as error:
            if error.status != 404:
                raise _refused(error) from error

    def start_url(self, meeting_id: str) -> str:
        try:
            return str(server.retrieve_meeting(meeting_id)["start_url"])
        except VendorRefused as error:
            raise _refused(error) from error

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> ParticipantEvent | None:
        zoom_signature.verify(body, headers, settings.ENV.secret("zoom_webhook_secret"))
        return zoom_signature.participant_event(body)


def _refused(error: VendorRefused) -> VideoError:
    return VideoError(error.code, permanent=400 <= error.status < 500 and error.status != 429)
