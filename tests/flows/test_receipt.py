"""Receipts: one number each without gaps, written once, and never changed."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from bedside.appointments.models import Appointment
from bedside.core.audit import Actor
from bedside.flows import cancel, pay, receipt, receipt_jobs, receipt_mail, refund
from bedside.notifications.models import Notification
from bedside.payments.errors import DamagedReceipt, NothingToReceipt
from bedside.payments.models import LedgerEntry, Payment, Refund
from bedside.payments.processors.base import RefundState
from bedside.payments.receipt_models import PracticeBilling, Receipt, ServiceBilling, VisitCodes
from bedside.payments.tax_share import share
from bedside.reports import receipt_pdf, receipts
from bedside.sandbox.models import MessageFile
from tests.factories import make_appointment, make_provider, make_service
from tests.flows.conftest import pay_at_the_bank

DESK = Actor("admin", 1)


@pytest.fixture
def payment(book_visit):  # type: ignore[no-untyped-def]
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    pay.settle(appointment.payment.pk)
    return Payment.objects.get()


def paid_payments(count: int) -> list[Payment]:
    service = make_service(make_provider())
    made = []
    for n in range(count):
        start = make_appointment(service, status="expired").start + timedelta(hours=n)
        appointment = make_appointment(service, start=start)
        made.append(
            Payment.objects.create(
                appointment=appointment,
                status="succeeded",
                amount_minor=8500,
                captured_minor=8500,
                currency="USD",
                processor="sandbox",
                intent_id=f"pi_{n}",
            )
        )
    return made


@pytest.mark.django_db
def test_a_payment_has_one_receipt_however_often_it_is_asked_for(payment: Payment) -> None:
    first, again = receipt.issue(payment_id=payment.pk), receipt.issue(payment_id=payment.pk)
    assert first.pk == again.pk
    assert (first.number, first.label) == (1, "R-000001")
    said = first.content
    assert said["patient"]["name"] == "Robin Sample"
    assert (said["total_minor"], said["paid_minor"]) == (8500, 8500)


@pytest.mark.django_db
def test_nothing_paid_is_no_receipt_and_takes_no_number(book_visit, payment: Payment) -> None:  # type: ignore[no-untyped-def]
    unpaid = make_appointment(status="pending_payment")
    other = Payment.objects.create(appointment=unpaid, amount_minor=1, currency="USD", processor="sandbox")
    with pytest.raises(NothingToReceipt):
        receipt.issue(payment_id=other.pk)
    assert receipt.issue(payment_id=payment.pk).number == 1


@pytest.mark.django_db(transaction=True)
def test_a_number_that_was_rolled_back_is_given_to_the_next() -> None:
    one, two = paid_payments(2)
    with transaction.atomic():
        assert receipt.issue(payment_id=one.pk).number == 1
        transaction.set_rollback(True)
    assert receipt.issue(payment_id=two.pk).number == 1
    assert receipt.issue(payment_id=one.pk).number == 2


@pytest.mark.django_db(transaction=True)
def test_many_at_once_leave_no_gap_and_no_double() -> None:
    payments = paid_payments(6)
    barrier = threading.Barrier(12)

    def ask(payment: Payment) -> None:
        barrier.wait()
        try:
            receipt.issue(payment_id=payment.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(payment,)) for payment in payments * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Receipt.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_receipt SET number = 9",
        "UPDATE payments_receipt SET issued_at = issued_at + interval '1 day'",
        "UPDATE payments_receipt SET digest = decode('00', 'hex')",
        "DELETE FROM payments_receipt",
        "INSERT INTO payments_receipt (number, kind, payment_id, issued_at, says, digest) "
        "SELECT 7, 'statement', payment_id, issued_at, says, digest FROM payments_receipt",
    ],
)
def test_the_database_keeps_a_receipt_as_it_was(payment: Payment, statement: str) -> None:
    receipt.issue(payment_id=payment.pk)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_words_put_in_its_mouth_are_noticed(payment: Payment) -> None:
    found = receipt.issue(payment_id=payment.pk)
    Receipt.objects.filter(pk=found.pk).update(says=found.says.replace("8500", "9500"))
    found.refresh_from_db()
    with pytest.raises(DamagedReceipt):
        receipts.sheet(found)


@pytest.mark.django_db
def test_what_changes_later_does_not_reach_it(payment: Payment) -> None:
    receipt.issue(payment_id=payment.pk)
    provider = payment.appointment.provider
    provider.name = "Dr. Somebody Else"
    provider.save()
    said = receipt.issue(payment_id=payment.pk).content
    assert said["provider"]["name"].startswith("Dr. Robin Example")


@pytest.mark.django_db
def test_each_refund_has_its_own_receipt_after_that_of_the_payment(payment: Payment) -> None:
    for n, amount in enumerate((2000, 6500)):
        asked = refund.request(payment, amount_minor=amount, reason="", actor=DESK, key=f"k{n}")
        refund.carry_out(asked.pk)
    receipt_jobs.issue_missing_receipts.plain()
    receipt_jobs.issue_missing_receipts.plain()
    found = list(Receipt.objects.order_by("number"))
    assert [(one.number, one.kind) for one in found] == [(1, "payment"), (2, "refund"), (3, "refund")]
    assert [one.content.get("refund_minor") for one in found] == [None, 2000, 6500]
    assert found[1].content["of"] == "R-000001"


@pytest.mark.django_db
def test_a_refund_that_the_bank_sends_back_is_corrected_by_a_document_of_its_own(payment: Payment) -> None:
    asked = refund.request(payment, amount_minor=8500, reason="", actor=DESK, key="x")
    refund.carry_out(asked.pk)
    receipt.issue_for_refund(refund_id=asked.pk)
    assert receipt.correct_refund(refund_id=asked.pk) is None
    refund.record(asked.pk, RefundState(Refund.objects.get().refund_id, "failed", "expired_card"))
    made = receipt.correct_refund(refund_id=asked.pk)
    assert made is not None
    assert made == receipt.correct_refund(refund_id=asked.pk)
    assert (made.kind, made.content["of"]) == ("refund_failed", "R-000002")


@pytest.mark.django_db
def test_a_statement_bears_the_codes_of_its_moment_and_a_receipt_by_email_bears_none(payment: Payment) -> None:
    ServiceBilling.objects.create(service=payment.appointment.service, procedure_code="99213")
    VisitCodes.objects.create(appointment=payment.appointment, modifiers="95", diagnoses="F41.1 J45.909")
    made = receipt.issue_statement(payment_id=payment.pk, actor=DESK)
    sheet = receipts.sheet(made)
    assert ("Procedure code", "99213 95") in sheet.codes
    assert ("Diagnosis codes", "F41.1, J45.909") in sheet.codes
    assert ("Visit", "First visit, 30 minutes") in sheet.facts
    quiet = receipts.sheet(made, discreet=True)
    assert not quiet.codes
    assert ("Visit", "Video visit, 30 minutes") in quiet.facts


@pytest.mark.django_db
def test_the_pdf_has_its_fonts_inside_and_is_the_same_each_time(payment: Payment) -> None:
    payment.appointment.patient_name = "Zoë Nuñez-Łukasiewicz Ђорђе"
    payment.appointment.save()
    found = receipt.issue(payment_id=payment.pk)
    data = receipt_pdf.render(found)
    assert data.startswith(b"%PDF-")
    assert b"DejaVuSans" in data
    assert len(data) < 120_000
    assert data == receipt_pdf.render(found)


@pytest.mark.django_db
def test_rows_and_their_values_stay_on_one_page_and_pages_are_counted(payment: Payment) -> None:
    """A value whose label had just fitted went alone to a third page."""
    visit = payment.appointment
    visit.patient_name = "Wolfeschlegelsteinhausenbergerdorff" * 3
    visit.save()
    VisitCodes.objects.create(appointment=visit, diagnoses=" ".join(["F41.1"] * 40), procedure_code="99214")
    for address in range(4, 24):
        PracticeBilling.objects.update_or_create(pk=1, defaults={"address": "\n".join(["Line"] * address)})
        made = receipt_pdf.compose(receipt.issue_statement(payment_id=payment.pk, actor=DESK))
        assert made.pages_count <= 2, address


@pytest.mark.parametrize(
    ("name", "set_as"),
    [
        ("María Ñandú-Öztürk Łukasiewicz", "María Ñandú-Öztürk Łukasiewicz"),
        ("Ђорђе Παπαδόπουλος", "Ђорђе Παπαδόπουλος"),
        ("Robin 🙂 Sample", "Robin Sample"),
        ("Robin 👩🏽‍⚕️, PhD", "Robin, PhD"),
        ("李小龙 Li", "\u25a1\u25a1\u25a1 Li"),
        ("O’Neil & Söhne — №5", "O’Neil & Söhne — №5"),
        ("", ""),
    ],
)
def test_what_the_font_lacks_is_left_out_or_marked(name: str, set_as: str) -> None:
    assert receipt_pdf.printable(name) == set_as


@pytest.mark.django_db
def test_a_name_that_can_not_be_set_is_said_so(payment: Payment) -> None:
    payment.appointment.patient_name = "李小龙"
    payment.appointment.save()
    assert receipt_pdf.compose(receipt.issue(payment_id=payment.pk)).lacking
    assert ("Patient", "李小龙") in receipts.sheet(Receipt.objects.get()).facts


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("processor", "method", "intent", "typed", "settled"),
    [
        ("none", "", "free-3", "", [("Paid with credit", "$85.00")]),
        ("manual", "cash", "manual-3", "", [("Paid on December 1, 2026, Cash", "$85.00")]),
        (
            "manual",
            "terminal",
            "manual-3",
            "Slip 4711",
            [("Paid on December 1, 2026, Card terminal", "$85.00")],
        ),
    ],
)
def test_no_name_of_our_own_and_no_card_that_paid_nothing(
    payment: Payment, processor: str, method: str, intent: str, typed: str, settled: list[tuple[str, str]]
) -> None:
    payment.processor, payment.method, payment.intent_id, payment.reference = processor, method, intent, typed
    if processor == "none":
        payment.captured_minor = payment.amount_minor = 0
        payment.credit_minor = 8500
    payment.save()
    made = receipts.sheet(receipt.issue(payment_id=payment.pk))
    assert made.settled == settled
    assert [value for label, value in made.facts if label == "Payment reference"] == ([typed] if typed else [])


@pytest.mark.django_db
def test_a_receipt_is_emailed_with_its_pdf_as_often_as_it_is_asked_for(payment: Payment) -> None:
    from bedside.notifications.sending import send

    found = receipt.issue(payment_id=payment.pk)
    notes = [receipt_mail.send(receipt_id=found.pk, actor=DESK) for _ in range(2)]
    assert [note.version for note in notes] == [1, 2]
    for note in notes:
        send(note.pk)
    assert [file.name for file in MessageFile.objects.all()] == ["R-000001.pdf"] * 2
    assert Notification.objects.filter(kind="receipt", status="sent").count() == 2


@pytest.mark.django_db
def test_the_message_of_a_refund_carries_the_refunds_receipt(payment: Payment) -> None:
    from bedside.notifications.sending import send

    cancel.cancel(appointment_id=payment.appointment_id, actor=DESK, reason="x")
    refund.carry_out(Refund.objects.get().pk)
    send(Notification.objects.get(kind="refunded", channel="email").pk)
    assert MessageFile.objects.get().name == "R-000002.pdf"


@pytest.mark.django_db
def test_discount_and_tax_stand_on_the_receipt_and_refunds_give_back_all_tax(payment: Payment) -> None:
    visit = payment.appointment
    Appointment.objects.filter(pk=visit.pk).update(tax_amount=785, tax_name="Sales tax", tax_inclusive=False)
    Payment.objects.filter(pk=payment.pk).update(tax_amount=785)
    sheet = receipts.sheet(receipt.issue(payment_id=payment.pk))
    assert sheet.lines == [("First visit", "$77.15"), ("Sales tax", "$7.85")]
    assert sheet.total == ("Total", "$85.00")
    for n, amount in enumerate((1, 3333, 5166)):
        refund.carry_out(refund.request(payment, amount_minor=amount, reason="", actor=DESK, key=f"t{n}").pk)
    refunded = LedgerEntry.objects.filter(kind="refund").order_by("pk").values_list("amount_minor", "tax_minor")
    assert list(refunded) == [(-1, 0), (-3333, -308), (-5166, -477)]
    assert sum(tax for _amount, tax in refunded) == -785


@given(tax=st.integers(0, 999), whole=st.integers(1, 99_999), data=st.data())
def test_shares_of_tax_grow_with_the_part_and_end_at_all_of_it(tax: int, whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    assert share(tax, whole, whole) == tax
    assert 0 <= share(tax, part, whole) <= tax
    assert share(tax, part, whole) <= share(tax, min(part + 1, whole), whole)
