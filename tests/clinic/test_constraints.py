"""The database refuses services, providers and licenses that make no sense, whoever writes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from bedside.clinic.models import License, Service
from tests.factories import make_provider, make_service

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"discreet_name": ""},
        {"duration_minutes": 0},
        {"duration_minutes": 12},
        {"duration_minutes": 725},
        {"step_minutes": 0},
        {"step_minutes": 7},
        {"step_minutes": 50},
        {"prep_minutes": 245},
        {"wrap_minutes": 245},
        {"price_minor": -1},
        {"price_minor": 100_000_000},
        {"currency": "usd"},
        {"horizon_days": 0},
        {"horizon_days": 731},
        {"horizon_days": 1, "minimum_notice_minutes": 1440},
        {"daily_limit": 0},
    ],
)
def test_a_service_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    service = make_service()
    with pytest.raises(IntegrityError), transaction.atomic():
        Service.objects.filter(pk=service.pk).update(**values)


@pytest.mark.parametrize("step", [5, 10, 15, 20, 30, 45, 60, 90, 120])
def test_steps_that_fill_the_day_are_fine(step: int) -> None:
    assert make_service(step_minutes=step).step_minutes == step


@pytest.mark.parametrize("place", ["", "us-ny", "USA", "US-", "U1"])
def test_a_license_is_for_a_place_with_a_code(place: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        License.objects.create(provider=make_provider(), place=place)


def test_one_license_for_a_place() -> None:
    provider = make_provider()
    License.objects.create(provider=provider, place="US-NY")
    with pytest.raises(IntegrityError), transaction.atomic():
        License.objects.create(provider=provider, place="US-NY")
