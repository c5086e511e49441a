"""Webhooks and what they lead to: late, twice, out of order, not ours, or failing; and what no webhook told."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from bedside.core import clock, faults
from bedside.core.audit import Actor
from bedside.core.models import Alert, AuditEntry
from bedside.flows import dashboard_refund, processor_events, refund
from bedside.payments.models import LedgerEntry, Payment, ProcessorEvent, Refund
from bedside.payments.processors.base import OutcomeUnknown
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.sandbox import disputes
from bedside.sandbox import processor as bank
from bedside.sandbox.models import Webhook
from tests.flows.conftest import pay_at_the_bank
from tests.payments.conftest import deliver, handle_all, news, undelivered

pytestmark = pytest.mark.django_db


def in_dashboard(payment: Payment, amount: int, key: str = "dashboard") -> dict[str, Any]:
    """A refund that somebody makes in the processor's own dashboard: without our key in it."""
    return bank.create_refund(idempotency_key=key, payment_intent=payment.intent_id, amount=amount)


def event(kind: str, object_id: str, event_id: str = "evt_x") -> ProcessorEvent:
    return ProcessorEvent.objects.create(processor="sandbox", event_id=event_id, kind=kind, object_id=object_id)


def lines() -> list[tuple[str, int]]:
    return list(LedgerEntry.objects.order_by("pk").values_list("kind", "amount_minor"))


def test_a_refund_of_the_dashboard_shows_up_here(paid: Payment) -> None:
    made = in_dashboard(paid, 3000)
    news()
    found = Refund.objects.get()
    assert (found.refund_id, found.refund_amount, found.status, found.requested_by) == (
        made["id"], 3000, "succeeded", "system",
    )  # fmt: skip
    paid.refresh_from_db()
    assert (paid.refunded_minor, paid.status) == (3000, "succeeded")
    assert ("refund", -3000) in lines()
    assert AuditEntry.objects.filter(action="refund.found").exists()
    in_dashboard(paid, 5500, "second")
    news()
    paid.refresh_from_db()
    assert paid.status == "refunded"


def test_our_own_refund_is_not_taken_for_another_when_its_webhook_comes_first(paid: Payment) -> None:
    """The processor's news may overtake our own record of what it answered."""
    asked = refund.request(paid, amount_minor=8500, reason="", actor=Actor("admin", 1), key="mine")
    SandboxProcessor().refund(
        intent_id=paid.intent_id, amount=paid.amount, idempotency_key="refund-mine", key="mine"
    )  # said yes; the worker died before writing it down
    news()
    asked.refresh_from_db()
    assert (Refund.objects.count(), asked.status) == (1, "succeeded")
    refund.carry_out(asked.pk)
    assert lines().count(("refund", -8500)) == 1


def test_a_dashboard_refund_that_fails_later_is_followed(paid: Payment) -> None:
    made = in_dashboard(paid, 8500)
    news()
    bank.settle_refund(made["id"], "failed")
    news()
    paid.refresh_from_db()
    assert (Refund.objects.get().status, paid.refunded_minor, paid.status) == ("failed", 0, "succeeded")
    assert sum(amount for kind, amount in lines() if kind != "fee") == 8500


def test_one_that_fails_before_anybody_heard_of_it_leaves_nothing(paid: Payment) -> None:
    made = in_dashboard(paid, 8500)
    bank.settle_refund(made["id"], "failed")
    news()
    assert not Refund.objects.exists()


def test_a_dashboard_refund_waits_for_ours_to_be_refused(paid: Payment) -> None:
    ours = refund.request(paid, amount_minor=5000, reason="", actor=Actor("admin", 1), key="ours")
    made = in_dashboard(paid, 8500)
    with pytest.raises(dashboard_refund.NoRoomYet):
        processor_events.follow_refund(made["id"])
    assert Alert.objects.get(kind="refund-unexplained").resolved_at is None
    refund.record(ours.pk, refund.RefundState("", "failed", "charge_already_refunded"))
    assert processor_events.follow_refund(made["id"])
    paid.refresh_from_db()
    assert (paid.refunded_minor, paid.status) == (8500, "refunded")
    assert Alert.objects.get(kind="refund-unexplained").resolved_at


