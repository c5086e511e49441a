"""Moving by the page: the calendar with the old time struck through, one page before the button, the truth after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from tests.booking_pages.conftest import HTMX, text_of
from tests.booking_pages.test_visit import make_paid
from tests.factories import make_appointment, make_provider

pytestmark = pytest.mark.django_db


def code(start: datetime) -> str:
    return start.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def newest(appointment: Appointment) -> Appointment:
    return Appointment.objects.latest("pk")


def test_the_way_from_the_visit_to_the_new_time(client: Client) -> None:
    visit = make_paid()
    assert f"/visits/{visit.token}/move" in text_of(client.get(f"/visits/{visit.token}"))
    page = text_of(client.get(f"/visits/{visit.token}/move"))
    assert "<s><time" in page
    assert "You can move this visit online 3 more times." in page
    assert 'action="move/confirm"' in page
    day = visit.start.date().isoformat()
    assert f'value="{code(visit.start)}"' not in text_of(client.get(f"/visits/{visit.token}/move?day={day}"))
    start = visit.start + timedelta(days=1)
    query = f"start={code(start)}&provider={visit.provider.slug}"
    page = text_of(client.get(f"/visits/{visit.token}/move/confirm?{query}"))
    for words in ("Move my visit", "Thursday, December 3", "Friday, December 4", "$85.00 is paid already"):
        assert words in page
    response = client.post(
        f"/visits/{visit.token}/move/confirm", {"start": code(start), "provider": visit.provider.slug}, follow=True
    )
    assert response.redirect_chain == [(f"/visits/{visit.token}", 303)]
    page = text_of(response)
    assert "Your visit moved." in page
    assert "Moved from" in page
    assert newest(visit).start == start
    assert newest(visit).token == visit.token


def test_for_htmx_only_the_calendar_is_drawn_and_turns_within_the_move(client: Client) -> None:
    visit = make_paid()
    part = client.get(f"/visits/{visit.token}/move?month=2027-01", headers=HTMX)
    assert "<html" not in text_of(part)
    assert 'action="move/confirm"' in text_of(part)


def test_another_provider_can_be_chosen_and_a_stranger_can_not(client: Client) -> None:
    visit = make_paid()
    other = make_provider(slug="other", name="Dr. Other")
    visit.service.providers.add(other)
    page = text_of(client.get(f"/visits/{visit.token}/move?provider=other"))
    assert "Dr. Other" in page
    assert "provider=other" in page
    assert client.get(f"/visits/{visit.token}/move?provider=any").status_code == 200
    assert client.get(f"/visits/{visit.token}/move?provider=nobody").status_code == 404
    client.post(f"/visits/{visit.token}/move/confirm", {"start": code(visit.start), "provider": "other"})
    assert newest(visit).provider == other


def test_a_time_that_was_taken_meanwhile_comes_with_others(client: Client) -> None:
    visit = make_paid()
    wanted = visit.start + timedelta(days=1)
    make_appointment(visit.service, start=wanted)
    response = client.post(f"/visits/{visit.token}/move/confirm", {"start": code(wanted)})
    assert response.status_code == 409
    page = text_of(response)
    assert "has just been taken by somebody else" in page
    assert f"/visits/{visit.token}/move/confirm?start=" in page
    visit.refresh_from_db()
    assert visit.status == "paid"


@pytest.mark.parametrize("start", ["", "tomorrow", "2026-12-04T10:00", "9999-99-99T00:00Z"])
def test_nonsense_is_refused(client: Client, start: str) -> None:
    visit = make_paid()
    for response in (
        client.get(f"/visits/{visit.token}/move/confirm", {"start": start}),
        client.post(f"/visits/{visit.token}/move/confirm", {"start": start}),
    ):
        assert response.status_code == 400


def test_too_late_it_says_until_when_it_could_and_whom_to_call(client: Client, clock: Any) -> None:
    visit = make_paid()
    clock.set(visit.start - timedelta(hours=3))
    response = client.get(f"/visits/{visit.token}/move")
    assert response.status_code == 409
    page = text_of(response)
    assert "It could be moved until Wednesday, December 2 at 10:00 AM Eastern (New York)." in page
    assert "Call us at" in page
    assert f"/visits/{visit.token}/move" not in text_of(client.get(f"/visits/{visit.token}"))
    start = visit.start + timedelta(days=1)
    client.post(f"/visits/{visit.token}/move/confirm", {"start": code(start)})
    assert Appointment.objects.count() == 1


def test_the_same_time_again_leads_back_to_the_calendar(client: Client) -> None:
    visit = make_paid()
    response = client.post(f"/visits/{visit.token}/move/confirm", {"start": code(visit.start)}, follow=True)
    assert response.redirect_chain == [(f"/visits/{visit.token}/move", 303)]
    assert "That is the time of your visit already." in text_of(response)


def test_what_is_over_leads_back_to_its_page(client: Client) -> None:
    visit = make_appointment(status="canceled")
    assert client.get(f"/visits/{visit.token}/move")["Location"] == f"/visits/{visit.token}"


def test_the_browsers_zone_becomes_the_visits_zone(client: Client) -> None:
    visit = make_paid()
    client.cookies["tz"] = "America/Denver"
    assert "Mountain (Denver)" in text_of(client.get(f"/visits/{visit.token}/move"))
    client.post(f"/visits/{visit.token}/move/confirm", {"start": code(visit.start + timedelta(days=1))})
    assert newest(visit).patient_timezone == "America/Denver"


def test_the_calendar_file_is_the_same_entry_with_the_new_time(client: Client) -> None:
    def line(name: str) -> str:
        text = client.get(f"/visits/{visit.token}/calendar.ics").content.decode().replace("\r\n ", "")
        return next(one for one in text.split("BEGIN:VEVENT")[1].splitlines() if one.startswith(name)).partition(":")[2]

    visit = make_paid()
    uid, sequence = line("UID"), int(line("SEQUENCE"))
    client.post(f"/visits/{visit.token}/move/confirm", {"start": code(visit.start + timedelta(days=1))})
    assert (line("UID"), line("DTSTART")) == (uid, "20261204T100000")
    assert int(line("SEQUENCE")) > sequence
