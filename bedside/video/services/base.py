"""What a video service must do, and the errors it may raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True)
class MeetingDetails:
    """A meeting as the service made it. ``join_url`` is the patient's; the host's link is asked for at the click."""

    meeting_id: str
    join_url: str
    passcode: str
    host_id: str


@dataclass(frozen=True)
class ParticipantEvent:
    """Somebody came or went: ``kind`` is "joined" or "left", ``role`` is "host" or "guest", ``at`` is UTC."""

    event_id: str
    kind: str
    meeting_id: str
    role: str
    at: datetime


class VideoService(Protocol):
    """A video service: Zoom, or the sandbox's stand-in. Nothing here is called inside a transaction."""

    name: str

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
        """Make a meeting. The same ``reference`` again gives the same meeting where the service can tell.

        ``topic`` names no person and no condition: it appears in the service's own emails, and no other visit has it.
        ``ask_first``: an earlier try's answer was lost; look whether it made one. Raises `VideoError`.
        """
        ...

    def update(self, meeting_id: str, *, host_id: str, start: datetime, duration_minutes: int) -> None:
        """Move a meeting; its link stays. Raises `VideoError`."""
        ...

    def delete(self, meeting_id: str) -> None:
        """End and remove a meeting. One that is gone already is fine. Raises `VideoError`."""
        ...

    def start_url(self, meeting_id: str) -> str:
        """A fresh link for the host; it lives about two hours and is never kept. Raises `VideoError`."""
        ...

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> ParticipantEvent | None:
        """A participant's coming or going, or None for any other event. Raises `BadSignature` before parsing."""
        ...


class VideoError(Exception):
    """The service refused or could not be reached. ``permanent``: asking again as it is can't help.

    ``retry_after``: how long the service wants to be left alone, where it says so.
    """

    def __init__(self, code: str, *, permanent: bool = False, retry_after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code, self.permanent, self.retry_after = code, permanent, retry_after


class BadSignature(Exception):
    """A webhook that is forged, stale or unreadable. Nothing changes."""
