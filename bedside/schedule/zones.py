"""Wall clocks and instants. Pure: imports no Django.

A zone's wall clock is UTC plus an offset that changes now and then. Between two changes it is a plain shift, so a
stretch of wall-clock time is turned into real time piece by piece: what a change skips has no piece, what it repeats
has two. No case needs to be told apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bedside.schedule.windows import Minute, Span, merge, to_instant

DAY = 24 * 60
# Offsets are looked up this often (minutes); two changes closer together would be missed. The shortest time between
# two in the zone database since 1970 is some days.
_PROBE = 12 * 60
_EPOCH_DAY = date(1970, 1, 1).toordinal()

# Minutes on a wall clock since 1970-01-01 00:00 on that wall: a number line without a zone.
Wall = int
# From this instant until that one the wall clock is ahead of UTC by so many minutes.
Piece = tuple[Minute, Minute, int]


def wall_minute(day: date, at: time = time(0)) -> Wall:
    """A wall-clock time as a number; seconds are cut off."""
    return (day.toordinal() - _EPOCH_DAY) * DAY + at.hour * 60 + at.minute


def real_time(walls: Iterable[tuple[Wall, Wall]], zone: ZoneInfo) -> list[Span]:
    """All instants at which the zone's wall clock shows a time inside one of ``walls`` (half-open, in any order)."""
    wanted = sorted(wall for wall in walls if wall[0] < wall[1])
    if not wanted:
        return []
    # No zone is further than a day from UTC.
    pieces = offsets(zone, wanted[0][0] - DAY, max(end for _, end in wanted) + DAY)
    found = []
    for since, until, offset in pieces:
        for start, end in wanted:
            found.append((max(start - offset, since), min(end - offset, until)))
    return merge(found)


def span_of_days(first: date, last: date, zone: ZoneInfo) -> Span | None:
    """From the first instant of ``first`` to the end of ``last``, both days of the zone; None where there is none."""
    spans = real_time([(wall_minute(first), wall_minute(last) + DAY)], zone)
    return (spans[0][0], spans[-1][1]) if spans else None


def day_of(minute: Minute, zone: ZoneInfo) -> date:
    """The zone's date at that minute."""
    return to_instant(minute).astimezone(zone).date()


@lru_cache(maxsize=256)
def offsets(zone: ZoneInfo, since: Minute, until: Minute) -> list[Piece]:
    """The pieces of [since, until) in which the zone's offset stands still, in order."""
    pieces: list[Piece] = []
    start, offset, before = since, _offset(zone, since), since
    for probe in [*range(since + _PROBE, until, _PROBE), until]:
        if _offset(zone, probe) != offset:
            change = _change_between(zone, before, probe)
            pieces.append((start, change, offset))
            start, offset = change, _offset(zone, change)
        before = probe
    pieces.append((start, until, offset))
    return pieces


def _change_between(zone: ZoneInfo, before: Minute, after: Minute) -> Minute:
    """The first minute with the new offset, by halving."""
    old = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, minute: Minute) -> int:
    difference = datetime.fromtimestamp(minute * 60, UTC).astimezone(zone).utcoffset()
    assert difference is not None
    return difference // timedelta(minutes=1)
