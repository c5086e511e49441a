"""A credit is taken back: what it stood in for goes to the patient, stays for a reason, or waits with an alert."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.core.audit import Actor
from bedside.core.models import Alert, AuditEntry
from bedside.core.money import Money
from bedside.flows import cancel, credits, processor_events, refund, reverse_credit
from bedside.payments.credit_models import Credit
from bedside.payments.errors import CreditChanged, RefundsUnknown
from bedside.payments.models import LedgerEntry, Payment, Refund
from bedside.payments.processors.base import OutcomeUnknown
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.sandbox import disputes
from bedside.sandbox import processor as bank
from tests.desk.conftest import admin, desk  # noqa: F401 (fixtures)
from tests.flows.test_credits import make_payment
from tests.payments.conftest import news, paid  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db
DESK = Actor("admin", 1)


def canceled_for_credit(payment: Payment, minor: int = 8500) -> Credit:
    give = cancel.Give("credit", Money(minor))
    cancel.cancel(appointment_id=payment.appointment_id, actor=DESK, reason="Agreed", give=give)
    return Credit.objects.get()


def take_back(credit: Credit, **fields: Any) -> reverse_credit.Reversal:
    return reverse_credit.reverse(credit_id=credit.pk, reason="Wants money", actor=DESK, **fields)


def at_the_dashboard(payment: Payment, minor: int) -> None:
    bank.create_refund(idempotency_key=f"dashboard-{minor}", payment_intent=payment.intent_id, amount=minor)


def open_alerts(kind: str) -> list[str]:
    return list(Alert.objects.filter(kind=kind, resolved_at=None).values_list("message", flat=True))


def test_of_a_canceled_visit_it_goes_back_as_money_at_once(paid: Payment) -> None:  # noqa: F811
    credit = canceled_for_credit(paid)
    done = take_back(credit)
    assert (done.left, done.refunded, done.kept) == (Money(8500), Money(8500), Money(0))
    refund.carry_out(Refund.objects.get().pk)
    paid.refresh_from_db()
    assert (paid.status, paid.refundable_minor, credit.left_minor) == ("refunded", 0, 0)
    with pytest.raises(CreditChanged):
        take_back(credit)
    assert Refund.objects.count() == 1


def test_the_desk_may_keep_it_and_the_audit_says_so(paid: Payment) -> None:  # noqa: F811
    done = take_back(canceled_for_credit(paid), keep=True)
    assert (done.refunded, done.kept) == (Money(0), Money(8500))
    assert not Refund.objects.exists()
    entry = AuditEntry.objects.get(action="credit.money_settled")
    assert entry.after == {"credit": 1, "refund_minor": 0, "kept_minor": 8500, "waiting_minor": 0} | {
        "credit": Credit.objects.get().pk
    }


def test_of_a_visit_that_stands_it_is_the_payment_again(paid: Payment) -> None:  # noqa: F811
    credit = credits.by_hand(payment_id=paid.pk, amount=Money(2000), reason="Late", actor=DESK, key="k")
    assert take_back(credit).refunded == Money(0)
    paid.refresh_from_db()
    assert (paid.refundable_minor, Refund.objects.count()) == (8500, 0)


def test_goodwill_gives_no_money_back(paid: Payment) -> None:  # noqa: F811
    cancel.cancel(appointment_id=paid.appointment_id, actor=DESK, reason="Abuse", give=cancel.Give("nothing", Money(0)))
    credit = credits.by_hand(payment_id=paid.pk, amount=Money(900), reason="Ok", actor=DESK, key="k", goodwill=True)
    assert take_back(credit).refunded == Money(0)
    assert not Refund.objects.exists()


def test_only_what_is_not_spent_goes_back(paid: Payment, clock: Any) -> None:  # noqa: F811
    credit, other = canceled_for_credit(paid), make_payment(clock, 3000)
    credits.spend(credit, other, amount_minor=3000, actor=DESK)
    assert take_back(credit).refunded == Money(5500)
    paid.refresh_from_db()
    assert (paid.refundable_minor, paid.credited_minor) == (0, 3000)


def test_what_the_policy_kept_stays_kept(paid: Payment) -> None:  # noqa: F811
    credit = canceled_for_credit(paid, 4250)
    assert take_back(credit).refunded == Money(4250)
    paid.refresh_from_db()
    assert paid.refundable_minor == 4250


def test_refunds_of_the_dashboard_count_and_are_found_without_a_webhook(paid: Payment) -> None:  # noqa: F811
    """Seed 1508: a credit, a refund in the dashboard that doesn't fit, the credit reversed: $5 belonged to nothing."""
    credit = canceled_for_credit(paid)
    at_the_dashboard(paid, 8000)
    done = take_back(credit)
    assert (done.refunded, done.kept) == (Money(500), Money(0))
    paid.refresh_from_db()
    assert paid.refundable_minor == 0
    for made in Refund.objects.filter(status="pending"):
        refund.carry_out(made.pk)
    news()
    assert sum(LedgerEntry.objects.exclude(kind="fee").values_list("amount_minor", flat=True)) == 0
    assert not open_alerts("refund-unexplained")
    assert not open_alerts("refund-failed")


