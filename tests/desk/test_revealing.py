"""Contact details are hidden until they are asked for, and asking is written down."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.accounts.models import User
from bedside.appointments.models import Appointment
from bedside.core import clock as house_clock
from bedside.core.audit import Actor
from bedside.core.models import AuditEntry
from bedside.flows import conclude
from bedside.notifications.models import InboundText, Notification
from bedside.reports import record
from bedside.schedule.waiting.models import WaitlistEntry
from tests.conftest import TestClock
from tests.factories import make_appointment, make_service, make_user

pytestmark = pytest.mark.django_db
SECRETS = ("jamie@sample.example", "(202) 555-0144", "+12025550144")


@pytest.fixture
def visit(db: None) -> Appointment:
    return make_appointment(
        patient_name="Jamie Sample", patient_email="jamie@sample.example", patient_mobile="+12025550144"
    )


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


def reveals() -> list[tuple[Any, ...]]:
    found = AuditEntry.objects.filter(action="contact.revealed").order_by("pk")
    return [(one.actor_id, one.subject_kind, one.subject_id, one.after) for one in found]


def test_the_record_hides_them_until_asked(desk: Client, admin: User, visit: Appointment) -> None:
    url = f"/desk/appointments/{visit.code}"
    page = text_of(desk.get(url))
    assert "Jamie Sample" in page
    assert "j•••@sample.example" in page
    assert "•••-•••-0144" in page
    assert not any(secret in page for secret in SECRETS)
    page = text_of(desk.post(f"{url}/contact/show"))
    assert all(secret in page for secret in SECRETS)
    fields = {"whose": "patient", "what": ["email", "mobile", "answers"], "where": "appointment"}
    assert reveals() == [(admin.pk, "appointment", str(visit.pk), fields)]
    page = text_of(desk.get(url))
    assert not any(secret in page for secret in SECRETS)
    assert "Contact details shown" in page


def test_a_live_page_stays_open_for_a_while_for_one_person(desk: Client, visit: Appointment, clock: TestClock) -> None:
    url = f"/desk/appointments/{visit.code}"
    page = text_of(desk.post(f"{url}/contact/show"))
    found = re.search(r'hx-get="([^"]+shown=[^"]+)"', page)
    assert found
    refresh = found[1].replace("&amp;", "&")

    def says(client: Client, address: str = refresh, **headers: str) -> bool:
        return "jamie@sample.example" in client.get(address, headers=headers).content.decode()

    htmx = {"HX-Request": "true"}
    assert says(desk, **htmx)
    assert not says(desk)
    colleague = Client()
    colleague.force_login(make_user("admin"))
    assert not says(colleague, **htmx)
    other = make_appointment(patient_email="other@sample.example")
    elsewhere = refresh.replace(visit.code, other.code)
    assert "other@sample.example" not in desk.get(elsewhere, headers=htmx).content.decode()
    assert not says(desk, f"{url}?shown=made-up", **htmx)
    clock.forward(timedelta(minutes=15))
    assert not says(desk, **htmx)


def test_answers_by_text_are_hidden_too(desk: Client, visit: Appointment) -> None:
    InboundText.objects.create(appointment=visit, body="I feel worse", at=house_clock.now())
    url = f"/desk/appointments/{visit.code}"
    assert "I feel worse" not in text_of(desk.get(url))
    assert "I feel worse" in text_of(desk.post(f"{url}/contact/show"))


def test_a_message_hides_where_it_went(desk: Client, admin: User, visit: Appointment) -> None:
    message = Notification.objects.create(
        appointment=visit,
        kind="confirmation",
        audience="patient",
        channel="sms",
        idempotency_key="a",
        due_at=house_clock.now(),
        recipient="+12025550144",
    )
    url = f"/desk/messages/{message.pk}"
    assert "•••-•••-0144" in text_of(desk.get(url))
    assert "+12025550144" not in text_of(desk.get(url))
    assert "+12025550144" in text_of(desk.post(url))
    assert [after["what"] for *_, after in reveals()] == [["mobile"]]


def test_the_waitlist_shows_one_person_at_a_time(desk: Client, admin: User) -> None:
    service = make_service()
    today = house_clock.now().date()
    people = [
        WaitlistEntry.objects.create(
            service=service,
            patient_name=f"Person {n}",
            patient_email=f"person{n}@sample.example",
            patient_mobile=f"+1202555014{n}",
            patient_timezone="America/New_York",
            first_day=today,
            last_day=today + timedelta(days=3),
            sms_consent_at=house_clock.now(),
        )
        for n in (1, 2)
    ]
    page = text_of(desk.get("/desk/waitlist"))
    assert "•••-•••-0141" in page
    assert "555-014" not in page
    page = text_of(desk.post("/desk/waitlist", {"show": people[0].pk}))
    assert "(202) 555-0141" in page
    assert "person1@sample.example" in page
    assert "555-0142" not in page
    assert [(kind, subject) for _, kind, subject, _ in reveals()] == [("waitlistentry", str(people[0].pk))]
    for made_up in ("x", "987654321", "9" * 30):
        assert desk.post("/desk/waitlist", {"show": made_up}).status_code == 200
    assert len(reveals()) == 1


def test_correcting_a_contact_counts_as_seeing_it(desk: Client, visit: Appointment) -> None:
    assert "jamie@sample.example" in text_of(desk.get(f"/desk/appointments/{visit.code}/contact"))
    assert [after["where"] for *_, after in reveals()] == ["contact"]


def test_only_the_desk_may_ask(visit: Appointment) -> None:
    client = Client()
    client.force_login(make_user("provider"))
    assert client.post(f"/desk/appointments/{visit.code}/contact/show").status_code == 403
    assert Client().get(f"/desk/appointments/{visit.code}/contact/show").status_code in {302, 405}
    assert reveals() == []


def test_the_way_of_a_visit_at_a_glance(desk: Client, admin: User, clock: TestClock) -> None:
    def words(visit: Appointment) -> list[tuple[str, str]]:
        visit.refresh_from_db()
        return [(one.word, one.state) for one in record.milestones(visit, visit.payments.all())]

    held = make_appointment(status="pending_payment")
    assert words(held) == [("Booked", "done"), ("Payment", "ahead"), ("Visit", "ahead"), ("Completed", "ahead")]
    paid = make_appointment(paid_at=house_clock.now())
    assert [word for word, _ in words(paid)] == ["Booked", "Paid", "Visit", "Completed"]
    actor = Actor("admin", admin.pk, "Sam")
    clock.set(paid.end)
    conclude.complete(appointment_id=paid.pk, actor=actor)
    assert words(paid)[-1] == ("Completed", "done")
    assert "Completed" in text_of(desk.get(f"/desk/appointments/{paid.code}"))
    called_off = make_appointment(status="canceled")
    assert words(called_off)[-1] == ("Canceled", "off")
