"""Money that the desk takes itself, and the payment link: paid once, whichever way is quicker."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from bedside.appointments.errors import AlreadyOver, ConsentRequired, HoldExpired, NotOffered, SlotTaken
from bedside.appointments.models import Appointment
from bedside.core import faults
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import AuditEntry
from bedside.flows import hold, pay, payment_link, refund
from bedside.flows.book_by_hand import LINK, HowPaid, book_by_hand
from bedside.flows.commands import check
from bedside.flows.details import Consent
from bedside.flows.facts import facts_for
from bedside.flows.pay_manually import pay_manually
from bedside.notifications.models import Notification
from bedside.notifications.rendering import render
from bedside.payments.errors import (
    AlreadyPaid,
    CheckoutUnavailable,
    NothingToRefund,
    ProcessorSilent,
    ReasonNeeded,
    TooSoonForLink,
)
from bedside.payments.models import LedgerEntry, Method, Payment
from bedside.payments.processors.base import ProcessorError
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.sandbox.errors import VendorRefused
from bedside.sandbox.models import Checkout
from tests.factories import make_service
from tests.flows.conftest import first_opening, patient, pay_at_the_bank

pytestmark = pytest.mark.django_db
DESK = Actor("admin", 7)
HEARD = Consent(given=True, text="I agree.", source="phone")


def by_phone(paid: HowPaid, **fields: Any) -> Appointment:
    service = fields.pop("service", None) or make_service()
    defaults = {"start": fields.pop("start", None) or first_opening(service), "provider": None, "details": patient()}
    return book_by_hand(service=service, consent=HEARD, paid=paid, actor=DESK, **defaults | fields)


@pytest.mark.parametrize("method", [Method.CASH, Method.TERMINAL, Method.TRANSFER])
def test_the_desk_takes_the_money_and_the_processors_page_is_closed(book_visit: Any, method: Method) -> None:
    booking = book_visit()
    session = booking.payment.session_id or Payment.objects.get().session_id
    pay_manually(appointment_id=booking.appointment.pk, method=method, reference="R-17", actor=DESK)
    payment = Payment.objects.get()
    assert (payment.status, payment.processor, payment.method, payment.captured_minor) == (
        "succeeded",
        "manual",
        method,
        8500,
    )
    assert (payment.appointment.status, payment.reference) == ("paid", "R-17")
    assert SandboxProcessor().look_up(session).status == "expired"
    line = LedgerEntry.objects.get()
    assert (line.kind, line.processor, line.amount_minor) == ("charge", "manual", 8500)
    assert AuditEntry.objects.get(action="payment.recorded").actor_id == 7
    assert Notification.objects.filter(kind="confirmation").exists()
    assert not [problem for problem in check() if "captured" in problem or "ledger" in problem]


def test_waiving_needs_a_reason_and_is_worth_nothing(book_visit: Any) -> None:
    appointment = book_visit().appointment
    with pytest.raises(ReasonNeeded):
        pay_manually(appointment_id=appointment.pk, method=Method.WAIVED, reference=" ", actor=DESK)
    pay_manually(appointment_id=appointment.pk, method=Method.WAIVED, reference="Staff member", actor=DESK)
    payment = Payment.objects.get()
    assert (payment.captured_minor, payment.appointment.status) == (0, "paid")
    assert LedgerEntry.objects.get().amount_minor == 0
    with pytest.raises(NothingToRefund):
        refund.request(payment, amount_minor=1, reason="", actor=DESK, key="k")


def test_who_paid_online_a_moment_ago_does_not_pay_twice(book_visit: Any) -> None:
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    with pytest.raises(AlreadyPaid):
        pay_manually(appointment_id=appointment.pk, method=Method.CASH, actor=DESK)
    payment = Payment.objects.get()
    assert (payment.processor, payment.captured_minor, payment.appointment.status) == ("sandbox", 8500, "paid")
    with pytest.raises(AlreadyPaid):
        pay_manually(appointment_id=appointment.pk, method=Method.CASH, actor=DESK)


def test_while_the_processor_is_silent_nothing_is_recorded(book_visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    appointment = book_visit().appointment

    def silent(*_: Any, **__: Any) -> None:
        raise ProcessorError("timeout", outcome_unknown=True)

    monkeypatch.setattr(SandboxProcessor, "expire_checkout", silent)
    with pytest.raises(ProcessorSilent):
        pay_manually(appointment_id=appointment.pk, method=Method.CASH, actor=DESK)
    assert Payment.objects.get().status == "initiated"


def test_what_is_over_can_not_be_paid_and_patients_do_not_record(book_visit: Any) -> None:
    appointment = book_visit().appointment
    with pytest.raises(PermissionRefused):
        pay_manually(appointment_id=appointment.pk, method=Method.CASH, actor=Actor.patient())
    hold.give_up(appointment.pk)
    with pytest.raises(HoldExpired):
        pay_manually(appointment_id=appointment.pk, method=Method.CASH, actor=DESK)


def test_a_refund_of_cash_is_recorded_without_a_processor(book_visit: Any) -> None:
    appointment = book_visit().appointment
    pay_manually(appointment_id=appointment.pk, method=Method.CASH, actor=DESK)
    asked = refund.request(Payment.objects.get(), amount_minor=8500, reason="", actor=DESK, key="k")
    refund.carry_out(asked.pk)
    assert sum(LedgerEntry.objects.values_list("amount_minor", flat=True)) == 0
    receipt = Notification.objects.get(kind="refunded", channel="sms")
    assert "in the way that you paid" in render(receipt, facts_for(receipt)).body


def test_by_phone_with_a_link(clock: Any) -> None:
    appointment = by_phone(HowPaid(LINK, hours=24))
    assert payment_link.pay_until(appointment) == clock.now() + timedelta(hours=24)
    assert (appointment.source, appointment.sms_consent_source, appointment.sms_consent_taken_by) == (
        "desk",
        "phone",
        7,
    )
    for note in Notification.objects.filter(kind="payment_link"):
        body = render(note, facts_for(note)).body
        assert appointment.token in body
        assert "Please pay by" in body
    assert Notification.objects.filter(kind="payment_link").count() == 2
    assert AuditEntry.objects.get(action="appointment.created").actor_id == 7


def test_the_link_opens_a_fresh_page_each_time_the_last_one_ended(clock: Any) -> None:
    appointment = by_phone(HowPaid(LINK, hours=48))
    first = pay.checkout_url(appointment)
    assert pay.checkout_url(appointment) == first
    clock.forward(timedelta(hours=24))
    pay.settle(Payment.objects.get().pk)
    second = pay.checkout_url(Appointment.objects.get())
    assert second != first
    pay_at_the_bank(Appointment.objects.get())
    pay.settle(Payment.objects.get().pk)
    assert Appointment.objects.get().status == "paid"
    with pytest.raises(AlreadyOver):
        pay.checkout_url(Appointment.objects.get())


def test_the_link_ends_in_time_for_the_last_page_and_the_time_is_free_again(clock: Any) -> None:
    appointment = by_phone(HowPaid(LINK, hours=4))
    clock.forward(timedelta(hours=4, minutes=1))
    with pytest.raises(HoldExpired):
        pay.checkout_url(Appointment.objects.get())
    with pytest.raises(HoldExpired):
        payment_link.send(appointment_id=appointment.pk, actor=DESK)
    assert "no longer held" in Client().get(f"/visits/{appointment.token}").content.decode()
    clock.forward(timedelta(minutes=40))
    hold.release(appointment.pk)
    assert Appointment.objects.get().status == "expired"


def test_a_processor_that_is_down_does_not_cost_the_patient_the_time(clock: Any) -> None:
    appointment = by_phone(HowPaid(LINK))
    faults.arm("checkout-down", 1)
    with pytest.raises(CheckoutUnavailable):
        pay.checkout_url(appointment)
    assert Appointment.objects.get().hold_is_open
    clock.forward(timedelta(minutes=2))
    assert pay.checkout_url(appointment).startswith("http")


def test_the_link_is_sent_again_as_a_new_version() -> None:
    appointment = by_phone(HowPaid(LINK))
    payment_link.send(appointment_id=appointment.pk, actor=DESK)
    assert Notification.objects.filter(kind="payment_link").count() == 4
    with pytest.raises(PermissionRefused):
        payment_link.send(appointment_id=appointment.pk, actor=Actor.patient())


def test_paid_at_the_desk_it_is_booked_in_one_go() -> None:
    appointment = by_phone(HowPaid("terminal", reference="T1"))
    assert (appointment.status, Payment.objects.get().captured_minor) == ("paid", 8500)
    assert not Notification.objects.filter(kind="payment_link").exists()


def test_a_time_that_is_not_offered_needs_a_reason_and_one_that_is_taken_is_never_given() -> None:
    service = make_service()
    provider = service.providers.get()
    evening = first_opening(service) + timedelta(hours=10)
    with pytest.raises(NotOffered):
        by_phone(HowPaid("cash"), service=service, provider=provider, start=evening)
    appointment = by_phone(
        HowPaid("cash"), service=service, provider=provider, start=evening, override_reason="Doctor agreed"
    )
    assert AuditEntry.objects.get(action="appointment.created").reason == "Doctor agreed"
    for start in (evening, evening + timedelta(minutes=20)):
        with pytest.raises(SlotTaken):
            by_phone(HowPaid("cash"), service=service, provider=provider, start=start, override_reason="Again")
    assert Appointment.objects.get().pk == appointment.pk


def test_what_a_phone_booking_needs(clock: Any) -> None:
    service = make_service(minimum_notice_minutes=0)
    soon = first_opening(service, days=0)
    clock.set(soon - timedelta(minutes=30))
    with pytest.raises(TooSoonForLink):
        by_phone(HowPaid(LINK), service=service, start=soon)
    with pytest.raises(ReasonNeeded):
        by_phone(HowPaid("waived"), service=service, start=soon)
    for fields, error in (
        ({"actor": Actor.patient()}, PermissionRefused),
        ({"consent": Consent(given=False)}, ConsentRequired),
    ):
        asked: dict[str, Any] = {"consent": HEARD, "actor": DESK} | fields
        with pytest.raises(error):
            book_by_hand(service=service, start=soon, provider=None, details=patient(), paid=HowPaid("cash"), **asked)
    assert not Appointment.objects.exists()


def test_the_desk_takes_the_money_while_the_patients_page_is_being_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page that opened too late belongs to nobody, and is led to by nobody."""
    appointment = by_phone(HowPaid(LINK))
    really = SandboxProcessor.open_checkout

    def meanwhile(self: SandboxProcessor, **asked: Any) -> Any:
        session = really(self, **asked)
        pay_manually(appointment_id=appointment.pk, method=Method.CASH, actor=DESK)
        return session

    monkeypatch.setattr(SandboxProcessor, "open_checkout", meanwhile)
    with pytest.raises(CheckoutUnavailable):
        pay.checkout_url(appointment)
    payment = Payment.objects.get()
    assert (payment.processor, payment.session_id, payment.captured_minor) == ("manual", "", 8500)


@pytest.mark.django_db(transaction=True)
def test_two_desks_and_the_patient_at_once_are_one_payment(book_visit: Any) -> None:
    appointment = book_visit().appointment
    payment = Payment.objects.get()
    outcomes: list[str] = []
    barrier = threading.Barrier(3)

    def act(what: str) -> None:
        barrier.wait()
        try:
            if what == "patient":
                pay_at_the_bank(appointment)
                pay.settle(payment.pk)
            else:
                pay_manually(appointment_id=appointment.pk, method=Method.CASH, actor=DESK)
            outcomes.append("done")
        except (AlreadyPaid, ProcessorSilent, VendorRefused):
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(what,)) for what in ("patient", "desk", "desk")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 3
    payment.refresh_from_db()
    assert (payment.status, payment.captured_minor) == ("succeeded", 8500)
    assert LedgerEntry.objects.filter(kind="charge").count() == 1
    at_the_bank = Checkout.objects.get().payment_status == "paid"
    assert at_the_bank == (payment.processor == "sandbox")
