"""Every message in every language: kind by audience by channel, read for words that were left in English."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import bedside
from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.core.money import Money
from bedside.notifications import content
from bedside.notifications.content import Facts
from bedside.notifications.gsm7 import is_gsm7, segments
from bedside.notifications.models import Notification
from bedside.notifications.rendering import Message, render
from tests.factories import make_appointment, make_practice, make_provider, make_service

pytestmark = pytest.mark.django_db

FOLDER = Path(bedside.__file__).parent / "notifications" / "templates" / "notifications"
GRID = sorted(
    (path.parent.name, *path.name.split(".")[:2])
    for path in FOLDER.glob("*/*.txt")
    # Letters to staff speak English only.
    if not path.name.endswith(".subject.txt") and not path.name.startswith("staff.")
)
ENGLISH = re.compile(
    r"\b(your|hello|visit|with|please|join|cancel|canceled|until|reply|the|book|booked|card|reminder|link|hours?|"
    r"clinician|Monday|Tuesday|Wednesday|Thursday|Friday|Dec|December|Eastern)\b",
    re.IGNORECASE,
)


@pytest.fixture
def visit() -> Appointment:
    make_practice()
    service = make_service(make_provider(name="Dr. Elena Rivera"), name="Primera cita", discreet_name="Cita por video")
    # The practice's own words are told as the practice wrote them.
    own = {"cancellation_policy": "Sin costo hasta 24 horas antes."}
    return make_appointment(service, status="paid", patient_name="Inés Muñoz", paid_at=clock.now(), locale="es", **own)


def everything(known: Facts) -> Facts:
    """The most that a message may have to say."""
    later = clock.now() + timedelta(hours=1)
    return replace(
        known,
        join_url="https://video.example.com/j/123",
        first_text=True,
        was=known.start - timedelta(days=1),
        was_with="Dr. Before",
        canceled_by="patient",
        paid=Money(8500, "USD"),
        refund=Money(4250, "USD"),
        credit=Money(1000, "USD"),
        credit_returned=Money(500, "USD"),
        credit_code="CR-7",
        credit_until=known.start,
        pay_until=later,
        due=Money(8500, "USD"),
        claim_url="https://bedside.example/w/1",
        claim_until=later,
    )


def said(visit: Appointment, kind: str, audience: str, channel: str, locale: str, *, full: bool) -> Message:
    message = Notification(
        appointment=visit,
        kind=kind,
        audience=audience,
        channel=channel,
        locale=locale,
        variant="24h" if kind == "reminder" else "",
        words="Llegue cinco minutos antes." if kind == "manual" else "",
    )
    known = content.base_facts(message)
    return render(message, everything(known) if full else known)


def words_of(message: Message) -> str:
    """What people read: no tags, no addresses."""
    written = re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", message.html)
    text = f"{message.subject} {message.body} {written}"
    return re.sub(r"https?://\S+", "", text)


@pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
@pytest.mark.parametrize("locale", ["en", "es"])
@pytest.mark.parametrize(("kind", "audience", "channel"), GRID)
def test_each_message_is_written_in_its_language(
    visit: Appointment, kind: str, audience: str, channel: str, locale: str, full: bool
) -> None:
    message = said(visit, kind, audience, channel, locale, full=full)
    words = words_of(message)
    assert message.body.strip()
    assert "{{" not in words
    assert "%(" not in words
    if channel == "sms":
        assert is_gsm7(message.body), message.body
        assert segments(message.body) <= 3, message.body
    else:
        assert message.subject
        assert f'lang="{locale}"' in message.html
    if locale == "es":
        assert ENGLISH.findall(words.replace("Lakeside Clinic", "")) == [], words


def test_a_spanish_confirmation_reads_well(visit: Appointment) -> None:
    message = said(visit, "confirmation", "patient", "email", "es", full=True)
    assert message.subject.startswith("Su cita del ")
    assert "Hola, Inés Muñoz: su cita por video con Dr. Elena Rivera está reservada y pagada." in message.body
    assert "10:00 a.m." in message.body
    assert "Cancelación sin costo hasta el " in message.body
    assert "10:00 a.m." in said(visit, "confirmation", "patient", "sms", "es", full=True).body


def test_a_spanish_text_keeps_its_enye_and_drops_the_accents_that_texts_lack(visit: Appointment) -> None:
    body = said(visit, "payment_failed", "patient", "sms", "es", full=True).body
    assert "no se le cobro nada" in body
    assert is_gsm7(body)
