"""The processor's webhooks: what is forged, stale or altered changes nothing; what is genuine is handled once."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from bedside.payments.models import ProcessorEvent
from bedside.sandbox import signing
from tests.hooks.conftest import present, secret

pytestmark = pytest.mark.django_db
Post = Callable[..., Any]
PATH = "/hooks/stripe"


def event(event_id: str = "evt_1", **fields: Any) -> bytes:
    subject = {"id": "cs_test_1", "object": "checkout.session"} | fields
    return json.dumps({"id": event_id, "type": "checkout.session.completed", "data": {"object": subject}}).encode()


def signed(body: bytes, *, at: int | None = None, key: str | None = None) -> dict[str, str]:
    return signing.stripe(body, key or secret("stripe_webhook_secret"), present() if at is None else at)


def nothing_changed() -> bool:
    return not ProcessorEvent.objects.exists() and not ProcrastinateJob.objects.exists()


def test_a_genuine_event_is_kept_and_its_job_asked_for(post: Post) -> None:
    assert post(PATH, event(), signed(event())).status_code == 200
    kept = ProcessorEvent.objects.get()
    assert (kept.event_id, kept.kind, kept.object_id) == ("evt_1", "checkout.session.completed", "cs_test_1")
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args) == ("flows.handle_processor_event", {"processor_event_id": kept.pk})


def test_the_same_event_again_is_taken_and_does_nothing(post: Post) -> None:
    for _ in range(3):
        assert post(PATH, event(), signed(event())).status_code == 200
    assert ProcessorEvent.objects.count() == ProcrastinateJob.objects.count() == 1


@pytest.mark.parametrize("age", [-299, 0, 299])
def test_five_minutes_either_way_are_tolerated(post: Post, age: int) -> None:
    assert post(PATH, event(), signed(event(), at=present() - age)).status_code == 200


@pytest.mark.parametrize("age", [301, -301, 86400])
def test_a_stale_signature_changes_nothing(post: Post, age: int) -> None:
    assert post(PATH, event(), signed(event(), at=present() - age)).status_code == 400
    assert nothing_changed()


def test_another_secret_changes_nothing(post: Post) -> None:
    response = post(PATH, event(), signed(event(), key="whsec_of_somebody_else"))
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert response.json()["type"] == "bad-signature"
    assert nothing_changed()


def test_an_altered_body_changes_nothing(post: Post) -> None:
    headers = signed(event())
    for altered in (event("evt_2"), event() + b" ", event().replace(b"cs_test_1", b"cs_test_2"), b""):
        assert post(PATH, altered, headers).status_code == 400
    assert nothing_changed()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        "v1=abc",
        "t=1,v1=",
        "nonsense",
        "t=abc,v1=def",
        "t=1,t=2,v1=x",
        "t=1," + "v1=x," * 1000,
        "t=9999999999999999,v1=é",
    ],
)
def test_a_missing_or_unreadable_header_changes_nothing(post: Post, header: str) -> None:
    assert post(PATH, event(), {"Stripe-Signature": header} if header else {}).status_code == 400
    assert nothing_changed()


def test_a_signature_of_an_older_scheme_alone_is_refused(post: Post) -> None:
    header = signed(event())["Stripe-Signature"].replace("v1=", "v0=")
    assert post(PATH, event(), {"Stripe-Signature": header}).status_code == 400


def test_one_of_several_signatures_is_enough_while_secrets_roll(post: Post) -> None:
    genuine = signed(event())["Stripe-Signature"]
    at, _, value = genuine.partition(",")
    assert post(PATH, event(), {"Stripe-Signature": f"{at},v1={'0' * 64},{value}"}).status_code == 200


def test_a_time_that_is_signed_but_no_number_is_refused(post: Post) -> None:
    digest = hmac.new(secret("stripe_webhook_secret").encode(), b"soon." + event(), hashlib.sha256).hexdigest()
    assert post(PATH, event(), {"Stripe-Signature": f"t=soon,v1={digest}"}).status_code == 400


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"{}", b'{"id":1,"type":"x","data":{}}', b"\xff\xfe"])
def test_signed_rubbish_is_refused(post: Post, body: bytes) -> None:
    assert post(PATH, body, signed(body)).status_code == 400
    assert nothing_changed()


@pytest.mark.parametrize("path", ["/hooks/stripe", "/hooks/zoom", "/hooks/twilio", "/hooks/email"])
def test_only_posts_are_taken(client: Client, path: str) -> None:
    for method in ("get", "put", "delete", "head", "options"):
        response = getattr(client, method)(path)
        assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/hooks/stripe", "/hooks/zoom", "/hooks/twilio", "/hooks/email"])
def test_what_is_too_large_is_not_read(post: Post, path: str) -> None:
    response = post(path, b"x" * (256 * 1024 + 1), {})
    assert (response.status_code, response.json()["type"]) == (413, "too-large")


def test_an_event_of_a_refund_speaks_of_the_refund(post: Post) -> None:
    body = event("evt_r", object="charge", id="ch_1", payment_intent="pi_1", refunds={"data": [{"id": "re_9"}]})
    post(PATH, body, signed(body))
    assert ProcessorEvent.objects.get().object_id == "re_9"


def test_both_secrets_are_accepted_while_one_is_replaced(post: Post, settings: Any, monkeypatch: Any) -> None:
    body = event()
    monkeypatch.setattr(settings.ENV, "stripe_webhook_secret", "whsec_new")
    assert post(PATH, body, signed(body, key="whsec_old")).status_code == 400
    monkeypatch.setattr(settings.ENV, "stripe_webhook_secret_previous", "whsec_old")
    for key in ("whsec_old", "whsec_new"):
        assert post(PATH, body, signed(body, key=key)).status_code == 200
    assert post(PATH, body, signed(body, key="whsec_older")).status_code == 400
