"""Policies by date: what was booked keeps its version, and gets back what that version says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from bedside.appointments.errors import ChangedMeanwhile, ReasonRequired
from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.clinic.policy import Terms
from bedside.clinic.policy_models import CancellationPolicy, of_service
from bedside.core import clock as house_clock
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import AuditEntry
from bedside.core.money import Money
from bedside.flows import cancel, pay, policies, reschedule
from bedside.notifications.content import facts_for
from bedside.notifications.models import Notification
from bedside.notifications.rendering import render
from bedside.payments.credit_models import Credit
from bedside.payments.errors import RefundTooLarge
from bedside.payments.models import Refund
from tests.factories import make_service
from tests.flows.conftest import pay_at_the_bank

pytestmark = pytest.mark.django_db
DESK = Actor("admin", 1, "Sam Ortega")
HALF = Terms(free_hours=48, late_percent=50, no_show_fee_percent=80, move_hours=12, max_moves=1)


def decide(service: Service | None = None, terms: Terms = HALF, days: int = 0) -> CancellationPolicy:
    return policies.add_version(
        actor=DESK, service=service, valid_from=policies.today() + timedelta(days=days), terms=terms, words="Be kind."
    )


@pytest.fixture
def service() -> Service:
    return make_service()


@pytest.fixture
def book_paid(book_visit: Callable[..., Any], service: Service) -> Callable[..., Appointment]:
    def make(**fields: Any) -> Appointment:
        appointment = book_visit(service=service, **fields).appointment
        pay_at_the_bank(appointment)
        return pay.settle(appointment.payment.pk)

    return make


def test_the_services_own_version_goes_before_the_practices_and_both_before_its_words(service: Service) -> None:
    assert of_service(service).policy is None
    assert of_service(service).terms.free_hours == 24
    everybody = decide(terms=Terms(free_hours=12))
    assert of_service(service).policy == everybody
    own = decide(service)
    later = decide(service, Terms(free_hours=1), days=10)
    assert of_service(service).policy == own
    assert of_service(service, house_clock.now() + timedelta(days=10)).policy == later
    assert of_service(make_service()).policy == everybody


def test_a_visit_keeps_the_version_that_it_was_booked_under(service: Service, book_paid: Any, clock: Any) -> None:
    first = decide(service)
    visit = book_paid()
    decide(service, Terms(free_hours=0, late_percent=100))
    assert (visit.policy, visit.terms) == (first, HALF)
    clock.set(visit.start - timedelta(hours=40))
    found = cancel.preview(visit, actor=Actor.patient())
    assert (found.refund.minor_units, found.kept.minor_units, found.why) == (4250, 4250, "late")
    cancel.cancel(appointment_id=visit.pk, actor=Actor.patient())
    assert Refund.objects.get().refund_amount == 4250
    message = Notification.objects.get(kind="canceled", audience="patient", channel="email")
    assert "$42.50" in render(message, facts_for(message)).body


def test_versions_are_never_changed_nor_taken_back(service: Service) -> None:
    version = decide(service)
    for change in (lambda: CancellationPolicy.objects.update(free_hours=1), version.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    with pytest.raises(policies.PolicyInThePast):
        decide(service, days=-1)
    with pytest.raises(PermissionRefused):
        policies.add_version(
            actor=Actor("provider", 2), service=None, valid_from=policies.today(), terms=HALF, words=""
        )
    entry = AuditEntry.objects.get(action="policy.added")
    assert (entry.after or {})["late_percent"] == 50


def test_moving_follows_the_policy_and_the_policy_goes_along(service: Service, book_paid: Any, clock: Any) -> None:
    version = decide(service)
    visit = book_paid()
    assert reschedule.preview(visit, actor=Actor.patient()).until == visit.start - timedelta(hours=12)
    moved = reschedule.reschedule(appointment_id=visit.pk, start=visit.start + timedelta(days=1), actor=Actor.patient())
    assert moved.policy == version
    assert reschedule.preview(moved, actor=Actor.patient()).moves_left == 0


def test_the_messages_say_the_real_date_and_what_holds_after_it(service: Service, book_paid: Any) -> None:
    decide(service)
    book_paid()
    message = Notification.objects.get(kind="confirmation", audience="patient", channel="email")
    body = render(message, facts_for(message)).body
    assert "Free to cancel until Wednesday, December 2 at" in body
    assert "After that, 50% of the price is returned." in body
    assert "20% of the price is returned" in body


def test_a_patient_gets_what_the_page_said_or_is_asked_again(book_paid: Any, clock: Any) -> None:
    visit = book_paid()
    clock.set(visit.start - timedelta(hours=23))
    with pytest.raises(ChangedMeanwhile):
        cancel.cancel(appointment_id=visit.pk, actor=Actor.patient(), promised=8500)
    visit.refresh_from_db()
    assert visit.status == "paid"
    cancel.cancel(appointment_id=visit.pk, actor=Actor.patient(), promised=0)


def test_the_desk_cancels_for_the_patient_by_the_policy_or_overrides_it_with_a_reason(
    book_paid: Any, clock: Any
) -> None:
    visit = book_paid()
    clock.set(visit.start - timedelta(hours=3))
    assert cancel.preview(visit, actor=DESK).refund.minor_units == 8500
    assert cancel.preview(visit, actor=DESK, for_patient=True).refund.minor_units == 0
    part = cancel.Give("refund", Money(5000, "USD"))
    with pytest.raises(ReasonRequired):
        cancel.cancel(appointment_id=visit.pk, actor=DESK, for_patient=True, give=part)
    with pytest.raises(PermissionRefused):
        cancel.cancel(appointment_id=visit.pk, actor=Actor.patient(), reason="Mine", give=part)
    too_much = cancel.Give("refund", Money(8501, "USD"))
    with pytest.raises(RefundTooLarge):
        cancel.cancel(appointment_id=visit.pk, actor=DESK, reason="A slip", give=too_much)
    visit.refresh_from_db()
    assert visit.status == "paid"
    cancel.cancel(appointment_id=visit.pk, actor=DESK, for_patient=True, reason="Was in hospital", give=part)
    visit.refresh_from_db()
    assert (visit.canceled_by, visit.canceled_for_patient) == ("admin", True)
    assert Refund.objects.get().refund_amount == 5000
    after = AuditEntry.objects.get(action="appointment.canceled").after or {}
    assert (after["proposed_minor"], after["refund_minor"], after["given"]) == (0, 5000, "refund")


def test_a_credit_instead_of_a_refund(book_paid: Any) -> None:
    visit = book_paid()
    cancel.cancel(appointment_id=visit.pk, actor=DESK, reason="As agreed", give=cancel.Give("credit"))
    assert Credit.objects.get().amount_minor == 8500
    assert not Refund.objects.exists()
    message = Notification.objects.get(kind="canceled", audience="patient", channel="email")
    assert "You get a credit of $85.00" in render(message, facts_for(message)).body


def test_what_a_credit_paid_goes_back_to_it_and_the_rest_to_the_card(
    book_visit: Callable[..., Any], service: Service, book_paid: Any
) -> None:
    first = book_paid()
    cancel.cancel(appointment_id=first.pk, actor=DESK, reason="As agreed", give=cancel.Give("credit"))
    credit = Credit.objects.get()
    dearer = make_service(price_minor=10_000)
    booked = book_visit(service=dearer, credit_code=credit.code)
    pay_at_the_bank(booked.appointment)
    visit = pay.settle(booked.payment.pk)
    assert credit.left_minor == 0
    found = cancel.preview(visit, actor=Actor.patient())
    assert (found.refund.minor_units, found.credit.minor_units) == (1500, 8500)
    moved = reschedule.reschedule(appointment_id=visit.pk, start=visit.start + timedelta(days=1), actor=Actor.patient())
    cancel.cancel(appointment_id=moved.pk, actor=Actor.patient(), promised=1500)
    assert (Refund.objects.get().refund_amount, credit.left_minor) == (1500, 8500)


def test_nothing_at_all_for_a_reason(book_paid: Any) -> None:
    visit = book_paid()
    cancel.cancel(appointment_id=visit.pk, actor=DESK, reason="Agreed on the phone", give=cancel.Give("nothing"))
    assert not Refund.objects.exists()
