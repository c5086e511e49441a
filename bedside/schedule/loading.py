"""Reading diaries: the open windows and the blocked time of providers, as plain numbers, in two queries.

A hundred providers' month is twenty thousand bookings. They leave the database as one row per provider, with all its
spans packed into one value: four bytes a minute, as PostgreSQL sends integers. As model instances they would take a
second, as text ten milliseconds more.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from django.db import connection

from bedside.appointments.states import HOLDS_TIME, Status
from bedside.clinic.models import Provider
from bedside.schedule.rules import places_of
from bedside.schedule.slots import Diary
from bedside.schedule.windows import Minute, Span, merge, to_instant

# No visit with its buffers takes longer; what starts earlier than this before a range can't reach into it.
LONGEST_BLOCK = timedelta(days=2)

_WINDOWS = """
    SELECT provider_id,
           string_agg(int4send((date_part('epoch', start) / 60)::int)
                   || int4send((date_part('epoch', "end") / 60)::int), ''::bytea ORDER BY start)
    FROM schedule_openwindow
    WHERE provider_id = ANY(%(providers)s) AND start < %(until)s AND "end" > %(since)s
      AND (services = '{}' OR %(service)s = ANY(services)) AND (locations = '{}' OR locations && %(places)s)
    GROUP BY provider_id
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Rounded outwards to whole minutes: nothing is offered that the constraint would refuse. In the same answer, under the
# provider's id made negative: busy times of imported calendars.
_BLOCKED = """
    SELECT provider_id,
           string_agg(int4send(floor(date_part('epoch', lower(blocked)) / 60)::int)
                   || int4send(ceil(date_part('epoch', upper(blocked)) / 60)::int), ''::bytea ORDER BY start)
    FROM appointments_appointment
    WHERE provider_id = ANY(%(providers)s) AND start >= %(reach)s AND start < %(until_reach)s
      AND status = ANY(%(holding)s) AND id IS DISTINCT FROM %(moving)s
      AND NOT (status = %(pending)s AND (hold_expires_at <= %(now)s OR coalesce(hold_key = %(own)s, false)))
    GROUP BY provider_id
    UNION ALL
    SELECT -provider_id,
           string_agg(int4send((date_part('epoch', start) / 60)::int)
                   || int4send((date_part('epoch', "end") / 60)::int), ''::bytea ORDER BY start)
    FROM schedule_busyblock
    WHERE provider_id = ANY(%(providers)s) AND "end" > %(reach)s AND start < %(until_reach)s
    GROUP BY provider_id
"""


class Asked(NamedTuple):
    """For which service, with a patient where (None: unknown), as of when; whose hold, and which visit, don't count."""

    service: int
    location: str | None
    now: datetime
    own_hold: bytes | None = None
    moving: int | None = None


# By the index on (provider, created_at) of visits that hold time: one probe for each provider.
_LAST_GIVEN = """
    SELECT one.id, (
        SELECT created_at FROM appointments_appointment given
        WHERE given.provider_id = one.id AND status IN %(holding)s
          AND NOT (status = %(pending)s AND (hold_expires_at <= %(now)s OR coalesce(hold_key = %(own)s, false)))
        ORDER BY created_at DESC LIMIT 1)
    FROM unnest(%(providers)s) AS one (id)
"""


def load_last_given(providers: Sequence[Provider], asked: Asked) -> dict[int, int]:
    """When each was last given a visit that still stands, microseconds since 1970; who never was isn't there."""
    # Written out, so that the planner sees that the index holds all of them.
    holding = "(" + ", ".join(f"'{status}'" for status in sorted(HOLDS_TIME)) + ")"
    facts: dict[str, Any] = {
        "providers": [provider.pk for provider in providers],
        "pending": Status.PENDING_PAYMENT,
        "now": asked.now,
        "own": asked.own_hold,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LAST_GIVEN.replace("%(holding)s", holding), facts)
        return {who: (at - _EPOCH) // timedelta(microseconds=1) for who, at in cursor.fetchall() if at}


def load(providers: Sequence[Provider], since: Minute, until: Minute, asked: Asked) -> dict[int, Diary]:
    """The diaries of ``providers`` over [since, until), by id, in their order.

    A hold that ran out by ``asked.now`` blocks nothing, and neither do the asker's own and the visit ``asked.moving``.
    """
    facts = {
        "providers": [provider.pk for provider in providers],
        "since": to_instant(since),
        "until": to_instant(until),
        "reach": to_instant(since) - LONGEST_BLOCK,
        "until_reach": to_instant(until) + LONGEST_BLOCK,
        "holding": sorted(HOLDS_TIME),
        "pending": Status.PENDING_PAYMENT,
        "now": asked.now,
        "own": asked.own_hold,
        "moving": asked.moving,
        "service": asked.service,
        "places": places_of(asked.location),
    }
    windows, blocked = _read(_WINDOWS, facts), _read(_BLOCKED, facts)
    nothing = array("i")
    diaries = {}
    for provider in providers:
        opens, taken = windows.get(provider.pk, nothing), blocked.get(provider.pk, nothing)
        diary = Diary(_joined(opens), taken[::2], taken[1::2])
        busy = blocked.get(-provider.pk)
        diaries[provider.pk] = _with_busy(diary, busy) if busy else diary
    return diaries


def _with_busy(diary: Diary, busy: array[int]) -> Diary:
    """Visits and the busy times of several calendars may overlap: a diary's blocked spans don't."""
    visits = zip(diary.taken, diary.released, strict=True)
    both = merge([*visits, *zip(busy[::2], busy[1::2], strict=True)])
    starts, ends = [start for start, _ in both], [end for _, end in both]
    return replace(diary, taken=starts, released=ends, visits=diary.taken)


def _joined(flat: array[int]) -> list[Span]:
    """Windows of different limits may overlap or touch; then they are one stretch of work."""
    spans = list(zip(flat[::2], flat[1::2], strict=True))
    apart = all(earlier[1] < later[0] for earlier, later in pairwise(spans))
    return spans if apart else merge(spans)


def _read(query: str, facts: dict[str, Any]) -> dict[int, array[int]]:
    """For each provider id: start, end, start, end, … in minutes."""
    with connection.cursor() as cursor:
        cursor.execute(query, facts)
        return {provider_id: _unpack(packed) for provider_id, packed in cursor.fetchall()}


def _unpack(packed: bytes) -> array[int]:
    numbers = array("i", bytes(packed))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
