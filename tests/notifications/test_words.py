"""What each message says, read as the person who gets it: complete, discreet, short enough, in both forms."""

from __future__ import annotations

import re

import pytest

from bedside.appointments.models import Appointment
from bedside.notifications.content import facts_for
from bedside.notifications.models import Audience, Channel, Kind
from bedside.notifications.rendering import Message, render
from bedside.video.models import Meeting
from tests.factories import make_appointment, make_practice, make_provider, make_service
from tests.notifications.conftest import a_message

pytestmark = pytest.mark.django_db
GSM7 = re.compile(r"^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\\[~\]|€]*$")
JOIN = "https://video.example.com/j/123"


@pytest.fixture
def visit() -> Appointment:
    make_practice()
    service = make_service(
        make_provider(name="Dr. Elena Rivera"), name="Depression follow-up", discreet_name="Video visit"
    )
    visit = make_appointment(service, status="paid", patient_name="Robin Sample")
    Meeting.objects.create(appointment=visit, status="ready", meeting_id="123", join_url=JOIN, host_id="h")
    return visit


def said(visit: Appointment, **fields: str) -> Message:
    message = a_message(visit, **fields)
    return render(message, facts_for(message))


GRID = [
    (kind, audience, channel)
    for kind in (Kind.CONFIRMATION, Kind.REMINDER)
    for audience in Audience
    for channel in Channel
]


@pytest.mark.parametrize(("kind", "audience", "channel"), GRID)
def test_each_message_is_complete_and_discreet(visit: Appointment, kind: str, audience: str, channel: str) -> None:
    message = said(visit, kind=kind, audience=audience, channel=channel, variant="24h" if kind == "reminder" else "")
    both = message.subject + message.body + message.html
    assert "Depression" not in both
    assert "{{" not in both
    assert "None" not in message.body
    assert "  " not in message.body
    assert "!" not in message.body.replace("!DOCTYPE", "")
    when = "10:00 AM" if channel == "email" else "10:00"
    assert when in message.body
    assert ("/visits/" in both or "/v/" in both or JOIN in both) if audience == "patient" else "/portal/" in both


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.REMINDER])
@pytest.mark.parametrize("audience", list(Audience))
def test_texts_are_gsm7_and_short(visit: Appointment, kind: str, audience: str) -> None:
    body = said(visit, kind=kind, audience=audience, channel=Channel.SMS, variant="24h").body
    assert GSM7.match(body)
    assert "\n" not in body
    assert len(body) <= 306, body  # two segments at most


def test_the_first_text_says_how_to_stop(visit: Appointment) -> None:
    body = said(visit, channel=Channel.SMS).body
    assert body.startswith("Lakeside Clinic:")
    assert "Reply STOP to opt out" in body


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.REMINDER])
@pytest.mark.parametrize("audience", list(Audience))
def test_an_email_says_the_same_in_html_and_in_plain_text(visit: Appointment, kind: str, audience: str) -> None:
    message = said(visit, kind=kind, audience=audience, variant="24h")
    assert message.subject
    assert "<html" in message.html
    assert "<" not in message.body
    for fact in ("10:00 AM", "Dr. Elena Rivera" if audience == "patient" else visit.code):
        assert fact in message.body
        assert fact in message.html


def test_the_patient_gets_the_join_link_and_the_provider_never_does(visit: Appointment) -> None:
    assert JOIN in said(visit).body
    provider = said(visit, audience=Audience.PROVIDER)
    assert JOIN not in provider.body + provider.html


def test_without_a_link_the_message_says_where_it_will_be(visit: Appointment) -> None:
    Meeting.objects.filter(appointment=visit).delete()
    message = said(visit)
    assert "Your video link isn't ready yet. It will be on your visit page" in message.body
    assert f"/visits/{visit.token}" in message.body


def test_names_cannot_slip_into_headers_or_markup(visit: Appointment) -> None:
    visit.patient_name = "Robin <b>\r\nBcc: all@example.com"
    visit.save()
    message = said(visit, audience=Audience.PROVIDER)
    assert "\n" not in message.subject
    assert "<b>" not in message.html
