"""The demo practice's books agree with its stand-in processor's, and its days can be closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum

from bedside.clinic.models import Practice
from bedside.core import clock as house_clock
from bedside.core.audit import Actor
from bedside.demo.load import load
from bedside.flows import close, reconcile, signoff
from bedside.payments.close_models import DailyClose
from bedside.payments.models import LedgerEntry
from bedside.reports import metrics
from bedside.reports.periods import Period


@pytest.mark.django_db
def test_the_demos_books_agree(clock: Any) -> None:
    load()
    today = house_clock.now().date()
    run = reconcile.reconcile(first=today - timedelta(days=60), last=today, actor=Actor.system())
    assert (run.status, run.difference_minor) == ("balanced", 0)
    assert run.matched > 400
    assert run.fees_minor > 0
    assert close.close_due() > 30
    net = LedgerEntry.objects.filter(kind__in=["charge", "refund"]).aggregate(net=Sum("amount_minor"))["net"]
    closed = DailyClose.objects.aggregate(net=Sum("net_minor"))["net"]
    open_days = LedgerEntry.objects.filter(kind__in=["charge", "refund"], practice_day__gte=today)
    assert closed + (open_days.aggregate(net=Sum("amount_minor"))["net"] or 0) == net
    failed = [line for line in signoff.signoff() if line.state == signoff.FAIL]
    assert not [line for line in failed if "ledger" in line.title.lower()]


@pytest.mark.django_db
def test_the_demo_has_something_to_say_about_every_metric(clock: Any) -> None:
    load()
    practice, today = Practice.current(), house_clock.now().date()
    found = metrics.fold(metrics.gather(Period(today - timedelta(days=29), today), practice))
    seen, chosen, details, paid = found.steps
    assert seen > chosen >= details >= paid > 50
    rates = [found.payment, found.email, found.sms, found.refund, found.cancellation, found.show]
    assert [rate.of > 20 for rate in rates] == [True] * 6
    assert found.wait.looked > 500
