"""The mail service's webhooks, in the Standard Webhooks format."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bedside.notifications.models import Notification
from bedside.payments.models import ProcessorEvent
from bedside.sandbox import signing
from tests.factories import make_appointment
from tests.hooks.conftest import present, secret

pytestmark = pytest.mark.django_db
Post = Callable[..., Any]
PATH = "/hooks/email"


@pytest.fixture
def mail(clock: Any) -> Notification:
    return Notification.objects.create(
        appointment=make_appointment(),
        kind="confirmation",
        audience="patient",
        channel="email",
        status="sent",
        vendor_id="<m1@sandbox.example>",
        due_at=clock.now(),
        idempotency_key="k",
    )


def event(kind: str = "email.delivered") -> bytes:
    return json.dumps({"type": kind, "data": {"message_id": "<m1@sandbox.example>"}}).encode()


def signed(body: bytes, *, at: int | None = None, key: str = "", event_id: str = "msg_1") -> dict[str, str]:
    return signing.email(body, key or secret("email_webhook_secret"), present() if at is None else at, event_id)


@pytest.mark.parametrize(
    ("kind", "status"), [("email.delivered", "delivered"), ("email.bounced", "failed"), ("email.opened", "sent")]
)
def test_receipts_move_the_message_on(post: Post, mail: Notification, kind: str, status: str) -> None:
    assert post(PATH, event(kind), signed(event(kind))).status_code == 200
    mail.refresh_from_db()
    assert mail.status == status


def test_the_same_event_twice_is_kept_once(post: Post, mail: Notification) -> None:
    for _ in range(2):
        assert post(PATH, event(), signed(event())).status_code == 200
    assert ProcessorEvent.objects.count() == 1


def test_one_of_several_signatures_is_enough(post: Post, mail: Notification) -> None:
    headers = signed(event())
    headers["webhook-signature"] = f"v1,AAAA v1a,BBBB {headers['webhook-signature']}"
    assert post(PATH, event(), headers).status_code == 200


def test_forged_stale_and_altered_events_change_nothing(post: Post, mail: Notification) -> None:
    other = "whsec_" + "QUJD" * 8
    genuine = signed(event())
    for body, headers in (
        (event(), {}),
        (event(), signed(event(), key=other)),
        (event(), signed(event(), at=present() - 301)),
        (event(), genuine | {"webhook-id": "msg_2"}),
        (event(), genuine | {"webhook-timestamp": str(present() - 1)}),
        (event("email.bounced"), genuine),
        (event(), genuine | {"webhook-signature": ""}),
        (event(), genuine | {"webhook-timestamp": "soon"}),
    ):
        response = post(PATH, body, headers)
        assert (response.status_code, response.json()["type"]) == (400, "bad-signature")
    mail.refresh_from_db()
    assert mail.status == "sent"
    assert not ProcessorEvent.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"type":"x","data":1}'])
def test_signed_rubbish_is_refused(post: Post, mail: Notification, body: bytes) -> None:
    assert post(PATH, body, signed(body)).status_code == 400
