"""Zoom for real: server-to-server OAuth, and the four calls on meetings that a visit needs.

Source: developers.zoom.us/docs/api/meetings. A token lives an hour and has no refresh token; all processes share one.
A host may make and change about a hundred meetings a day: beyond our own count nothing is asked. Zoom keeps no
idempotency keys: after a lost answer the host's meetings are looked through for our topic, which no other visit has.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from django.conf import settings

from bedside.core import clock
from bedside.video.services import zoom_limits, zoom_signature
from bedside.video.services.base import MeetingDetails, ParticipantEvent, VideoError
from bedside.video.services.zoom_token import access_token, forget_token

API = "https://api.zoom.us/v2"
TIMEOUT = httpx.Timeout(10, connect=5)
SCHEDULED = 2
# Zoom's own list of what is ahead, per page and in all.
PAGE, MOST_PAGES = 300, 10


class ZoomVideo:
    """A `VideoService`. Never called inside a transaction."""

    name = "zoom"

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
        """POST users/HOST/meetings; with ``ask_first``, only where no meeting of this topic is there yet."""
        if ask_first and (found := self._find(host_id, topic)):
            return _details(self._call("GET", f"/meetings/{found}"))
        zoom_limits.take(host_id)
        body = {
            "topic": topic,
            "type": SCHEDULED,
            "start_time": start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "duration": duration_minutes,
            "timezone": "UTC",
            # Ours, so that there is one whatever the account's settings say; it is in the join link too.
            "password": f"{secrets.randbelow(10**6):06}",
            "settings": {
                "waiting_room": True,
                "join_before_host": False,
                "approval_type": 2,
                "auto_recording": "none",
                "alternative_hosts": alternative_hosts,
            },
        }
        return _details(self._call("POST", f"/users/{host_id}/meetings", json=body))

    def update(self, meeting_id: str, *, host_id: str, start: datetime, duration_minutes: int) -> None:
        """PATCH meetings/ID: another time, the same link."""
        zoom_limits.take(host_id)
        body = {
            "start_time": start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "duration": duration_minutes,
            "timezone": "UTC",
        }
        self._call("PATCH", f"/meetings/{meeting_id}", json=body)

    def delete(self, meeting_id: str) -> None:
        """DELETE meetings/ID; one that is gone already is fine."""
        try:
            self._call("DELETE", f"/meetings/{meeting_id}")
        except VideoError as error:
            if error.code not in {"404", "3001"}:
                raise

    def start_url(self, meeting_id: str) -> str:
        """The fresh ``start_url`` of GET meetings/ID; it lives two hours."""
        return str(self._call("GET", f"/meetings/{meeting_id}").get("start_url", ""))

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> ParticipantEvent | None:
        zoom_signature.verify(body, headers, settings.ENV.secret("zoom_webhook_secret"))
        return zoom_signature.participant_event(body)

    def _find(self, host_id: str, topic: str) -> str:
        """The id of the host's meeting with our topic, among those ahead; "" where there is none."""
        query: dict[str, str] = {"type": "upcoming", "page_size": str(PAGE)}
        for _page in range(MOST_PAGES):
            listed = self._call("GET", f"/users/{host_id}/meetings", params=query)
            for meeting in listed.get("meetings", []):
                if meeting.get("topic") == topic:
                    return str(meeting["id"])
            if not listed.get("next_page_token"):
                return ""
            query["next_page_token"] = str(listed["next_page_token"])
        return ""

    def _call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        """One request; a token that Zoom no longer takes is asked for anew, once."""
        answer = _ask(method, path, access_token(), **sent)
        if answer.status_code == 401:
            forget_token()
            answer = _ask(method, path, access_token(), **sent)
        if answer.is_success:
            return dict(answer.json()) if answer.content else {}
        raise _refused(answer)


def _ask(method: str, path: str, token: str, **sent: Any) -> httpx.Response:
    try:
        with httpx.Client(timeout=TIMEOUT) as client:
            return client.request(method, f"{API}{path}", headers={"Authorization": f"Bearer {token}"}, **sent)
    except httpx.HTTPError:
        raise VideoError("no-answer") from None


def _details(meeting: Mapping[str, Any]) -> MeetingDetails:
    try:
        return MeetingDetails(
            str(meeting["id"]), meeting["join_url"], meeting.get("password", ""), str(meeting.get("host_id", ""))
        )
    except KeyError:
        raise VideoError("unreadable-answer") from None


def _refused(answer: httpx.Response) -> VideoError:
    """Zoom's own code where it gives one, else the HTTP status. 429 and 5xx pass; other refusals stay."""
    try:
        code = str(answer.json().get("code") or answer.status_code)
    except (ValueError, AttributeError):
        code = str(answer.status_code)
    return VideoError(
        code,
        permanent=400 <= answer.status_code < 500 and answer.status_code not in {401, 429},
        retry_after=_wait(answer.headers.get("Retry-After", "")),
    )


def _wait(said: str) -> timedelta | None:
    """Retry-After: seconds, or for a day's limit the instant at which it ends ("2026-12-02T00:00:00Z")."""
    if said.isascii() and said.isdigit() and len(said) < 7:
        return timedelta(seconds=int(said))
    try:
        ends = datetime.fromisoformat(said)
    except ValueError:
        return None
    return max(ends - clock.now(), timedelta(0)) if ends.tzinfo else None
