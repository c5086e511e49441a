"""A Bedside that nobody has furnished yet, as ``./run --empty`` starts it: each page says what is missing."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.accounts.models import Role, User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/", "/my/", "/accounts/login/", "/api/v1/services", "/sandbox/", "/healthz", "/readyz"]
)
def test_a_visitor_gets_a_page(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_the_first_page_says_that_nothing_can_be_booked_yet(client: Client) -> None:
    page = client.get("/").content.decode()
    assert "Your practice" in page
    assert "No visits can be booked online" in page


@pytest.mark.parametrize("path", ["/desk/", "/desk/appointments", "/desk/appointments.csv", "/portal/"])
def test_the_first_admin_gets_a_page(client: Client, path: str) -> None:
    client.force_login(User.objects.create_user("first@example.com", "a-long-pass-phrase", role=Role.ADMIN))
    assert client.get(path).status_code in {200, 403}


def test_what_is_not_there_is_a_404(client: Client) -> None:
    assert client.get("/book/first-visit").status_code == 404
    assert client.get("/visits/unknown").status_code == 404
