"""Who is sending a message this moment. A claim is the try's beginning, kept on the row with who tries.

A sender is alive while it holds an advisory lock under its number: its end, however sudden, ends the lock with its
connection. What it leaves behind is given back soon after, and the vendor is asked before it is tried again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, Q

from bedside.core import clock

# Keeps a sender's lock apart from other advisory locks.
NAMESPACE = 0x5E4D
# The number of whoever sends without being a sender that can be seen to live: a test, or a job of an older version.
NOBODY = 0
# Longer than any vendor call may take (see the transports' time-outs): after it, such a one is taken for dead.
LEASE = timedelta(minutes=3)
# A call that was on its way when its sender died has ended at the vendor's by then: asking about it finds it.
SETTLED = timedelta(seconds=15)

# A sender's number is the second key of its lock.
_GIVE_BACK = """
    UPDATE notifications_notification SET due_at = %(now)s, sender = NULL
    WHERE status = 'queued' AND sender IS NOT NULL AND CASE WHEN sender = %(nobody)s THEN attempted_at <= %(leased)s
      ELSE attempted_at <= %(settled)s AND NOT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %(namespace)s::oid AND objid = sender::oid
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
      END
"""


def in_flight(now: datetime) -> Q:
    """Rows that somebody has taken and has not answered for. A recorded failure moves ``due_at`` past the try."""
    nobody = Q(sender=NOBODY) | Q(sender=None)
    return Q(attempted_at__gte=F("due_at")) & (~nobody | Q(attempted_at__gt=now - LEASE))


def give_back_lost() -> int:
    """Messages whose sender died in the middle are due again, now; returns how many."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _GIVE_BACK,
            {
                "now": now,
                "leased": now - LEASE,
                "settled": now - SETTLED,
                "nobody": NOBODY,
                "namespace": NAMESPACE,
            },
        )
        return int(cursor.rowcount)
