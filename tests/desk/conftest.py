"""What tests of the desk share: somebody who is signed in."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.accounts.models import User
from tests.factories import make_practice, make_user


@pytest.fixture
def admin(db: None) -> User:
    make_practice()
    return make_user("admin", name="Sam Ortega")


@pytest.fixture
def desk(admin: User) -> Client:
    """A browser in which the front desk is signed in."""
    client = Client()
    client.force_login(admin)
    return client
