"""Reconciliation: whatever the ledger and the processor disagree on is found, told, and gone once they agree."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.core.audit import Actor
from bedside.core.models import Alert, AuditEntry, Event
from bedside.core.money import Money
from bedside.flows import pay, processor_events, reconcile, reconcile_jobs, refund
from bedside.payments.bank_models import Payout
from bedside.payments.errors import AlreadyResolved, DaysOutOfOrder
from bedside.payments.matching import Side, verdict
from bedside.payments.models import LedgerEntry, Payment, Refund
from bedside.payments.processors import processor
from bedside.payments.processors.base import OutcomeUnknown
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.payments.reconciliation_models import Mismatch, ProcessorObject, ReconciliationRun
from bedside.reports.reconciliation import Told, tell
from bedside.sandbox import books
from bedside.sandbox.models import BalanceEntry, Checkout, ProcessorPayout, ProcessorRefund
from tests.flows.conftest import pay_at_the_bank

DESK = Actor("admin", 1)
DAY = date(2026, 12, 1)


@pytest.fixture
def payment(book_visit, clock):  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    pay.settle(appointment.payment.pk)
    clock.forward(timedelta(hours=2))
    collect_fees()
    return Payment.objects.get()


def collect_fees() -> None:
    for moved in processor().list_balance_transactions(
        since=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")), until=datetime(2027, 1, 1, tzinfo=ZoneInfo("UTC"))
    ):
        payment = Payment.objects.filter(intent_id=moved.intent_id).first()
        if moved.fee and payment:
            write("fee", -moved.fee.minor_units, moved.balance_id, moved.created_at, payment)


def write(kind: str, minor: int, object_id: str, at: datetime, payment: Payment) -> None:
    entry = LedgerEntry(
        kind=kind,
        amount_minor=minor,
        currency="USD",
        processor="sandbox",
        processor_object=object_id,
        appointment=payment.appointment,
        payment=payment,
        service_id=payment.appointment.service_id,
        provider_id=payment.appointment.provider_id,
        occurred_at=at,
        practice_day=at.astimezone(ZoneInfo("America/New_York")).date(),
    )
    LedgerEntry.objects.bulk_create([entry], ignore_conflicts=True)


def run(first: date = DAY, last: date = DAY) -> ReconciliationRun:
    made = reconcile.reconcile(first=first, last=last, actor=Actor.system())
    assert not ProcessorObject.objects.exists()
    return made


def charge_at_the_bank(minor: int, at: datetime, intent: str = "pi_stranger") -> Checkout:
    """Money that the processor took and nobody told Bedside of."""
    return Checkout.objects.create(
        session_id=f"cs_{intent}",
        client_reference="x",
        amount_minor=minor,
        currency="usd",
        description="",
        success_url="/",
        cancel_url="/",
        status="complete",
        payment_status="paid",
        intent_id=intent,
        expires_at=at,
        created_at=at,
        paid_at=at,
    )


@pytest.mark.django_db
def test_books_that_agree_are_balanced_to_the_cent(payment: Payment, clock: Any) -> None:
    asked = refund.request(payment, amount_minor=2000, reason="", actor=DESK, key="a")
    refund.carry_out(asked.pk)
    clock.forward(timedelta(hours=1))
    made = run()
    fee = BalanceEntry.objects.get(category="charge").fee_minor
    assert (made.status, made.matched) == ("balanced", 3)
    assert made.ours_minor == made.theirs_minor == 8500 - 2000 - fee
    assert made.fees_minor == fee
    assert not Alert.objects.exists()
    assert Event.objects.filter(name="ReconciliationFinished").exists()


@pytest.mark.django_db
def test_what_is_missing_here_raises_an_alert_and_settles_once_it_is_known(payment: Payment, clock: Any) -> None:
    at = payment.succeeded_at
    charge_at_the_bank(4200, at)
    made = run()
    assert (made.status, made.missing_here, made.theirs_minor - made.ours_minor) == ("mismatched", 1, 4200)
    found = Mismatch.objects.get()
    assert (found.kind, found.what, found.object_id) == ("missing_here", "charge", "pi_stranger")
    assert (found.ours_minor, found.theirs_minor) == (None, 4200)
    assert Alert.objects.get(resolved_at=None).kind == "reconciliation"
    clock.forward(timedelta(hours=1))
    assert run().pk
    assert Mismatch.objects.get().last_seen_at > found.last_seen_at
    write("charge", 4200, "pi_stranger", at, payment)
    assert run().status == "balanced"
    assert Mismatch.objects.get().resolved_by == "system"
    assert not Alert.objects.filter(resolved_at=None).exists()


@pytest.mark.django_db
def test_what_is_missing_there_and_what_differs(payment: Payment) -> None:
    write("charge", 700, "pi_ghost", payment.succeeded_at, payment)
    Checkout.objects.filter(intent_id=payment.intent_id).update(amount_minor=9900)
    made = run()
    assert (made.missing_there, made.different) == (1, 1)
    kinds = dict(Mismatch.objects.values_list("object_id", "kind"))
    assert kinds == {"pi_ghost": "missing_there", payment.intent_id: "amount"}


@pytest.mark.django_db
def test_a_refund_that_the_bank_sent_back_unnoticed_is_another_state(payment: Payment, clock: Any) -> None:
    asked = refund.request(payment, amount_minor=2000, reason="", actor=DESK, key="a")
    refund.carry_out(asked.pk)
    clock.forward(timedelta(hours=1))
    ProcessorRefund.objects.update(status="failed", failure_reason="expired_or_canceled_card")
    run()
    found = Mismatch.objects.get()
    assert (found.kind, found.what, found.theirs_state) == ("state", "refund", "failed")
    refund.record(asked.pk, processor().look_up_refund(Refund.objects.get().refund_id))
    assert run().status == "balanced"


@pytest.mark.django_db
def test_looking_again_brings_our_side_up_and_closes_it(book_visit, clock, payment: Payment) -> None:  # type: ignore[no-untyped-def]
    clock.set(datetime(2026, 12, 1, 15, 5, tzinfo=ZoneInfo("UTC")))
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    clock.forward(timedelta(hours=2))
    collect_fees()
    run()
    found = Mismatch.objects.get(what="charge")
    assert found.payment_id == appointment.payment.pk
    run_job(reconcile_jobs.look_again, mismatch_id=found.pk, user_id=1)
    collect_fees()
    run()
    assert not Mismatch.objects.filter(resolved_at=None).exists()
    appointment.refresh_from_db()
    assert appointment.status == "paid"


def run_job(job: Any, **ids: Any) -> None:
    job.func(**ids)


@pytest.mark.django_db
def test_what_somebody_explained_stays_quiet_until_it_changes(payment: Payment) -> None:
    other = charge_at_the_bank(4200, payment.succeeded_at)
    run()
    found = Mismatch.objects.get()
    reconcile.resolve(mismatch_id=found.pk, actor=DESK, note="The shop's own till.")
    with pytest.raises(AlreadyResolved):
        reconcile.resolve(mismatch_id=found.pk, actor=DESK, note="Again.")
    assert AuditEntry.objects.get(action="mismatch.resolved").reason == "The shop's own till."
    assert not Alert.objects.filter(resolved_at=None).exists()
    made = run()
    assert (made.status, made.explained, made.missing_here) == ("balanced", 1, 0)
    other.amount_minor = 4300
    other.save()
    assert run().missing_here == 1


@pytest.mark.django_db
def test_a_refund_listed_on_an_earlier_day_than_it_is_counted_on_matches(payment: Payment, clock: Any) -> None:
    """Asked for weeks before it succeeded: it is looked up by its id."""
    asked = refund.request(payment, amount_minor=2000, reason="", actor=DESK, key="a")
    clock.forward(timedelta(days=20))
    refund.carry_out(asked.pk)
    ProcessorRefund.objects.update(created_at=payment.succeeded_at)
    clock.forward(timedelta(days=1))
    later = date(2026, 12, 21)
    made = run(later, later)
    assert (made.status, made.matched, made.ours_minor) == ("balanced", 1, -2000)


@pytest.mark.django_db
def test_a_webhook_that_may_still_come_is_waited_for(payment: Payment, clock: Any) -> None:
    charge_at_the_bank(4200, clock.now() - timedelta(minutes=5))
    assert run().status == "balanced"
    clock.forward(timedelta(minutes=15))
    assert run().status == "mismatched"


@pytest.mark.django_db
def test_money_of_the_desk_is_not_the_processors(payment: Payment) -> None:
    entry = LedgerEntry.objects.get(kind="charge")
    entry.pk, entry.processor, entry.processor_object = None, "manual", "cash-1"
    entry.save()
    assert run().status == "balanced"


@pytest.mark.django_db
def test_a_processor_that_fails_leaves_a_failed_run_and_it_is_tried_again(
    payment: Payment, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    def broken(self: Any, **times: Any) -> Any:
        raise OutcomeUnknown("api_connection_error")

    clock.set(datetime(2026, 12, 2, 15, 0, tzinfo=ZoneInfo("UTC")))
    with monkeypatch.context() as patched:
        patched.setattr(SandboxProcessor, "list_refunds", broken)
        run_job(reconcile_jobs.reconcile_daily)
    assert ReconciliationRun.objects.get().status == "failed"
    assert Alert.objects.get(resolved_at=None).kind == "reconciliation-failed"
    run_job(reconcile_jobs.reconcile_daily)
    run_job(reconcile_jobs.reconcile_daily)
    assert list(ReconciliationRun.objects.order_by("pk").values_list("status", flat=True)) == ["failed", "balanced"]
    assert not Alert.objects.filter(resolved_at=None).exists()
    assert not ProcessorObject.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("first", "last"), [(DAY, DAY - timedelta(days=1)), (date(1926, 1, 1), DAY)])
def test_days_that_make_no_sense_are_refused(payment: Payment, first: date, last: date) -> None:
    with pytest.raises(DaysOutOfOrder):
        reconcile.reconcile(first=first, last=last, actor=DESK)


def paid_out(clock: Any) -> tuple[ProcessorPayout, date]:
    """One payout of the stand-in, which nobody has told Bedside of, and its day."""
    clock.forward(timedelta(days=3))
    made = books.pay_out(clock.now())[0]
    clock.forward(timedelta(days=1))
    return made, made.created_at.astimezone(ZoneInfo("America/New_York")).date()


def open_payout() -> Told:
    return tell(Mismatch.objects.get(what="payout", resolved_at=None))


@pytest.mark.django_db
def test_a_payout_that_is_known_agrees_and_is_added_up(payment: Payment, clock: Any) -> None:
    made, day = paid_out(clock)
    processor_events.follow_payout(made.payout_id)
    done = run(day, day)
    assert (done.payout_count, done.payouts_minor, done.status) == (1, made.amount_minor, "balanced")
    assert not Alert.objects.filter(resolved_at=None).exists()


@pytest.mark.django_db
def test_a_payout_that_nobody_told_of_is_missing_here_until_looked_at_again(payment: Payment, clock: Any) -> None:
    made, day = paid_out(clock)
    assert (run(day, day).missing_here, open_payout().mismatch.object_id) == (1, made.payout_id)
    assert "look again" in open_payout().advice
    run_job(reconcile_jobs.look_again, mismatch_id=Mismatch.objects.get(what="payout").pk, user_id=1)
    assert ReconciliationRun.objects.latest("pk").status == "balanced"
    assert Payout.objects.get().amount_minor == made.amount_minor


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("here", "kind", "advice"),
    [
        ({"amount_minor": 1}, "amount", "bank statement"),
        ({"currency": "EUR"}, "amount", "bank statement"),
        ({"status": "in_transit"}, "state", "webhook was lost"),
    ],
)
def test_a_payout_that_differs_is_told_and_looking_again_settles_it(
    payment: Payment, clock: Any, here: dict[str, Any], kind: str, advice: str
) -> None:
    made, day = paid_out(clock)
    processor_events.follow_payout(made.payout_id)
    Payout.objects.update(**here)
    assert run(day, day).different == 1
    assert open_payout().mismatch.kind == kind
    assert advice in open_payout().advice
    run_job(reconcile_jobs.look_again, mismatch_id=open_payout().mismatch.pk, user_id=1)
    assert not Mismatch.objects.filter(resolved_at=None).exists()


@pytest.mark.django_db
def test_a_payout_whose_parts_do_not_add_up_to_it_is_told(payment: Payment, clock: Any) -> None:
    made, day = paid_out(clock)
    processor_events.follow_payout(made.payout_id)
    BalanceEntry.objects.filter(category="charge").update(fee_minor=1)
    assert run(day, day).different >= 1
    told = open_payout()
    assert (told.mismatch.kind, told.theirs) == ("parts", Money(made.amount_minor))
    assert "don't add up" in told.meaning
    assert Alert.objects.filter(kind="reconciliation", resolved_at=None).exists()


@pytest.mark.django_db
def test_a_payout_that_the_processor_does_not_know_is_missing_there(payment: Payment, clock: Any) -> None:
    at = clock.now() - timedelta(hours=1)
    Payout.objects.create(
        processor="sandbox", payout_id="po_x", amount_minor=5, currency="USD", status="paid", created_at=at,
        arrives_at=at,
    )  # fmt: skip
    assert run().missing_there == 1
    assert "same account" in open_payout().advice


@pytest.mark.django_db
def test_a_payout_that_failed_is_no_money_at_the_bank_and_its_parts_are_not_asked_for(
    payment: Payment, clock: Any
) -> None:
    made, day = paid_out(clock)
    ProcessorPayout.objects.update(status="failed")
    BalanceEntry.objects.filter(category="payout").delete()
    processor_events.follow_payout(made.payout_id)
    done = run(day, day)
    assert (done.payout_count, done.status) == (0, "balanced")


SIDES = st.builds(Side, st.integers(-5, 5), st.sampled_from(["USD", "EUR"]))
THEIRS = st.builds(
    Side,
    st.integers(-5, 5).filter(bool),
    st.sampled_from(["USD", "EUR"]),
    st.sampled_from(["", "succeeded", "pending", "failed"]),
)


@given(ours=st.none() | SIDES, theirs=st.none() | THEIRS)
def test_a_pair_matches_exactly_when_the_same_money_moved(ours: Side | None, theirs: Side | None) -> None:
    here = ours.minor if ours else 0
    there = 0 if theirs is None or theirs.state in {"pending", "failed"} else theirs.minor
    same = here == there and (here == 0 or (ours and theirs and ours.currency == theirs.currency))
    assert (verdict(ours, theirs) == "matched") == bool(same)


@pytest.mark.django_db
def test_a_refund_of_the_dashboard_whose_webhook_was_lost_is_taken_in_by_looking_again(
    payment: Payment, clock: Any
) -> None:
    processor().refund(intent_id=payment.intent_id, amount=Money(2000), idempotency_key="dashboard")
    clock.forward(timedelta(hours=1))
    assert run().missing_here == 1
    run_job(reconcile_jobs.look_again, mismatch_id=Mismatch.objects.get().pk, user_id=1)
    assert LedgerEntry.objects.get(kind="refund").amount_minor == -2000
    assert ReconciliationRun.objects.latest("pk").missing_here == 0
    clock.forward(timedelta(hours=1))
    assert run().status == "balanced"


@pytest.mark.django_db
def test_a_fee_that_was_never_written_is_taken_in_by_looking_again(book_visit, clock: Any) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    pay.settle(appointment.payment.pk)
    clock.forward(timedelta(hours=1))
    run()
    found = Mismatch.objects.get()
    assert (found.what, found.kind) == ("fee", "missing_here")
    run_job(reconcile_jobs.look_again, mismatch_id=found.pk, user_id=1)
    assert not Mismatch.objects.filter(resolved_at=None).exists()
