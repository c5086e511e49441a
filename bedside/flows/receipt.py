"""Receipt: one numbered document per payment, per refund, and per statement that an insurer is to get.

What it says is gathered once, at issue, and kept sealed: later changes to names, prices or codes don't reach it.
Amounts are minor units; days are the practice's.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.crypto import blind_index
from bedside.payments.errors import NothingToReceipt
from bedside.payments.models import Payment, Refund
from bedside.payments.receipt_models import (
    DIGEST,
    PracticeBilling,
    Receipt,
    ReceiptKind,
    ServiceBilling,
    VisitCodes,
)
from bedside.payments.states import RefundStatus

NEXT_NUMBER = """
    INSERT INTO payments_receiptcounter (id, last) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET last = payments_receiptcounter.last + 1 RETURNING last
"""


def issue(*, payment_id: int) -> Receipt:
    """The receipt of a payment, written at the first call. Raises NothingToReceipt where nothing was paid."""
    with transaction.atomic():
        payment = _locked(payment_id)
        found = Receipt.objects.filter(payment=payment, kind=ReceiptKind.PAYMENT).first()
        if found is not None:
            return found
        if not payment.captured_minor and not payment.credit_minor:
            raise NothingToReceipt
        return _write(ReceiptKind.PAYMENT, payment, what_was_paid(payment))


def issue_for_refund(*, refund_id: int) -> Receipt:
    """The refund's own receipt, after that of its payment. Raises NothingToReceipt until the money has gone back."""
    with transaction.atomic():
        refund = Refund.objects.select_related("payment").get(pk=refund_id)
        payment = _locked(refund.payment_id)
        found = Receipt.objects.filter(refund=refund, kind=ReceiptKind.REFUND).first()
        if found is not None:
            return found
        refund.refresh_from_db()
        if refund.status != RefundStatus.SUCCEEDED:
            raise NothingToReceipt
        first = issue(payment_id=payment.pk)
        return _write(ReceiptKind.REFUND, payment, _what_went_back(refund, first), refund=refund)


def correct_refund(*, refund_id: int) -> Receipt | None:
    """A refund that failed after its receipt was handed out: a correction with its own number. None: none is needed."""
    with transaction.atomic():
        refund = Refund.objects.select_related("payment").get(pk=refund_id)
        payment = _locked(refund.payment_id)
        refund.refresh_from_db()
        wrong = Receipt.objects.filter(refund=refund, kind=ReceiptKind.REFUND).first()
        if wrong is None or refund.status != RefundStatus.FAILED:
            return None
        found = Receipt.objects.filter(refund=refund, kind=ReceiptKind.REFUND_FAILED).first()
        return found or _write(ReceiptKind.REFUND_FAILED, payment, _what_went_back(refund, wrong), refund=refund)


def issue_statement(*, payment_id: int, actor: Actor) -> Receipt:
    """The statement that an insurer asks for, with the codes of this moment. Each call is a new document."""
    with transaction.atomic():
        payment = _locked(payment_id)
        first = issue(payment_id=payment.pk)
        content = what_was_paid(payment) | {"of": first.label, "codes": codes_of(payment.appointment)}
        gone = payment.refunds.filter(status=RefundStatus.SUCCEEDED)
        content["returned_minor"] = sum(refund.refund_amount for refund in gone)
        return _write(ReceiptKind.STATEMENT, payment, content, actor=actor)


def _locked(payment_id: int) -> Payment:
    rows = Payment.objects.select_related("appointment__service", "appointment__provider")
    return rows.select_for_update(of=("self",)).get(pk=payment_id)


def _write(
    kind: ReceiptKind,
    payment: Payment,
    content: dict[str, Any],
    *,
    refund: Refund | None = None,
    actor: Actor | None = None,
) -> Receipt:
    """The number is taken last, in this transaction: another's waits for the row, and a rollback gives it back."""
    practice, now = Practice.current(), clock.now()
    content |= {"kind": kind.value, "issued_on": _day(now, practice.zone)}
    says = json.dumps(content, ensure_ascii=False, sort_keys=True)
    with connection.cursor() as cursor:
        cursor.execute(NEXT_NUMBER)
        number = cursor.fetchone()[0]
    receipt = Receipt.objects.create(
        number=number,
        kind=kind,
        payment=payment,
        refund=refund,
        issued_at=now,
        says=says,
        digest=blind_index(DIGEST, says),
    )
    audit.record(
        actor or Actor.system(), "receipt.issued", payment.appointment, after={"number": number, "kind": kind.value}
    )
    return receipt


