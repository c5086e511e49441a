"""Which video service makes the meetings: the vendor's where it is configured, the stand-in in the sandbox."""

from __future__ import annotations

from django.conf import settings

from bedside.video.services.base import VideoError, VideoService


def video_service() -> VideoService:
    """The service to ask. Raises `VideoError` (permanent) where none is configured."""
    if settings.SANDBOX:
        from bedside.video.services.sandbox import SandboxVideo

        return SandboxVideo()
    if settings.ENV.zoom_account_id:
        from bedside.video.services.zoom import ZoomVideo

        return ZoomVideo()
    raise VideoError("no-video-service", permanent=True)
