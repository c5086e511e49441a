"""What can go wrong with a meeting, in words for a page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from bedside.core.errors import BedsideError


class NoRoomYet(BedsideError):
    """There is no meeting to start or to join."""

    code = "no-room-yet"
    status = 409
    default_message = _("The video room isn't ready yet. Please try again in a minute.")


class VideoUnavailable(BedsideError):
    """The video service gave no link."""

    code = "video-unavailable"
    status = 503
    default_message = _("The video service isn't answering. Please try again in a minute.")