def what_was_paid(payment: Payment) -> dict[str, Any]:
    """Who, what, when and how much, as it stands at this moment."""
    appointment, practice = payment.appointment, Practice.current()
    billing = PracticeBilling.objects.filter(pk=1).first() or PracticeBilling()
    provider, service = appointment.provider, appointment.service
    return {
        "practice": {
            "name": practice.name,
            "legal_name": billing.legal_name,
            "address": billing.address,
            "phone": practice.phone,
            "email": practice.email,
            "tax_id": billing.tax_id,
            "country": practice.country,
        },
        "patient": {"name": appointment.patient_name},
        "provider": {
            "name": provider.name,
            "title": provider.title,
            "npi": getattr(provider, "npi", ""),
            "licenses": _licenses(provider),
        },
        "visit": {
            "code": appointment.code,
            "service": service.name,
            "discreet": service.discreet_name,
            "start": appointment.start.isoformat(),
            "zone": appointment.patient_timezone,
            "minutes": int((appointment.end - appointment.start).total_seconds() // 60),
        },
        "currency": payment.currency,
        "lines": _lines(payment),
        "total_minor": payment.amount_minor + payment.credit_minor,
        "credit_minor": payment.credit_minor,
        "paid_minor": payment.captured_minor,
        "paid_on": _day(payment.succeeded_at or payment.created_at, practice.zone),
        "how": payment.method or "card",
        "reference": payment.reference if payment.is_manual else payment.intent_id,
    }


def _lines(payment: Payment) -> list[dict[str, Any]]:
    """Price, discount and tax, in that order; what is zero is left out, save the price.

    They add up to the total, except a tax that the price holds already, which comes last.
    """
    appointment = payment.appointment
    lines: list[dict[str, Any]] = [{"what": "price", "minor": appointment.list_price.minor_units}]
    if appointment.discount_amount:
        lines.append({"what": "discount", "minor": -appointment.discount_amount})
    if appointment.tax_amount and not appointment.tax_inclusive:
        lines.append({"what": "tax", "minor": appointment.tax_amount, "name": appointment.tax_name})
    left = payment.amount_minor + payment.credit_minor - sum(line["minor"] for line in lines)
    if left:
        lines.append({"what": "other", "minor": left})
    if appointment.tax_amount and appointment.tax_inclusive:
        lines.append({"what": "tax_included", "minor": appointment.tax_amount, "name": appointment.tax_name})
    return lines


def _licenses(provider: Any) -> list[dict[str, str]]:
    rows = provider.licenses.order_by("place") if hasattr(provider, "licenses") else []
    return [{"place": row.place, "number": row.number} for row in rows]


def _what_went_back(refund: Refund, receipt: Receipt) -> dict[str, Any]:
    practice = Practice.current()
    return what_was_paid(refund.payment) | {
        "of": receipt.label,
        "refund_minor": refund.refund_amount,
        "refund_on": _day(refund.settled_at or clock.now(), practice.zone),
        "refund_reference": refund.refund_id,
    }


def codes_of(appointment: Appointment) -> dict[str, Any]:
    """What an insurer asks for: the visit's own codes, else the service's usual one."""
    codes = VisitCodes.objects.filter(appointment=appointment).first() or VisitCodes()
    usual = ServiceBilling.objects.filter(service=appointment.service_id).first() or ServiceBilling()
    return {
        "procedure": codes.procedure_code or usual.procedure_code,
        "modifiers": codes.modifiers.split(),
        "place": codes.place_of_service,
        "diagnoses": codes.diagnoses.split(),
    }


def _day(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).date().isoformat()
