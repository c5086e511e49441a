"""The late-payment rule: the same time if it is still free, else every cent back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bedside.clinic.models import License
from bedside.core import audit
from bedside.core.audit import Actor
from bedside.core.models import Alert
from bedside.flows import availability, cancel, pay, refund
from bedside.flows.hold import _expire
from bedside.notifications.models import Notification
from bedside.payments.models import LedgerEntry, Payment, Refund
from bedside.schedule.models import BusyBlock, ExternalCalendar, OpenWindow
from tests.flows.conftest import pay_at_the_bank

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid_but_expired(book_visit):  # type: ignore[no-untyped-def]
    """The money moved at the bank; the hold was given up before the news came."""
    from django.db import transaction

    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    with transaction.atomic():
        _expire(appointment)
    return appointment


def test_a_late_payment_takes_the_slot_again_if_it_is_still_free(paid_but_expired) -> None:  # type: ignore[no-untyped-def]
    assert pay.settle(paid_but_expired.payment.pk).status == "paid"
    assert Notification.objects.filter(kind="confirmation").count() == 4


def test_a_late_payment_for_a_slot_that_is_gone_is_refunded_in_full_and_told(paid_but_expired, book_visit) -> None:  # type: ignore[no-untyped-def]
    book_visit(service=paid_but_expired.service, start=paid_but_expired.start)
    payment_id = paid_but_expired.payments.first().pk
    assert pay.settle(payment_id).status == "expired"
    refund.carry_out(Refund.objects.get().pk)
    assert Payment.objects.get(pk=payment_id).status == "refunded"
    assert sum(LedgerEntry.objects.values_list("amount_minor", flat=True)) == 0
    assert Alert.objects.filter(kind="late-payment", resolved_at=None).count() == 1
    assert set(Notification.objects.filter(kind="refunded").values_list("audience", "channel")) == {
        ("patient", "email"),
        ("patient", "sms"),
    }


def test_a_payment_after_the_start_is_refunded(paid_but_expired, clock) -> None:  # type: ignore[no-untyped-def]
    clock.forward(timedelta(days=5))
    assert pay.settle(paid_but_expired.payment.pk).status == "expired"
    assert Refund.objects.get().refund_amount == 8500


def test_a_payment_for_a_canceled_hold_is_refunded(book_visit) -> None:  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    cancel.cancel(appointment_id=appointment.pk, actor=Actor.patient())
    assert pay.settle(appointment.payment.pk).status == "canceled"
    assert Refund.objects.get().refund_amount == 8500


def refunded_and_told(appointment) -> None:  # type: ignore[no-untyped-def]
    payment_id = appointment.payments.first().pk
    assert pay.settle(payment_id).status == "expired"
    refund.carry_out(Refund.objects.get().pk)
    assert Payment.objects.get(pk=payment_id).status == "refunded"
    assert Notification.objects.filter(kind="refunded").count() == 2
    assert Alert.objects.filter(kind="late-payment", resolved_at=None).count() == 1


def test_a_day_that_has_become_full_takes_no_late_payment(paid_but_expired, book_visit) -> None:  # type: ignore[no-untyped-def]
    service = paid_but_expired.service
    service.daily_limit = 1
    service.save()
    book_visit(service=service, start=paid_but_expired.start + timedelta(hours=2))
    refunded_and_told(paid_but_expired)


def test_a_day_with_room_takes_it(paid_but_expired, book_visit) -> None:  # type: ignore[no-untyped-def]
    service = paid_but_expired.service
    service.daily_limit = 2
    service.save()
    book_visit(service=service, start=paid_but_expired.start + timedelta(hours=2))
    assert pay.settle(paid_but_expired.payment.pk).status == "paid"


@pytest.mark.parametrize(("licensed", "status"), [(True, "paid"), (False, "expired")])
def test_only_who_is_licensed_where_the_patient_will_be(paid_but_expired, licensed, status) -> None:  # type: ignore[no-untyped-def]
    paid_but_expired.patient_location = "US-NY"
    paid_but_expired.save()
    if licensed:
        License.objects.create(provider=paid_but_expired.provider, place="US-NY")
        assert pay.settle(paid_but_expired.payment.pk).status == status
    else:
        refunded_and_told(paid_but_expired)


def test_who_is_away_by_then_takes_none(paid_but_expired) -> None:  # type: ignore[no-untyped-def]
    day = paid_but_expired.start.date()
    provider_id = paid_but_expired.provider_id
    desk = Actor("admin")
    availability.add_time_off(
        provider_id=provider_id, kind="vacation", first_day=day, last_day=day, reason="", actor=desk
    )
    refunded_and_told(paid_but_expired)


def test_who_is_busy_elsewhere_by_then_takes_none(paid_but_expired) -> None:  # type: ignore[no-untyped-def]
    provider = paid_but_expired.provider
    calendar = ExternalCalendar.objects.create(provider=provider, name="Private", url="https://calendar.example.com/x")
    BusyBlock.objects.create(
        provider=provider, calendar=calendar, start=paid_but_expired.start, end=paid_but_expired.end
    )
    refunded_and_told(paid_but_expired)


@pytest.mark.parametrize(("agreed", "status"), [(True, "paid"), (False, "expired")])
def test_a_time_outside_the_hours_stands_where_the_desk_agreed_to_it(paid_but_expired, agreed, status) -> None:  # type: ignore[no-untyped-def]
    OpenWindow.objects.filter(provider=paid_but_expired.provider).delete()
    if agreed:
        audit.record(Actor("admin"), "appointment.created", paid_but_expired, after={"override": True})
    assert pay.settle(paid_but_expired.payment.pk).status == status


def test_a_provider_who_left_takes_none(paid_but_expired) -> None:  # type: ignore[no-untyped-def]
    paid_but_expired.provider.active = False
    paid_but_expired.provider.save()
    refunded_and_told(paid_but_expired)
