"""Spans of time and what can be done with them. Pure: imports no Django.

A span is ``(start, end)`` in whole minutes since 1970 (UTC), end not included. In a list, spans are sorted and neither
overlap nor touch, unless a function says that it takes them as they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

Minute = int
Span = tuple[Minute, Minute]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE = timedelta(minutes=1)


def to_minute(instant: datetime) -> Minute:
    """The minute that an aware ``instant`` lies in."""
    return (instant - EPOCH) // _ONE


def up_to_minute(instant: datetime) -> Minute:
    """The first minute that begins at ``instant`` (aware) or later."""
    return -((EPOCH - instant) // _ONE)


def to_instant(minute: Minute) -> datetime:
    """The beginning of a minute, aware, in UTC."""
    return datetime.fromtimestamp(minute * 60, UTC)


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same time as ``spans`` (in any order, overlapping or empty) in as few spans as it takes."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def subtract(spans: Iterable[Span], removed: Iterable[Span]) -> list[Span]:
    """What is left of ``spans`` without ``removed``; both in any order."""
    holes, at = merge(removed), 0
    left: list[Span] = []
    for start, end in merge(spans):
        while at < len(holes) and holes[at][1] <= start:
            at += 1
        for n in range(at, len(holes)):
            hole_start, hole_end = holes[n]
            if end <= hole_start:
                break
            if start < hole_start:
                left.append((start, hole_start))
            start = hole_end
        if start < end:
            left.append((start, end))
    return left


def clip(spans: Sequence[Span], since: Minute, until: Minute) -> list[Span]:
    """The parts of ``spans`` that lie in [since, until)."""
    return [(max(start, since), min(end, until)) for start, end in spans if start < until and since < end]
