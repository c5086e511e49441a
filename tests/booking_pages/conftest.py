"""What tests of the patient's pages share: a service to book, and a browser that remembers its cookies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from bedside.clinic.models import Service
from bedside.core import clock
from bedside.schedule.openings import openings
from tests.factories import make_provider, make_service

HTMX = {"HX-Request": "true"}
GOOD = {
    "name": "Robin Sample",
    "email": "robin@example.com",
    "country": "US",
    "mobile": "(202) 555-0143",
    "sms_consent": "on",
}


def code(start: datetime) -> str:
    return start.strftime("%Y-%m-%dT%H:%MZ")


def text_of(response: Any) -> str:
    """The page's text as the template wrote it, entities undone."""
    from html import unescape

    return unescape(response.content.decode())


@pytest.fixture
def service() -> Service:
    return make_service(make_provider(slug="rivera", name="Dr. Elena Rivera"), slug="first-visit")


@pytest.fixture
def start(service: Service) -> datetime:
    """The first opening three days from now, UTC."""
    day = clock.now().date() + timedelta(days=3)
    found: datetime = openings(service=service, first=day, last=day, timezone="America/New_York")[0].start
    return found


@pytest.fixture
def details_url(service: Service, start: datetime) -> str:
    return f"/book/{service.slug}/details?{urlencode({'start': code(start), 'provider': 'rivera'})}"


@pytest.fixture
def post_details(client: Client, service: Service, start: datetime) -> Callable[..., Any]:
    """Posts good details for the first opening; keywords replace fields, None leaves one out."""

    def post(browser: Client = client, **fields: Any) -> Any:
        data = GOOD | {"start": code(start), "provider": "rivera"} | fields
        sent = {key: value for key, value in data.items() if value is not None}
        return browser.post(f"/book/{service.slug}/details", sent)

    return post
