"""A time that somebody else holds: shown as held with when it may come free, and free again on the minute."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.schedule.held import held_times, held_until
from bedside.schedule.openings import openings
from tests.booking_pages.conftest import HTMX, code, text_of
from tests.conftest import TestClock
from tests.factories import make_appointment, make_provider, make_service

pytestmark = pytest.mark.django_db
ZONE = "America/New_York"


def times_page(client: Client, service: Service, start: datetime, **headers: str) -> str:
    return text_of(client.get(f"/book/{service.slug}?day={start.date().isoformat()}", headers=headers or None))


def hold_it(service: Service, start: datetime, **fields: Any) -> Appointment:
    return make_appointment(service, start=start, status="pending_payment", **fields)


def test_the_calendar_shows_who_is_quicker_and_when_to_look_again(
    client: Client, service: Service, start: datetime
) -> None:
    hold_it(service, start)
    page = times_page(client, service, start, **HTMX)
    assert "Somebody else is holding" in page
    assert "may open again" in page
    assert "10:35 AM" in page
    assert f'value="{code(start)}"' not in page
    assert "load delay:2101s" in page


def test_without_holds_nothing_is_said(client: Client, service: Service, start: datetime) -> None:
    make_appointment(service, start=start)
    page = times_page(client, service, start)
    assert "is holding" not in page.replace(" is being held", "")
    assert "load delay" not in page.split('id="calendar"')[1][:300]


def test_ones_own_hold_is_not_somebody_elses(client: Client, post_details: Any, service: Service, start: Any) -> None:
    post_details()
    assert "Somebody else is holding" not in times_page(client, service, start)
    assert "Somebody else is holding" in times_page(Client(), service, start)


def test_when_every_worker_is_down_a_hold_that_ran_out_is_free_and_booking_ends_it(
    client: Client, post_details: Any, service: Service, start: datetime, clock: TestClock
) -> None:
    """No job ever runs in this test: nothing but the page itself and the booking look at the clock."""
    held = hold_it(service, start)
    assert post_details().status_code == 409
    clock.forward(timedelta(minutes=35))
    page = times_page(client, service, start)
    assert "Somebody else is holding" not in page
    assert f'value="{code(start)}"' in page
    assert post_details().status_code == 303
    held.refresh_from_db()
    assert held.status == "expired"
    assert Appointment.objects.filter(status="pending_payment", start=start).count() == 1


def test_the_details_page_says_that_it_is_held_and_until_when(
    client: Client, post_details: Any, details_url: str, service: Service, start: datetime
) -> None:
    hold_it(service, start)
    said = "Somebody else is holding 9:15 AM while they pay. It may be open again at 10:35 AM."
    for response in (client.get(details_url), post_details()):
        assert response.status_code == 409
        assert said.replace("9:15", start.astimezone(service.providers.get().zone).strftime("%-I:%M")) in text_of(
            response
        )


def test_with_two_providers_a_time_is_held_only_when_neither_is_free() -> None:
    first, second = make_provider(), make_provider()
    service = make_service(first, second)
    start = make_appointment(service, provider=first, status="pending_payment").start
    assert held_until(service, start) is None
    assert held_until(service, start, first) is not None
    later = make_appointment(service, provider=second, start=start, status="pending_payment")
    later.hold_expires_at += timedelta(minutes=5)
    later.save()
    until = held_until(service, start)
    assert until in {later.hold_expires_at, later.hold_expires_at - timedelta(minutes=5)}


def test_a_time_that_comes_free_too_late_is_not_promised(clock: TestClock) -> None:
    service = make_service(minimum_notice_minutes=60)
    start = clock.now() + timedelta(minutes=75)
    hold_it(service, start)
    assert held_until(service, start) is None


def test_held_and_open_never_overlap_and_together_are_what_would_be_open() -> None:
    service = make_service()
    appointment = make_appointment(service, status="pending_payment")
    day = appointment.start.date()
    asked: dict[str, Any] = {"service": service, "first": day, "last": day, "timezone": ZONE}
    open_now = {one.start for one in openings(**asked)}
    held = {one.start for one in held_times(**asked)}
    assert held
    assert not held & open_now
    appointment.delete()
    assert {one.start for one in openings(**asked)} == held | open_now


def test_a_day_that_is_held_to_the_last_time_stays_on_the_screen(client: Client, clock: TestClock) -> None:
    provider = make_provider(hours=(time(9), time(10)))
    service = make_service(provider, duration_minutes=60, prep_minutes=0, wrap_minutes=0)
    day = clock.now().astimezone(provider.zone).date() + timedelta(days=3)
    hold_it(service, datetime.combine(day, time(9), tzinfo=provider.zone))
    page = text_of(client.get(f"/book/{service.slug}?day={day}", headers=HTMX))
    assert f'data-times-of="{day}"' in page
    assert "Somebody else is holding" in page
    clock.forward(timedelta(minutes=36))
    assert "Somebody else is holding" not in text_of(client.get(f"/book/{service.slug}?day={day}", headers=HTMX))
    elsewhere = text_of(client.get(f"/book/{service.slug}?day=2026-11-01", headers=HTMX))
    assert 'data-times-of="2026-12-02"' in elsewhere
