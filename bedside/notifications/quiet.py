"""Quiet hours: when a text may disturb somebody. Pure: imports no Django, all instants are aware.

A message that answers the patient's own act goes at once: the phone is in the hand. What the practice or the clock
sends waits for the morning in the recipient's own zone, or comes before the evening's end where the morning would be
too late; where neither is left, the email alone must do. Emails lie still until they are read: no quiet hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Sent by the clock, or by the practice without being asked that moment.
WAITING_KINDS = frozenset({"reminder", "rescheduled", "canceled", "provider_changed", "credit", "intake_request"})
# A text that comes later than this before the visit helps nobody to get ready.
READY = timedelta(minutes=30)
# A change of a visit that begins this soon after the quiet hours must be known at once.
URGENT = timedelta(hours=3)
JUST_BEFORE = timedelta(minutes=1)


@dataclass(frozen=True)
class QuietHours:
    """From ``start`` to ``end`` on the wall clock, past midnight where ``end`` is earlier; equal: none at all."""

    start: time = time(21)
    end: time = time(8)

    def around(self, instant: datetime, zone: str) -> tuple[datetime, datetime] | None:
        """The quiet hours, UTC, that hold ``instant``; None where it lies outside them."""
        tz = ZoneInfo(zone)
        if self.start == self.end:
            return None
        day = instant.astimezone(tz).date()
        for first in (day - timedelta(days=1), day):
            last = first + timedelta(days=1) if self.end < self.start else first
            begins = datetime.combine(first, self.start, tzinfo=tz).astimezone(UTC)
            ends = datetime.combine(last, self.end, tzinfo=tz).astimezone(UTC)
            if begins <= instant < ends:
                return begins, ends
        return None


def when_to_text(
    kind: str, *, own_act: bool, due: datetime, now: datetime, start: datetime, zone: str, quiet: QuietHours
) -> datetime | None:
    """When a text that is due may be sent, or None: leave it to the email.

    ``own_act``: the recipient asked for it this moment. ``start``: when the visit begins. The answer is never before
    ``now``; of a reminder, never after the visit has begun.
    """
    wanted = max(due, now)
    if own_act or kind not in WAITING_KINDS:
        return wanted
    hours = quiet.around(wanted, zone)
    if hours is None:
        return wanted
    begins, ends = hours
    if kind != "reminder":
        return wanted if now < start <= ends + URGENT else ends
    if ends <= start - READY:
        return ends
    evening = begins - JUST_BEFORE
    return evening if evening >= now else None
