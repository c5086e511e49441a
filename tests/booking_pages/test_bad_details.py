"""Bad input on the details page: a clear answer beside the field, the right status, and nothing changes."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from tests.booking_pages.conftest import GOOD, text_of

pytestmark = pytest.mark.django_db

BAD = {
    "no name": ({"name": ""}, "Enter your full name"),
    "blank name": ({"name": "   "}, "Enter your full name"),
    "a name of 10,000 letters": ({"name": "R" * 10_000}, "Use at most 120 characters"),
    "an emoji for a name": ({"name": "Robin 🦄"}, "without emoji"),
    "control characters in the name": ({"name": "Robin\x07 Sample"}, "without emoji or special characters"),
    "a null byte in the name": ({"name": "Robin\x00"}, "without emoji or special characters"),
    "a name turned around by Unicode": ({"name": "Robin \u202egnilS"}, "without emoji or special characters"),
    "no email": ({"email": ""}, "Enter your email address"),
    "half an email": ({"email": "robin@"}, "Use an email address such as robin@example.com"),
    "two lines of email": ({"email": "robin@example.com\nBcc: x@example.com"}, "Use an email address such as"),
    "no mobile": ({"mobile": ""}, "Use a mobile number that can receive texts, for example (202) 555-0143."),
    "too short a mobile": ({"mobile": "555"}, "Use a mobile number that can receive texts"),
    "letters for a mobile": ({"mobile": "call me"}, "Use a mobile number that can receive texts"),
    "a mobile of another country": ({"mobile": "+44 7400 123456"}, "Choose its country beside the number"),
    "a landline": ({"country": "GB", "mobile": "020 7946 0018"}, "can't receive texts"),
    "no consent": ({"sms_consent": None}, "Please agree to appointment texts"),
}


@pytest.mark.parametrize(("fields", "advice"), BAD.values(), ids=BAD.keys())
def test_each_mistake_is_named_beside_its_field_and_in_the_summary(post_details, fields, advice: str) -> None:  # type: ignore[no-untyped-def]
    response = post_details(**fields)
    page = text_of(response)
    assert response.status_code == 422
    assert "One thing needs your attention" in page
    assert page.count(advice) == 2
    assert 'aria-invalid="true"' in page
    assert not Appointment.objects.exists()


def test_a_screen_reader_hears_help_and_mistake_with_the_field(post_details) -> None:  # type: ignore[no-untyped-def]
    page = text_of(post_details(mobile="555"))
    assert 'aria-describedby="id_mobile-help id_mobile-error"' in page
    assert 'id="id_mobile-help"' in page
    assert 'id="id_mobile-error"' in page


def test_what_was_typed_is_kept(post_details) -> None:  # type: ignore[no-untyped-def]
    page = text_of(post_details(email="robin@", country="GB", mobile="07400 123456"))
    assert 'value="Robin Sample"' in page
    assert 'value="robin@"' in page
    assert 'value="07400 123456"' in page
    assert '<option value="GB" selected>' in page
    assert "checked" in page


def test_what_was_typed_is_never_markup(post_details) -> None:  # type: ignore[no-untyped-def]
    response = post_details(name='"><script>alert(1)</script>', email="x")
    assert b"<script>alert" not in response.content


def test_several_mistakes_are_all_named(post_details) -> None:  # type: ignore[no-untyped-def]
    page = text_of(post_details(name="", email="", mobile="", sms_consent=None))
    assert "4 things need your attention" in page


@pytest.mark.parametrize(
    "start", ["", "yesterday", "2026-12-04T14:15", "2026-12-04", "9" * 5000, "\x00", "0001-01-01T00:00+14:00"]
)
def test_a_start_that_cannot_be_read_is_a_400(client: Client, service: Service, start: str) -> None:
    for response in (
        client.get(f"/book/{service.slug}/details", {"start": start}),
        client.post(f"/book/{service.slug}/details", GOOD | {"start": start}),
    ):
        assert response.status_code == 400
        assert "Nothing was changed" in text_of(response)


NOT_OFFERED = ["2026-11-01T15:00Z", "2026-12-04T14:22Z", "2026-12-04T03:00Z", "2030-01-01T15:00Z"]


@pytest.mark.parametrize("asked", NOT_OFFERED, ids=["past", "off the step", "at night", "past the horizon"])
def test_a_start_that_is_not_offered_gets_the_nearest_that_are(client: Client, post_details, asked: str) -> None:  # type: ignore[no-untyped-def]
    response = post_details(start=asked)
    page = text_of(response)
    assert response.status_code == 422
    assert "isn't open any more" in page
    assert 'name="alternative"' in page
    assert 'value="Robin Sample"' in page
    assert client.get(f"/book/first-visit/details?start={asked}&provider=rivera").status_code == 409
    assert not Appointment.objects.exists()


def test_a_start_in_another_zone_is_the_same_instant(post_details, start) -> None:  # type: ignore[no-untyped-def]
    assert post_details(start="2026-12-04T19:30:00+05:30").status_code == 303
    assert Appointment.objects.get().start == start


def test_an_unknown_provider_is_a_404(post_details) -> None:  # type: ignore[no-untyped-def]
    assert post_details(provider="nobody").status_code == 404


def test_a_form_from_another_site_is_refused(service: Service) -> None:
    response = Client(enforce_csrf_checks=True).post(f"/book/{service.slug}/details", GOOD)
    assert response.status_code == 403


def test_other_methods_are_not_allowed(client: Client, service: Service) -> None:
    assert client.put(f"/book/{service.slug}/details").status_code == 405
    assert client.post(f"/book/{service.slug}").status_code == 405
