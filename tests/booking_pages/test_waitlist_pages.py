"""The waitlist in the browser: join, take the offer, lose kindly, leave; and the desk's list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.flows import waitlist_offers
from bedside.schedule.waiting.models import WaitlistEntry, WaitlistOffer
from tests.booking_pages.conftest import GOOD, text_of
from tests.factories import make_appointment, make_user

pytestmark = pytest.mark.django_db
DAYS = {"first_day": "2026-12-03", "last_day": "2026-12-10"}


def joined(client: Client, service: Service, **fields: Any) -> WaitlistEntry:
    response = client.post(f"/book/{service.slug}/waitlist", GOOD | DAYS | fields)
    entry = WaitlistEntry.objects.get()
    assert response["Location"] == f"/waitlist/{entry.token}"
    return entry


def offered(service: Service) -> WaitlistOffer:
    waitlist_offers.look(service.providers.get().pk)
    return WaitlistOffer.objects.get()


def test_from_the_times_page_to_a_held_time(client: Client, service: Service) -> None:
    assert f'href="{service.slug}/waitlist"' in text_of(client.get(f"/book/{service.slug}"))
    assert "Join the waitlist" in text_of(client.get(f"/book/{service.slug}/waitlist"))
    entry = joined(client, service, provider="rivera", weekdays=["3"], parts=["morning"])
    assert (entry.provider, entry.weekdays, entry.parts) == (service.providers.get(), [3], ["morning"])
    page = text_of(client.get(f"/waitlist/{entry.token}"))
    assert "You are on the waitlist" in page
    assert "Dr. Elena Rivera" in page
    offer = offered(service)
    page = text_of(client.get(f"/waitlist/{entry.token}"))
    assert "A time has come free" in page
    assert "Take this time" in page
    response = client.post(f"/waitlist/{entry.token}/claim", {"offer": offer.pk})
    held = Appointment.objects.get(status="pending_payment")
    assert response["Location"] == held.payment.session_url
    assert "You took a time" in text_of(client.get(f"/waitlist/{entry.token}"))


def test_the_loser_is_told_kindly_and_stays_on_the_list(client: Client, service: Service) -> None:
    entry = joined(client, service)
    offer = offered(service)
    make_appointment(service, start=offer.start)
    response = client.post(f"/waitlist/{entry.token}/claim", {"offer": offer.pk})
    assert response.status_code == 409
    assert "You keep your place" in text_of(response)
    assert WaitlistEntry.objects.get().status == "waiting"


@pytest.mark.parametrize("number", ["", "x", "0", "999999999999999999999", "²"])
def test_offers_that_are_not_there_change_nothing(client: Client, service: Service, number: str) -> None:
    entry = joined(client, service)
    assert client.post(f"/waitlist/{entry.token}/claim", {"offer": number}).status_code == 302


def test_leaving_is_one_press(client: Client, service: Service) -> None:
    entry = joined(client, service)
    page = text_of(client.post(f"/waitlist/{entry.token}/leave", follow=True))
    assert "not on the waitlist any more" in page
    assert WaitlistEntry.objects.get().status == "left"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "x"}, "Use an email address"),
        ({"sms_consent": ""}, "agree to appointment texts"),
        ({"first_day": "soon"}, "Enter a day"),
        ({"last_day": "2026-12-01", "first_day": "2026-12-02"}, "before the first"),
        ({"last_day": "2026-11-02", "first_day": "2026-11-01"}, "That day is past"),
        ({"weekdays": ["9"]}, "Choose from the list"),
        ({"parts": ["midnight"]}, "Choose from the list"),
    ],
)
def test_bad_wishes_are_said_beside_their_field(
    client: Client, service: Service, fields: dict[str, Any], said: str
) -> None:
    response = client.post(f"/book/{service.slug}/waitlist", GOOD | DAYS | fields)
    assert response.status_code == 422
    assert said in text_of(response)
    assert not WaitlistEntry.objects.exists()


def test_a_booked_visit_asks_for_an_earlier_time_and_moves_there(
    client: Client, service: Service, start: datetime
) -> None:
    visit = make_appointment(service, start=start + timedelta(days=4))
    page = text_of(client.get(f"/visits/{visit.token}"))
    assert f'href="/visits/{visit.token}/earlier"' in page
    assert "Your visit stays as it is" in text_of(client.get(f"/visits/{visit.token}/earlier"))
    response = client.post(f"/visits/{visit.token}/earlier", DAYS | {"provider": "any"})
    entry = WaitlistEntry.objects.get()
    assert response["Location"] == f"/waitlist/{entry.token}"
    assert (entry.appointment, entry.provider, entry.patient_email) == (visit, None, visit.patient_email)
    offer = offered(service)
    assert "Move my visit there" in text_of(client.get(f"/waitlist/{entry.token}"))
    response = client.post(f"/waitlist/{entry.token}/claim", {"offer": offer.pk})
    moved = Appointment.objects.get(status="paid")
    assert response["Location"].endswith(f"/visits/{moved.token}")
    assert moved.start == offer.start


def test_unknown_links_get_help(client: Client) -> None:
    for path in ("/waitlist/nothing", "/visits/nothing/earlier"):
        assert client.get(path).status_code == 404


def test_the_desk_sees_who_waits_and_may_take_them_off(client: Client, service: Service) -> None:
    entry = joined(client, service)
    offered(service)
    desk = Client()
    desk.force_login(make_user("admin"))
    page = text_of(desk.get("/desk/waitlist"))
    for words in ("Robin Sample", "First visit", "Anyone", "open"):
        assert words.lower() in page.lower()
    assert "lost" in text_of(desk.get(f"/desk/waitlist?off={entry.pk}"))
    assert desk.get("/desk/waitlist?off=999").status_code == 200
    for number in ("x", str(entry.pk)):
        assert desk.post("/desk/waitlist", {"entry": number}).status_code == 302
    assert "Nobody waits" in text_of(desk.get("/desk/waitlist"))
