"""From windows and blocked time to the starts that can be offered. Pure: imports no Django.

All numbers are minutes; instants are minutes since 1970, UTC. What is free comes out as runs of starts (``range``): a
few a day, where an object for each start would be thousands.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bedside.schedule.windows import Minute, Span


@dataclass(frozen=True)
class Visit:
    """How a service uses time: its length, the buffers kept free around it, and the step of its starts."""

    length: int
    prep: int
    wrap: int
    step: int


@dataclass(frozen=True)
class Diary:
    """A provider's time: open windows, and what is blocked (visits with their buffers).

    Blocked spans are two lists in step, ``taken`` and ``released``; like the windows, sorted and without overlaps.
    In the spans ``full`` no visit may start, though one that began before may run into them.
    ``visits`` are the starts of those that are visits, where there are others (busy times of other calendars).
    """

    windows: Sequence[Span] = ()
    taken: Sequence[Minute] = ()
    released: Sequence[Minute] = ()
    full: Sequence[Span] = ()
    visits: Sequence[Minute] | None = None

    @classmethod
    def of(cls, windows: Iterable[Span], blocked: Iterable[Span] = ()) -> Diary:
        """From sorted spans."""
        blocked = list(blocked)
        return cls(list(windows), [start for start, _ in blocked], [end for _, end in blocked])

    def visits_between(self, since: Minute, until: Minute) -> int:
        """How many visits begin in [since, until), with the time kept free before them."""
        starts = self.taken if self.visits is None else self.visits
        return bisect_left(starts, until) - bisect_left(starts, since)

    def windows_between(self, since: Minute, until: Minute) -> Sequence[Span]:
        """The windows that may reach into [since, until)."""
        return self.windows[max(bisect_left(self.windows, (since,)) - 1, 0) : bisect_left(self.windows, (until,))]


def free_starts(diary: Diary, visit: Visit, earliest: Minute, latest: Minute) -> list[range]:
    """The starts in [earliest, latest) at which ``visit`` fits, as runs in order.

    Starts lie on the visit's step, counted from their window's own start, so a booking never shifts the times after it.
    The visit lies inside its window; the buffers may reach out of it, but neither visit nor buffers touch blocked time.
    """
    before, after, step = visit.prep, visit.length + visit.wrap, visit.step
    taken, released = diary.taken, diary.released
    runs: list[range] = []
    for opens, closes in diary.windows_between(earliest, latest):
        start, stop = max(opens, earliest), min(closes - visit.length + 1, latest)
        if start >= stop:
            continue
        for n in range(bisect_right(released, start - before), len(taken)):
            # The last start before a blocked span is the one whose wrap ends as that begins.
            gap_stop = taken[n] - after + 1
            if gap_stop >= stop:
                break
            if start < gap_stop:
                runs.append(range(start + (opens - start) % step, gap_stop, step))
            start = max(start, released[n] + before)
        if start < stop:
            runs.append(range(start + (opens - start) % step, stop, step))
    for span in diary.full:
        runs = [part for run in runs for part in _outside(run, span)]
    return [run for run in runs if run]


def _outside(run: range, span: Span) -> tuple[range, range]:
    """The starts of ``run`` before ``span``, and those after it."""
    before, within = (min(max(-((run.start - edge) // run.step), 0), len(run)) for edge in span)
    return run[:before], run[within:]
