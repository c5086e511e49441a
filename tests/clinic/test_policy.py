"""What a policy gives back: a table of cases, and what holds for every policy, price and moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.clinic.policy import Proposal, Terms, no_show, practice_cancels, proposal, share

START = datetime(2026, 12, 4, 15, 0, tzinfo=UTC)
STRICT = Terms(free_hours=24)
HALF = Terms(free_hours=48, late_percent=50, no_show_fee_percent=80)
KIND = Terms(free_hours=24, late_percent=100, no_show_fee_percent=0)


@pytest.mark.parametrize(
    ("terms", "before", "paid", "returned", "expected"),
    [
        (STRICT, timedelta(hours=24, seconds=1), 8500, 0, Proposal(8500, 0, "free")),
        (STRICT, timedelta(hours=24), 8500, 0, Proposal(8500, 0, "free")),
        (STRICT, timedelta(hours=24) - timedelta(seconds=1), 8500, 0, Proposal(0, 8500, "late")),
        (STRICT, timedelta(0), 8500, 0, Proposal(0, 8500, "started")),
        (STRICT, timedelta(hours=-1), 8500, 0, Proposal(0, 8500, "started")),
        (HALF, timedelta(hours=47), 8500, 0, Proposal(4250, 4250, "late")),
        (HALF, timedelta(hours=47), 8501, 0, Proposal(4251, 4250, "late")),
        (HALF, timedelta(hours=47), 8500, 2000, Proposal(2250, 4250, "late")),
        (HALF, timedelta(hours=47), 8500, 6000, Proposal(0, 2500, "late")),
        (HALF, timedelta(hours=49), 8500, 2000, Proposal(6500, 0, "free")),
        (KIND, timedelta(minutes=1), 8500, 0, Proposal(8500, 0, "free")),
        (STRICT, timedelta(days=2), 0, 0, Proposal(0, 0, "free")),
    ],
)
def test_the_table(terms: Terms, before: timedelta, paid: int, returned: int, expected: Proposal) -> None:
    assert proposal(terms, paid, START, START - before, returned=returned) == expected


def test_a_missed_visit_and_a_practice_that_cancels() -> None:
    assert no_show(STRICT, 8500) == Proposal(0, 8500, "no_show")
    assert no_show(HALF, 8500) == Proposal(1700, 6800, "no_show")
    assert no_show(HALF, 8500, returned=1000) == Proposal(700, 6800, "no_show")
    assert no_show(KIND, 8500) == Proposal(8500, 0, "no_show")
    assert practice_cancels(8500, returned=500) == Proposal(8000, 0, "practice")


percents = st.integers(0, 100)
policies = st.builds(
    Terms,
    free_hours=st.integers(0, 720),
    late_percent=percents,
    no_show_fee_percent=percents,
    late_minutes=st.integers(0, 240),
    move_hours=st.integers(0, 720),
    max_moves=st.integers(0, 9),
)
money = st.integers(0, 10**9)
moments = st.timedeltas(min_value=timedelta(days=-40), max_value=timedelta(days=2)).map(lambda delta: START + delta)


@given(policies, money, st.integers(0, 10**9), moments)
def test_nothing_is_made_up_and_nothing_is_lost(terms: Terms, paid: int, returned: int, now: datetime) -> None:
    returned = min(returned, paid)
    for found in (
        proposal(terms, paid, START, now, returned=returned),
        no_show(terms, paid, returned=returned),
        practice_cancels(paid, returned=returned),
    ):
        assert found.refund >= 0
        assert found.kept >= 0
        assert found.refund + found.kept + returned == paid


@given(policies, money, moments, moments)
def test_waiting_never_gives_more(terms: Terms, paid: int, one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    assert proposal(terms, paid, START, earlier).refund >= proposal(terms, paid, START, later).refund


@given(money, percents, percents)
def test_a_greater_share_is_never_less(amount: int, one: int, other: int) -> None:
    smaller, greater = sorted((one, other))
    assert 0 <= share(amount, smaller) <= share(amount, greater) <= amount
