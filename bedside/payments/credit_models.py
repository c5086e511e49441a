"""Credits: what the practice owes a patient in visits instead of money, and every move of it."""

from __future__ import annotations

import pgtrigger
from django.db import models

from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.core.fields import BlindIndexField, EncryptedTextField
from bedside.core.models import APPEND_ONLY
from bedside.core.money import Money
from bedside.payments.models import Payment


class Credit(models.Model):
    """Money owed in visits, to one patient, until a day. What is left of it is the sum of its entries."""

    code = EncryptedTextField(help_text="What the patient types to spend it; sealed.")
    code_index = BlindIndexField(source="code", kind="credit-code", unique=True)
    patient_name = EncryptedTextField(help_text="Whose it is; sealed.")
    patient_email = EncryptedTextField(help_text="Email address; sealed.")
    patient_email_index = BlindIndexField(source="patient_email", kind="email")
    patient_mobile = EncryptedTextField(help_text="Mobile number, E.164; sealed.")
    patient_mobile_index = BlindIndexField(source="patient_mobile", kind="mobile")
    amount_minor = models.PositiveIntegerField(help_text="What it was issued for, minor units.")
    currency = models.CharField(max_length=3, help_text="ISO 4217.")
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, related_name="credits_issued", help_text="The visit that it came from."
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="credits_issued", help_text="The payment of that visit."
    )
    goodwill = models.BooleanField(
        default=False, help_text="A gift of the practice: doesn't stand in for money that was paid."
    )
    reason = EncryptedTextField(blank=True, default="", help_text="Why it was issued; sealed.")
    issued_by = models.CharField(max_length=12, help_text="patient, admin or system.")
    issued_by_id = models.BigIntegerField(null=True, help_text="The user's id where somebody was signed in.")
    expires_at = models.DateTimeField(help_text="When what is left of it lapses, UTC.")
    idempotency_key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(default=clock.now, help_text="When it was issued, UTC.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="credit_above_zero")]
        indexes = [
            models.Index(fields=["patient_email_index"], name="credit_email"),
            models.Index(fields=["patient_mobile_index"], name="credit_mobile"),
            models.Index(fields=["expires_at"], name="credit_expiry"),
        ]

    def __str__(self) -> str:
        return f"credit {self.pk}"

    @property
    def shown_code(self) -> str:
        """The code in groups of four, as it is said and typed."""
        return "-".join(self.code[at : at + 4] for at in range(0, len(self.code), 4))

    @property
    def left_minor(self) -> int:
        """What is left, minor units. Locked by the row, if it is to be relied on."""
        return int(self.entries.aggregate(left=models.Sum("amount_minor"))["left"] or 0)

    @property
    def left(self) -> Money:
        return Money(self.left_minor, self.currency)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= clock.now()


class CreditKind(models.TextChoices):
    ISSUED = "issued"
    USED = "used"
    RETURNED = "returned"
    EXPIRED = "expired"
    REVERSED = "reversed"


# The flow locks the credit's row first; this holds for whoever writes without it.
BALANCE_STAYS_BETWEEN = pgtrigger.Trigger(
    name="balance_stays_between",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    declare=[("issued", "bigint"), ("balance", "bigint")],
    func="""
        SELECT amount_minor INTO issued FROM payments_credit WHERE id = NEW.credit_id FOR UPDATE;
        SELECT coalesce(sum(amount_minor), 0) + NEW.amount_minor INTO balance
            FROM payments_creditentry WHERE credit_id = NEW.credit_id;
        IF balance < 0 OR balance > issued THEN
            RAISE EXCEPTION 'the balance of credit % would be %', NEW.credit_id, balance
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)


class CreditEntry(models.Model):
    """One move of a credit, signed: in is positive. Append-only, and the sum never leaves 0 to what was issued."""

    credit = models.ForeignKey(Credit, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=10, choices=CreditKind.choices)
    amount_minor = models.IntegerField(help_text="Signed minor units.")
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="credit_entries", help_text="The payment that it moved for."
    )
    actor_kind = models.CharField(max_length=12, help_text="patient, admin or system.")
    actor_id = models.BigIntegerField(null=True)
    reason = EncryptedTextField(blank=True, default="")
    idempotency_key = models.CharField(max_length=120, unique=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["issued", "returned"], amount_minor__gt=0)
                | models.Q(kind__in=["used", "expired", "reversed"], amount_minor__lt=0),
                name="credit_entry_sign_fits_kind",
            )
        ]
        triggers = [*APPEND_ONLY, BALANCE_STAYS_BETWEEN]
