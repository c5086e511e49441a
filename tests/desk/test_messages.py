"""The notification center: everything that was sent, found again; what failed is corrected and sent again."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.core.models import AuditEntry
from bedside.notifications import optout, queue, sending
from bedside.notifications.models import Notification
from tests.factories import make_appointment, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit() -> Appointment:
    return make_appointment(
        make_service(make_provider(name="Dr. Elena Rivera")), status="paid", patient_name="Alex Morgan"
    )


def failed(visit: Appointment, channel: str = "sms", kind: str = "confirmation") -> Notification:
    note = queue.enqueue(visit, kind=kind, audience="patient", channel=channel)
    assert note is not None
    advice = "Ask for a mobile number."
    Notification.objects.filter(pk=note.pk).update(status="failed", error_code="30006", error_advice=advice, attempts=3)
    note.refresh_from_db()
    return note


def text_of(response) -> str:  # type: ignore[no-untyped-def]
    from html import unescape

    return unescape(response.content.decode())


def test_every_message_is_listed_with_its_state_and_advice(desk: Client, visit: Appointment) -> None:
    failed(visit)
    page = text_of(desk.get("/desk/messages"))
    for words in ("Alex Morgan", visit.code, "Confirmation", "Text", "30006", "Ask for a mobile number."):
        assert words in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=alex+morgan", True),
        ("q=nobody", False),
        ("kind=confirmation&channel=sms&status=failed", True),
        ("channel=email", False),
        ("from=2026-12-01&to=2026-12-01", True),
        ("from=2026-12-02", False),
        ("audience=provider", False),
    ],
)
def test_filters_find_it_or_not(desk: Client, visit: Appointment, query: str, found: bool) -> None:
    failed(visit)
    assert (visit.code in text_of(desk.get(f"/desk/messages?{query}"))) is found


def test_filters_that_make_no_sense_are_explained(desk: Client) -> None:
    response = desk.get("/desk/messages?from=2026-12-05&to=2026-12-01")
    assert response.status_code == 422
    assert "Choose a last day that isn't before the first." in text_of(response)


def test_failed_ones_are_sent_again_in_bulk_once(desk: Client, visit: Appointment) -> None:
    notes = [failed(visit), failed(visit, "email")]
    chosen = {"message": [note.pk for note in notes], "next": "/desk/messages?status=failed"}
    response = desk.post("/desk/messages/retry", chosen)
    assert response["Location"] == "/desk/messages?status=failed"
    assert set(Notification.objects.values_list("status", "attempts", "error_code")) == {("queued", 0, "")}
    desk.post("/desk/messages/retry", chosen)
    for note in notes:
        sending.send(note.pk)
        sending.send(note.pk)
    assert set(Notification.objects.values_list("status", "attempts")) == {("sent", 1)}
    assert AuditEntry.objects.filter(action="notification.retried").count() == 2


def test_a_number_that_answered_stop_is_not_texted_again(desk: Client, visit: Appointment) -> None:
    note = failed(visit)
    optout.opt_out(visit.patient_mobile, "text")
    page = text_of(desk.post("/desk/messages/retry", {"message": note.pk}, follow=True))
    assert "1 was left: the number answered STOP." in page
    note.refresh_from_db()
    assert note.status == "failed"


def test_retrying_leads_nowhere_else(desk: Client, visit: Appointment) -> None:
    for elsewhere in ("https://evil.example.com/desk/", "//evil.example.com", "/accounts/logout/"):
        response = desk.post("/desk/messages/retry", {"message": "x", "next": elsewhere})
        assert response["Location"] == "/desk/messages"


def test_the_number_is_corrected_and_the_text_sent_again_in_one_step(desk: Client, visit: Appointment) -> None:
    note = failed(visit)
    address = f"/desk/appointments/{visit.code}/contact"
    said = {"email": visit.patient_email, "mobile": "(202) 555-0177"}
    said["version"] = desk.get(address).context["form"]["version"].value()
    page = text_of(desk.post(address, said, follow=True))
    assert "Corrected. 1 message is sent again." in page
    visit.refresh_from_db()
    assert visit.patient_mobile == "+12025550177"
    sending.send(note.pk)
    note.refresh_from_db()
    assert (note.status, note.recipient) == ("sent", "+12025550177")
    entry = AuditEntry.objects.get(action="appointment.contact_corrected")
    assert "0177" not in f"{entry.before}{entry.after}"


def test_a_number_that_is_none_changes_nothing_and_is_explained(desk: Client, visit: Appointment) -> None:
    address = f"/desk/appointments/{visit.code}/contact"
    response = desk.post(address, {"email": "not an address", "mobile": "12"})
    assert response.status_code == 422
    before = visit.patient_mobile
    visit.refresh_from_db()
    assert visit.patient_mobile == before


def test_a_message_by_hand_brings_words_time_and_link(desk: Client, visit: Appointment) -> None:
    address = f"/desk/appointments/{visit.code}/message"
    said = {"audience": "patient", "words": "Please have your <card> ready.", "channels": ["email", "sms"]}
    assert desk.post(address, said).status_code == 303
    for note in Notification.objects.filter(kind="manual"):
        sending.send(note.pk)
    email, text = (Notification.objects.get(kind="manual", channel=channel) for channel in ("email", "sms"))
    assert "Please have your <card> ready." in email.body
    assert f"/visits/{visit.token}" in email.body
    assert text.body.startswith("Lakeside Clinic: Please have your <card> ready.")
    page = text_of(desk.get(f"/desk/messages/{email.pk}"))
    assert "Please have your" in page
    assert AuditEntry.objects.filter(action="notification.viewed").count() == 1


@pytest.mark.parametrize(
    ("words", "channels", "said"),
    [
        ("", ["email"], "Write what you want to say."),
        ("Hello", [], "Choose email, text, or both."),
        ("x" * 301, ["sms"], "Use at most 300 characters for this channel."),
    ],
)
def test_a_message_that_cannot_go_is_explained(
    desk: Client, visit: Appointment, words: str, channels: list[str], said: str
) -> None:
    address = f"/desk/appointments/{visit.code}/message"
    response = desk.post(address, {"audience": "patient", "words": words, "channels": channels})
    assert response.status_code == 422
    assert said in text_of(response)
    assert not Notification.objects.exists()


def test_nobody_but_the_desk_sees_it(visit: Appointment) -> None:
    provider = Client()
    provider.force_login(make_user("provider"))
    for path in ("/desk/messages", f"/desk/appointments/{visit.code}/message", "/desk/messages/1"):
        assert provider.get(path).status_code == 403
        assert Client().get(path).status_code == 302


def test_a_text_says_in_how_many_segments_it_went(desk: Client, visit: Appointment) -> None:
    text = failed(visit)
    Notification.objects.filter(pk=text.pk).update(body="a" * 161)
    assert "<dt>Segments</dt><dd>2</dd>" in text_of(desk.get(f"/desk/messages/{text.pk}"))
    assert "Segments" not in text_of(desk.get(f"/desk/messages/{failed(visit, channel='email').pk}"))
