"""Rate limits, counted in PostgreSQL so that every process agrees. Limits are settings, per scope."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from bedside.core import clock, crypto
from bedside.core.errors import BedsideError


class RateLimited(BedsideError):
    """Too many at once; ``retry_after`` says in how many seconds to come back."""

    code = "rate-limited"
    status = 429
    default_message = _("That was a lot of requests at once. Please wait a moment and try again.")

    @property
    def retry_after(self) -> int:
        return int(self.details.get("retry_after", 60))


def hit(scope: str, key: str) -> None:
    """Count one use of ``scope`` by ``key`` (an address or an id; only its keyed hash is kept).

    Raises `RateLimited` past ``settings.RATE_LIMITS[scope] = (count, seconds)``; a scope without a limit is free.
    """
    limit = settings.RATE_LIMITS.get(scope)
    if limit is None:
        return
    count, seconds = limit
    present = int(clock.now().timestamp())
    window = present - present % seconds
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO core_ratebucket (scope, key, "window", count) VALUES (%s, %s, %s, 1) '
            'ON CONFLICT (scope, key, "window") DO UPDATE SET count = core_ratebucket.count + 1 RETURNING count',
            [scope, crypto.blind_index("rate", f"{scope}:{key}"), window],
        )
        used = cursor.fetchone()[0]
    if used > count:
        raise RateLimited(retry_after=window + seconds - present)
