"""Only who is licensed where the patient will be is offered."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bedside.clinic import places
from bedside.clinic.models import License
from bedside.schedule.openings import is_offered, next_opening, openings, providers_for
from tests.factories import make_provider, make_service

NEW_YORK = ZoneInfo("America/New_York")


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK)


def test_places_are_countries_and_states_where_those_license() -> None:
    assert places.is_exact("US-NY")
    assert places.is_exact("GB")
    assert places.is_place("US")
    assert not places.is_exact("US")
    assert not any(map(places.is_place, ("", "US-XX", "XX", "EU", "us-ny", "GB-", "US-NY-1")))
    assert places.covering("US-NY") == ["US-NY", "US"]
    assert (places.name_of("US-NY"), places.short_name("US-NY"), places.name_of("GB")) == (
        "New York, United States",
        "New York",
        "United Kingdom",
    )


@pytest.mark.django_db
def test_who_is_licensed_there_is_offered_and_nobody_else() -> None:
    here, country, elsewhere, nowhere = (make_provider() for _ in range(4))
    License.objects.create(provider=here, place="US-NY")
    License.objects.create(provider=country, place="US")
    License.objects.create(provider=elsewhere, place="US-NJ")
    service = make_service(here, country, elsewhere, nowhere)
    day = date(2026, 12, 4)
    start = at(day, 10)
    assert set(providers_for(service, start)) == {here, country, elsewhere, nowhere}
    assert set(providers_for(service, start, location="US-NY")) == {here, country}
    assert [is_offered(service, one, start, location="US-NJ") for one in (here, country, elsewhere, nowhere)] == [
        False, True, True, False,
    ]  # fmt: skip
    found = openings(service=service, first=day, last=day, timezone="America/New_York", location="GB")
    assert found == []
    assert next_opening(service, elsewhere, location="US-NY") is None


@pytest.mark.django_db
def test_a_visit_has_to_be_over_on_the_licenses_last_day() -> None:
    provider = make_provider()
    last = date(2026, 12, 4)
    License.objects.create(provider=provider, place="US-NY", expires_on=last)
    service = make_service(provider)
    found = openings(
        service=service, first=last, last=last + timedelta(days=3), timezone="America/New_York", location="US-NY"
    )
    assert {one.start.astimezone(NEW_YORK).date() for one in found} == {last}
    # The country's license runs on: the longer one counts.
    License.objects.create(provider=provider, place="US")
    assert is_offered(service, provider, at(last + timedelta(days=3), 10), location="US-NY")


@pytest.mark.django_db
def test_an_expired_license_is_none() -> None:
    provider = make_provider()
    License.objects.create(provider=provider, place="US-NY", expires_on=date(2026, 11, 30))
    assert next_opening(make_service(provider), location="US-NY") is None
