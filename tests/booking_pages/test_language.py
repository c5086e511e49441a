"""The patient's language: chosen by a link, kept in a cookie and with the booking, and spoken on each page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.notifications.models import Notification
from tests.booking_pages.conftest import code, text_of
from tests.booking_pages.test_visit import make_meeting, make_paid
from tests.factories import make_appointment, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    yield
    translation.activate("en")


@pytest.fixture
def spanish(client: Client) -> Client:
    client.get("/language/es")
    return client


def test_a_link_on_the_page_chooses_spanish_and_another_goes_back(client: Client, service: Service) -> None:
    page = text_of(client.get(f"/book/{service.slug}"))
    assert '<a lang="es" href="/language/es">Español</a>' in page
    response = client.get("/language/es", headers={"Referer": f"http://testserver/book/{service.slug}?day=2026-12-04"})
    assert response["Location"] == f"/book/{service.slug}?day=2026-12-04"
    page = text_of(client.get(f"/book/{service.slug}"))
    assert '<html lang="es"' in page
    assert '<a lang="en" href="/language/en">English</a>' in page
    client.get("/language/en")
    assert '<html lang="en"' in text_of(client.get(f"/book/{service.slug}"))


@pytest.mark.parametrize(
    "asked",
    ["https://evil.example/x", "//evil.example/x", "javascript:alert(1)", "http://testserver//evil.example", "%", ""],
)
def test_choosing_a_language_never_leads_to_another_site(client: Client, asked: str) -> None:
    assert client.get("/language/es", {"next": asked})["Location"] == "/"
    assert client.get("/language/es", headers={"Referer": asked})["Location"] == "/"


def test_an_unknown_language_is_not_found(client: Client) -> None:
    response = client.get("/language/xx")
    assert response.status_code == 404
    assert "django_language" not in response.cookies


def test_without_a_choice_the_browsers_language_counts(client: Client, service: Service) -> None:
    make_service(name="Another")
    page = text_of(client.get("/", headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}))
    assert '<html lang="es"' in page
    assert '<html lang="en"' in text_of(client.get("/", headers={"Accept-Language": "de"}))


def test_the_pages_up_to_booking_speak_spanish(spanish: Client, service: Service, details_url: str) -> None:
    make_service(name="Another")
    services = text_of(spanish.get("/"))
    for words in ("Reserve una cita por video", "¿Qué le trae por aquí?", "Próximo:", "Mis citas"):
        assert words in services
    times = text_of(spanish.get(f"/book/{service.slug}?day=2026-12-04"))
    for words in ("Elija un día y un horario", "viernes, 4 de diciembre", "9:00 a.m.", "Cancelación sin costo hasta"):
        assert words in times
    details = text_of(spanish.get(details_url))
    for words in (
        "Sus datos",
        "Nombre completo",
        "Acepto recibir mensajes de texto de Lakeside Clinic",
        "Continuar al pago · $85.00",
        "Le guardamos el horario durante 35 minutos",
        "Cancelación sin costo hasta el jueves, 3 de diciembre, 9:00 a.m. hora oriental (Nueva York).",
    ):
        assert words in details
    for page in (services, times, details):
        for english in ("Choose", "Book a", "Your details", "Full name", "Continue", "In an emergency"):
            assert english not in page


def test_field_errors_are_spanish_too_and_the_link_keeps_the_chosen_time(
    spanish: Client,
    post_details: Any,
    start: datetime,
) -> None:
    response = post_details(spanish, name="", mobile="12", sms_consent=None)
    page = text_of(response)
    assert response.status_code == 422
    assert "Escriba su nombre completo, como quiere que le salude su profesional." in page
    assert "Use un número móvil que pueda recibir mensajes de texto" in page
    assert "Acepte los mensajes de texto sobre sus citas, por favor" in page
    assert "Hay 3 cosas que revisar" in page
    link = page.split('lang="en" href="')[1].partition('"')[0]
    back = spanish.get(link)["Location"]
    assert back.startswith("/book/first-visit/details?start=")
    assert 'value="' + code(start) + '"' in text_of(spanish.get(back))


def test_the_booking_keeps_the_language_and_the_messages_follow_it(spanish: Client, post_details: Any) -> None:
    post_details(spanish)
    visit = Appointment.objects.get()
    assert visit.locale == "es"
    assert visit.sms_consent_text.startswith("Acepto recibir mensajes de texto")
    assert set(Notification.objects.filter(audience="patient").values_list("locale", flat=True)) <= {"es"}


def test_the_visits_page_speaks_the_bookings_language_until_the_browser_chooses(client: Client) -> None:
    visit = make_paid()
    make_meeting(visit)
    Appointment.objects.filter(pk=visit.pk).update(locale="es")
    page = text_of(client.get(f"/visits/{visit.token}"))
    assert '<html lang="es"' in page
    for words in ("Su cita por video", "Agregar al calendario", "Cancelar esta cita", "Cuándo"):
        assert words in page
    assert "¿Cancelar esta cita?" in text_of(client.get(f"/visits/{visit.token}/cancel"))
    client.get("/language/en")
    assert "Your video visit" in text_of(client.get(f"/visits/{visit.token}"))


def test_staff_read_english_whatever_the_browser_asks_for(client: Client) -> None:
    page = client.get("/accounts/login/", headers={"Accept-Language": "es"}).content.decode()
    assert '<html lang="en"' in page


ENGLISH = re.compile(
    r"\b(your|you|we|the|with|please|cancel|until|book|card|choose|change|move|link|hours?|minutes?|times?|open|free|"
    r"show|back|Monday|Tuesday|Wednesday|Thursday|Friday|December|Eastern|Refund|Receipt|Paid)\b",
    re.IGNORECASE,
)
OWN_WORDS = ("Lakeside Clinic", "Meet your clinician by video.", "First visit", "English", "visit is charged in full")


def read_aloud(page: str) -> str:
    """What a person reads or hears of a page: text and labels, without what the practice wrote itself."""
    page = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", page)
    spoken = " ".join(re.findall(r'(?:aria-label|title|placeholder|alt|data-words|data-trouble)="([^"]*)"', page))
    text = f"{re.sub(r'<[^>]+>', ' ', page)} {spoken}"
    for own in OWN_WORDS:
        text = text.replace(own, " ")
    return re.sub(r"\{times\}|\S*@\S*|https?://\S+|Free until 24 hours before\. After that the", " ", text)


def test_no_english_is_left_on_any_page(spanish: Client, service: Service, details_url: str) -> None:
    service.asks_location = False
    service.save()
    make_service(name="Another").providers.set([])
    visit = make_paid()
    make_meeting(visit)
    mine = f"/visits/{visit.token}"
    for address in (
        "/",
        f"/book/{service.slug}",
        f"/book/{service.slug}/with",
        f"/book/{service.slug}/waitlist",
        details_url,
        mine,
        f"{mine}/cancel",
        f"{mine}/move",
        f"{mine}/earlier",
        f"{mine}/receipt",
        "/my/",
        "/lists/zone",
        "/test-camera",
        "/visits/unknown",
        "/nowhere",
    ):
        page = text_of(spanish.get(address))
        assert '<html lang="es"' in page, address
        said = read_aloud(page)
        if address == "/lists/zone":
            said = said.partition("America")[0]
        found = [said[max(0, hit.start() - 30) : hit.end() + 30] for hit in ENGLISH.finditer(said)]
        assert found == [], address


@pytest.mark.parametrize("status", ["pending_payment", "expired", "canceled", "no_show", "completed"])
def test_no_english_is_left_on_a_visits_page_however_it_stands(spanish: Client, service: Service, status: str) -> None:
    visit = make_appointment(service, status=status, locale="es")
    page = text_of(spanish.get(f"/visits/{visit.token}"))
    assert '<html lang="es"' in page
    assert ENGLISH.findall(read_aloud(page)) == []
