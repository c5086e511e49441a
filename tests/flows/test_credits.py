"""Credits: owed once, spent once, never below zero, and every move in the ledger."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.flags import FeatureOff, WaffleFlag
from bedside.core.models import AuditEntry
from bedside.core.money import Money
from bedside.flows import credits, refund, reverse_credit
from bedside.flows.facts import facts_for
from bedside.notifications.models import Notification
from bedside.notifications.rendering import render
from bedside.payments import ledger
from bedside.payments.credit_models import Credit, CreditEntry
from bedside.payments.errors import (
    CreditChanged,
    CreditUnusable,
    KeyReused,
    NothingToRefund,
    RefundNotPositive,
    RefundTooLarge,
    WrongCurrency,
)
from bedside.payments.models import LedgerEntry, Payment
from bedside.reports.credits import credits_outstanding
from tests.factories import make_appointment, make_practice

pytestmark = pytest.mark.django_db
DESK = Actor("admin", 1)
MOVES = ["spend", "back", "reverse", "expire", "refund"]


@pytest.fixture
def paid(clock: Any) -> Payment:
    return make_payment(clock, patient_email="Alex@example.com", patient_mobile="+12025550177")


def make_payment(clock: Any, minor: int = 8500, **appointment: Any) -> Payment:
    make_practice()
    payment = Payment.objects.create(
        appointment=make_appointment(**appointment),
        status="succeeded",
        amount_minor=minor,
        captured_minor=minor,
        currency="USD",
        processor="sandbox",
        intent_id=f"pi_{Payment.objects.count()}",
        succeeded_at=clock.now(),
    )
    ledger.record_charge(payment, occurred_at=clock.now())
    return payment


def issue(payment: Payment, minor: int = 8500, key: str = "k", **fields: Any) -> Credit:
    return credits.issue(payment, amount=Money(minor), reason="Ill", actor=DESK, key=key, **fields)


def in_books() -> int:
    """What is owed, by the ledger."""
    lines = LedgerEntry.objects.filter(kind__startswith="credit_").values_list("amount_minor", flat=True)
    return -sum(lines)


def test_a_credit_stands_in_for_a_refund(paid: Payment) -> None:
    credit = issue(paid, 5000)
    paid.refresh_from_db()
    assert (paid.credited_minor, paid.refundable_minor, credit.left_minor) == (5000, 3500, 5000)
    assert in_books() == credits_outstanding().minor_units == 5000
    with pytest.raises(RefundTooLarge):
        refund.request(paid, amount_minor=3501, reason="", actor=DESK, key="r")
    with pytest.raises(RefundTooLarge):
        issue(paid, 3501, "other")
    assert AuditEntry.objects.get(action="credit.issued").reason == "Ill"


def test_the_same_key_is_one_credit(paid: Payment) -> None:
    assert issue(paid, 2000).pk == issue(paid, 2000).pk
    with pytest.raises(KeyReused):
        issue(paid, 3000)
    assert Payment.objects.get().credited_minor == 2000


def test_bad_amounts_are_refused(paid: Payment) -> None:
    for minor, error in ((0, RefundNotPositive), (-1, RefundNotPositive), (8501, RefundTooLarge)):
        with pytest.raises(error):
            issue(paid, minor)
    with pytest.raises(WrongCurrency):
        credits.issue(paid, amount=Money(100, "EUR"), reason="", actor=DESK, key="k")
    for minor in (0, -1, credits.MOST_GOODWILL + 1):
        with pytest.raises(RefundNotPositive):
            issue(paid, minor, goodwill=True)
    assert not Credit.objects.exists()


def test_switched_off_nothing_is_issued_or_spent(paid: Payment) -> None:
    credit = issue(paid, 1000)
    WaffleFlag.objects.update_or_create(name="credits", defaults={"everyone": False})
    with pytest.raises(FeatureOff):
        issue(paid, 1000, "other")
    with pytest.raises(CreditUnusable):
        credits.find(credit.code, email="alex@example.com", mobile="", currency="USD")


def test_goodwill_leaves_the_payment_as_it_is(paid: Payment) -> None:
    credit = issue(paid, 9900, goodwill=True)
    paid.refresh_from_db()
    assert (paid.credited_minor, paid.refundable_minor, in_books()) == (0, 8500, 9900)
    reverse_credit.reverse(credit_id=credit.pk, reason="Mistake", actor=DESK)
    paid.refresh_from_db()
    assert (paid.credited_minor, paid.refundable_minor, in_books()) == (0, 8500, 0)


def test_the_patient_gets_the_code_and_it_is_written_nowhere_in_the_open(paid: Payment) -> None:
    credit = issue(paid, 5000)
    notes = Notification.objects.filter(kind="credit")
    assert set(notes.values_list("channel", flat=True)) == {"email", "sms"}
    for note in notes:
        body = render(note, facts_for(note)).body
        assert credit.shown_code in body
        assert "$50.00" in body
    assert all(credit.code not in str(entry.after) for entry in AuditEntry.objects.all())


@pytest.mark.parametrize(
    ("email", "mobile"), [("ALEX@example.com ", "+12025550199"), ("other@example.com", "+12025550177")]
)
def test_the_code_is_found_with_the_contact_it_was_sent_to(paid: Payment, email: str, mobile: str) -> None:
    credit = issue(paid)
    typed = credit.shown_code.lower().replace("-", " ")
    assert credits.find(typed, email=email, mobile=mobile, currency="USD").pk == credit.pk


def test_every_reason_not_to_take_a_code_sounds_the_same(paid: Payment, clock: Any) -> None:
    credit = issue(paid)
    mine = {"email": "alex@example.com", "mobile": "+12025550177", "currency": "USD"}
    for code, changed in (
        ("ABCD", {}),
        ("", {}),
        (credit.code, {"email": "a@b.example", "mobile": "+12025550100"}),
        (credit.code, {"currency": "EUR"}),
    ):
        with pytest.raises(CreditUnusable):
            credits.find(code, **mine | changed)
    clock.forward(timedelta(days=366))
    with pytest.raises(CreditUnusable):
        credits.find(credit.code, **mine)


def test_spent_in_part_returned_and_reversed(paid: Payment, clock: Any) -> None:
    credit, visit = issue(paid), make_payment(clock, 6000)
    with transaction.atomic():
        credits.spend(credit, visit, amount_minor=6000, actor=Actor.patient())
    assert (credit.left_minor, in_books()) == (2500, 2500)
    with transaction.atomic():
        assert credits.give_back(visit, actor=DESK, key="cancel-1", at_most=4000) == 4000
    with transaction.atomic():
        assert credits.give_back(visit, actor=DESK, key="cancel-2") == 2000
        assert credits.give_back(visit, actor=DESK, key="cancel-3") == 0
    assert reverse_credit.reverse(credit_id=credit.pk, reason="Refund instead", actor=DESK).left == Money(8500)
    paid.refresh_from_db()
    assert (paid.refundable_minor, credit.left_minor, in_books()) == (8500, 0, 0)
    with pytest.raises(CreditChanged):
        reverse_credit.reverse(credit_id=credit.pk, reason="Again", actor=DESK)
    refund.request(paid, amount_minor=8500, reason="", actor=DESK, key="r")
    with pytest.raises(NothingToRefund):
        issue(Payment.objects.get(pk=paid.pk), 1, "late")


def test_only_the_desk_issues_and_reverses(paid: Payment) -> None:
    credit = issue(paid, 100)
    with pytest.raises(PermissionRefused):
        reverse_credit.reverse(credit_id=credit.pk, reason="", actor=Actor.patient())
    with pytest.raises(PermissionRefused):
        credits.by_hand(payment_id=paid.pk, amount=Money(1), reason="", actor=Actor.patient(), key="x")


def test_what_is_left_lapses_on_its_day_and_comes_back_to_a_credit_that_did(paid: Payment, clock: Any) -> None:
    credit, visit = issue(paid), make_payment(clock, 6000)
    with transaction.atomic():
        credits.spend(credit, visit, amount_minor=6000, actor=Actor.patient())
    assert credits.due_to_expire() == []
    clock.forward(timedelta(days=365))
    assert credits.due_to_expire() == [credit.pk]
    credits.expire(credit.pk)
    credits.expire(credit.pk)
    assert (credit.left_minor, in_books(), credits.due_to_expire()) == (0, 0, [])
    with transaction.atomic():
        credits.give_back(visit, actor=DESK, key="cancel")
    credit.refresh_from_db()
    assert (credit.left_minor, credit.has_expired) == (6000, False)
    assert credits.due_to_expire() == []


def test_the_database_refuses_less_than_nothing_and_changed_entries(paid: Payment) -> None:
    credit = issue(paid, 1000)
    common = {"credit": credit, "payment": paid, "actor_kind": "admin"}
    for kind, minor in (("used", -1001), ("returned", 1), ("used", 5), ("issued", -5)):
        with pytest.raises(IntegrityError), transaction.atomic():
            CreditEntry.objects.create(kind=kind, amount_minor=minor, idempotency_key=f"{kind}{minor}", **common)
    with pytest.raises(Exception, match="append_only|Cannot update"), transaction.atomic():
        CreditEntry.objects.update(amount_minor=1)


@pytest.mark.django_db(transaction=True)
def test_two_who_spend_one_credit_at_once(clock: Any) -> None:
    credit = issue(make_payment(clock, patient_email="alex@example.com"))
    visits = [make_payment(clock, 6000) for _ in range(4)]
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def try_spend(visit: Payment) -> None:
        barrier.wait()
        try:
            with transaction.atomic():
                found = credits.find(credit.code, email="alex@example.com", mobile="", currency="USD", lock=True)
                credits.spend(found, visit, amount_minor=min(6000, found.left_minor), actor=Actor.patient())
            outcomes.append("spent")
        except CreditUnusable:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=try_spend, args=(visit,)) for visit in visits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "refused", "spent", "spent"]
    assert (credit.left_minor, in_books()) == (0, 0)


@settings(max_examples=25, deadline=None)
@given(moves=st.lists(st.tuples(st.sampled_from(MOVES), st.integers(1, 9000)), max_size=8))
def test_whatever_happens_the_balance_is_the_ledgers_and_nothing_is_given_twice(moves: list[tuple[str, int]]) -> None:
    from tests.conftest import TestClock

    with transaction.atomic():
        paid, visit = make_payment(TestClock()), make_payment(TestClock(), 9000)
        credit = issue(paid, 6000, key=f"p{paid.pk}")
        for n, (move, minor) in enumerate(moves):
            try:
                with transaction.atomic():
                    if move == "spend":
                        credits.spend(credit, visit, amount_minor=min(minor, credit.left_minor), actor=DESK)
                    elif move == "back":
                        credits.give_back(visit, actor=DESK, key=f"{n}", at_most=minor)
                    elif move == "reverse":
                        reverse_credit.reverse(credit_id=credit.pk, reason="", actor=DESK)
                    elif move == "expire":
                        credits.expire(credit.pk)
                    else:
                        refund.request(paid, amount_minor=minor, reason="", actor=DESK, key=f"{paid.pk}-{n}")
            except (IntegrityError, CreditChanged, NothingToRefund, RefundTooLarge):
                continue
        paid.refresh_from_db()
        assert in_books() == credit.left_minor >= 0
        assert paid.refunded_minor + paid.credited_minor <= paid.captured_minor
        spent = sum(credits.used_by(visit).values())
        assert paid.refunded_minor + credit.left_minor + spent <= paid.captured_minor
        transaction.set_rollback(True)
