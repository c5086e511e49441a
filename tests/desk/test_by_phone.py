"""Phone bookings and payments at the desk, through the pages that the desk uses."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from bedside.accounts.models import User
from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.core import clock as house_clock
from bedside.core.models import AuditEntry
from bedside.notifications.models import Notification
from bedside.payments.models import Payment
from tests.factories import make_appointment, make_provider, make_service
from tests.flows.test_credits import issue, make_payment

pytestmark = pytest.mark.django_db
URL = "/desk/appointments/new"


@pytest.fixture
def service(db: None) -> Service:
    return make_service(make_provider(name="Dr. Rivera"))


def form(desk: Client, service: Service, **fields: str) -> dict[str, str]:
    """The page as drawn, filled in: the first time of the day after tomorrow, by link."""
    day = (house_clock.now() + timedelta(days=2)).date().isoformat()
    page = desk.get(URL, {"service": service.slug, "day": day}).content.decode()
    token, start = re.search(r'name="token" value="([^"]+)"', page), re.search(r'name="start" value="([^"]+)"', page)
    assert token
    assert start
    values = {
        "service": service.slug,
        "day": day,
        "token": token[1],
        "start": start[1],
        "name": "Alex Morgan",
        "email": "alex@example.com",
        "country": "US",
        "mobile": "(202) 555-0177",
        "timezone": "America/Chicago",
        "locale": "es",
        "consent": "on",
        "way": "link",
        "hours": "4",
    }
    return values | fields


def test_the_page_is_reached_and_shows_what_patients_see(desk: Client, service: Service) -> None:
    assert URL in desk.get("/desk/appointments").content.decode()
    assert "First visit" in desk.get(URL).content.decode()
    day = (house_clock.now() + timedelta(days=2)).date().isoformat()
    page = desk.get(URL, {"service": service.slug, "day": day}).content.decode()
    assert "9:00 AM" in page
    assert "Dr. Rivera" in page


def test_a_link_keeps_the_time_and_reaches_the_patient(desk: Client, service: Service, admin: User) -> None:
    asked = form(desk, service)
    for _ in range(2):
        page = desk.post(URL, asked, follow=True).content.decode()
        assert "The payment link is on its way" in page
    appointment = Appointment.objects.get()
    assert (appointment.status, appointment.source, appointment.locale) == ("pending_payment", "desk", "es")
    assert (appointment.sms_consent_source, appointment.sms_consent_taken_by) == ("phone", admin.pk)
    assert appointment.sms_consent_version == "2026-11"
    assert "Lakeside Clinic" in appointment.sms_consent_text
    assert appointment.sms_consent_at == house_clock.now()
    assert "Taken by Sam Ortega" in page
    assert Notification.objects.filter(kind="payment_link").count() == 2
    assert AuditEntry.objects.get(action="appointment.created").actor_id == admin.pk
    visit = f"/visits/{appointment.token}"
    patient = Client()
    assert "Continuar al pago" in patient.get(visit).content.decode()
    assert "/sandbox/checkout/" in patient.post(f"{visit}/pay").headers["Location"]
    desk.post(f"/desk/appointments/{appointment.code}/payment-link")
    assert Notification.objects.filter(kind="payment_link").count() == 4


@pytest.mark.parametrize(("way", "captured"), [("cash", 8500), ("terminal", 8500), ("transfer", 8500), ("waived", 0)])
def test_paid_at_the_desk(desk: Client, service: Service, way: str, captured: int) -> None:
    page = desk.post(URL, form(desk, service, way=way, reference="R-1"), follow=True).content.decode()
    assert "Booked, and paid." in page
    payment = Payment.objects.get()
    assert (payment.method, payment.captured_minor, payment.appointment.status) == (way, captured, "paid")
    assert "R-1" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"start": ""}, "Choose a time."),
        ({"start": "nonsense|nobody"}, "Choose a time."),
        ({"name": ""}, "as the provider should greet them."),
        ({"email": "alex"}, "Use an email address"),
        ({"mobile": "12"}, "Use a mobile number"),
        ({"consent": ""}, "Read the sentence to the patient"),
        ({"way": "waived"}, "Say why"),
        ({"way": "bitcoin"}, "Select a valid choice"),
        ({"hours": "0"}, "Enter whole hours, from 1 to"),
        ({"hours": "9999"}, "Enter whole hours, from 1 to"),
        ({"timezone": "Mars/Base"}, "Select a valid choice"),
        ({"other_start": "2026-12-03T20:00"}, "Choose with whom."),
        ({"other_start": "soon"}, "Choose a day and a time."),
        ({"promo_code": "NOPE"}, ""),
        ({"token": ""}, "This page is stale"),
        ({"service": "nothing"}, "Select a valid choice"),
        ({"day": "someday"}, "Choose a day."),
    ],
)
def test_bad_input_books_nothing(desk: Client, service: Service, fields: dict[str, str], said: str) -> None:
    response = desk.post(URL, form(desk, service) | fields)
    assert response.status_code in {409, 422}
    assert said in response.content.decode()
    assert not Appointment.objects.exists()


def test_a_taken_time_is_refused_and_the_form_can_be_sent_again(desk: Client, service: Service) -> None:
    first, second = form(desk, service), form(desk, service, name="Kim Lee", email="kim@example.com")
    desk.post(URL, first)
    response = desk.post(URL, second)
    assert response.status_code == 409
    page = response.content.decode()
    assert "Kim Lee" in page
    free = re.search(r'name="start" value="([^"]+)"', page)
    assert free
    assert free[1] != first["start"]
    assert desk.post(URL, second | {"start": free[1]}).status_code == 303
    assert Appointment.objects.count() == 2


def test_the_same_form_for_somebody_else_is_refused(desk: Client, service: Service) -> None:
    asked = form(desk, service)
    desk.post(URL, asked)
    assert desk.post(URL, asked | {"name": "Somebody Else"}).status_code == 409
    assert Appointment.objects.count() == 1


def test_another_time_with_a_reason_and_never_over_another_visit(desk: Client, service: Service) -> None:
    provider = service.providers.get()
    evening = {"start": "", "other_start": "2026-12-03T20:00", "other_provider": provider.slug, "way": "cash"}
    assert desk.post(URL, form(desk, service, **evening)).status_code == 422
    asked = form(desk, service, **evening, override_reason="Dr. Rivera agreed")
    assert desk.post(URL, asked).status_code == 303
    assert AuditEntry.objects.get(action="appointment.created").reason == "Dr. Rivera agreed"
    again = desk.post(URL, form(desk, service, **evening | {"other_start": "2026-12-03T20:15"}, override_reason="x"))
    assert again.status_code == 409
    assert Appointment.objects.count() == 1


def test_a_time_that_the_clocks_jump_over(desk: Client, service: Service) -> None:
    asked = {"start": "", "other_start": "2027-03-14T02:30", "other_provider": service.providers.get().slug}
    response = desk.post(URL, form(desk, service, **asked, override_reason="x"))
    assert "time doesn" in response.content.decode()
    assert response.status_code == 422


def test_the_patients_credit_is_spent_without_its_code(desk: Client, service: Service, clock: Any) -> None:
    credit = issue(make_payment(clock, patient_email="alex@example.com"), 5000)
    desk.post(URL, form(desk, service, spend_credits="on", way="cash"))
    payment = Payment.objects.order_by("-pk")[0]
    assert (payment.credit_minor, payment.captured_minor, credit.left_minor) == (5000, 3500, 0)


def test_an_unpaid_visit_is_paid_at_the_desk(desk: Client, service: Service) -> None:
    desk.post(URL, form(desk, service))
    code = Appointment.objects.get().code
    url = f"/desk/appointments/{code}/payment"
    assert url in desk.get(f"/desk/appointments/{code}").content.decode()
    assert "nobody pays twice" in desk.get(url).content.decode()
    for fields in ({}, {"method": "waived"}, {"method": "gold"}):
        assert desk.post(url, fields).status_code == 422
    assert "The payment is recorded" in desk.post(url, {"method": "cash"}, follow=True).content.decode()
    assert Payment.objects.get().method == "cash"
    assert "paid meanwhile" in desk.post(url, {"method": "cash"}, follow=True).content.decode()
    assert Payment.objects.count() == 1


def test_others_must_sign_in_first(db: None) -> None:
    appointment = make_appointment(status="pending_payment")
    for url in (URL, f"/desk/appointments/{appointment.code}/payment"):
        assert Client().get(url).status_code == 302
    assert Client().post(f"/desk/appointments/{appointment.code}/payment-link").status_code == 302


def test_what_is_missing_is_said_to_the_desk_not_to_the_patient(desk: Client, service: Service) -> None:
    page = unescape(desk.post(URL, form(desk, service, name=" ", email="")).content.decode())
    assert "Enter the patient's full name" in page
    assert "Enter the patient's email address" in page
    assert "Enter your" not in page
