"""Settings of holds, payment links and credits."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.accounts.models import User
from bedside.clinic.models import Practice
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import AuditEntry
from bedside.flows.payment_terms import PaymentTerms, change

pytestmark = pytest.mark.django_db
URL = "/desk/settings/payments"
GOOD = {
    "version": str(PaymentTerms(35, 24, 365).version),
    "hold_minutes": "40",
    "payment_link_hours": "48",
    "credit_days": "730",
}


def test_they_are_reached_changed_and_audited(desk: Client, admin: User) -> None:
    assert URL in desk.get("/desk/settings/flags").content.decode()
    assert "Saved." in desk.post(URL, GOOD, follow=True).content.decode()
    practice = Practice.current()
    assert (practice.hold_minutes, practice.payment_link_hours, practice.credit_days) == (40, 48, 730)
    entry = AuditEntry.objects.get(action="practice.payment_terms")
    assert entry.actor_id == admin.pk
    assert (entry.before, entry.after) == (
        {"credit_days": 365, "hold_minutes": 35, "payment_link_hours": 24},
        {"credit_days": 730, "hold_minutes": 40, "payment_link_hours": 48},
    )
    desk.post(URL, GOOD | {"version": str(PaymentTerms(40, 48, 730).version)})
    assert AuditEntry.objects.filter(action="practice.payment_terms").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hold_minutes", "20"),
        ("hold_minutes", "9999"),
        ("payment_link_hours", "0"),
        ("payment_link_hours", "1000"),
        ("credit_days", "-1"),
        ("credit_days", "forever"),
        ("credit_days", ""),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Client, field: str, value: str) -> None:
    assert desk.post(URL, GOOD | {field: value}).status_code == 422
    assert Practice.current().credit_days == 365


def test_only_the_desk_changes_them(admin: User) -> None:
    with pytest.raises(PermissionRefused):
        change(terms=PaymentTerms(40, 24, 365), version=0, actor=Actor.patient())
