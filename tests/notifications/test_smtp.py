"""Email over real SMTP on loopback, and through anymail; what arrived is parsed back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as django_settings
from django.core import mail
from icalendar import Calendar

from bedside.appointments.models import Appointment
from bedside.core.models import Alert
from bedside.notifications import sending
from bedside.notifications.models import Notification
from bedside.notifications.transports.base import TransportError
from bedside.notifications.transports.email import EmailTransport
from bedside.web.hooks import tracking
from tests.notifications.conftest import a_message

pytestmark = pytest.mark.django_db


class Server:
    """Keeps what it takes; answers RCPT and DATA as it is told."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.rcpt = self.data = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.data.startswith("250"):
            self.taken.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return self.data


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    handler = Server()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_URL = f"smtp+plain://127.0.0.1:{port}"
    settings.DEFAULT_FROM_EMAIL = "Bedside <visits@clinic.example.com>"
    monkeypatch.setattr(sending, "transport", lambda channel: EmailTransport())
    yield handler
    controller.stop(no_assert=True)


def test_what_arrives_has_both_forms_the_invitation_and_a_stable_message_id(server: Server, visit: Appointment) -> None:
    message = a_message(visit)
    sending.send(message.pk)
    message.refresh_from_db()
    (mail_,) = server.taken
    assert message.status == "sent"
    assert mail_["Message-ID"] == message.vendor_id == f"<{message.reference}@127.0.0.1>"
    assert mail_["To"] == visit.patient_email
    assert mail_["From"] == "Lakeside Clinic <visits@clinic.example.com>"
    assert mail_["Reply-To"] == "hello@example.com"
    assert mail_["Auto-Submitted"] == "auto-generated"
    parts = {part.get_content_type(): part for part in mail_.walk()}
    assert {"text/plain", "text/html", "text/calendar"} <= set(parts)
    assert f"/visits/{visit.token}" in parts["text/plain"].get_content()  # type: ignore[attr-defined]
    assert parts["text/calendar"].get_param("method") == "REQUEST"
    assert Calendar.from_ical(parts["text/calendar"].get_payload(decode=True))["METHOD"] == "REQUEST"


@pytest.mark.parametrize(
    ("rcpt", "data", "code", "status"),
    [
        ("550 No such mailbox", "250 OK", "550", "failed"),
        ("451 Try later", "250 OK", "451", "queued"),
        ("250 OK", "554 Refused", "554", "failed"),
        ("250 OK", "421 Busy", "421", "queued"),
    ],
)
def test_the_servers_answers_become_states(
    server: Server, visit: Appointment, rcpt: str, data: str, code: str, status: str
) -> None:
    server.rcpt, server.data = rcpt, data
    message = a_message(visit)
    sending.send(message.pk)
    message.refresh_from_db()
    assert (message.status, message.error_code) == (status, code)
    assert bool(message.error_advice) == (status == "failed")


def test_a_server_that_is_not_there_is_tried_again(settings: Any, visit: Appointment) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_URL = "smtp+plain://127.0.0.1:1"
    with pytest.raises(TransportError) as caught:
        send_plainly()
    assert (caught.value.code, caught.value.permanent) == ("mail-server-unreachable", False)


def send_plainly() -> str:
    return EmailTransport().send(
        to="robin@example.com", subject="s", body="b", html="", reference="n1", kind="manual", audience="patient"
    )


def test_a_provider_that_anymail_knows_takes_it_and_its_id_is_kept(settings: Any, visit: Appointment) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    assert send_plainly() == "0"
    assert mail.outbox[0].to == ["robin@example.com"]


class Event:
    """As anymail gives it: normalized."""

    def __init__(self, kind: str, message_id: str, event_id: str = "e1") -> None:
        self.event_type, self.message_id, self.event_id, self.timestamp = kind, message_id, event_id, None


@pytest.mark.parametrize(
    ("kind", "status", "advice"),
    [
        ("delivered", "delivered", ""),
        ("bounced", "failed", "Ask for the right address."),
        ("complained", "failed", "spam"),
    ],
)
def test_what_the_provider_tells_moves_the_message_once(
    visit: Appointment, kind: str, status: str, advice: str
) -> None:
    message = a_message(visit)
    Notification.objects.filter(pk=message.pk).update(status="sent", vendor_id="esp-1")
    for _twice in range(2):
        tracking.told(None, Event(kind, "esp-1"), "Postmark")
    tracking.told(None, Event("bounced", "unknown", "e2"), "Postmark")
    message.refresh_from_db()
    assert message.status == status
    assert advice in message.error_advice
    assert Alert.objects.filter(kind="email-failed").count() == (1 if status == "failed" else 0)


def test_the_settings_of_real_email_come_from_the_environment() -> None:
    assert django_settings.ANYMAIL["WEBHOOK_SECRET"].startswith("bedside:")
    assert django_settings.EMAIL_PROVIDER == ""
