"""Amounts as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.core.money import Money, UnreadableMoney, format_money, parse_money


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("85", 8500),
        ("85.00", 8500),
        ("$85.5", 8550),
        ("1,085.05 USD", 108505),
        ("usd 3", 300),
        ("-4", -400),
        ("2.000", 200),
    ],
)
def test_reads_what_people_type(text: str, minor: int) -> None:
    assert parse_money(text, "USD") == Money(minor, "USD")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "amount"),
        ("ten", "amount"),
        ("1e5", "currency"),
        ("12,34", "amount"),
        ("1.005", "precision"),
        ("\u20ac5", "currency"),
        ("5 EUR", "currency"),
        ("$$5", "currency"),
        ("\u0661", "amount"),
        ("99999999", "amount"),
    ],
)
def test_refuses_the_rest_and_says_why(text: str, code: str) -> None:
    with pytest.raises(UnreadableMoney) as refused:
        parse_money(text, "USD")
    assert refused.value.code == code


@given(minor=st.integers(0, 999_999_999), currency=st.sampled_from(["USD", "EUR", "JPY", "MXN", "KWD"]))
def test_what_is_shown_can_be_typed_back(minor: int, currency: str) -> None:
    money = Money(minor % (10**7), currency)
    assert parse_money(format_money(money), currency) == money


@given(st.text(max_size=20))
def test_nothing_else_is_raised(text: str) -> None:
    try:
        parse_money(text, "USD")
    except UnreadableMoney:
        return
