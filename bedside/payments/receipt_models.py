"""Receipts: numbered without gaps, written once, sealed; and the codes that insurers ask for."""

from __future__ import annotations

import json
from typing import Any

import pgtrigger
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from bedside.core import clock
from bedside.core.crypto import blind_index
from bedside.core.fields import EncryptedTextField
from bedside.core.models import APPEND_ONLY

DIGEST = "receipt"


class ReceiptKind(models.TextChoices):
    PAYMENT = "payment", _("Receipt")
    REFUND = "refund", _("Refund receipt")
    REFUND_FAILED = "refund_failed", _("Correction of a refund receipt")
    STATEMENT = "statement", _("Statement for the insurer")


class ReceiptCounter(models.Model):
    """The last number given out: one row, counted up in the transaction that writes the receipt."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="receipt_counter_one_row")]


# A new key may seal the same words anew (`bedside rotate-keys`); the digest, which nothing can change, holds them.
NOTHING_BUT_THE_SEAL = pgtrigger.Trigger(
    name="nothing_but_the_seal",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    func="""
        IF (NEW.id, NEW.number, NEW.kind, NEW.payment_id, NEW.refund_id, NEW.issued_at, NEW.digest) IS DISTINCT FROM
           (OLD.id, OLD.number, OLD.kind, OLD.payment_id, OLD.refund_id, OLD.issued_at, OLD.digest) THEN
            RAISE EXCEPTION 'receipt % says what it said', OLD.number USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    """,
)
NUMBERED_BY_THE_COUNTER = pgtrigger.Trigger(
    name="numbered_by_the_counter",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    func="""
        IF NEW.number IS DISTINCT FROM (SELECT last FROM payments_receiptcounter WHERE id = 1) THEN
            RAISE EXCEPTION 'receipt % is not the next number', NEW.number USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    """,
)


class Receipt(models.Model):
    """One numbered document, as it was handed out. It is never changed: what comes later gets a number of its own."""

    number = models.PositiveIntegerField(unique=True, help_text="Without gaps, over all kinds.")
    kind = models.CharField(max_length=14, choices=ReceiptKind.choices)
    payment = models.ForeignKey("payments.Payment", on_delete=models.PROTECT, related_name="receipts")
    refund = models.ForeignKey("payments.Refund", null=True, on_delete=models.PROTECT, related_name="receipts")
    issued_at = models.DateTimeField(default=clock.now, help_text="UTC.")
    says = EncryptedTextField(help_text="Everything it says, as JSON; sealed.")
    digest = models.BinaryField(max_length=16, help_text="Keyed hash of what it says.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment"], condition=models.Q(kind="payment"), name="receipt_once_per_payment"
            ),
            models.UniqueConstraint(
                fields=["refund", "kind"], condition=models.Q(refund__isnull=False), name="receipt_once_per_refund"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["refund", "refund_failed"], refund__isnull=False)
                | models.Q(kind__in=["payment", "statement"], refund__isnull=True),
                name="receipt_refund_fits_kind",
            ),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="receipt_numbers_from_one"),
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            NOTHING_BUT_THE_SEAL,
            NUMBERED_BY_THE_COUNTER,
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The number as people read it: R-000042."""
        return f"R-{self.number:06d}"

    @property
    def filename(self) -> str:
        return f"{self.label}.pdf"

    @property
    def is_genuine(self) -> bool:
        """Whether it still says what it was written with."""
        return bytes(self.digest) == blind_index(DIGEST, self.says)

    @property
    def content(self) -> dict[str, Any]:
        """What it says; see `bedside.flows.receipt`. ``is_genuine`` is for whoever shows it to ask."""
        content: dict[str, Any] = json.loads(self.says)
        return content


class PracticeBilling(models.Model):
    """What receipts say of the practice beyond its name and number: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    legal_name = models.CharField(
        _("legal name"), max_length=160, blank=True, default="", help_text=_("Where it differs from the name.")
    )
    address = models.TextField(
        _("address"), max_length=400, blank=True, default="", help_text=_("As it stands on receipts.")
    )
    tax_id = models.CharField(
        _("tax number"),
        max_length=40,
        blank=True,
        default="",
        help_text=_("For example the EIN, which insurers ask for."),
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="practice_billing_one_row")]


PROCEDURE = RegexValidator(r"^[0-9A-Z]{5}$", _("A procedure code has five letters or digits, for example 99213."))


class ServiceBilling(models.Model):
    """The procedure code (CPT or HCPCS) that a service usually goes by."""

    service = models.OneToOneField("clinic.Service", on_delete=models.CASCADE, related_name="billing")
    procedure_code = models.CharField(max_length=5, blank=True, default="", validators=[PROCEDURE])


class VisitCodes(models.Model):
    """What an insurer asks for about one visit, as the desk entered it. Diagnoses are sealed."""

    appointment = models.OneToOneField("appointments.Appointment", on_delete=models.PROTECT, related_name="codes")
    procedure_code = models.CharField(max_length=5, blank=True, default="", help_text="CPT or HCPCS.")
    modifiers = models.CharField(max_length=20, blank=True, default="", help_text="Two characters each, with spaces.")
    place_of_service = models.CharField(max_length=2, blank=True, default="", help_text="02 or 10 for a video visit.")
    diagnoses = EncryptedTextField(blank=True, default="", help_text="ICD-10-CM codes with spaces; sealed.")
    updated_at = models.DateTimeField(default=clock.now)
