"""The patient's zone: detected, changeable, always named, never nonsense."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.clinic.models import Service
from tests.booking_pages.conftest import HTMX, text_of

pytestmark = pytest.mark.django_db


def zone_shown(client: Client, service: Service) -> str:
    return text_of(client.get(f"/book/{service.slug}")).split("<span>Times in ")[1].split("</span>")[0]


def test_the_practices_zone_holds_until_the_browser_tells_its_own(client: Client, service: Service) -> None:
    assert zone_shown(client, service) == "Eastern (New York)"
    client.cookies["tz"] = "America%2FDenver"
    assert zone_shown(client, service) == "Mountain (Denver)"


def test_a_chosen_zone_overrules_the_detected_one_and_leads_back(client: Client, service: Service) -> None:
    client.cookies["tz"] = "America/Denver"
    response = client.post("/lists/zone", {"zone": "Asia/Kolkata", "next": f"/book/{service.slug}?day=2026-12-08"})
    assert response.status_code == 302
    assert response["Location"] == f"/book/{service.slug}?day=2026-12-08"
    assert zone_shown(client, service) == "India (Kolkata)"


def test_choosing_the_devices_own_zone_takes_the_choice_back(client: Client, service: Service) -> None:
    client.cookies["tz"] = "America/Denver"
    client.post("/lists/zone", {"zone": "Asia/Kolkata"})
    client.post("/lists/zone", {"zone": "America/Denver"})
    client.cookies["tz"] = "America/Chicago"
    assert zone_shown(client, service) == "Central (Chicago)"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "x" * 4000, "America/New_York\x00"])
def test_a_zone_that_does_not_exist_is_passed_over(client: Client, service: Service, zone: str) -> None:
    client.post("/lists/zone", {"zone": zone})
    client.cookies["tz"] = zone.replace("\x00", "")[:100] or "-"
    assert zone_shown(client, service).startswith("Eastern") or zone.startswith("America/New_York")


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_way_back_never_leaves_the_house(client: Client, service: Service, back: str) -> None:
    assert client.post("/lists/zone", {"zone": "Asia/Kolkata", "next": back})["Location"] == "/"


def test_the_list_starts_with_common_zones_and_is_a_page_of_its_own_without_javascript(
    client: Client, service: Service
) -> None:
    page = text_of(client.get("/lists/zone?next=/book/first-visit"))
    assert "<html" in page
    assert page.index('label="Common"') < page.index("Pacific (Los Angeles)") < page.index('label="Africa"')
    assert "<html" not in text_of(client.get("/lists/zone", headers=HTMX))