@pytest.mark.parametrize("seed", range(6))
def test_doubled_and_out_of_order_news_ends_in_the_same_state(paid: Payment, seed: int) -> None:
    chance = random.Random(seed)
    in_dashboard(paid, 2000, "a")
    in_dashboard(paid, 1500, "b")
    session = paid.session_id
    opened = disputes.open_dispute(session)
    disputes.close(opened["id"], chance.choice(["won", "lost"]))
    webhooks = undelivered() * 2
    chance.shuffle(webhooks)
    for webhook in webhooks:
        assert deliver(webhook) == 200
        if chance.random() < 0.5:
            handle_all()
    handle_all()
    paid.refresh_from_db()
    assert paid.refunded_minor == 3500
    assert sorted(amount for kind, amount in lines() if kind == "refund") == [-2000, -1500]
    [dispute] = paid.disputes.all()
    assert dispute.status == bank_status(opened["id"])
    back = 5000 if dispute.status == "won" else 0
    assert sum(amount for kind, amount in lines() if kind == "dispute") == back - 5000
    assert ProcessorEvent.objects.filter(processed_at=None).count() == 0


def bank_status(dispute_id: str) -> str:
    return str(disputes.retrieve(dispute_id=dispute_id)["status"])


@pytest.mark.parametrize(
    ("kind", "object_id"),
    [
        ("checkout.session.completed", "cs_of_somebody_else"),
        ("charge.refunded", "re_unknown"),
        ("refund.updated", "re_unknown"),
        ("charge.dispute.created", "dp_unknown"),
        ("charge.updated", "pi_unknown"),
        ("payout.paid", "po_unknown"),
    ],
)
def test_what_is_not_ours_is_noted_and_left_alone(kind: str, object_id: str) -> None:
    made = event(kind, object_id)
    processor_events.handle(made.pk)
    made.refresh_from_db()
    assert (made.note, made.error) == (processor_events.UNKNOWN, "")
    assert made.processed_at
    assert not LedgerEntry.objects.exists()


def test_events_that_nobody_follows_are_kept(db: None) -> None:
    made = event("customer.created", "cus_1")
    processor_events.handle(made.pk)
    made.refresh_from_db()
    assert made.note == processor_events.NOT_FOLLOWED


def test_an_event_of_real_money_changes_nothing_in_a_test_environment(paid: Payment) -> None:
    in_dashboard(paid, 3000)
    [first, *_] = undelivered()
    Webhook.objects.filter(pk=first.pk)
    first.body = first.body.replace('"livemode":false', '"livemode":true')
    jobs = ProcrastinateJob.objects.filter(task_name="flows.handle_processor_event").count()
    assert deliver(first) == 200
    kept = ProcessorEvent.objects.latest("pk")
    assert (kept.note, bool(kept.processed_at)) == (processor_events.OTHER_ENVIRONMENT, True)
    assert ProcrastinateJob.objects.filter(task_name="flows.handle_processor_event").count() == jobs


def test_a_lost_webhook_is_made_up_for_by_the_hourly_look(paid: Payment) -> None:
    in_dashboard(paid, 3000)
    disputes.open_dispute(paid.session_id)
    Webhook.objects.filter(delivered_at=None).update(lost=True)
    processor_events.look_around()
    processor_events.look_around()
    paid.refresh_from_db()
    assert paid.refunded_minor == 3000
    assert paid.disputes.get().status == "needs_response"
    assert sorted(lines()) == sorted(
        [("charge", 8500), ("fee", -277), ("refund", -3000), ("dispute", -5500), ("fee", -1500)]
    )


def test_news_of_a_refund_before_the_news_of_its_payment(book_visit: Any) -> None:
    """The payment is found by the ids that Checkout copied into the charge, and settled first."""
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    payment = Payment.objects.get()
    intent = SandboxProcessor().look_up(payment.session_id).intent_id
    made = bank.create_refund(idempotency_key="x", payment_intent=intent, amount=8500)
    assert processor_events.follow_refund(made["id"])
    payment.refresh_from_db()
    assert (payment.captured_minor, payment.refunded_minor, payment.status) == (8500, 8500, "refunded")


