"""Booking where the patient's place matters: asked, checked under the lock, kept with the appointment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bedside.appointments.errors import InvalidDetails, NotLicensed, NotOffered
from bedside.appointments.models import Appointment
from bedside.clinic.models import License
from bedside.flows.book import book
from bedside.flows.details import Consent, check_details
from tests.factories import make_provider, make_service
from tests.flows.conftest import first_opening, patient

pytestmark = pytest.mark.django_db
CONSENT = Consent(given=True, text="I agree.")


@pytest.fixture
def service():  # type: ignore[no-untyped-def]
    one, other = make_provider(), make_provider()
    License.objects.create(provider=one, place="US-NY")
    License.objects.create(provider=other, place="US-NJ")
    return make_service(one, other, asks_location=True)


def test_a_service_that_asks_needs_an_answer(service) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidDetails) as refused:
        book(service=service, start=first_opening(service), details=patient(), consent=CONSENT)
    assert list(refused.value.errors) == ["location"]
    assert not Appointment.objects.exists()


def test_the_answer_decides_who_is_chosen_and_is_kept(service) -> None:  # type: ignore[no-untyped-def]
    start = first_opening(service)
    there = replace(patient(), location="US-NJ")
    made = book(service=service, start=start, details=there, consent=CONSENT).appointment
    made.refresh_from_db()
    assert made.patient_location == "US-NJ"
    assert made.provider.licenses.get().place == "US-NJ"


def test_somebody_without_the_license_is_refused_by_name_with_those_who_have_it(service) -> None:  # type: ignore[no-untyped-def]
    elsewhere = service.providers.get(licenses__place="US-NJ")
    with pytest.raises(NotLicensed) as refused:
        book(
            service=service,
            start=first_opening(service),
            provider=elsewhere,
            details=replace(patient(), location="US-NY"),
            consent=CONSENT,
        )
    assert (refused.value.code, refused.value.status) == ("not-licensed", 422)
    assert {one.provider.licenses.get().place for one in refused.value.alternatives} == {"US-NY"}


def test_a_license_that_went_meanwhile_is_seen_by_the_booking(service, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Between the choice and the lock: what counts is what the database says under the lock."""
    from bedside.flows import book as flow

    start = first_opening(service)
    lock = flow.lock_provider

    def lock_late(provider_id: int) -> None:
        lock(provider_id)
        License.objects.filter(provider_id=provider_id).delete()

    monkeypatch.setattr(flow, "lock_provider", lock_late)
    with pytest.raises(NotOffered):
        book(service=service, start=start, details=replace(patient(), location="US-NY"), consent=CONSENT)
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("said", ["US", "New York", "US-XX", "EU", "NY"])
def test_an_answer_that_says_too_little_is_refused(said: str) -> None:
    with pytest.raises(InvalidDetails) as refused:
        check_details(
            name="Robin Sample",
            email="robin@example.com",
            mobile="+12025550143",
            country="US",
            timezone="America/New_York",
            location=said,
        )
    assert list(refused.value.errors) == ["location"]


def test_the_desk_may_take_another_time_but_not_with_somebody_who_is_not_licensed_there(service) -> None:  # type: ignore[no-untyped-def]
    from datetime import timedelta

    from bedside.core.audit import Actor
    from bedside.flows.book_by_hand import HowPaid, book_by_hand

    def take(place: str) -> Appointment:
        return book_by_hand(
            service=service,
            start=first_opening(service) - timedelta(hours=2),
            provider=service.providers.get(licenses__place="US-NY"),
            details=replace(patient(), location=place),
            consent=CONSENT,
            paid=HowPaid("waived", reference="A favor."),
            actor=Actor("admin", None, "Sam"),
            override_reason="Asked for on the phone.",
        )

    with pytest.raises(NotLicensed):
        take("US-NJ")
    assert take("US-NY").patient_location == "US-NY"
