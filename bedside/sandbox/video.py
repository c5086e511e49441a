"""The stand-in video service: meetings in Zoom's shape, links for host and guest, and who is in the room."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction

from bedside.core import clock, faults
from bedside.sandbox import webhooks
from bedside.sandbox.errors import VendorRefused
from bedside.sandbox.models import Participant, Room

# As Zoom's start links do.
HOST_LINK_LIVES = timedelta(hours=2)
SALT = "sandbox.video.host"


def create_meeting(
    *, topic: str, start: datetime, duration_minutes: int, host_id: str, reference: str
) -> dict[str, Any]:
    """POST /users/HOST/meetings. The same reference gives the same meeting while it stands."""
    if faults.armed("video-down"):
        raise VendorRefused(500, "500", "Internal error.")
    with transaction.atomic():
        room = Room.objects.filter(client_reference=reference, deleted_at=None).first() if reference else None
        room = room or Room.objects.create(
            meeting_id=str(secrets.randbelow(9 * 10**10) + 10**10),
            uuid=secrets.token_urlsafe(16),
            topic=topic[:200],
            host_id=host_id,
            client_reference=reference,
            start=start,
            duration_minutes=duration_minutes,
            passcode=secrets.token_hex(4),
            created_at=clock.now(),
        )
    return shape(room)


def retrieve_meeting(meeting_id: str) -> dict[str, Any]:
    """GET /meetings/ID: with a fresh ``start_url``, good for two hours."""
    return shape(find(meeting_id))


def update_meeting(meeting_id: str, *, start: datetime, duration_minutes: int) -> None:
    """PATCH /meetings/ID: another time, the same link."""
    if faults.armed("video-down"):
        raise VendorRefused(500, "500", "Internal error.")
    Room.objects.filter(pk=find(meeting_id).pk).update(start=start, duration_minutes=duration_minutes)


def delete_meeting(meeting_id: str) -> None:
    """DELETE /meetings/ID. Refused with 404 where there is none (any more)."""
    room = find(meeting_id)
    Room.objects.filter(pk=room.pk).update(deleted_at=clock.now())


def find(meeting_id: str) -> Room:
    room = Room.objects.filter(meeting_id=meeting_id, deleted_at=None).first()
    if room is None:
        raise VendorRefused(404, "3001", "Meeting does not exist.")
    return room


def join(room: Room, role: str) -> None:
    """Somebody comes in. Coming in twice is once."""
    with transaction.atomic():
        present, new = Participant.objects.get_or_create(
            room=room, role=role, left_at=None, defaults={"joined_at": clock.now()}
        )
        if new:
            webhooks.zoom("meeting.participant_joined", _told(room, present, "join_time", present.joined_at))


def leave(room: Room, role: str) -> None:
    """Somebody goes. Who isn't there can't go."""
    with transaction.atomic():
        present = Participant.objects.select_for_update().filter(room=room, role=role, left_at=None).first()
        if present is None:
            return
        present.left_at = clock.now()
        present.save(update_fields=["left_at"])
        webhooks.zoom("meeting.participant_left", _told(room, present, "leave_time", present.left_at))


def is_host(room: Room, ticket: str) -> bool:
    """Whether the host's link is genuine, for this room, and at most two hours old by our clock."""
    try:
        claim = signing.loads(ticket, salt=SALT)
    except signing.BadSignature:
        return False
    return bool(claim.get("room") == room.meeting_id and claim.get("until", 0) >= clock.now().timestamp())


def shape(room: Room) -> dict[str, Any]:
    """Zoom's meeting object: the fields that anybody reads."""
    page = f"{settings.PUBLIC_URL}/sandbox/video/{room.meeting_id}"
    until = int((clock.now() + HOST_LINK_LIVES).timestamp())
    ticket = signing.dumps({"room": room.meeting_id, "until": until}, salt=SALT)
    return {
        "id": int(room.meeting_id),
        "uuid": room.uuid,
        "host_id": room.host_id,
        "topic": room.topic,
        "type": 2,
        "start_time": _zulu(room.start),
        "duration": room.duration_minutes,
        "timezone": "UTC",
        "join_url": f"{page}?pwd={room.passcode}",
        "start_url": f"{page}?zak={ticket}",
        "password": room.passcode,
    }


def _told(room: Room, present: Participant, moment: str, at: datetime) -> dict[str, Any]:
    """The payload of a participant's event. A guest has no id at Zoom; the host's is the meeting's host."""
    return {
        "account_id": "sandbox",
        "object": {
            "id": room.meeting_id,
            "uuid": room.uuid,
            "host_id": room.host_id,
            "topic": room.topic,
            "type": 2,
            "start_time": _zulu(room.start),
            "duration": room.duration_minutes,
            "timezone": "UTC",
            "participant": {
                "user_id": str(present.pk),
                "id": room.host_id if present.role == "host" else "",
                "user_name": "Host" if present.role == "host" else "Guest",
                moment: _zulu(at),
            },
        },
    }


def _zulu(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