def test_a_processor_that_does_not_answer_changes_nothing(
    paid: Payment,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    credit = canceled_for_credit(paid)

    def silent(*_: Any) -> None:
        raise OutcomeUnknown("no_answer")

    monkeypatch.setattr(SandboxProcessor, "refunds_of", silent)
    with pytest.raises(RefundsUnknown):
        take_back(credit)
    assert (credit.left_minor, Refund.objects.count()) == (8500, 0)


def test_while_the_bank_holds_the_money_it_waits_with_an_alert_until_the_end(paid: Payment) -> None:  # noqa: F811
    credit = canceled_for_credit(paid)
    disputes.open_dispute(paid.session_id)
    news()
    assert take_back(credit).waiting == Money(8500)
    assert "refund $85.00 from the visit's page" in open_alerts(refund.WAITS)[0]
    disputes.close(paid.disputes.get().dispute_id, "won")
    news()
    assert open_alerts(refund.WAITS)
    refund.by_hand(payment_id=paid.pk, amount=Money(8500), reason="Won", actor=DESK, key="k")
    assert not open_alerts(refund.WAITS)


def test_a_lost_dispute_leaves_nothing_to_do(paid: Payment) -> None:  # noqa: F811
    credit = canceled_for_credit(paid)
    disputes.open_dispute(paid.session_id)
    news()
    take_back(credit)
    disputes.close(paid.disputes.get().dispute_id, "lost")
    news()
    assert not open_alerts(refund.WAITS)


@pytest.mark.parametrize(("actor", "owed"), [(DESK, "$85.00"), (Actor.patient(), "$85.00")])
def test_a_visit_canceled_during_a_dispute_that_is_won_owes_its_refund(
    paid: Payment,  # noqa: F811
    actor: Actor,
    owed: str,
) -> None:
    disputes.open_dispute(paid.session_id)
    news()
    cancel.cancel(appointment_id=paid.appointment_id, actor=actor)
    assert not Refund.objects.exists()
    disputes.close(paid.disputes.get().dispute_id, "won")
    news()
    assert owed in open_alerts(refund.WAITS)[0]


def test_canceled_too_late_during_a_dispute_owes_nothing(paid: Payment, clock: Any) -> None:  # noqa: F811
    disputes.open_dispute(paid.session_id)
    news()
    clock.set(paid.appointment.start - timedelta(minutes=5))
    cancel.cancel(appointment_id=paid.appointment_id, actor=Actor.patient())
    disputes.close(paid.disputes.get().dispute_id, "won")
    news()
    assert not open_alerts(refund.WAITS)


def test_a_dashboard_refund_of_a_credit_that_was_spent_is_booked_and_said(paid: Payment, clock: Any) -> None:  # noqa: F811
    """The money has gone twice. The books must say so rather than leave the refund out for good."""
    credit, other = canceled_for_credit(paid), make_payment(clock, 8500)
    credits.spend(credit, other, amount_minor=8500, actor=DESK)
    at_the_dashboard(paid, 8500)
    news()
    paid.refresh_from_db()
    assert (paid.refunded_minor, paid.credited_minor, paid.status) == (8500, 0, "refunded")
    assert "$85.00 of the credit was spent already" in open_alerts("given-twice")[0]
    assert sum(LedgerEntry.objects.filter(kind="refund").values_list("amount_minor", flat=True)) == -8500
    # What comes back to the credit later is a gift by now: nothing more goes back as money.
    credits.give_back(other, actor=DESK, key="canceled")
    assert take_back(credit).refunded == Money(0)


def test_a_dashboard_refund_of_a_credit_that_lapsed_is_booked_in_silence(paid: Payment, clock: Any) -> None:  # noqa: F811
    credit = canceled_for_credit(paid)
    clock.forward(timedelta(days=366))
    credits.expire(credit.pk)
    at_the_dashboard(paid, 8500)
    news()
    paid.refresh_from_db()
    assert (paid.refunded_minor, paid.credited_minor) == (8500, 0)
    assert not open_alerts("given-twice")


def test_a_dashboard_refund_of_a_credit_that_is_open_waits_for_the_desk(paid: Payment) -> None:  # noqa: F811
    canceled_for_credit(paid)
    at_the_dashboard(paid, 8500)
    with pytest.raises(processor_events.dashboard_refund.NoRoomYet):
        news()
    assert open_alerts("refund-unexplained")


def test_the_page_says_what_will_happen_and_asks_where_the_money_goes(
    desk: Client,  # noqa: F811
    paid: Payment,  # noqa: F811
) -> None:
    credit = canceled_for_credit(paid)
    url = f"/desk/sales/credits/{credit.pk}"
    page = desk.get(url).content.decode()
    for said in ("won't take place", "$85.00 goes back to the card", "The practice keeps $85.00."):
        assert said in page
    assert desk.post(url, {"reason": "Wants money"}).status_code == 422
    assert desk.post(url, {"reason": "Wants money", "money": "burn"}).status_code == 422
    assert credit.left_minor == 8500
    page = desk.post(url, {"reason": "Wants money", "money": "refund"}, follow=True).content.decode()
    assert "$85.00 was taken back. $85.00 is on its way to the patient" in page
    assert Refund.objects.get().refund_amount == 8500


def test_the_page_of_a_visit_that_stands_asks_nothing_of_money(desk: Client, paid: Payment) -> None:  # noqa: F811
    credit = credits.by_hand(payment_id=paid.pk, amount=Money(2000), reason="Late", actor=DESK, key="k")
    url = f"/desk/sales/credits/{credit.pk}"
    assert "stands: the money is its payment again" in desk.get(url).content.decode()
    assert "$20.00 was taken back." in desk.post(url, {"reason": "Wrong"}, follow=True).content.decode()
