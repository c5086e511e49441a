"""A provider takes as many visits of a service a day as the service says, and no more, whoever asks at once."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.appointments.errors import SlotTaken
from bedside.appointments.models import Appointment
from bedside.flows.book import book
from bedside.flows.details import Consent
from bedside.schedule.openings import is_offered, openings
from bedside.schedule.slots import Diary, Visit, free_starts
from bedside.schedule.windows import merge
from tests.factories import make_appointment, make_provider, make_service
from tests.flows.conftest import patient

NEW_YORK = ZoneInfo("America/New_York")
DAY = date(2026, 12, 4)


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK)


def starts_on(service, day: date = DAY, **more) -> list[datetime]:  # type: ignore[no-untyped-def]
    return [one.start for one in openings(service=service, first=day, last=day, timezone="America/New_York", **more)]


@pytest.mark.django_db
def test_a_full_day_is_closed_and_the_next_is_open() -> None:
    service = make_service(daily_limit=2)
    make_appointment(service, start=at(10))
    assert starts_on(service)
    make_appointment(service, start=at(15))
    assert starts_on(service) == []
    assert not is_offered(service, service.providers.get(), at(12))
    assert starts_on(service, DAY + timedelta(days=1))


@pytest.mark.django_db
def test_only_visits_of_that_service_that_hold_time_count(clock) -> None:  # type: ignore[no-untyped-def]
    provider = make_provider()
    service, other = make_service(provider, daily_limit=1), make_service(provider)
    make_appointment(other, start=at(10))
    make_appointment(service, start=at(11), status="canceled")
    make_appointment(service, start=at(13), status="pending_payment")
    assert starts_on(service) == []
    assert starts_on(other)
    clock.forward(timedelta(minutes=36))
    assert starts_on(service)


@pytest.mark.django_db
def test_the_own_hold_does_not_stand_in_the_way() -> None:
    service = make_service(daily_limit=1)
    key = b"0123456789abcdef"
    book(service=service, start=at(10), details=patient(), consent=Consent(given=True), hold_key=key)
    assert starts_on(service) == []
    assert at(12) in starts_on(service, ignore_hold_key=key)
    moved = book(service=service, start=at(12), details=patient(), consent=Consent(given=True), hold_key=key)
    assert moved.appointment.start == at(12)


@pytest.mark.django_db
def test_days_are_the_providers_own() -> None:
    """11 PM in New York on the 4th is the 5th's afternoon in Tokyo, where the provider's day counts."""
    provider = make_provider(timezone="Asia/Tokyo")
    service = make_service(provider, daily_limit=1)
    make_appointment(service, start=datetime(2026, 12, 5, 13, tzinfo=ZoneInfo("Asia/Tokyo")))
    found = {
        one.astimezone(ZoneInfo("Asia/Tokyo")).date()
        for one in starts_on(service) + starts_on(service, date(2026, 12, 5))
    }
    assert found == {date(2026, 12, 4), date(2026, 12, 6)}


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_never_exceed_the_limit_of_each_provider() -> None:
    providers = [make_provider(), make_provider()]
    service = make_service(*providers, daily_limit=3)
    barrier, troubles = threading.Barrier(50), []

    def try_to_book(n: int) -> None:
        try:
            barrier.wait()
            # Half want a certain provider, half anybody, at times that are all free.
            wanted = providers[n % 2] if n % 4 < 2 else None
            book(service=service, start=at(9 + n % 7, 15 * (n % 3)), provider=wanted, details=patient(n),
                 consent=Consent(given=True))  # fmt: skip
        except SlotTaken:
            pass
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
    assert [Appointment.objects.filter(provider=one).count() for one in providers] == [3, 3]


spans = st.lists(st.tuples(st.integers(0, 2000), st.sampled_from([30, 60, 400])), max_size=5).map(
    lambda some: merge((start, start + length) for start, length in some)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spans, spans, spans, st.sampled_from([5, 15, 30, 45]))
def test_full_days_take_starts_away_and_move_none(windows, blocked, full, step) -> None:  # type: ignore[no-untyped-def]
    visit = Visit(length=30, prep=5, wrap=10, step=step)
    plain = Diary.of(windows, blocked)
    closed = Diary(plain.windows, plain.taken, plain.released, full)
    every = [start for run in free_starts(plain, visit, 0, 2500) for start in run]
    left = [start for run in free_starts(closed, visit, 0, 2500) for start in run]
    assert left == [start for start in every if not any(since <= start < until for since, until in full)]
