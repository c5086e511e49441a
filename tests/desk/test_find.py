"""Finding from anywhere: patients by the whole name, email or number, visits by code, pages by their words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bedside.core import clock
from bedside.web.desk.places import ACTIONS, PAGES
from tests.factories import make_appointment, make_user

pytestmark = pytest.mark.django_db
FIND = "/desk/find"


def found(desk: Client, text: str) -> str:
    answer = desk.get(FIND, {"q": text}, headers={"X-Palette": "1"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_patient_is_found_by_name_email_and_number_and_leads_to_the_next_visit(desk: Client) -> None:
    same = {"patient_name": "Alex Someone", "patient_email": "alex@example.com", "patient_mobile": "+12025550177"}
    past = make_appointment(start=clock.now() - timedelta(days=3), **same)
    later = make_appointment(start=clock.now() + timedelta(days=5), **same)
    sooner = make_appointment(start=clock.now() + timedelta(days=1), **same)
    for text in ("alex  someone", "ALEX@example.com", "(202) 555-0177"):
        page = found(desk, text)
        assert reverse("desk:appointment", args=[sooner.code]) in page
        assert reverse("desk:appointment", args=[later.code]) not in page
        assert reverse("desk:appointment", args=[past.code]) not in page


def test_contact_details_are_masked(desk: Client) -> None:
    make_appointment(patient_name="Alex Someone", patient_email="alexandra@example.com", patient_mobile="+12025550177")
    page = found(desk, "Alex Someone")
    assert "al•••@example.com" in page
    assert "••• 0177" in page
    assert "alexandra@" not in page
    assert "5550177" not in page


def test_a_patient_who_has_only_been_here_leads_to_the_last_visit(desk: Client) -> None:
    same = {"patient_name": "Alex Someone", "patient_email": "alex@example.com"}
    make_appointment(start=clock.now() - timedelta(days=30), **same)
    last = make_appointment(start=clock.now() - timedelta(days=3), **same)
    make_appointment(start=clock.now() + timedelta(days=3), status="canceled", patient_name="Kim Other")
    page = found(desk, "Alex Someone")
    assert f'href="{reverse("desk:appointment", args=[last.code])}"' in page
    assert "last:" in page


def test_two_people_of_one_name_are_two(desk: Client) -> None:
    for email in ("one@example.com", "two@example.com"):
        make_appointment(patient_name="Alex Someone", patient_email=email)
    page = found(desk, "Alex Someone")
    assert "on•••@example.com" in page
    assert "tw•••@example.com" in page


def test_a_visit_is_found_by_its_code_with_what_can_be_done(desk: Client) -> None:
    visit = make_appointment()
    page = found(desk, visit.code.lower())
    for name in ("appointment", "move", "cancel", "message_write"):
        assert f'href="{reverse(f"desk:{name}", args=[visit.code])}"' in page
    over = make_appointment(status="canceled")
    assert reverse("desk:move", args=[over.code]) not in found(desk, over.code)


def test_pages_and_actions_are_found_by_the_beginnings_of_their_words(desk: Client) -> None:
    assert 'href="/desk/sales"' in found(desk, "sal")
    assert 'href="/desk/sales"' in found(desk, "revenue")
    assert 'href="/desk/appointments/new"' in found(desk, "new app")
    assert "Nothing is called" in found(desk, "qwertz")


def test_every_place_answers_and_no_key_is_given_twice(desk: Client) -> None:
    for place in (*PAGES, *ACTIONS):
        assert desk.get(place.url).status_code == 200, place.name
    keys = [place.keys for place in (*PAGES, *ACTIONS) if place.keys]
    assert len(keys) == len(set(keys))
    assert not {key for key in keys if " " not in key} & {"g", "j", "k", "/", "?"}


def test_it_is_a_page_of_its_own_too(desk: Client) -> None:
    visit = make_appointment(patient_name="Alex Someone")
    page = desk.get(FIND, {"q": "Alex Someone"}).content.decode()
    assert "<h1>Find</h1>" in page
    assert reverse("desk:appointment", args=[visit.code]) in page
    assert "<h1>Keyboard shortcuts</h1>" in desk.get("/desk/shortcuts").content.decode()


@pytest.mark.parametrize("text", ["", "\x00", "%", "a" * 5000, "' OR 1=1 --", "<script>", "+", "BD-"])
def test_whatever_is_typed_is_answered(desk: Client, text: str) -> None:
    assert "<script>" not in found(desk, text)


def test_what_is_typed_costs_few_queries(desk: Client) -> None:
    for _ in range(20):
        make_appointment(patient_name="Alex Someone")
    found(desk, "Alex Someone")
    with CaptureQueriesContext(connection) as queries:
        found(desk, "Alex Someone")
    assert len(queries) <= 6


def test_a_provider_finds_nothing_here(desk: Client) -> None:
    client = Client()
    client.force_login(make_user("provider"))
    assert client.get(FIND, {"q": "Alex"}).status_code == 403
