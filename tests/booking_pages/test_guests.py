"""Somebody comes along by a link of their own; the device test before the visit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from bedside.core import clock as house_clock
from bedside.core.audit import Actor
from bedside.flows import cancel, guests, reschedule
from bedside.video.models import GuestPass
from tests.booking_pages.conftest import text_of
from tests.booking_pages.test_visit import make_meeting, make_paid

pytestmark = pytest.mark.django_db


def test_a_guest_sees_when_and_the_way_in_and_nothing_else(client: Client, clock) -> None:  # type: ignore[no-untyped-def]
    visit = make_paid()
    make_meeting(visit)
    page = text_of(client.post(f"/visits/{visit.token}/guests", {"label": "my daughter"}, follow=True))
    one = GuestPass.objects.get()
    assert "my daughter" in page
    assert f"/g/{one.token}" in page
    seen = text_of(Client().get(f"/g/{one.token}"))
    assert "You're invited to a video visit" in seen
    for secret in (visit.patient_name, visit.service.name, visit.provider.name, visit.token, visit.code):
        assert secret not in seen
    assert visit.meeting.join_url not in seen
    clock.set(visit.start - timedelta(minutes=10))
    assert visit.meeting.join_url in text_of(Client().get(f"/g/{one.token}"))


def test_a_link_that_was_taken_back_opens_nothing(client: Client) -> None:
    visit = make_paid()
    one = guests.invite(appointment_id=visit.pk, label="Interpreter", actor=Actor.patient())
    client.post(f"/visits/{visit.token}/guests/{one.pk}/take-back")
    assert Client().get(f"/g/{one.token}").status_code == 404
    assert Client().get("/g/unknown").status_code == 404


def test_nobody_takes_back_the_guest_of_another_visit(client: Client) -> None:
    one = guests.invite(appointment_id=make_paid().pk, label="Interpreter", actor=Actor.patient())
    other = make_paid(start=house_clock.now() + timedelta(days=9))
    client.post(f"/visits/{other.token}/guests/{one.pk}/take-back")
    assert Client().get(f"/g/{one.token}").status_code == 200


def test_the_link_follows_a_visit_that_moves_and_ends_with_one_that_is_canceled() -> None:
    visit = make_paid()
    one = guests.invite(appointment_id=visit.pk, label="Interpreter", actor=Actor.patient())
    desk = Actor("admin", 1, "Sam")
    moved = reschedule.reschedule(
        appointment_id=visit.pk, start=visit.start + timedelta(days=1), actor=desk, reason="asked"
    )
    assert "Friday, December 4" in text_of(Client().get(f"/g/{one.token}"))
    assert [kept.pk for kept in guests.guests_of(moved)] == [one.pk]
    cancel.cancel(appointment_id=moved.pk, actor=desk, reason="asked")
    assert "This video visit is canceled" in text_of(Client().get(f"/g/{one.token}"))


@pytest.mark.parametrize("label", ["", "   ", "x" * 61])
def test_a_guest_without_a_name_is_explained(client: Client, label: str) -> None:
    visit = make_paid()
    page = text_of(client.post(f"/visits/{visit.token}/guests", {"label": label}, follow=True))
    assert "Say who it is for" in page
    assert not GuestPass.objects.exists()


def test_at_most_five_come(client: Client) -> None:
    visit = make_paid()
    for n in range(6):
        page = text_of(client.post(f"/visits/{visit.token}/guests", {"label": f"Guest {n}"}, follow=True))
    assert "At most 5 guests can come." in page
    assert GuestPass.objects.count() == 5


def test_the_device_test_is_a_page_of_ours_and_leads_back(client: Client) -> None:
    page = text_of(client.get("/test-camera?visit=abc123"))
    assert "Nothing is recorded and nothing leaves your device." in page
    assert 'href="/visits/abc123"' in page
    assert 'href="/visits/' not in text_of(client.get("/test-camera?visit=../../evil"))
