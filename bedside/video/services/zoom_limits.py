"""About a hundred creates and updates a day for each host: counted here, so that Zoom need not refuse."""

from __future__ import annotations

from django.db import connection

from bedside.core import clock
from bedside.video.services.base import VideoError

# Some are left for what the host does at Zoom's own pages. The day is Zoom's: midnight UTC.
A_DAY = 95


def take(host_id: str) -> None:
    """Count one call for the host. Raises `VideoError` (it passes tomorrow) where the day's calls are used up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO video_hostuse (host_id, day, count) VALUES (%s, %s, 1) "
            "ON CONFLICT (host_id, day) DO UPDATE SET count = video_hostuse.count + 1 WHERE video_hostuse.count < %s "
            "RETURNING count",
            [host_id, clock.now().date(), A_DAY],
        )
        if cursor.fetchone() is None:
            raise VideoError("host-limit")
