"""The calendar: days with openings, times of a day, turning months, and nothing that leads nowhere."""

from __future__ import annotations

import re
from datetime import time, timedelta

import pytest
from django.test import Client

from bedside.clinic.models import Service
from bedside.core import clock
from bedside.schedule.models import OpenWindow
from tests.booking_pages.conftest import HTMX, text_of
from tests.factories import make_appointment, make_provider, make_service

pytestmark = pytest.mark.django_db


def test_the_first_day_with_openings_is_selected(client: Client, service: Service) -> None:
    OpenWindow.objects.filter(start__lt=clock.now() + timedelta(days=2)).delete()
    page = text_of(client.get(f"/book/{service.slug}"))
    assert re.search(r'id="d12-04"[^>]*aria-current="date"', page)
    assert "Friday, December 4" in page


def test_a_day_can_be_chosen_and_its_times_lead_to_the_details(client: Client, service: Service) -> None:
    page = text_of(client.get(f"/book/{service.slug}?day=2026-12-08"))
    assert "Tuesday, December 8" in page
    assert f'action="{service.slug}/details"' in page
    assert 'value="2026-12-08T19:30Z"' in page
    assert ">2:30 PM</button>" in page


def test_times_are_grouped_by_part_of_day_in_the_patients_zone(client: Client, service: Service) -> None:
    client.cookies["tz"] = "Europe/London"
    page = text_of(client.get(f"/book/{service.slug}?day=2026-12-08"))
    assert "Times in United Kingdom (London)" in page
    assert "Morning" not in page
    assert "Afternoon" in page
    assert "Evening" in page


def test_days_without_openings_are_no_links(client: Client) -> None:
    service = make_service(make_provider(weekdays=range(5)))
    page = text_of(client.get(f"/book/{service.slug}?month=2026-12"))
    assert 'id="d12-07"' in page
    assert 'id="d12-12"' not in page


def test_a_taken_time_is_not_shown(client: Client, service: Service) -> None:
    before = text_of(client.get(f"/book/{service.slug}?day=2026-12-03"))
    assert ">10:00 AM</button>" in before
    make_appointment(service)
    assert ">10:00 AM</button>" not in text_of(client.get(f"/book/{service.slug}?day=2026-12-03"))


def test_for_htmx_only_the_calendar_is_drawn(client: Client, service: Service) -> None:
    response = client.get(f"/book/{service.slug}?day=2026-12-08", headers=HTMX)
    page = text_of(response)
    assert page.lstrip().startswith('<div class="calendar" id="calendar"')
    assert "<html" not in page
    assert "HX-Request" in response["Vary"]


def test_going_back_in_the_browsers_history_draws_the_whole_page(client: Client, service: Service) -> None:
    headers = HTMX | {"HX-History-Restore-Request": "true"}
    assert "<html" in text_of(client.get(f"/book/{service.slug}", headers=headers))


def test_an_empty_month_offers_the_next_date(client: Client, service: Service) -> None:
    OpenWindow.objects.filter(start__lt=clock.now() + timedelta(days=36)).delete()
    page = text_of(client.get(f"/book/{service.slug}?month=2026-12"))
    assert "No times open in December 2026" in page
    assert "Go to Thursday, January 7" in page
    assert 'href="?day=2027-01-07"' in page


def test_a_provider_without_any_openings_leads_to_everybodys_times(client: Client) -> None:
    free, busy = make_provider(), make_provider(slug="busy", name="Dr. Busy")
    service = make_service(free, busy)
    OpenWindow.objects.filter(provider=busy).delete()
    page = text_of(client.get(f"/book/{service.slug}?provider=busy"))
    assert "Dr. Busy has no times open that can be booked online." in page
    assert "See everybody's times" in page


def test_one_provider_or_anybody_can_be_chosen(client: Client) -> None:
    early = make_provider(slug="early", name="Dr. Early", hours=(time(9), time(12)), languages=["English", "Spanish"])
    late = make_provider(slug="late", name="Dr. Late", hours=(time(13), time(17)))
    service = make_service(early, late)
    anybody = text_of(client.get(f"/book/{service.slug}?day=2026-12-08"))
    assert "English, Spanish" in anybody
    assert ">9:15 AM</button>" in anybody
    assert ">2:00 PM</button>" in anybody
    only_late = text_of(client.get(f"/book/{service.slug}?day=2026-12-08&provider=late"))
    assert ">9:15 AM</button>" not in only_late
    assert '<input type="hidden" name="provider" value="late">' in only_late


def test_the_same_time_with_two_providers_is_shown_once(client: Client) -> None:
    service = make_service(make_provider(), make_provider())
    page = text_of(client.get(f"/book/{service.slug}?day=2026-12-08"))
    assert page.count(">2:00 PM</button>") == 1


def test_months_turn_within_the_horizon_only(client: Client, service: Service) -> None:
    first = text_of(client.get(f"/book/{service.slug}?month=2026-12"))
    assert 'data-month="prev"' not in first
    assert 'data-month="next"' in first
    last = text_of(client.get(f"/book/{service.slug}?month=2027-01"))
    assert 'data-month="prev"' in last
    assert 'data-month="next"' not in last


@pytest.mark.parametrize(
    "query", ["day=never", "month=2026-13", "day=1999-01-01", "month=9999-12", "day=2026-12-01x", "day="]
)
def test_an_address_that_makes_no_sense_opens_the_first_day(client: Client, service: Service, query: str) -> None:
    response = client.get(f"/book/{service.slug}?{query}")
    assert response.status_code == 200
    assert 'aria-current="date"' in text_of(response)


@pytest.mark.parametrize("path", ["/book/nothing", "/book/nothing/details", "/book/first-visit?provider=nobody"])
def test_an_unknown_service_or_provider_is_a_helpful_404(client: Client, service: Service, path: str) -> None:
    make_provider(slug="elsewhere")
    for address in (path, path.replace("nobody", "elsewhere")):
        response = client.get(address)
        assert response.status_code == 404
        assert "See services and times" in text_of(response)


def test_a_hold_of_ones_own_does_not_hide_its_time(client: Client, service: Service, post_details) -> None:  # type: ignore[no-untyped-def]
    assert post_details().status_code == 303
    page = text_of(client.get(f"/book/{service.slug}?day=2026-12-04"))
    assert 'value="2026-12-04T14:00Z"' in page
    stranger = text_of(Client().get(f"/book/{service.slug}?day=2026-12-04"))
    assert 'value="2026-12-04T14:00Z"' not in stranger


def test_the_hour_that_happens_twice_is_said_apart(client: Client) -> None:
    provider = make_provider(timezone="America/New_York")
    service = make_service(provider, horizon_days=400, prep_minutes=0, wrap_minutes=0)
    from datetime import UTC, datetime

    OpenWindow.objects.create(
        provider=provider, start=datetime(2027, 11, 7, 5, 0, tzinfo=UTC), end=datetime(2027, 11, 7, 7, 0, tzinfo=UTC)
    )
    page = text_of(client.get(f"/book/{service.slug}?day=2027-11-07"))
    assert "1:00 AM EDT" in page
    assert "1:00 AM EST" in page
