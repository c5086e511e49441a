"""The stand-in's webhooks are signed, go over the wire to the public endpoints, and come lost, late or twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from bedside.core import faults
from bedside.payments.models import ProcessorEvent
from bedside.sandbox import jobs, webhooks
from bedside.sandbox import processor as server
from bedside.sandbox.models import Webhook
from tests.sandbox.conftest import DECLINED, GOOD, LATE, LOST, TWICE

pytestmark = pytest.mark.django_db


def deliveries() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name="sandbox.deliver_webhook").order_by("pk"))


def deliver_all() -> None:
    for job in deliveries():
        jobs.deliver_webhook.func(**job.args)


def test_a_payment_is_told_to_bedside_and_kept_once(open_checkout: Callable[..., Any], wire: list[int]) -> None:
    session = open_checkout()
    server.pay(session.session_id, GOOD)
    deliver_all()
    assert wire == [200]
    event = ProcessorEvent.objects.get()
    assert (event.processor, event.kind, event.object_id) == (
        "sandbox",
        "checkout.session.completed",
        session.session_id,
    )
    assert Webhook.objects.get().delivered_at is not None
    assert ProcrastinateJob.objects.filter(task_name="flows.handle_processor_event").count() == 1


def test_a_decline_is_told_and_leads_to_its_session(open_checkout: Callable[..., Any], wire: list[int]) -> None:
    session = open_checkout()
    server.pay(session.session_id, DECLINED)
    deliver_all()
    event = ProcessorEvent.objects.get()
    assert (event.kind, event.object_id) == ("payment_intent.payment_failed", session.session_id)


@pytest.mark.parametrize("how", [lambda: LOST, lambda: faults.arm("webhook-lost") or GOOD])
def test_a_lost_webhook_is_never_sent(open_checkout: Callable[..., Any], how: Callable[[], str]) -> None:
    server.pay(open_checkout().session_id, how())
    assert Webhook.objects.get().lost
    assert deliveries() == []


@pytest.mark.parametrize("how", [lambda: LATE, lambda: faults.arm("webhook-late") or GOOD])
def test_a_late_webhook_is_due_in_twenty_seconds(
    open_checkout: Callable[..., Any], clock: Any, how: Callable[[], str]
) -> None:
    server.pay(open_checkout().session_id, how())
    assert [job.scheduled_at for job in deliveries()] == [clock.now() + timedelta(seconds=20)]


@pytest.mark.parametrize("how", [lambda: TWICE, lambda: faults.arm("webhook-twice") or GOOD])
def test_a_doubled_webhook_is_taken_twice_and_handled_once(
    open_checkout: Callable[..., Any], wire: list[int], how: Callable[[], str]
) -> None:
    server.pay(open_checkout().session_id, how())
    deliver_all()
    assert wire == [200, 200]
    assert ProcessorEvent.objects.count() == 1
    assert ProcrastinateJob.objects.filter(task_name="flows.handle_processor_event").count() == 1


@pytest.mark.parametrize("status", [400, 404, 500, 302])
def test_anything_but_2xx_is_sent_again(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    webhook = webhooks.stripe("checkout.session.completed", {"id": "cs_1", "object": "checkout.session"})
    transport = httpx.MockTransport(lambda request: httpx.Response(status))
    real = httpx.Client
    monkeypatch.setattr(jobs.httpx, "Client", lambda **options: real(transport=transport))
    with pytest.raises(jobs.NotTaken):
        jobs.deliver_webhook.func(webhook_id=webhook.pk)
    webhook.refresh_from_db()
    assert (webhook.attempts, webhook.answer, webhook.delivered_at) == (1, status, None)


def test_nobody_listening_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = webhooks.stripe("checkout.session.completed", {"id": "cs_1", "object": "checkout.session"})

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    real = httpx.Client
    monkeypatch.setattr(jobs.httpx, "Client", lambda **options: real(transport=httpx.MockTransport(refuse)))
    with pytest.raises(jobs.NotTaken):
        jobs.deliver_webhook.func(webhook_id=webhook.pk)


def test_a_webhook_that_waited_an_hour_is_signed_afresh(
    open_checkout: Callable[..., Any], wire: list[int], clock: Any
) -> None:
    server.pay(open_checkout().session_id, GOOD)
    clock.forward(timedelta(hours=1))
    deliver_all()
    assert wire == [200]
