"""Who gets a visit when the patient doesn't mind. Pure and deterministic: the same facts give the same answer.

Whoever has the fewest visits that day (the practice's day); among equals, whoever was given one the longest time ago
(never comes first); among those, whoever has the lowest id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from bedside.schedule.slots import Diary, Visit, free_starts
from bedside.schedule.windows import Minute, Span

# An instant as whole microseconds since 1970.
Microsecond = int
NEVER: Microsecond = 0


class Candidate(NamedTuple):
    """Somebody who may be chosen; sorts from the fairest choice to the last. ``last_given``: since 1970."""

    visits_that_day: int
    last_given: Microsecond
    provider_id: int


def fair_order(candidates: Iterable[Candidate]) -> list[int]:
    """Provider ids, the fairest choice first."""
    return [candidate.provider_id for candidate in sorted(candidates)]


def choose_provider(candidates: Iterable[Candidate]) -> int | None:
    """The fairest choice, or None where nobody is there to choose."""
    fairest = min(candidates, default=None)
    return fairest.provider_id if fairest else None


def choose_for_each_start(
    diaries: Mapping[int, Diary],
    visit: Visit,
    days: Sequence[Minute],
    earliest: Minute,
    latest: Minute,
    last_given: Mapping[int, Microsecond] | None = None,
) -> list[tuple[Minute, int]]:
    """Each start in [earliest, latest) at which somebody is free, in order, with the id of the fairest choice.

    ``diaries`` are by provider id; ``days`` are the minutes at which days begin, and at last the end of the last one.
    ``last_given`` says by provider id when somebody was last given a visit; who isn't there never was.
    """
    given = last_given or {}
    chosen: list[tuple[Minute, int]] = []
    for begins, ends in pairwise(days):
        order = fair_order(
            Candidate(diary.visits_between(begins, ends), given.get(who, NEVER), who) for who, diary in diaries.items()
        )
        span = max(begins, earliest), min(ends, latest)
        chosen += sorted(_choose_on_a_day(diaries, order, visit, span).items())
    return chosen


def _choose_on_a_day(diaries: Mapping[int, Diary], order: Sequence[int], visit: Visit, span: Span) -> dict[Minute, int]:
    """For each start of one day the first of ``order`` who is free then.

    Of a hundred providers the first few fill the day: as soon as every start has somebody, the rest aren't looked at.
    """
    windows = {window for diary in diaries.values() for window in diary.windows_between(*span)}
    possible = {start for window in windows for run in free_starts(Diary([window]), visit, *span) for start in run}
    chosen: dict[Minute, int] = {}
    for who in order:
        if len(chosen) == len(possible):
            break
        for run in free_starts(diaries[who], visit, *span):
            for start in run:
                chosen.setdefault(start, who)
    return chosen
