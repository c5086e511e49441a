"""A provider who is signed in."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.clinic.models import Provider
from tests.factories import make_provider, make_user


@pytest.fixture
def provider(db: None) -> Provider:
    return make_provider(user=make_user("provider"))


@pytest.fixture
def portal(provider: Provider) -> Client:
    client = Client()
    client.force_login(provider.user)
    return client
