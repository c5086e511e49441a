"""Price arithmetic: a table of cases worked out by hand, and what holds for all of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.payments.pricing import Discount, Quote, Tax, quote

D = Decimal
prices = st.integers(0, 10_000_000)
percents = st.decimals(0, 100, places=4)
discounts = st.one_of(
    st.none(),
    st.builds(Discount, st.decimals("0.01", 100, places=2)),
    st.builds(Discount, st.none(), st.integers(1, 20_000_000)),
)
taxes = st.one_of(st.none(), st.builds(Tax, percents, st.booleans()))

# list price, discount, tax, credit -> discount, tax, total, due
TABLE = [
    (8500, None, None, 0, (0, 0, 8500, 8500)),
    (8500, Discount(D(10)), None, 0, (850, 0, 7650, 7650)),
    (8500, Discount(None, 2000), None, 0, (2000, 0, 6500, 6500)),
    (8500, Discount(None, 9000), None, 0, (8500, 0, 0, 0)),
    (8500, Discount(D(100)), Tax(D("8.875")), 0, (8500, 0, 0, 0)),
    (8500, None, Tax(D("8.875")), 0, (0, 754, 9254, 9254)),  # 754.375
    (8500, None, Tax(D("19"), inclusive=True), 0, (0, 1357, 8500, 8500)),  # 1357.14
    (11900, None, Tax(D("19"), inclusive=True), 0, (0, 1900, 11900, 11900)),
    (8500, Discount(D(10)), Tax(D("8.875")), 0, (850, 679, 8329, 8329)),  # 678.94
    (999, Discount(D("33.33")), None, 0, (333, 0, 666, 666)),  # 332.97
    (50, Discount(D(1)), None, 0, (1, 0, 49, 49)),  # half a cent goes up
    (50, None, Tax(D(1)), 0, (0, 1, 51, 51)),
    (49, None, Tax(D(1)), 0, (0, 0, 49, 49)),
    (0, Discount(D(10)), Tax(D(20)), 500, (0, 0, 0, 0)),
    (8500, None, Tax(D(10)), 5000, (0, 850, 9350, 4350)),
    (8500, None, None, 99_999, (0, 0, 8500, 0)),
]


@pytest.mark.parametrize(("list_minor", "discount", "tax", "credit", "expected"), TABLE)
def test_worked_by_hand(
    list_minor: int, discount: Discount | None, tax: Tax | None, credit: int, expected: tuple[int, ...]
) -> None:
    made = quote(list_minor, discount=discount, tax=tax, credit_minor=credit)
    assert (made.discount_minor, made.tax_minor, made.total_minor, made.due_minor) == expected


@given(prices, discounts, taxes, st.integers(0, 20_000_000))
def test_nothing_is_ever_negative_and_all_adds_up(
    list_minor: int, discount: Discount | None, tax: Tax | None, credit: int
) -> None:
    made = quote(list_minor, discount=discount, tax=tax, credit_minor=credit)
    net = list_minor - made.discount_minor
    assert 0 <= made.discount_minor <= list_minor
    assert 0 <= made.tax_minor <= made.total_minor
    assert made.total_minor == (net if made.tax_inclusive else net + made.tax_minor)
    assert 0 <= made.credit_minor <= credit
    assert made.due_minor == made.total_minor - made.credit_minor >= 0
    assert made.due_minor == 0 or made.credit_minor == credit


@given(prices, percents)
def test_inclusive_and_exclusive_agree_to_the_cent(net: int, percent: Decimal) -> None:
    added = quote(net, tax=Tax(percent))
    inside = quote(added.total_minor, tax=Tax(percent, inclusive=True))
    assert inside.tax_minor == added.tax_minor
    assert inside.total_minor - inside.tax_minor == net


@given(prices, percents, st.booleans())
def test_tax_is_within_half_a_cent_of_exact(price: int, percent: Decimal, inclusive: bool) -> None:
    base = D(100) + percent if inclusive else D(100)
    exact = price * percent / base
    assert abs(quote(price, tax=Tax(percent, inclusive)).tax_minor - exact) <= D("0.5")


@given(prices, st.decimals("0.01", 100, places=2), st.decimals("0.01", 100, places=2))
def test_a_larger_percentage_never_costs_more(price: int, one: Decimal, other: Decimal) -> None:
    less, more = sorted([one, other])
    assert quote(price, discount=Discount(more)).total_minor <= quote(price, discount=Discount(less)).total_minor


def test_amounts_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="below zero"):
        quote(-1)
    with pytest.raises(ValueError, match="below zero"):
        quote(1, credit_minor=-1)


def test_a_quote_of_nothing_asks_for_nothing() -> None:
    assert Quote(0).due_minor == 0
