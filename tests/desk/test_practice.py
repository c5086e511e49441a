"""Practice settings: validated, audited, and used by what they are about."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from bedside.clinic.models import Practice
from bedside.core.models import AuditEntry
from bedside.flows.details import consent_text, consent_version
from bedside.payments.models import Payment
from bedside.web.booking.visit_page import VisitPage
from tests.conftest import TestClock
from tests.factories import make_appointment, make_user

pytestmark = pytest.mark.django_db
URL = "/desk/settings"
WORDS = "Lakeside Clinic may text me about visits. Reply STOP to end it."


def sent(desk: Client, **changes: Any) -> dict[str, Any]:
    form = desk.get(URL).context["form"]
    values = {name: form[name].value() for name in form.fields}
    values |= {name: values[name].strftime("%H:%M") for name in ("quiet_from", "quiet_until")}
    return {name: value for name, value in (values | changes).items() if value is not None}


def save(desk: Client, **changes: Any) -> Any:
    return desk.post(URL, sent(desk, **changes))


def test_they_are_reached_saved_and_audited(desk: Client) -> None:
    assert f'href="{URL}"' in desk.get("/desk/").content.decode()
    response = save(desk, name="Harbor  Clinic", phone="(202) 555-0199", quiet_from="20:30", about="We care.")
    assert (response.status_code, response["Location"]) == (303, URL)
    practice = Practice.current()
    assert (practice.name, practice.phone, practice.about) == ("Harbor Clinic", "+12025550199", "We care.")
    entry = AuditEntry.objects.get(action="practice.changed")
    assert entry.before == {
        "name": "Lakeside Clinic",
        "phone": "+12025550100",
        "quiet_from": "21:00",
        "about": "",
    }
    assert entry.after["quiet_from"] == "20:30"  # type: ignore[index]
    assert "Practice settings changed" in desk.get(URL).content.decode()
    save(desk)
    assert AuditEntry.objects.filter(action="practice.changed").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("email", "hello"),
        ("phone", "12"),
        ("country", "XX"),
        ("timezone", "America/Nowhere"),
        ("currency", "DOLLAR"),
        ("languages", ["es"]),
        ("languages", ["en", "xx"]),
        ("quiet_from", "late"),
        ("quiet_until", "21:00"),
        ("default_notice_minutes", "86400"),
        ("default_notice_minutes", "-1"),
        ("default_horizon_days", "0"),
        ("default_horizon_days", "99999"),
        ("default_step_minutes", "7"),
        ("waitlist_offer_minutes", "1"),
        ("join_minutes", "600"),
        ("consent_en", "I agree to texts from Lakeside Clinic."),
        ("consent_es", "Acepto. STOP"),
        ("consent_en", WORDS + "x" * 600),
    ],
)
def test_each_error_stands_beside_its_field(desk: Client, field: str, value: Any) -> None:
    more = {"zone_understood": "on"} if field == "timezone" else {}
    response = save(desk, **{field: value}, **more)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not AuditEntry.objects.filter(action="practice.changed").exists()


def test_another_zone_is_asked_about(desk: Client) -> None:
    response = save(desk, timezone="America/Chicago")
    assert list(response.context["form"].errors) == ["zone_understood"]
    assert save(desk, timezone="America/Chicago", zone_understood="on").status_code == 303
    assert Practice.current().timezone == "America/Chicago"


def test_the_currency_stays_once_money_moved(desk: Client) -> None:
    assert save(desk, currency="EUR").status_code == 303
    assert Practice.current().currency == "EUR"
    Payment.objects.create(appointment=make_appointment(), amount_minor=8500, currency="USD", processor="sandbox")
    assert "so it stays" in desk.get(URL).content.decode()
    save(desk, currency="USD")
    assert Practice.current().currency == "EUR"


def test_new_services_start_from_the_usual(desk: Client) -> None:
    save(desk, default_notice_minutes="240", default_horizon_days="30", default_step_minutes="20")
    form = desk.get("/desk/catalogue/new").context["form"]
    names = ("minimum_notice_minutes", "horizon_days", "step_minutes")
    assert [form[name].value() for name in names] == [240, 30, 20]


def test_own_words_of_consent_have_a_version(desk: Client, clock: TestClock) -> None:
    assert consent_version() == "2026-11"
    save(desk, consent_en=WORDS)
    assert (consent_text("Lakeside Clinic"), consent_version()) == (WORDS, "2026-12-01")
    save(desk, consent_en=WORDS + " Thank you.")
    assert consent_version() == "2026-12-01.2"
    assert WORDS in unescape(desk.get(URL).content.decode())
    entry = AuditEntry.objects.filter(action="practice.changed").latest("pk")
    assert entry.before == {"consent_en": WORDS, "sms_consent_version": "2026-12-01"}


def test_a_language_that_is_not_offered_is_not_spoken(desk: Client, client: Client) -> None:
    def page() -> str:
        return client.get("/my/", HTTP_ACCEPT_LANGUAGE="es").content.decode()

    assert 'lang="es"' in page()
    assert client.get("/language/es").status_code == 302
    save(desk, languages=["en"])
    assert 'lang="es"' not in page()
    assert client.get("/language/es").status_code == 404


def test_the_way_in_opens_when_the_practice_says(desk: Client) -> None:
    visit = make_appointment()
    save(desk, join_minutes="30")
    assert VisitPage(visit).join_opens_at == visit.start - timedelta(minutes=30)


def test_without_a_practice_the_page_makes_one(client: Client) -> None:
    client.force_login(make_user("admin"))
    assert not Practice.objects.exists()
    assert save(client, name="Harbor Clinic").status_code == 303
    assert Practice.objects.get().name == "Harbor Clinic"


def test_an_unknown_zone_is_told_before_a_change_is_asked_about(desk: Client) -> None:
    response = save(desk, timezone="Mars", name="")
    assert set(response.context["form"].errors) == {"timezone", "name"}
