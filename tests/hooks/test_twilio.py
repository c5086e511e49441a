"""The text gateway's callbacks: receipts move a message on, in any order and once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from bedside.core.models import Alert
from bedside.notifications.models import Notification
from bedside.payments.models import ProcessorEvent
from bedside.sandbox import signing
from tests.factories import make_appointment
from tests.hooks.conftest import secret

pytestmark = pytest.mark.django_db
Post = Callable[..., Any]
PATH, FORM = "/hooks/twilio", "application/x-www-form-urlencoded"
PUBLIC = "http://127.0.0.1:8000"


@pytest.fixture
def text(clock: Any) -> Notification:
    return Notification.objects.create(
        appointment=make_appointment(),
        kind="confirmation",
        audience="patient",
        channel="sms",
        status="sent",
        vendor_id="SM1",
        due_at=clock.now(),
        idempotency_key="k",
    )


def status_is(text: Notification, status: str) -> bool:
    text.refresh_from_db()
    return bool(text.status == status)


def call(post: Post, *, url: str = PUBLIC + PATH, path: str = PATH, token: str = "", **fields: str) -> Any:
    body = urlencode({"MessageSid": "SM1"} | fields).encode()
    return post(path, body, signing.twilio(url, body, token or secret("twilio_auth_token")), FORM)


def test_a_delivered_text_is_delivered(post: Post, text: Notification) -> None:
    assert call(post, MessageStatus="delivered").status_code == 200
    assert status_is(text, "delivered")


def test_the_answer_is_twiml_that_says_nothing(post: Post, text: Notification) -> None:
    response = call(post, MessageStatus="delivered")
    assert response["Content-Type"].startswith("text/xml")
    assert b"<Response></Response>" in response.content


def test_an_undelivered_text_fails_with_code_advice_and_alert(post: Post, text: Notification) -> None:
    call(post, MessageStatus="undelivered", ErrorCode="30006")
    assert status_is(text, "failed")
    assert text.error_code == "30006"
    assert "landline" in text.error_advice
    assert Alert.objects.filter(kind="text-failed").count() == 1


def test_an_unknown_code_is_shown_and_gets_general_advice(post: Post, text: Notification) -> None:
    call(post, MessageStatus="failed", ErrorCode="39999")
    assert status_is(text, "failed")
    assert text.error_code == "39999"
    assert text.error_advice


def test_steps_that_come_after_the_end_change_nothing(post: Post, text: Notification) -> None:
    for status in ("delivered", "sent", "queued", "sending", "undelivered", "delivered"):
        assert call(post, MessageStatus=status).status_code == 200
    assert status_is(text, "delivered")


def test_the_same_status_twice_is_kept_once(post: Post, text: Notification) -> None:
    for _ in range(2):
        call(post, MessageStatus="delivered")
    assert ProcessorEvent.objects.filter(processor="twilio").count() == 1


def test_an_inbound_stop_is_kept(post: Post) -> None:
    call(post, From="+12025550143", Body="STOP", OptOutType="STOP")
    assert ProcessorEvent.objects.get().kind == "inbound.stop"


def test_forged_callbacks_change_nothing(post: Post, text: Notification) -> None:
    body = urlencode({"MessageSid": "SM1", "MessageStatus": "delivered"}).encode()
    genuine = signing.twilio(PUBLIC + PATH, body, secret("twilio_auth_token"))
    assert post(PATH, body, {}, FORM).status_code == 400
    assert post(PATH, body + b"&ErrorCode=1", genuine, FORM).status_code == 400
    assert post(PATH, body.replace(b"SM1", b"SM2"), genuine, FORM).status_code == 400
    assert post(f"{PATH}?x=1", body, genuine, FORM).status_code == 400
    assert call(post, token="other", MessageStatus="delivered").status_code == 400
    assert call(post, url="http://10.0.0.1:8000/hooks/twilio", MessageStatus="delivered").status_code == 400
    assert status_is(text, "sent")
    assert not ProcessorEvent.objects.exists()


def test_the_query_is_part_of_what_is_signed(post: Post, text: Notification) -> None:
    response = call(post, url=f"{PUBLIC}{PATH}?n=7", path=f"{PATH}?n=7", MessageStatus="delivered")
    assert response.status_code == 200


def test_a_receipt_of_an_unknown_text_is_harmless(post: Post, text: Notification) -> None:
    assert call(post, MessageSid="SM9", MessageStatus="delivered").status_code == 200
    assert status_is(text, "sent")


@pytest.mark.parametrize("body", [b"", b"\xff\xfe=1", b"a=1&" * 300])
def test_rubbish_is_refused(post: Post, body: bytes) -> None:
    assert post(PATH, body, {"X-Twilio-Signature": "abc"}, FORM).status_code == 400
