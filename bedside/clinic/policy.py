"""What a cancellation policy means: who gets how much back, and until when. Pure: imports no Django.

Amounts are integer minor units; instants are aware. A policy's terms never change once something was booked under them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

Why = Literal["practice", "free", "late", "started", "no_show"]


@dataclass(frozen=True)
class Terms:
    """Free until ``free_hours`` before the start; after that ``late_percent`` comes back.

    Of a visit that the patient missed, ``no_show_fee_percent`` is kept; it counts as missed ``late_minutes`` after its
    start. Patients may move it until ``move_hours`` before, ``max_moves`` times.
    """

    free_hours: int
    late_percent: int = 0
    no_show_fee_percent: int = 100
    late_minutes: int = 15
    move_hours: int = 24
    max_moves: int = 3

    def free_until(self, starts_at: datetime) -> datetime:
        """The last moment at which everything comes back; the start itself where a late cancellation costs nothing."""
        return starts_at - timedelta(hours=0 if self.late_percent == 100 else self.free_hours)

    def move_until(self, starts_at: datetime) -> datetime:
        return starts_at - timedelta(hours=self.move_hours)

    def missed_from(self, starts_at: datetime) -> datetime:
        return starts_at + timedelta(minutes=self.late_minutes)


class Proposal(NamedTuple):
    """``refund`` comes back and ``kept`` stays, of what had not come back before."""

    refund: int
    kept: int
    why: Why


def proposal(terms: Terms, paid: int, starts_at: datetime, now: datetime, *, returned: int = 0) -> Proposal:
    """What canceling at ``now`` gives back of ``paid``, of which ``returned`` went back before."""
    if now <= terms.free_until(starts_at):
        return _split(paid, paid, returned, "free")
    if now < starts_at:
        return _split(paid, share(paid, terms.late_percent), returned, "late")
    return _split(paid, 0, returned, "started")


def practice_cancels(paid: int, *, returned: int = 0) -> Proposal:
    """It isn't the patient's doing: everything comes back, at any time."""
    return _split(paid, paid, returned, "practice")


def no_show(terms: Terms, paid: int, *, returned: int = 0) -> Proposal:
    """What comes back of a visit that the patient missed."""
    return _split(paid, share(paid, 100 - terms.no_show_fee_percent), returned, "no_show")


def share(amount: int, percent: int) -> int:
    """So many percent of an amount; half a cent and more is rounded up, in the patient's favor."""
    return (amount * percent + 50) // 100


def _split(paid: int, due: int, returned: int, why: Why) -> Proposal:
    left = max(paid - returned, 0)
    refund = min(max(due - returned, 0), left)
    return Proposal(refund, left - refund, why)
