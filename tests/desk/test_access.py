"""Nothing under /desk/ answers without the admin role, and nothing under /portal/ without a provider's account."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from bedside.accounts.models import User
from tests.factories import make_appointment, make_provider, make_user

pytestmark = pytest.mark.django_db
# What stands in an address besides an appointment's code: nothing that exists.
SAMPLE = {"int": "987654321", "slug": "no-such-thing", "str": "nothing", "practice_day": "2020-01-02"}
SAMPLES = re.compile(rf"<({'|'.join(SAMPLE)}):\w+>")
METHODS = ["get", "post", "put", "delete", "head", "options"]


def addresses(area: str) -> list[str]:
    """Every address of an area, read from the resolver, so that a new page can't be forgotten here."""
    (root,) = [p for p in get_resolver().url_patterns if isinstance(p, URLResolver) and str(p.pattern) == f"{area}/"]
    return [f"/{area}/{route}" for route in _routes(root)]


def _routes(resolver: URLResolver) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield SAMPLES.sub(lambda match: SAMPLE[match[1]], str(pattern.pattern).replace("<str:code>", "{code}"))
        else:
            yield from (str(pattern.pattern) + route for route in _routes(pattern))


DESK = addresses("desk")
# An invitation's link is a key of its own: whoever follows it has no account yet.
PORTAL = [address for address in addresses("portal") if not address.startswith("/portal/claim/")]


def test_the_walk_finds_the_pages() -> None:
    assert "/desk/appointments.csv" in DESK
    assert "/desk/appointments/{code}/cancel" in DESK
    assert "/portal/visits/{code}/start" in PORTAL


@pytest.mark.parametrize("address", DESK + PORTAL)
@pytest.mark.parametrize("method", METHODS)
def test_strangers_are_asked_to_sign_in_or_refused(address: str, method: str) -> None:
    path = address.format(code=make_appointment().code)
    response = getattr(Client(), method)(path)
    assert response.status_code in {302, 405}, path
    if method == "get" and response.status_code == 302:
        assert response["Location"].startswith(f"/accounts/login/?next={path}")


@pytest.mark.parametrize("address", DESK)
@pytest.mark.parametrize("method", ["get", "post"])
def test_providers_are_refused_at_the_desk(address: str, method: str) -> None:
    appointment = make_appointment()
    client = Client()
    client.force_login(provider_user(appointment))
    response = getattr(client, method)(address.format(code=appointment.code))
    assert response.status_code in {403, 405}
    appointment.refresh_from_db()
    assert appointment.status == "paid"


@pytest.mark.parametrize("address", DESK)
def test_admins_are_let_in(address: str, desk: Client) -> None:
    path = address.format(code=make_appointment().code)
    response = desk.get(path)
    if response.status_code == 405:
        response = desk.post(path)
    # What is made up isn't there, or is told to be gone; a form without its fields is asked again.
    made_up = any(sample in address for sample in SAMPLE.values()) or address.endswith("/intake")  # nothing was asked
    assert response.status_code in ({302, 303, 404} if made_up else {200, 302, 303, 422})


@pytest.mark.parametrize("address", PORTAL)
def test_admins_without_visits_of_their_own_are_refused_at_the_portal(address: str, desk: Client) -> None:
    assert desk.get(address.format(code=make_appointment().code)).status_code == 403


def test_an_admin_who_was_switched_off_is_out(desk: Client, admin: User) -> None:
    make_user("admin")
    admin.is_active = False
    admin.save()
    assert desk.get("/desk/").status_code == 302


def test_who_is_refused_is_shown_a_way_out() -> None:
    client = Client()
    client.force_login(make_user("provider"))
    page = client.get("/desk/").content.decode()
    assert 'href="/accounts/where/"' in page
    assert 'href="/accounts/logout/"' in page


def provider_user(appointment: object) -> User:
    provider = make_provider()
    provider.user = make_user("provider")
    provider.save()
    return provider.user
