"""A provider who is signed in, and the desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from bedside.clinic.models import Provider
from tests.calendars.servers import CalendarServer
from tests.factories import make_practice, make_provider, make_user


@pytest.fixture
def provider(db: None) -> Provider:
    make_practice()
    return make_provider(user=make_user("provider"), name="Dr. Elena Rivera")


@pytest.fixture
def portal(provider: Provider) -> Client:
    client = Client()
    client.force_login(provider.user)
    return client


@pytest.fixture
def desk(db: None) -> Client:
    make_practice()
    client = Client()
    client.force_login(make_user("admin"))
    return client


@pytest.fixture
def server(settings: Any) -> Iterator[CalendarServer]:
    """A calendar server on this machine, which may be asked in tests."""
    settings.OUTWARD_ALLOWS_LOOPBACK = True
    made = CalendarServer()
    yield made
    made.close()
