"""Anybody, or one of several: who gets the visit, and why, as the audit trail has it."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from bedside.appointments.errors import SlotTaken
from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.core.models import AuditEntry
from bedside.flows.book import book
from bedside.flows.details import Consent
from tests.factories import make_appointment, make_provider, make_service
from tests.flows.conftest import patient

NEW_YORK = ZoneInfo("America/New_York")
CONSENT = Consent(given=True, text="I agree.")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=NEW_YORK)


def explanation(appointment: Appointment) -> dict:  # type: ignore[type-arg]
    entry = AuditEntry.objects.get(action="appointment.created", subject_id=str(appointment.pk))
    return entry.after["choice"]  # type: ignore[index]


@pytest.mark.django_db
def test_the_least_loaded_that_day_then_the_longest_unused_then_the_lowest_id(clock) -> None:  # type: ignore[no-untyped-def]
    busy, recent, rested = (make_provider() for _ in range(3))
    service = make_service(busy, recent, rested)
    make_appointment(service, provider=busy, start=at(4, 15), created_at=clock.now() - timedelta(days=9))
    make_appointment(service, provider=rested, start=at(8, 10), created_at=clock.now() - timedelta(days=5))
    make_appointment(service, provider=recent, start=at(9, 10), created_at=clock.now() - timedelta(days=1))
    chosen = book(service=service, start=at(4, 10), details=patient(), consent=CONSENT).appointment
    assert chosen.provider == rested
    told = explanation(chosen)
    assert told["day"] == "2026-12-04"
    assert told["chosen"] == rested.pk
    assert [(one["provider"], one["visits_that_day"]) for one in told["considered"]] == [
        (rested.pk, 0), (recent.pk, 0), (busy.pk, 1),
    ]  # fmt: skip
    assert told["considered"][0]["last_given"] == "2026-11-26T15:00:00+00:00"


@pytest.mark.django_db
def test_several_means_one_of_them() -> None:
    first, second, third = (make_provider() for _ in range(3))
    service = make_service(first, second, third)
    booked = [
        book(service=service, start=at(4, 10), provider=[second, third], details=patient(n), consent=CONSENT)
        for n in range(2)
    ]
    assert {one.appointment.provider for one in booked} == {second, third}
    with pytest.raises(SlotTaken) as refused:
        book(service=service, start=at(4, 10), provider=[second, third], details=patient(3), consent=CONSENT)
    assert {one.provider for one in refused.value.alternatives} <= {second, third}


@pytest.mark.django_db
def test_a_certain_provider_needs_no_explanation() -> None:
    service = make_service()
    made = book(
        service=service, start=at(4, 10), provider=service.providers.get(), details=patient(), consent=CONSENT
    ).appointment
    assert "choice" not in AuditEntry.objects.get(subject_id=str(made.pk)).after  # type: ignore[operator]


@pytest.mark.django_db
def test_whoever_a_rival_took_first_is_passed_over_and_the_next_is_tried(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from bedside.flows import book as flow

    one, other = make_provider(), make_provider()
    service = make_service(one, other)
    lock, rivals = flow.lock_provider, [one]

    def lose_the_race(provider_id: int) -> None:
        lock(provider_id)
        if rivals and provider_id == rivals[0].pk:
            make_appointment(service, provider=rivals.pop(), start=at(4, 10), created_at=clock.now())

    monkeypatch.setattr(flow, "lock_provider", lose_the_race)
    made = book(service=service, start=at(4, 10), details=patient(), consent=CONSENT).appointment
    assert made.provider == other
    assert explanation(made)["passed_over"] in ([], [one.pk])


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_for_anybody_are_spread_evenly_and_nothing_is_booked_twice() -> None:
    providers = [make_provider() for _ in range(5)]
    service = make_service(*providers, prep_minutes=0, wrap_minutes=0, duration_minutes=30)
    barrier, troubles = threading.Barrier(50), []

    def try_to_book(n: int) -> None:
        try:
            barrier.wait()
            # Sixteen starts, of each three or four wishes, and five providers: everybody gets what they want.
            start = at(4, 9 + n // 2 % 8, 30 * (n % 2))
            book(service=service, start=start, details=patient(n), consent=CONSENT)
        except SlotTaken:
            troubles.append("taken")
        except Exception as error:
            troubles.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=try_to_book, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    booked = list(Appointment.objects.values_list("provider_id", "start"))
    assert len(booked) == len(set(booked)) == 50
    loads = Counter(provider for provider, _ in booked).values()
    assert max(loads) - min(loads) <= 2
