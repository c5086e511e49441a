"""Refunds while the processor fails: before, after, in silence. The money moves once, and is found out about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bedside.core import faults
from bedside.core.audit import Actor
from bedside.core.models import Alert
from bedside.flows import pay, refund
from bedside.payments.models import LedgerEntry, Payment, Refund
from bedside.payments.processors.base import ProcessorError, TryAgainLater
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.sandbox.models import ProcessorRefund
from tests.flows.conftest import pay_at_the_bank

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(book_visit: Any) -> Refund:
    """A refund of $20.00 that is yet to be carried out."""
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    pay.settle(appointment.payment.pk)
    payment = Payment.objects.get()
    return refund.request(payment, amount_minor=2000, reason="", actor=Actor("admin", 1), key="k")


def moved_once(asked: Refund) -> bool:
    """At the processor, in the ledger and on the payment."""
    asked.refresh_from_db()
    there = list(ProcessorRefund.objects.exclude(status="failed").values_list("refund_id", "amount_minor"))
    lines = list(LedgerEntry.objects.filter(kind="refund").values_list("amount_minor", flat=True))
    return (there, lines, Payment.objects.get().refunded_minor) == ([(asked.refund_id, 2000)], [-2000], 2000)


def test_it_says_yes_and_drops_the_connection(asked: Refund) -> None:
    faults.arm("refund-hangs")
    with pytest.raises(ProcessorError) as silence:
        refund.carry_out(asked.pk)
    assert silence.value.outcome_unknown
    asked.refresh_from_db()
    assert (asked.status, asked.refund_id) == ("pending", "")
    refund.carry_out(asked.pk)
    assert moved_once(asked)


def test_it_says_yes_and_forgets_our_key(asked: Refund, clock: Any) -> None:
    """A day later the key means nothing any more: the refund is found by what we wrote into it."""
    from bedside.sandbox.models import IdempotencyKey

    faults.arm("refund-hangs")
    with pytest.raises(ProcessorError):
        refund.carry_out(asked.pk)
    clock.forward(timedelta(hours=30))
    IdempotencyKey.objects.all().delete()
    refund.carry_out(asked.pk)
    assert moved_once(asked)


def test_an_error_of_its_own_is_repeated_by_the_key_until_another_is_surely_safe(asked: Refund, clock: Any) -> None:
    faults.arm("refund-down")
    for _ in range(2):
        with pytest.raises(ProcessorError):
            refund.carry_out(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.attempt) == ("pending", 0)
    clock.forward(timedelta(minutes=3))
    refund.carry_out(asked.pk)
    assert moved_once(asked)
    assert asked.attempt == 1


def test_it_failed_before_the_request_reached_it(asked: Refund, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(SandboxProcessor, "refund", _raise(TryAgainLater("rate_limited")))
        for _ in range(3):
            with pytest.raises(TryAgainLater):
                refund.carry_out(asked.pk)
    refund.carry_out(asked.pk)
    assert moved_once(asked)


def test_finding_out_fails_too(asked: Refund, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it can't be found out, nothing is asked for again."""
    faults.arm("refund-hangs")
    with pytest.raises(ProcessorError):
        refund.carry_out(asked.pk)
    with monkeypatch.context() as broken:
        broken.setattr(SandboxProcessor, "refunds_of", _raise(ProcessorError("timeout", outcome_unknown=True)))
        broken.setattr(SandboxProcessor, "refund", _raise(AssertionError("asked again")))
        with pytest.raises(ProcessorError):
            refund.carry_out(asked.pk)
    refund.carry_out(asked.pk)
    assert moved_once(asked)


def test_a_crash_between_the_answer_and_the_books(asked: Refund, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(refund, "record", _raise(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            refund.carry_out(asked.pk)
    refund.carry_out(asked.pk)
    assert moved_once(asked)


def test_a_definite_no_ends_it_and_gives_the_amount_back(asked: Refund, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SandboxProcessor, "refund", _raise(ProcessorError("charge_disputed", permanent=True)))
    refund.carry_out(asked.pk)
    asked.refresh_from_db()
    payment = Payment.objects.get()
    assert (asked.status, asked.failure_code, asked.refund_id) == ("failed", "charge_disputed", "")
    assert (payment.refundable_minor, payment.status) == (8500, "succeeded")
    assert Alert.objects.get(kind="refund-failed", resolved_at=None)
    assert not LedgerEntry.objects.filter(kind="refund").exists()


def test_asking_where_it_stands_fails_and_nothing_is_made_anew(asked: Refund, monkeypatch: pytest.MonkeyPatch) -> None:
    refund.record(asked.pk, refund.RefundState("re_slow", "pending"))
    with monkeypatch.context() as broken:
        broken.setattr(SandboxProcessor, "look_up_refund", _raise(ProcessorError("api_error", outcome_unknown=True)))
        broken.setattr(SandboxProcessor, "refund", _raise(AssertionError("asked again")))
        with pytest.raises(ProcessorError):
            refund.carry_out(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.refund_id) == ("pending", "re_slow")


def _raise(error: Exception) -> Any:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise error

    return fail
