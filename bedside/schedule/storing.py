"""Windows in and out of their table, as plain numbers: half a year's are three hundred rows, mostly right already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

from bedside.schedule.rules import Limit
from bedside.schedule.windows import Minute, Span, to_instant

Windows = dict[Limit, list[Span]]

_STORED = """
    SELECT (date_part('epoch', start) / 60)::int, (date_part('epoch', "end") / 60)::int, services, locations, id
    FROM schedule_openwindow WHERE provider_id = %s AND "end" > %s ORDER BY start
"""
_INSERT = """
    INSERT INTO schedule_openwindow (provider_id, start, "end", services, locations)
    SELECT %(provider)s, to_timestamp(s * 60::float8), to_timestamp(e * 60::float8),
           (%(services)s::text[])[n]::bigint[], (%(locations)s::text[])[n]::varchar(8)[]
    FROM unnest(%(starts)s::int[], %(ends)s::int[], %(limits)s::int[]) AS t (s, e, n)
"""


def replace_windows(provider_id: int, begins: Minute, windows: Windows) -> bool:
    """Make the windows that end after ``begins`` these ones; rows that are right stay. True if any changed."""
    limits = list(windows)
    wanted = {(limit, *span) for limit, spans in windows.items() for span in spans}
    present = _stored(provider_id, begins)
    stale, missing = present.keys() - wanted, sorted(wanted - present.keys())
    with connection.cursor() as cursor:
        if stale:
            gone = _array(present[window] for window in stale)
            cursor.execute("DELETE FROM schedule_openwindow WHERE id = ANY(%s::bigint[])", [gone])
        if missing:
            number = {limit: n for n, limit in enumerate(limits, start=1)}
            facts: dict[str, Any] = {
                "provider": provider_id,
                "starts": _array(start for _, start, _ in missing),
                "ends": _array(end for _, _, end in missing),
                "limits": _array(number[limit] for limit, _, _ in missing),
                "services": [_array(limit.services) for limit in limits],
                "locations": [_array(limit.locations) for limit in limits],
            }
            cursor.execute(_INSERT, facts)
    return bool(stale or missing)


def stored_windows(provider_id: int, since: Minute) -> Windows:
    """The windows that end after ``since``, sorted."""
    windows: Windows = {}
    for limit, start, end in _stored(provider_id, since):
        windows.setdefault(limit, []).append((start, end))
    return windows


def _stored(provider_id: int, since: Minute) -> dict[tuple[Limit, Minute, Minute], int]:
    """Whom for, start and end of each, in order of start, with its row's id."""
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [provider_id, to_instant(since)])
        return {
            (Limit(tuple(services), tuple(locations)), start, end): pk
            for start, end, services, locations, pk in cursor.fetchall()
        }


def _array(values: Iterable[int | str]) -> str:
    """As PostgreSQL writes arrays of numbers or plain codes; as lists they'd be sent ten times as slowly."""
    return "{" + ",".join(str(value) for value in values) + "}"
