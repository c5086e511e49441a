"""The inbox, the phone, and messages.json: what was sent, as DESIGN.md's surface says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from bedside.core import clock, faults
from bedside.notifications.transports.base import TransportError
from bedside.notifications.transports.sandbox import SandboxTransport
from bedside.sandbox import inbox
from bedside.sandbox.models import Message, Webhook

pytestmark = pytest.mark.django_db
NUMBER, ADDRESS = "+12025550143", "robin@example.com"


def send(channel: str = "email", **fields: Any) -> str:
    defaults = {
        "to": ADDRESS if channel == "email" else NUMBER,
        "subject": "Your visit" if channel == "email" else "",
        "body": "See you soon: http://127.0.0.1:8000/v/abc.",
        "html": "<p>See you soon</p>" if channel == "email" else "",
        "reference": "n1",
        "kind": "confirmation",
        "audience": "patient",
    }
    return SandboxTransport(channel).send(**defaults | fields)


def read(client: Client, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/sandbox/messages.json{query}").json()["messages"]
    return found


def test_messages_json_has_every_field_newest_last(client: Client, clock: Any) -> None:
    send("email")
    send("sms", kind="reminder", audience="provider", body="Tomorrow at 10.")
    first, last = read(client)
    assert first["channel"] == "email"
    assert {key: last[key] for key in ("channel", "to", "subject", "body", "kind", "audience")} == {
        "channel": "sms",
        "to": NUMBER,
        "subject": "",
        "body": "Tomorrow at 10.",
        "kind": "reminder",
        "audience": "provider",
    }
    assert datetime.fromisoformat(last["at"]) == clock.now()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?to=robin@example.com", 1),
        ("?to=ROBIN@example.com", 1),
        ("?to=%2B12025550143", 1),
        ("?to=+12025550143", 1),
        ("?to=nobody@example.com", 0),
        ("?kind=confirmation", 2),
        ("?kind=reminder", 0),
        ("?channel=sms&to=robin@example.com", 0),
    ],
)
def test_messages_json_can_be_narrowed(client: Client, query: str, count: int) -> None:
    send("email")
    send("sms")
    assert len(read(client, query)) == count


def test_what_people_answer_is_not_among_what_was_sent(client: Client) -> None:
    inbox.reply(NUMBER, "Thanks")
    assert read(client) == []


def found(reference: str) -> str | None:
    return SandboxTransport("sms").find(reference, to=NUMBER, body="", since=clock.now())


def test_a_message_is_found_by_its_reference() -> None:
    vendor_id = send("sms", reference="n7-x")
    assert found("n7-x") == vendor_id
    assert found("n8-x") is None


def test_a_text_whose_answer_was_lost_can_be_found_instead_of_sent_again() -> None:
    faults.arm("sms-drops")
    with pytest.raises(TransportError) as caught:
        send("sms")
    assert not caught.value.permanent
    assert found("n1") == Message.objects.get().vendor_id


@pytest.mark.parametrize(
    ("fault", "channel", "code", "permanent"),
    [
        ("sms-busy", "sms", "503", False),
        ("sms-landline", "sms", "30006", True),
        ("email-busy", "email", "451", False),
        ("email-bounces", "email", "550", True),
    ],
)
def test_faults_fail_with_the_vendors_code(fault: str, channel: str, code: str, permanent: bool) -> None:
    faults.arm(fault)
    with pytest.raises(TransportError) as caught:
        send(channel)
    assert (caught.value.code, caught.value.permanent) == (code, permanent)
    assert bool(caught.value.advice) == permanent
    assert not Message.objects.exists()
    send(channel)


def test_a_number_that_answered_stop_is_rejected_until_it_answers_start() -> None:
    inbox.reply(NUMBER, " stop ")
    with pytest.raises(TransportError) as caught:
        send("sms")
    assert (caught.value.code, caught.value.permanent) == ("21610", True)
    inbox.reply(NUMBER, "Start")
    send("sms")


def test_stop_inside_a_sentence_is_no_stop() -> None:
    inbox.reply(NUMBER, "Please don't stop")
    assert not inbox.is_opted_out(NUMBER)


def test_each_text_is_reported_delivered_and_each_answer_is_told() -> None:
    send("sms")
    inbox.reply(NUMBER, "STOP")
    assert list(Webhook.objects.order_by("pk").values_list("vendor", "kind")) == [
        ("twilio", "status"),
        ("twilio", "inbound"),
    ]
    assert "OptOutType=STOP" in Webhook.objects.get(kind="inbound").body


def test_the_inbox_shows_the_newest_email_with_pressable_links(client: Client) -> None:
    send("email", subject="The older")
    send("email", subject="The newer", body="Open http://127.0.0.1:8000/v/abc. <b>now</b>")
    text = client.get("/sandbox/inbox").content.decode()
    assert '<a href="http://127.0.0.1:8000/v/abc">' in text
    assert "<b>now</b>" not in text
    older = Message.objects.order_by("pk")[0]
    assert "The older" in client.get(f"/sandbox/inbox/{older.pk}").content.decode()
    assert client.get("/sandbox/inbox/999999").status_code == 404


def test_the_phone_has_a_thread_for_each_number_and_a_box_to_answer(client: Client) -> None:
    send("sms")
    send("sms", to="+12025550144", body="Another")
    page = client.get("/sandbox/phone?number=%2B12025550143").content.decode()
    assert "(202) 555-0143" in page
    assert "(202) 555-0144" in page
    assert client.post("/sandbox/phone/reply", {"number": NUMBER, "body": "STOP"}).status_code == 302
    assert "answered STOP" in client.get("/sandbox/phone?number=%2B12025550143").content.decode()


@pytest.mark.parametrize("fields", [{}, {"number": "12", "body": "x"}, {"number": NUMBER, "body": "  "}])
def test_an_answer_needs_a_number_and_words(client: Client, fields: dict[str, str]) -> None:
    assert client.post("/sandbox/phone/reply", fields).status_code == 422
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "page", ["/sandbox/", "/sandbox/inbox", "/sandbox/phone", "/sandbox/clock", "/sandbox/faults", "/sandbox/design"]
)
def test_every_page_answers_with_nothing_in_it_and_has_no_inline_script_or_style(client: Client, page: str) -> None:
    response = client.get(page)
    text = response.content.decode()
    assert response.status_code == 200
    assert "style=" not in text
    assert "<style" not in text
    assert "onclick" not in text
