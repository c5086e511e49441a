"""With anybody, one, several, or a group: the filter, its addresses, and what is booked."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.models import ProviderGroup, Service
from tests.booking_pages.conftest import GOOD, code, text_of
from tests.factories import make_provider, make_service
from tests.flows.conftest import first_opening

pytestmark = pytest.mark.django_db
PAGE = "/book/follow-up"


@pytest.fixture
def service() -> Service:
    providers = [
        make_provider(slug=slug, name=f"Dr. {slug.title()}", title="MD", languages=["English", "Spanish"])
        for slug in ("adler", "brook", "casey")
    ]
    service = make_service(*providers, slug="follow-up")
    group = ProviderGroup.objects.create(slug="physicians", name="Physicians")
    group.providers.set([providers[1], providers[2], make_provider(slug="elsewhere")])
    service.groups.add(group)
    return service


def test_everybody_is_there_with_picture_title_and_languages(client: Client, service: Service) -> None:
    page = text_of(client.get(PAGE))
    assert "Dr. Brook" in page
    assert "MD · English, Spanish" in page
    assert 'class="avatar' in page
    assert "2 clinicians" in page


def test_several_stay_in_every_link_and_are_ticked(client: Client, service: Service) -> None:
    page = text_of(client.get(f"{PAGE}?provider=brook&provider=casey"))
    assert page.count('class="who__one"') == 5
    assert page.count('aria-current="true"') == 2
    assert 'href="follow-up/with?provider=brook&provider=casey"' in page
    assert "?provider=brook&provider=casey&day=" in page
    for slug in ("brook", "casey"):
        assert f'<input type="hidden" name="provider" value="{slug}">' in page


def test_ticking_several_is_a_page_of_its_own(client: Client, service: Service) -> None:
    page = text_of(client.get(f"{PAGE}/with?provider=brook"))
    assert 'value="brook" checked' in page
    assert 'value="adler">' in page
    assert "MD · English, Spanish" in page
    assert client.get(f"{PAGE}/with?provider=nobody").status_code == 404


def test_of_several_one_of_them_is_booked(client: Client, service: Service) -> None:
    start = code(first_opening(service))
    address = f"{PAGE}/details?start={start}&provider=brook&provider=casey"
    page = text_of(client.get(address))
    assert page.count('<input type="hidden" name="provider"') == 2
    assert "2 clinicians are free then" in page
    response = client.post(f"{PAGE}/details", GOOD | {"start": start, "provider": ["brook", "casey"]})
    assert response.status_code == 303
    assert Appointment.objects.get().provider.slug in {"brook", "casey"}


def test_a_group_is_those_of_it_who_offer_the_service(client: Client, service: Service) -> None:
    page = text_of(client.get(f"{PAGE}?group=physicians"))
    assert "?group=physicians&day=" in page
    response = client.post(f"{PAGE}/details", GOOD | {"start": code(first_opening(service)), "group": "physicians"})
    assert response.status_code == 303
    assert Appointment.objects.get().provider.slug in {"brook", "casey"}


@pytest.mark.parametrize(
    "query", ["provider=nobody", "provider=adler&provider=nobody", "group=unknown", "provider=elsewhere"]
)
def test_who_does_not_offer_it_is_not_found(client: Client, service: Service, query: str) -> None:
    assert client.get(f"{PAGE}?{query}").status_code == 404


def test_a_group_of_another_service_is_not_found(client: Client, service: Service) -> None:
    service.groups.clear()
    assert client.get(f"{PAGE}?group=physicians").status_code == 404


def test_the_page_stays_light(client: Client, service: Service) -> None:
    assert len(client.get(PAGE).content) < 15_000
