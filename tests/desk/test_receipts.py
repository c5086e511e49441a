"""Receipts on pages: the patient's and the desk's."""

from __future__ import annotations

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.core.models import AuditEntry
from bedside.notifications.models import Notification
from bedside.payments.models import Payment
from bedside.payments.receipt_models import PracticeBilling, Receipt, ServiceBilling, VisitCodes
from tests.factories import make_appointment


@pytest.fixture
def visit(db: None) -> Appointment:
    appointment = make_appointment()
    Payment.objects.create(
        appointment=appointment,
        status="succeeded",
        amount_minor=8500,
        captured_minor=8500,
        currency="USD",
        processor="sandbox",
        intent_id="pi_1",
        succeeded_at=appointment.created_at,
    )
    return appointment


def test_the_patient_sees_and_downloads_the_receipt(visit: Appointment, client: Client) -> None:
    page = client.get(f"/visits/{visit.token}/receipt")
    assert page.status_code == 200
    body = page.content.decode()
    for said in ("R-000001", "Robin Sample", "First visit", "$85.00", visit.provider.name):
        assert said in body
    assert f"/visits/{visit.token}/receipt" in client.get(f"/visits/{visit.token}").content.decode()
    file = client.get(f"/visits/{visit.token}/receipts/1.pdf")
    assert file["Content-Type"] == "application/pdf"
    assert file.content.startswith(b"%PDF")


def test_anothers_receipt_is_not_found(visit: Appointment, client: Client) -> None:
    client.get(f"/visits/{visit.token}/receipt")
    other = make_appointment()
    assert client.get(f"/visits/{other.token}/receipts/1.pdf").status_code == 404
    assert client.get("/visits/nobodys/receipt").status_code == 404
    empty = client.get(f"/visits/{other.token}/receipt")
    assert empty.status_code == 200
    assert "No receipt yet" in empty.content.decode()


def test_the_desk_sends_a_receipt_again(visit: Appointment, desk: Client) -> None:
    page = desk.get(f"/desk/appointments/{visit.code}/receipts")
    assert "R-000001" in page.content.decode()
    for _ in range(2):
        assert desk.post(f"/desk/appointments/{visit.code}/receipts/1/send").status_code == 303
    assert Notification.objects.filter(kind="receipt").count() == 2
    assert AuditEntry.objects.filter(action="receipt.sent").count() == 2
    assert desk.post(f"/desk/appointments/{visit.code}/receipts/99/send").status_code == 404
    assert desk.get(f"/desk/appointments/{visit.code}/receipts/1.pdf").content.startswith(b"%PDF")


def test_codes_are_kept_in_one_shape_and_a_statement_is_written(visit: Appointment, desk: Client) -> None:
    fields = {
        "procedure_code": "99213",
        "modifiers": "95, gt",
        "place_of_service": "10",
        "diagnoses": "f411,J45.909",
        "issue": "1",
    }
    answer = desk.post(f"/desk/appointments/{visit.code}/receipts/codes", fields)
    assert answer.status_code == 303
    kept = VisitCodes.objects.get()
    assert (kept.modifiers, kept.diagnoses) == ("95 GT", "F41.1 J45.909")
    assert list(Receipt.objects.order_by("number").values_list("kind", flat=True)) == ["payment", "statement"]
    entry = AuditEntry.objects.get(action="receipt.codes_changed")
    assert "F41" not in str(entry.after)


@pytest.mark.parametrize(
    ("name", "value"),
    [("procedure_code", "!!"), ("modifiers", "955"), ("diagnoses", "hello"), ("place_of_service", "99")],
)
def test_codes_that_are_none_are_refused_beside_their_field(
    visit: Appointment, desk: Client, name: str, value: str
) -> None:
    answer = desk.post(f"/desk/appointments/{visit.code}/receipts/codes", {name: value})
    assert answer.status_code == 422
    assert f"id_{name}-error" in answer.content.decode()
    assert not VisitCodes.objects.exists()


def test_a_statement_needs_a_payment(desk: Client) -> None:
    unpaid = make_appointment()
    answer = desk.post(f"/desk/appointments/{unpaid.code}/receipts/codes", {"issue": "1"}, follow=True)
    assert "there is no receipt" in answer.content.decode()


def test_what_receipts_say_of_the_practice(visit: Appointment, desk: Client) -> None:
    version = desk.get("/desk/billing").context["form"]["version"].value()
    procedure = f"procedure_{visit.service_id}"
    fields = {
        "legal_name": "Lakeside PLLC",
        "address": "1 Main St\r\nAlbany, NY",
        "tax_id": "12-3456789",
        "version": version,
    }
    assert desk.post("/desk/billing", fields | {procedure: "99213"}).status_code == 302
    assert PracticeBilling.objects.get().address == "1 Main St\nAlbany, NY"
    assert ServiceBilling.objects.get().procedure_code == "99213"
    assert "Lakeside PLLC" in desk.get(f"/desk/appointments/{visit.code}/receipts").content.decode()
    assert desk.post("/desk/billing", fields | {procedure: "9"}).status_code == 422


def test_only_the_desk_may(visit: Appointment, client: Client) -> None:
    for path in (f"/desk/appointments/{visit.code}/receipts", "/desk/billing"):
        assert client.get(path).status_code == 302
