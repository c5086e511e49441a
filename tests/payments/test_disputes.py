"""Disputes: followed from the bank's first word to its last, in rows, ledger, alerts and on the desk's pages."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.core.audit import Actor
from bedside.core.models import Alert, AuditEntry, Event
from bedside.flows import dispute, processor_events, refund
from bedside.notifications.models import Notification
from bedside.payments.bank_models import Dispute, Payout
from bedside.payments.errors import PaymentDisputed
from bedside.payments.models import LedgerEntry, Payment
from bedside.reports import bank as report
from bedside.sandbox import books, disputes, jobs
from bedside.video.models import Meeting
from bedside.web.templatetags.desk import days_left
from tests.payments.conftest import news

pytestmark = pytest.mark.django_db


def open_one(payment: Payment, reason: str = "product_not_received") -> Dispute:
    disputes.open_dispute(payment.session_id, reason)
    news()
    return Dispute.objects.get(payment=payment)


def moved(kind: str) -> list[int]:
    return list(LedgerEntry.objects.filter(kind=kind).order_by("pk").values_list("amount_minor", flat=True))


def open_alerts(kind: str) -> int:
    return Alert.objects.filter(kind=kind, resolved_at=None).count()


def test_a_dispute_is_a_row_two_ledger_lines_an_alert_and_an_event(paid: Payment) -> None:
    found = open_one(paid)
    assert (found.status, found.amount_minor, found.reason) == ("needs_response", 8500, "product_not_received")
    assert (moved("dispute"), moved("fee")) == ([-8500], [-277, -1500])
    assert open_alerts("dispute") == 1
    assert Event.objects.filter(name="DisputeChanged").count() == 1
    assert AuditEntry.objects.filter(action="dispute.opened", subject_id=str(paid.appointment_id)).count() == 1
    assert report.cost_of(found) == (8500, 1500)


def test_a_disputed_payment_is_not_refunded(paid: Payment) -> None:
    found = open_one(paid)
    with pytest.raises(PaymentDisputed):
        refund.request(paid, amount_minor=100, reason="", actor=Actor("admin", 1), key="x")
    disputes.close(found.dispute_id, "won")
    news()
    refund.carry_out(refund.request(paid, amount_minor=100, reason="", actor=Actor("admin", 1), key="x").pk)
    paid.refresh_from_db()
    assert paid.refunded_minor == 100


@pytest.mark.parametrize(("outcome", "left"), [("won", 0), ("lost", -8500)])
def test_its_end_is_followed(paid: Payment, outcome: str, left: int) -> None:
    found = open_one(paid)
    disputes.respond(found.dispute_id)
    news()
    found.refresh_from_db()
    assert (found.status, open_alerts("dispute")) == ("under_review", 0)
    disputes.close(found.dispute_id, outcome)
    news()
    found.refresh_from_db()
    assert (found.status, bool(found.closed_at), sum(moved("dispute"))) == (outcome, True, left)
    # The fee stays either way.
    assert sum(moved("fee")) == -1777


def test_what_is_decided_is_not_undone_by_older_news(paid: Payment) -> None:
    from bedside.payments.processors.sandbox import SandboxProcessor

    found = open_one(paid)
    older = SandboxProcessor().look_up_dispute(found.dispute_id)
    disputes.close(found.dispute_id, "won")
    news()
    dispute.record(paid, older)
    found.refresh_from_db()
    assert (found.status, open_alerts("dispute")) == ("won", 0)


def test_a_banks_question_takes_nothing_and_can_be_answered_with_a_refund(paid: Payment, clock: Any) -> None:
    from dataclasses import replace

    from bedside.payments.processors.sandbox import SandboxProcessor

    disputes.open_dispute(paid.session_id)
    now = clock.now()
    [state] = SandboxProcessor().list_disputes(since=now, until=now + timedelta(seconds=1))
    found = dispute.record(paid, replace(state, status="warning_needs_response", refundable=True, movements=()))
    assert (found.needs_answer, found.refundable, moved("dispute")) == (True, True, [])
    assert open_alerts("dispute") == 1
    assert not refund.is_disputed(paid)


def test_two_days_before_the_deadline_there_is_another_alert(paid: Payment, clock: Any) -> None:
    found = open_one(paid)
    dispute.remind_of_due()
    assert open_alerts("dispute-due") == 0
    clock.forward(timedelta(days=5, hours=1))
    dispute.remind_of_due()
    assert open_alerts("dispute-due") == 1
    disputes.respond(found.dispute_id)
    news()
    assert open_alerts("dispute-due") == 0


def test_the_desk_shows_them_with_the_nearest_deadline_first(paid: Payment, desk: Client, clock: Any) -> None:
    found = open_one(paid)
    page = desk.get("/desk/operations/disputes").content.decode()
    for expected in ("Robin Sample", "The visit didn&#x27;t take place", "Needs an answer", "7 days left", "$85.00"):
        assert expected in page
    part = desk.get("/desk/operations/disputes", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    of_visit = desk.get(f"/desk/appointments/{paid.appointment.code}").content.decode()
    assert f"/desk/operations/disputes/{found.pk}" in of_visit
    clock.forward(timedelta(days=8))
    assert "The deadline has passed" in desk.get("/desk/operations/disputes").content.decode()


def test_the_evidence_comes_from_the_rows(paid: Payment, desk: Client, clock: Any) -> None:
    found = open_one(paid)
    address = f"/desk/operations/disputes/{found.pk}"
    before = {item.title: item.found for item in report.evidence(found)}
    assert before["Cancellation policy shown before paying"]
    assert before["Booked and agreed to messages"]
    assert not before["The visit took place"]
    assert not before["Confirmation delivered"]
    Notification.objects.filter(kind="confirmation", audience="patient", channel="email").update(
        status="delivered", sent_at=clock.now()
    )
    Meeting.objects.update_or_create(appointment=paid.appointment, defaults={"host_joined_at": clock.now()})
    found = Dispute.objects.get(pk=found.pk)
    after = {item.title: item.found for item in report.evidence(found)}
    assert after["The visit took place"]
    assert after["Confirmation delivered"]
    text = report.as_text(report.evidence(found))
    assert paid.intent_id in text
    assert paid.appointment.service.name not in text
    page = desk.get(address).content.decode()
    for expected in ("7 days left", "Held back now", "$85.00", "$15.00", "I agree.", "Free until"):
        assert expected in page
    assert AuditEntry.objects.filter(action="dispute.viewed").count() == 1
    assert desk.get("/desk/operations/disputes/999").status_code == 404


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=7), "7 days left"),
        (timedelta(hours=49), "2 days left"),
        (timedelta(hours=47), "47 hours left"),
        (timedelta(hours=1), "1 hour left"),
        (timedelta(0), "The deadline has passed"),
    ],
)
def test_the_countdown(left: timedelta, said: str) -> None:
    assert days_left(left) == said


def test_the_card_that_is_always_disputed(book_visit: Any) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    from tests.flows.conftest import pay_at_the_bank

    appointment = book_visit().appointment
    pay_at_the_bank(appointment, "4000000000000259")
    [job] = ProcrastinateJob.objects.filter(task_name="sandbox.dispute")
    jobs.dispute.plain(**job.args)
    jobs.dispute.plain(**job.args)
    news()
    assert Dispute.objects.get().status == "needs_response"


def test_the_stand_ins_dashboard_does_what_a_bank_does(paid: Payment, client: Client) -> None:
    def post(**fields: str) -> Any:
        return client.post("/sandbox/bank", json.dumps(fields), content_type="application/json")

    assert post(do="nothing").status_code == 422
    assert post(do="dispute", session="cs_unknown").status_code == 404
    assert post(do="dispute", session=paid.session_id, reason="boredom").status_code == 400
    opened = post(do="dispute", session=paid.session_id).json()
    assert post(do="refund", session=paid.session_id).json()["type"] == "charge-disputed"
    assert post(do="answer", dispute=opened["id"]).json()["status"] == "under_review"
    assert post(do="won", dispute=opened["id"]).json()["status"] == "won"
    assert post(do="lost", dispute=opened["id"]).status_code == 409
    assert post(do="refund", session=paid.session_id, amount="x1").status_code == 422
    assert post(do="refund", session=paid.session_id, amount="500").json()["amount"] == 500
    page = client.get("/sandbox/bank").content.decode()
    assert paid.intent_id in page
    assert "Won" in page
    form = client.post("/sandbox/bank", {"do": "refund", "session": paid.session_id, "amount": "999999"})
    assert (form.status_code, "larger than what is left" in form.content.decode()) == (400, True)
    assert client.post("/sandbox/bank", {"do": "refund", "session": paid.session_id}).status_code == 302


def test_payouts_are_followed_and_shown(paid: Payment, desk: Client, clock: Any) -> None:
    clock.forward(timedelta(days=2))
    assert desk.post("/sandbox/bank", {"do": "pay_out"}).status_code == 302
    news()
    made = Payout.objects.get()
    assert (made.amount_minor, made.status) == (8223, "paid")
    assert made.payout_id in desk.get("/desk/operations/payouts").content.decode()
    assert books.pay_out(clock.now()) == []


def test_a_payout_that_fails_raises_an_alert_until_it_is_paid(db: None) -> None:
    from dataclasses import replace
    from datetime import UTC, datetime

    from bedside.core.money import Money
    from bedside.flows import payout
    from bedside.payments.processors.base import PayoutState

    at = datetime(2026, 12, 1, tzinfo=UTC)
    state = PayoutState("po_1", Money(100), "failed", at, at, "account_closed")
    payout.record("stripe", state)
    assert open_alerts("payout-failed") == 1
    payout.record("stripe", replace(state, status="paid", failure_code=""))
    assert (open_alerts("payout-failed"), Payout.objects.count()) == (0, 1)


def test_disputes_of_nobody_here_are_harmless(paid: Payment) -> None:
    opened = disputes.open_dispute(paid.session_id)
    Payment.objects.filter(pk=paid.pk).update(processor="other")
    assert not processor_events.follow_dispute(opened["id"])
    assert not Dispute.objects.exists()
