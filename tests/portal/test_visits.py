"""The provider's pages: own visits only, who is waiting, and Start."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.models import Provider
from bedside.core import clock as house_clock
from bedside.core.models import AuditEntry
from bedside.video.errors import VideoUnavailable
from bedside.video.models import Meeting
from tests.conftest import TestClock
from tests.factories import make_appointment, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db
HOST_LINK = "https://video.example.com/s/fresh"


@pytest.fixture
def provider() -> Provider:
    return make_provider(user=make_user("provider"))


@pytest.fixture
def portal(provider: Provider) -> Client:
    client = Client()
    client.force_login(provider.user)
    return client


@pytest.fixture
def visit(provider: Provider) -> Appointment:
    """Starts in ten minutes; its meeting stands."""
    made = make_appointment(
        make_service(provider), start=house_clock.now() + timedelta(minutes=10), patient_name="Alex Morgan"
    )
    Meeting.objects.create(appointment=made, status="ready", meeting_id="m1")
    return made


@pytest.fixture
def host_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bedside.video.meetings.host_start_url", lambda meeting: HOST_LINK)


def start(client: Client, visit: Appointment) -> Any:
    return client.get(f"/portal/visits/{visit.code}/start")


def test_the_list_shows_own_visits_only(portal: Client, visit: Appointment) -> None:
    make_appointment(patient_name="Kim Elsewhere", start=visit.start)
    page = portal.get("/portal/").content.decode()
    assert "Alex Morgan" in page
    assert "Kim Elsewhere" not in page
    assert f"/portal/visits/{visit.code}/start" in page


def test_a_visit_that_runs_long_can_be_entered_again(portal: Client, visit: Appointment, clock: TestClock) -> None:
    way_in = f"/portal/visits/{visit.code}/start"
    clock.set(visit.end + timedelta(minutes=29))
    assert way_in in portal.get("/portal/").content.decode()
    clock.set(visit.end + timedelta(minutes=31))
    assert way_in not in portal.get("/portal/").content.decode()


def test_a_day_without_visits_is_said(portal: Client, provider: Provider) -> None:
    make_appointment(make_service(provider), start=house_clock.now() + timedelta(days=2))
    assert "No visits today." in portal.get("/portal/").content.decode()


def test_unpaid_and_canceled_visits_are_not_shown(portal: Client, provider: Provider) -> None:
    service = make_service(provider)
    make_appointment(service, status="pending_payment", patient_name="Una Unpaid")
    make_appointment(service, status="canceled", patient_name="Carl Canceled")
    page = portal.get("/portal/").content.decode()
    assert "Una Unpaid" not in page
    assert "Carl Canceled" not in page


def test_who_is_waiting_comes_first(portal: Client, visit: Appointment) -> None:
    Meeting.objects.update(patient_waiting_since=house_clock.now())
    assert "is waiting for you in the video room" in portal.get("/portal/").content.decode()


def test_start_leads_to_a_fresh_host_link(portal: Client, visit: Appointment, host_link: None) -> None:
    response = start(portal, visit)
    assert response.status_code == 302
    assert response["Location"] == HOST_LINK
    assert "no-store" in response["Cache-Control"]
    assert AuditEntry.objects.filter(action="meeting.host_link_fetched", subject_id=str(visit.pk)).exists()


def test_somebody_elses_visit_is_not_found(portal: Client, host_link: None) -> None:
    other = make_appointment()
    Meeting.objects.create(appointment=other, status="ready")
    assert start(portal, other).status_code == 404


def test_a_visit_without_its_room_says_so(portal: Client, visit: Appointment) -> None:
    Meeting.objects.update(status="failed")
    response = start(portal, visit)
    assert response.status_code == 409
    assert "ready yet" in response.content.decode()


def test_a_canceled_visit_does_not_start(portal: Client, visit: Appointment, host_link: None) -> None:
    Appointment.objects.update(status="canceled", canceled_at=house_clock.now())
    assert start(portal, visit).status_code == 409


def test_a_silent_video_service_is_said_kindly(portal: Client, visit: Appointment, monkeypatch: Any) -> None:
    def fail(meeting: Meeting) -> str:
        raise VideoUnavailable

    monkeypatch.setattr("bedside.video.meetings.host_start_url", fail)
    response = start(portal, visit)
    assert response.status_code == 503
    assert "Try again" in response.content.decode()


def test_an_admin_has_no_portal() -> None:
    client = Client()
    client.force_login(make_user("admin"))
    assert client.get("/portal/").status_code == 403


def test_where_the_patient_will_be_is_on_the_visit(portal: Client, visit: Appointment) -> None:
    address = f"/portal/visits/{visit.code}"
    assert "New York, United States" not in portal.get(address).content.decode()
    Appointment.objects.filter(pk=visit.pk).update(patient_location="US-NY")
    assert "New York, United States" in portal.get(address).content.decode()
