"""Who gets a visit when the patient doesn't mind."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.schedule.choice import NEVER, Candidate, choose_for_each_start, choose_provider, fair_order
from bedside.schedule.slots import Diary, Visit, free_starts
from bedside.schedule.windows import merge

VISIT = Visit(length=30, prep=0, wrap=0, step=30)
DAY = 1440
# A machine with much else to do is no failure.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_whoever_has_the_fewest_visits_that_day_is_chosen() -> None:
    assert choose_provider([Candidate(3, 0, 1), Candidate(1, 0, 7), Candidate(2, 0, 2)]) == 7


def test_among_equals_whoever_waits_longest_is_chosen_and_never_is_longest_of_all() -> None:
    assert choose_provider([Candidate(1, 900, 1), Candidate(1, 800, 2), Candidate(2, NEVER, 3)]) == 2
    assert choose_provider([Candidate(1, 900, 1), Candidate(1, 800, 2), Candidate(1, NEVER, 3)]) == 3


def test_among_equals_the_lowest_id_is_chosen_in_whatever_order_they_come() -> None:
    assert (
        choose_provider([Candidate(1, 5, 9), Candidate(1, 5, 4)])
        == choose_provider([Candidate(1, 5, 4), Candidate(1, 5, 9)])
        == 4
    )


def test_nobody_is_chosen_from_nobody() -> None:
    assert choose_provider([]) is None
    assert fair_order([]) == []


def test_each_start_goes_to_the_fairest_of_those_who_are_free_then() -> None:
    diaries = {1: Diary.of([(540, 660)], [(540, 570)]), 2: Diary.of([(540, 630)])}
    assert choose_for_each_start(diaries, VISIT, [0, DAY], 0, DAY) == [(540, 2), (570, 2), (600, 2), (630, 1)]


def test_fairness_begins_anew_each_day() -> None:
    hours = [(540, 570), (DAY + 540, DAY + 570)]
    diaries = {1: Diary.of(hours, [(700, 730)]), 2: Diary.of(hours, [(DAY + 700, DAY + 730)])}
    assert choose_for_each_start(diaries, VISIT, [0, DAY, 2 * DAY], 0, 2 * DAY) == [(540, 2), (DAY + 540, 1)]


spans = st.lists(st.tuples(st.integers(0, 2 * DAY), st.sampled_from([30, 60, 200])), max_size=6).map(
    lambda some: merge((start, start + length) for start, length in some)
)
diaries_ = st.dictionaries(st.integers(1, 9), st.builds(Diary.of, spans, spans), max_size=5)


given_ = st.dictionaries(st.integers(1, 9), st.integers(1, 4), max_size=9)


@UNHURRIED
@given(diaries_, st.integers(0, DAY), given_)
def test_every_free_start_is_there_once_with_the_fairest_who_is_free(
    diaries: dict[int, Diary], earliest: int, last_given: dict[int, int]
) -> None:
    days, latest = [0, DAY, 2 * DAY], 2 * DAY - 100
    free = {who: [m for run in free_starts(one, VISIT, earliest, latest) for m in run] for who, one in diaries.items()}

    def fairest(start: int) -> int:
        day = start // DAY * DAY
        return min(
            (sum(day <= taken < day + DAY for taken in diaries[who].taken), last_given.get(who, NEVER), who)
            for who in free
            if start in free[who]
        )[2]

    expected = [(start, fairest(start)) for start in sorted({m for some in free.values() for m in some})]
    assert choose_for_each_start(diaries, VISIT, days, earliest, latest, last_given) == expected


candidates_ = st.lists(
    st.builds(Candidate, st.integers(0, 3), st.integers(0, 3), st.integers(1, 9)), unique_by=lambda one: one.provider_id
)


@UNHURRIED
@given(candidates_, st.randoms())
def test_the_order_does_not_depend_on_who_is_named_first_and_nobody_is_passed_over(
    candidates: list[Candidate], chance: random.Random
) -> None:
    shuffled = chance.sample(candidates, len(candidates))
    order = fair_order(shuffled)
    assert order == fair_order(candidates)
    assert sorted(order) == sorted(one.provider_id for one in candidates)
    by_id = {one.provider_id: one for one in candidates}
    for better, worse in pairwise(by_id[who] for who in order):
        assert better.visits_that_day <= worse.visits_that_day
        if better.visits_that_day == worse.visits_that_day:
            assert better.last_given <= worse.last_given


@UNHURRIED
@given(st.integers(1, 6), st.integers(0, 40))
def test_visits_given_one_after_another_are_spread_to_within_one(providers: int, visits: int) -> None:
    loads, last = dict.fromkeys(range(providers), 0), dict.fromkeys(range(providers), NEVER)
    for now in range(1, visits + 1):
        chosen = choose_provider(Candidate(loads[who], last[who], who) for who in loads)
        assert chosen is not None
        loads[chosen] += 1
        last[chosen] = now
    assert max(loads.values()) - min(loads.values()) <= 1
