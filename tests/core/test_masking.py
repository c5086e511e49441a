"""Contact details as they are shown until somebody asks."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.core.masking import masked, masked_email, masked_number

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
NAME = st.text(alphabet="abcdefgh0123456789.+", min_size=1, max_size=20)


@unhurried
@given(NAME, st.sampled_from(["example.com", "sample.example"]))
def test_an_address_says_one_letter_of_the_name(name: str, house: str) -> None:
    assert masked_email(f"{name}@{house}") == masked(f"{name}@{house}") == f"{name[0]}•••@{house}"


@unhurried
@given(st.integers(10**7, 10**15 - 1))
def test_a_number_says_four_digits(number: int) -> None:
    assert masked_number(f"+{number}") == masked(f"+{number}") == f"•••-•••-{number % 10_000:04d}"


def test_little_says_nothing() -> None:
    assert (masked(""), masked_number("555123"), masked_email("nobody")) == ("", "•••", "•••")