def test_a_failure_is_kept_tells_the_desk_and_can_be_run_again(
    paid: Payment, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_dashboard(paid, 3000)
    deliver(undelivered()[0])
    failed = ProcessorEvent.objects.get(processed_at=None)

    def breaks(*_: Any, **__: Any) -> Any:
        raise OutcomeUnknown("timeout")

    with monkeypatch.context() as broken:
        broken.setattr(SandboxProcessor, "look_up_refund", breaks)
        for _ in range(3):
            with pytest.raises(OutcomeUnknown):
                processor_events.handle(failed.pk)
    failed.refresh_from_db()
    assert (failed.attempts, failed.error) == (3, "OutcomeUnknown timeout")
    assert Alert.objects.filter(kind="webhook-failed", resolved_at=None).count() == 1

    page = desk.get("/desk/operations/events").content.decode()
    assert "OutcomeUnknown timeout" in page
    answer = desk.post(f"/desk/operations/events/{failed.pk}/again", follow=True)
    assert "is being handled again" in answer.content.decode()
    assert AuditEntry.objects.filter(action="event.run_again", subject_id=str(failed.pk)).count() == 1
    job = ProcrastinateJob.objects.filter(queueing_lock=f"event-again:{failed.pk}")
    assert job.count() == 1
    processor_events.handle(failed.pk)
    assert Alert.objects.filter(kind="webhook-failed", resolved_at=None).count() == 0
    again = desk.post(f"/desk/operations/events/{failed.pk}/again", follow=True)
    assert "There is nothing to run again" in again.content.decode()
    assert job.count() == 1


def test_the_list_of_events_shows_what_waits_first_and_all_on_demand(paid: Payment, desk: Client) -> None:
    event("charge.refunded", "re_waiting", "evt_waiting")
    page = desk.get("/desk/operations/events").content.decode()
    assert "re_waiting" in page
    assert "checkout.session.completed" not in page
    everything = desk.get("/desk/operations/events?show=all").content.decode()
    assert "checkout.session.completed" in everything
    assert "evt_waiting" in everything
    assert desk.get("/desk/operations/events?show=nonsense&page=zzz").status_code == 200
    assert desk.post("/desk/operations/events/999999/again").status_code == 404
    assert desk.get("/desk/operations/events/1/again").status_code == 405


def test_only_the_desk_sees_and_runs_events(client: Client) -> None:
    for answer in (client.get("/desk/operations/events"), client.post("/desk/operations/events/1/again")):
        assert answer.status_code == 302
        assert "/accounts/login" in answer["Location"]


def test_a_missed_payment_webhook_is_found_by_asking(book_visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from bedside.flows import jobs

    faults.arm("webhook-lost")
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    Payment.objects.update(created_at=clock.now() - timedelta(minutes=2))
    asked: list[int] = []
    monkeypatch.setattr(jobs, "defer", lambda job, **fields: asked.append(fields.get("payment_id", 0)))
    jobs.sweep.plain()
    assert asked == [appointment.payment.pk]
    jobs.ask_about_payment.plain(appointment.payment.pk)
    appointment.refresh_from_db()
    assert appointment.status == "paid"


def test_a_session_whose_opening_nobody_heard_is_known_by_what_was_written_into_it(book_visit: Any) -> None:
    """The worker died between the processor's answer and the row; the patient had the address all the same."""
    appointment = book_visit().appointment
    session = appointment.payment.session_id
    pay_at_the_bank(appointment)
    Payment.objects.update(session_id="", session_url="")
    assert processor_events.follow_session(session)
    appointment.refresh_from_db()
    assert (appointment.status, appointment.payment.session_id) == ("paid", session)


def test_a_session_of_another_installation_is_not_adopted(book_visit: Any) -> None:
    from bedside.sandbox.models import Checkout

    appointment = book_visit().appointment
    session = appointment.payment.session_id
    Payment.objects.update(session_id="")
    Checkout.objects.update(client_reference="ELSEWHERE")
    assert not processor_events.follow_session(session)
    assert Payment.objects.get().session_id == ""
