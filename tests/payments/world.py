"""A small world for histories of money: patients, a desk, a bank and a worker, any of which may fail at any call.

Everything goes through the real flows, the real webhook door and the real database; the processor is the stand-in. Each
call of the processor may get no answer, an answer that is lost, a 500, "later", or the process may die before or after.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import RequestFactory

from bedside.core import faults
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError
from bedside.core.models import Alert
from bedside.core.money import Money
from bedside.flows import cancel, hold, jobs, pay, refund, reverse_credit
from bedside.payments.credit_models import Credit
from bedside.payments.models import Payment
from bedside.payments.processors.base import OutcomeUnknown, ProcessorError, TryAgainLater
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.sandbox import cards, disputes
from bedside.sandbox import jobs as bank_jobs
from bedside.sandbox import processor as bank
from bedside.sandbox.errors import VendorRefused
from bedside.sandbox.models import Checkout, ProcessorDispute, Webhook
from bedside.web.hooks.stripe import stripe as door
from tests.payments.front_desk import FrontDesk

CALLS = (
    "open_checkout", "look_up", "expire_checkout", "refund", "refunds_of", "look_up_refund", "look_up_charge",
    "look_up_dispute", "look_up_payout", "list_refunds", "list_disputes", "list_payouts", "list_balance_transactions",
)  # fmt: skip
FAULTS = ("die-before", "die-after", "drop-before", "drop-after", "later", "500")
JOBS = {
    job.name: job
    for job in (
        jobs.release_hold, jobs.close_checkout, jobs.carry_out_refund, jobs.handle_processor_event, jobs.collect_fee,
        jobs.ask_about_payment, bank_jobs.settle_refund, bank_jobs.dispute, bank_jobs.pay_out,
    )
}  # fmt: skip
CARDS = tuple(cards.CARDS)
DESK = Actor("admin", None)


class Died(BaseException):
    """The process is gone. Nothing catches it; an open transaction is rolled back."""


class World(FrontDesk):
    """One history. ``log`` tells it; ``seed`` makes it again. ``offers``: services with the times that are booked."""

    def __init__(self, seed: int, offers: list[tuple[Any, list[Any]]], clock: Any) -> None:
        self.chance = random.Random(seed)
        self.offers, self.clock = offers, clock
        self.log: list[str] = []
        self.trouble = self.chance.choice([0.0, 0.05, 0.15, 0.3])
        self.depth = len(connection.savepoint_ids)
        self.calls = self.failed_calls = 0
        self.desk_refunds = 0

    # --- The processor, failing -----------------------------------------------------------------------------------

    def around(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """A method of the client that fails as it pleases, and is never called inside a transaction."""

        def call(client: SandboxProcessor, *args: Any, **asked: Any) -> Any:
            assert len(connection.savepoint_ids) == self.depth, f"{name} was called inside a transaction"
            self.calls += 1
            fault = self.chance.choice(FAULTS) if self.chance.random() < self.trouble else ""
            if fault:
                self.failed_calls += 1
                self.log.append(f"  {name}: {fault}")
            if fault == "die-before":
                raise Died
            if fault == "drop-before":
                raise OutcomeUnknown("no_answer")
            if fault == "later":
                raise TryAgainLater("rate_limit")
            if fault == "500" and name in {"refund", "open_checkout"}:
                faults.arm("refund-down" if name == "refund" else "checkout-down")
            answer = real(client, *args, **asked)
            if name.startswith(("list_", "refunds_of")):
                answer = iter(list(answer))
            if fault == "die-after":
                raise Died
            if fault == "drop-after":
                raise OutcomeUnknown("answer_lost")
            return answer

        return call

    def attempt(self, said: str, action: Callable[[], object]) -> None:
        """Refusals and failures are part of life; anything else is a bug and ends the test."""
        self.log.append(said)
        try:
            action()
        except (BedsideError, ProcessorError, VendorRefused) as error:
            self.log.append(f"  -> {type(error).__name__} {error}")
        except Died:
            self.log.append("  -> died")

    # --- What may happen ------------------------------------------------------------------------------------------

    def pay(self) -> None:
        """At the bank. The processor's page works, whatever Bedside knows."""
        session = self._any(Checkout.objects.filter(status="open"))
        if session is not None and self.somebody_knows(session):
            card = self.chance.choice(CARDS) if self.chance.random() < 0.6 else CARDS[0]
            if not Payment.objects.filter(session_id=session.session_id).exists():
                card = CARDS[0]  # whose address nobody was told; its webhook at least is not lost
            self.attempt(f"pay {session.intent_id} {card}", lambda: bank.pay(session.session_id, card))

    def somebody_knows(self, session: Checkout) -> bool:
        """Whether a patient may have its address: not where another page, or the desk, took its place."""
        if Payment.objects.filter(session_id=session.session_id).exists():
            return True
        return Payment.objects.filter(pk=session.metadata["payment_id"], session_id="", method="").exists()

    def return_page(self) -> None:
        payment = self._any(Payment.objects.exclude(session_id=""))
        if payment is not None:
            self.attempt(f"return {payment.pk}", lambda: pay.settle(payment.pk))

    def cancel(self) -> None:
        payment = self._any(Payment.objects.all())
        if payment is not None:
            actor = self.chance.choice([Actor.patient(), DESK])
            self.attempt(
                f"cancel {payment.appointment_id} by {actor.kind}",
                lambda: cancel.cancel(appointment_id=payment.appointment_id, actor=actor, reason="-"),
            )

    def refund(self) -> None:
        """The desk; also twice with one key, and more than there is."""
        payment = self._any(Payment.objects.exclude(intent_id=""))
        if payment is None:
            return
        self.desk_refunds += self.chance.random() < 0.8
        key = f"desk-{self.desk_refunds}"
        amount = self.chance.choice([payment.amount_minor, 1, 2500, payment.refundable_minor, 99_999])
        self.attempt(
            f"refund {amount} of {payment.pk}",
            lambda: refund.by_hand(
                payment_id=payment.pk, amount=Money(amount, payment.currency), reason="-", actor=DESK, key=key
            ),
        )

    def dashboard_refund(self) -> None:
        paid = self._any(Checkout.objects.filter(payment_status="paid"))
        if paid is not None:
            amount, key = self.chance.choice([paid.amount_minor, 1000]), f"dashboard-{self.chance.random()}"
            self.attempt(
                f"dashboard refunds {amount} of {paid.intent_id}",
                lambda: bank.create_refund(idempotency_key=key, payment_intent=paid.intent_id, amount=amount),
            )

    def dispute(self) -> None:
        paid = self._any(Checkout.objects.filter(payment_status="paid"))
        if paid is not None:
            self.attempt(f"dispute {paid.intent_id}", lambda: disputes.open_dispute(paid.session_id))

    def decide(self) -> None:
        open_one = self._any(ProcessorDispute.objects.exclude(status__in=disputes.OVER))
        if open_one is not None:
            end = self.chance.choice(["won", "lost"])
            self.attempt(f"{open_one.dispute_id} {end}", lambda: disputes.close(open_one.dispute_id, end))

    def webhook(self) -> None:
        """Any that was sent so far, in any order, also again."""
        sent = self._any(Webhook.objects.filter(vendor="stripe", lost=False))
        if sent is not None:
            self.deliver(sent)

    def time_passes(self) -> None:
        minutes = self.chance.choice([1, 3, 10, 36, 90, 90, 1500])
        self.log.append(f"{minutes} minutes pass")
        self.clock.forward(timedelta(minutes=minutes))

    def sweep(self) -> None:
        self.attempt("sweep", jobs.sweep.plain)

    def look_around(self) -> None:
        self.attempt("look around", jobs.look_around.plain)

    def hold_runs_out(self) -> None:
        payment = self._any(Payment.objects.filter(status="initiated"))
        if payment is not None:
            self.attempt(f"release {payment.appointment_id}", lambda: hold.release(payment.appointment_id))

    # --- Machinery ------------------------------------------------------------------------------------------------

    def deliver(self, webhook: Webhook) -> None:
        body = webhook.body.encode()
        headers = bank_jobs.headers_for(webhook, "", body)
        request = RequestFactory().generic(
            "POST", "/hooks/stripe", body, content_type="application/json", headers=headers
        )
        self.log.append(f"webhook {webhook.kind}")
        assert door(request).status_code == 200
        Webhook.objects.filter(pk=webhook.pk).update(delivered_at=self.clock.now())

    def due_jobs(self) -> list[tuple[int, str, dict[str, Any]]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, task_name, args FROM procrastinate_jobs WHERE status = 'todo' AND task_name = ANY(%s) "
                "AND (scheduled_at IS NULL OR scheduled_at <= %s) ORDER BY id",
                [list(JOBS), self.clock.now()],
            )
            return [(pk, name, args if isinstance(args, dict) else _json(args)) for pk, name, args in cursor.fetchall()]

    def run(self, pk: int, name: str, args: dict[str, Any]) -> bool:
        """A job that fails stays to be tried again."""
        before = len(self.log)
        self.attempt(f"job {name} {args}", lambda: JOBS[name].plain(**args))
        if len(self.log) > before + 1 and self.log[-1].startswith("  ->"):
            return False
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [pk])
        return True

    def job(self) -> None:
        due = self.due_jobs()
        if due:
            self.run(*self.chance.choice(due))

    def _any(self, rows: Any) -> Any:
        found = list(rows.order_by("pk"))
        return self.chance.choice(found) if found else None

    def live(self, steps: int) -> None:
        names, weights = zip(*ACTIONS.items(), strict=True)
        self.book()
        for _ in range(steps):
            getattr(self, self.chance.choices(names, weights)[0])()

    def settle_down(self) -> None:
        """No more trouble: what is under way comes to its end. Lost webhooks stay lost."""
        self.log.append("--- settling down")
        self.trouble = 0.0
        for name in ("refund-down", "checkout-down"):
            faults.arm(name, 0)
        self.sweep()
        for turn in range(20):
            for webhook in Webhook.objects.filter(vendor="stripe", lost=False, delivered_at=None).order_by("pk"):
                self.deliver(webhook)
            for due in self.due_jobs():
                self.run(*due)
            self.the_desk_acts()
            if self.is_quiet():
                if turn and self.log[-1] == "look around":
                    break
                self.look_around()
            else:
                self.clock.forward(timedelta(minutes=20))
                self.sweep()

    def is_quiet(self) -> bool:
        waits = Webhook.objects.filter(vendor="stripe", lost=False, delivered_at=None).exists()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo' AND task_name = ANY(%s) "
                "AND task_name <> 'sandbox.pay_out')",
                [list(JOBS)],
            )
            busy = cursor.fetchone()[0]
        return not (waits or busy or Payment.objects.filter(status="initiated").exclude(session_id="").exists())

    def the_desk_acts(self) -> None:
        """On the alert that a refund of the dashboard doesn't fit: the credit given instead is reversed."""
        for alert in Alert.objects.filter(kind="refund-unexplained", resolved_at=None):
            payment_id = int(alert.key.partition(":")[2])
            for credit in Credit.objects.filter(payment_id=payment_id, goodwill=False):
                self.attempt(
                    f"desk reverses credit {credit.pk}",
                    lambda credit=credit: reverse_credit.reverse(credit_id=credit.pk, reason="-", actor=DESK),  # type: ignore[misc]
                )


ACTIONS = {
    "book": 5, "by_phone": 3, "take_money": 2, "open_link": 4, "move": 3, "conclude": 2, "goodwill": 1, "reverse": 1,
    "lapse": 1, "pay": 10, "return_page": 4, "cancel": 3, "refund": 5, "credit": 2, "dashboard_refund": 2, "dispute": 2,
    "decide": 2, "webhook": 10, "time_passes": 4, "sweep": 2, "look_around": 1, "hold_runs_out": 1, "job": 14,
}  # fmt: skip


def _json(text: str) -> dict[str, Any]:
    import json

    read: dict[str, Any] = json.loads(text)
    return read
