"""What a patient may type, and what is said when it can't be used."""

from __future__ import annotations

import pytest

from bedside.appointments.errors import InvalidDetails
from bedside.flows.details import check_details

GOOD = {
    "name": "Robin Sample",
    "email": "robin@example.com",
    "mobile": "(202) 555-0143",
    "country": "US",
    "timezone": "America/New_York",
}


def test_a_mobile_number_is_kept_as_e164() -> None:
    assert check_details(**GOOD).mobile == "+12025550143"


def test_a_number_of_the_chosen_country_is_read_in_its_own_way() -> None:
    assert check_details(**GOOD | {"mobile": "07400 123456", "country": "GB"}).mobile == "+447400123456"


@pytest.mark.parametrize("name", ["José Núñez-O'Brien", "李小龍", "Nguyễn Thị Minh"])
def test_names_of_the_world_are_welcome(name: str) -> None:
    assert check_details(**GOOD | {"name": name}).name == name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "Robin 😀"),
        ("name", "x" * 10_000),
        ("name", "Robin\x00Sample"),
        ("name", "Robin\x1b[31m"),
        ("name", "12345"),
        ("name", None),
        ("email", "robin"),
        ("email", "robin@"),
        ("email", "a" * 300 + "@example.com"),
        ("email", ""),
        ("mobile", ""),
        ("mobile", "hello"),
        ("mobile", "555"),
        ("mobile", "+44 7400 123456"),
        ("mobile", "(202) 555-0143 ext. 9"),
        ("mobile", "9" * 500),
        ("timezone", "Mars/Olympus"),
        ("timezone", ""),
    ],
)
def test_what_cannot_be_used_gets_a_sentence_beside_its_field_and_nothing_else(field: str, value: object) -> None:
    with pytest.raises(InvalidDetails) as refusal:
        check_details(**GOOD | {field: value})  # type: ignore[arg-type]
    assert list(refusal.value.errors) == [field]
    assert refusal.value.errors[field]


def test_a_landline_is_told_apart() -> None:
    with pytest.raises(InvalidDetails) as refusal:
        check_details(**GOOD | {"mobile": "020 7946 0018", "country": "GB"})
    assert "texts" in refusal.value.errors["mobile"]


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InvalidDetails) as refusal:
        check_details(name="", email="x", mobile="y", country="US", timezone="z")
    assert set(refusal.value.errors) == {"name", "email", "mobile", "timezone"}
