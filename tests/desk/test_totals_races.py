"""Many write at once to the same visits and their money: at the end the desk's figures are the ledger's."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Count, Sum

from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.payments.models import LedgerEntry, Payment
from bedside.reports import takings
from bedside.reports.models import Standing
from tests.factories import make_appointment, make_provider, make_service

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, STEPS = 6, 25


def charge(visit: Appointment, chance: random.Random, name: str) -> None:
    now = clock.now()
    payment = Payment.objects.create(
        appointment=visit, status="succeeded", amount_minor=5001, captured_minor=5001, currency="USD",
        processor="sandbox", succeeded_at=now - timedelta(days=chance.randrange(5)), intent_id=name,
    )  # fmt: skip
    line(payment, "charge", 5001, name)


def give_back(visit: Appointment, chance: random.Random, name: str) -> None:
    payment = Payment.objects.filter(appointment=visit).order_by("?").first()
    if payment is not None:
        kind, minor = chance.choice([("refund", -1000), ("refund", -1), ("refund_failed", 1)])
        line(payment, kind, minor, name)
        Payment.objects.filter(pk=payment.pk).update(status=chance.choice(["succeeded", "refunded"]))


def line(payment: Payment, kind: str, minor: int, name: str) -> None:
    visit, now = payment.appointment, clock.now()
    LedgerEntry.objects.create(
        kind=kind, amount_minor=minor, currency="USD", processor="sandbox", processor_object=f"{kind}-{name}",
        appointment=visit, payment=payment, service_id=visit.service_id, provider_id=visit.provider_id,
        occurred_at=now, practice_day=now.date(),
    )  # fmt: skip


def conclude(visit: Appointment, chance: random.Random, name: str) -> None:
    locked = Appointment.objects.select_for_update().get(pk=visit.pk)
    if locked.status == "paid":
        Appointment.objects.filter(pk=visit.pk).update(status=chance.choice(["completed", "no_show"]))


def hand_over(visit: Appointment, chance: random.Random, name: str) -> None:
    """A payment goes along with its visit to a later one, as a move takes it; never back."""
    payment = Payment.objects.filter(appointment=visit).first()
    target = Appointment.objects.filter(pk__gt=visit.pk).order_by("pk").first()
    if payment is not None and target is not None:
        Payment.objects.filter(pk=payment.pk).update(appointment=target)


def merge(visit: Appointment, chance: random.Random, name: str) -> None:
    takings.fold()


ACTS: list[Callable[[Appointment, random.Random, str], None]] = [charge, charge, give_back, conclude, hand_over, merge]


def test_figures_stay_the_ledger_s_whoever_writes_at_once() -> None:
    service = make_service(make_provider(weekdays=[]), make_provider(weekdays=[]))
    visits = [make_appointment(service, start=clock.now() + timedelta(days=n + 1)) for n in range(4)]
    failed: list[BaseException] = []

    def write(number: int) -> None:
        chance = random.Random(number)
        try:
            for step in range(STEPS):
                with transaction.atomic():
                    chance.choice(ACTS)(chance.choice(visits), chance, f"{number}-{step}")
        except BaseException as error:  # told below, where the test can see it
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[number]) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert LedgerEntry.objects.count() > WRITERS * STEPS // 4
    assert takings.differences() == []
    takings.fold()
    assert takings.differences() == []
    for visit in visits:
        kept = Standing.objects.get(pk=visit.pk)
        told = LedgerEntry.objects.filter(appointment=visit, kind="charge").aggregate(
            n=Count("pk"), all=Sum("amount_minor")
        )
        assert (kept.charges, kept.gross_minor) == (told["n"], told["all"] or 0)
        latest = Payment.objects.filter(appointment=visit).order_by("-pk").first()
        assert kept.payment_status == (latest.status if latest else "")
