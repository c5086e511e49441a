"""Reconciliation at the desk: each mismatch with what to do, looked at again, explained."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from bedside.core import clock as house_clock
from bedside.core.audit import Actor
from bedside.core.models import AuditEntry
from bedside.flows import reconcile
from bedside.payments.reconciliation_models import Mismatch
from tests.flows.test_reconcile import charge_at_the_bank


@pytest.fixture
def mismatch(admin: object) -> Mismatch:
    at = house_clock.now() - timedelta(days=1)
    charge_at_the_bank(4200, at)
    reconcile.reconcile(first=at.date(), last=at.date(), actor=Actor.system())
    return Mismatch.objects.get()


def jobs(name: str) -> int:
    return ProcrastinateJob.objects.filter(task_name=name, status="todo").count()


def test_a_mismatch_is_shown_with_what_to_do(desk: Client, mismatch: Mismatch) -> None:
    body = desk.get("/desk/sales/reconciliation").content.decode()
    for word in ("pi_stranger", "$42.00", "What to do:", "Look again", "Differs"):
        assert word in body
    assert "Reconciliation" in desk.get("/desk/").content.decode()


def test_looking_again_asks_for_a_job_once(desk: Client, mismatch: Mismatch) -> None:
    for _ in range(2):
        assert desk.post(f"/desk/sales/reconciliation/{mismatch.pk}/again").status_code == 302
    assert jobs("flows.look_again") == 1
    assert desk.post("/desk/sales/reconciliation/999/again").status_code == 404
    assert AuditEntry.objects.filter(action="mismatch.looked_at_again").exists()


def test_it_is_explained_with_a_note_and_only_once(desk: Client, mismatch: Mismatch) -> None:
    path = f"/desk/sales/reconciliation/{mismatch.pk}"
    assert desk.get(path).status_code == 200
    assert desk.post(path, {"note": " "}).status_code == 422
    assert desk.post(path, {"note": "The shop's own till."}).status_code == 302
    mismatch.refresh_from_db()
    assert (mismatch.resolved_by, mismatch.note) == ("admin", "The shop's own till.")
    again = desk.post(path, {"note": "Other."}, follow=True).content.decode()
    assert "resolved meanwhile" in again
    assert "The shop&#x27;s own till." in again


def test_days_are_compared_when_the_desk_asks(desk: Client) -> None:
    path = "/desk/sales/reconciliation/compare"
    assert desk.post(path, {"first": "2026-11-01", "last": "2026-11-30"}).status_code == 302
    assert jobs("flows.reconcile_days") == 1
    for first, last in (("2026-11-30", "2026-11-01"), ("", ""), ("1900-01-01", "2026-11-01")):
        assert desk.post(path, {"first": first, "last": last}).status_code == 422
    assert jobs("flows.reconcile_days") == 1
