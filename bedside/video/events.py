"""What can happen to a meeting. Ids only."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class MeetingEvent(DomainEvent):
    appointment_id: int
    provider_id: int
    meeting_id: int


class MeetingReady(MeetingEvent):
    """There is a link to join by."""


class MeetingFailed(MeetingEvent):
    """The video service made none; it will be asked again."""


class HostJoined(MeetingEvent):
    """The provider is in the room."""


class PatientLeft(MeetingEvent):
    """The patient left the room."""
