"""Assign: who gets a visit that several could take. Fair, the same for the same facts, and written down.

The choice is made under the day's lock (locks.py), so that a second patient's sees the first one's visit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from bedside.appointments.locks import lock_choice
from bedside.clinic.models import Practice, Provider, Service
from bedside.schedule import openings
from bedside.schedule.choice import NEVER, Candidate
from bedside.schedule.search import Who

RULE = "fewest visits that day, then longest unused, then lowest id"


@dataclass(frozen=True)
class Choice:
    """Who was chosen for a visit, among whom, and by which counts. ``day``: the practice's."""

    provider: Provider
    day: date
    considered: Sequence[Candidate]
    passed_over: Collection[int] = field(default=())

    def explained(self) -> dict[str, Any]:
        """For the audit trail: ids and counts, nobody's data."""
        return {
            "rule": RULE,
            "day": self.day.isoformat(),
            "chosen": self.provider.pk,
            "considered": [
                {
                    "provider": one.provider_id,
                    "visits_that_day": one.visits_that_day,
                    "last_given": _instant(one.last_given),
                }
                for one in self.considered
            ],
            "passed_over": sorted(self.passed_over),
        }


def choose(
    *,
    service: Service,
    start: datetime,
    among: Who,
    now: datetime,
    location: str | None = None,
    own_hold: bytes | None = None,
    passed_over: Collection[int] = (),
) -> Choice | None:
    """The fairest of those who are free, in the caller's transaction; None where nobody is.

    ``passed_over`` were chosen before, and a rival who wanted exactly them was quicker.
    """
    day = start.astimezone(Practice.current().zone).date()
    lock_choice(day)
    found = openings.candidates_for(
        service, start, now=now, ignore_hold_key=own_hold, provider=among, location=location
    )
    considered = [(one, provider) for one, provider in found if provider.pk not in passed_over]
    if not considered:
        return None
    return Choice(considered[0][1], day, [one for one, _provider in considered], passed_over)


def _instant(microseconds: int) -> str | None:
    """As ISO 8601 in UTC, whole seconds; None for never."""
    if microseconds == NEVER:
        return None
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).isoformat()
