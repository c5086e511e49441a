"""Money: payments, refunds, the append-only ledger, and what processors told us."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

import bedside.payments.receipt_models  # files of their own; Django finds models through this one
import bedside.payments.reconciliation_models
from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.core.fields import EncryptedTextField
from bedside.core.models import APPEND_ONLY
from bedside.core.money import Money
from bedside.payments.close_models import CLOSED_DAYS_STAY
from bedside.payments.states import PaymentStatus, RefundStatus

MANUAL = "manual"  # the "processor" of money that the desk took


class Method(models.TextChoices):
    """How the desk was paid."""

    CASH = "cash", _("Cash")
    TERMINAL = "terminal", _("Card terminal")
    TRANSFER = "transfer", _("Bank transfer")
    WAIVED = "waived", _("Waived: nothing to pay")


class Payment(models.Model):
    """One attempt to be paid for an appointment. Its id is the processor's idempotency key."""

    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="payments")
    status = models.CharField(max_length=12, choices=[(s.value, s.value) for s in PaymentStatus], default="initiated")
    amount_minor = models.PositiveIntegerField(help_text="Asked for, minor units, tax included.")
    currency = models.CharField(max_length=3)
    discount_amount = models.PositiveIntegerField(default=0, help_text="What the promo code took off, minor units.")
    tax_amount = models.PositiveIntegerField(default=0, help_text="Tax within the visit's price, minor units.")
    captured_minor = models.PositiveIntegerField(default=0, help_text="Received, minor units.")
    refunded_minor = models.PositiveIntegerField(
        default=0, help_text="Given back so far (pending refunds included), minor units."
    )
    credited_minor = models.PositiveIntegerField(
        default=0, help_text="Turned into credits instead of being given back, minor units."
    )
    credit_minor = models.PositiveIntegerField(
        default=0, help_text="Paid with the patient's credits, minor units; not part of the amount."
    )
    method = models.CharField(
        max_length=10,
        blank=True,
        default="",
        choices=Method.choices,
        help_text="How it was paid at the desk; empty where a processor took it.",
    )
    reference = EncryptedTextField(
        blank=True, default="", help_text="A receipt's or a transfer's number, or why it was waived; sealed."
    )
    processor = models.CharField(max_length=12, help_text="sandbox, stripe, manual, ...")
    session_id = models.CharField(max_length=120, blank=True, default="", help_text="The processor's checkout session.")
    session_url = models.TextField(blank=True, default="", help_text="Where the patient pays.")
    session_expires_at = models.DateTimeField(null=True)
    intent_id = models.CharField(max_length=120, blank=True, default="", help_text="The processor's payment.")
    failure_code = models.CharField(max_length=60, blank=True, default="", help_text="Why the last try was declined.")
    created_at = models.DateTimeField(default=clock.now)
    succeeded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["processor", "session_id"], condition=~models.Q(session_id=""), name="payment_session_once"
            ),
            models.UniqueConstraint(
                fields=["processor", "intent_id"], condition=~models.Q(intent_id=""), name="payment_intent_once"
            ),
            models.CheckConstraint(
                condition=models.Q(refunded_minor__lte=models.F("captured_minor")), name="payment_no_over_refund"
            ),
            models.CheckConstraint(
                condition=models.Q(captured_minor__gte=models.F("refunded_minor") + models.F("credited_minor")),
                name="payment_no_over_return",
            ),
            models.CheckConstraint(condition=models.Q(status__in=sorted(PaymentStatus)), name="payment_status_known"),
            models.CheckConstraint(
                condition=models.Q(method="") | models.Q(processor=MANUAL), name="payment_method_is_the_desks"
            ),
            models.CheckConstraint(
                condition=~models.Q(method="waived") | models.Q(captured_minor=0), name="payment_waived_is_nothing"
            ),
        ]
        indexes = [
            models.Index(fields=["session_expires_at"], name="payment_open", condition=models.Q(status="initiated"))
        ]

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def refundable_minor(self) -> int:
        """What may still be given back or turned into credit; what is on its way back is counted as gone."""
        return self.captured_minor - self.refunded_minor - self.credited_minor

    @property
    def is_manual(self) -> bool:
        return self.processor == MANUAL


# The row of the payment is locked by the flow; this holds for whoever writes without it.
NEVER_MORE_THAN_CAPTURED = pgtrigger.Trigger(
    name="never_more_than_captured",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update,
    declare=[("captured", "bigint"), ("back", "bigint")],
    func="""
        SELECT captured_minor - credited_minor INTO captured FROM payments_payment WHERE id = NEW.payment_id FOR UPDATE;
        SELECT coalesce(sum(refund_amount), 0) INTO back FROM payments_refund
            WHERE payment_id = NEW.payment_id AND status <> 'failed' AND id <> NEW.id;
        IF NEW.status <> 'failed' AND back + NEW.refund_amount > captured THEN
            RAISE EXCEPTION 'refunds of payment % would be more than was captured', NEW.payment_id
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)


class Refund(models.Model):
    """Money on its way back. Counted against the payment from the moment it is asked for."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    refund_amount = models.PositiveIntegerField(help_text="Minor units.")
    status = models.CharField(max_length=10, choices=[(s.value, s.value) for s in RefundStatus], default="pending")
    reason = EncryptedTextField(blank=True, default="")
    refund_id = models.CharField(max_length=120, blank=True, default="", help_text="The processor's refund.")
    requested_by = models.CharField(max_length=12, help_text="patient, admin or system.")
    requested_by_id = models.BigIntegerField(null=True)
    idempotency_key = models.CharField(max_length=120, unique=True)
    failure_code = models.CharField(max_length=60, blank=True, default="")
    asked_at = models.DateTimeField(null=True, help_text="When it was first asked for under the present key, UTC.")
    attempt = models.PositiveSmallIntegerField(
        default=0, help_text="Which of its keys it is asked under: a new one only when the old surely made nothing."
    )
    created_at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        triggers = [NEVER_MORE_THAN_CAPTURED]
        constraints = [
            models.CheckConstraint(condition=models.Q(refund_amount__gt=0), name="refund_above_zero"),
            models.CheckConstraint(condition=models.Q(status__in=sorted(RefundStatus)), name="refund_status_known"),
            models.UniqueConstraint(
                fields=["refund_id"], condition=~models.Q(refund_id=""), name="refund_processor_once"
            ),
        ]


class EntryKind(models.TextChoices):
    CHARGE = "charge"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    CREDIT_ISSUED = "credit_issued"
    CREDIT_USED = "credit_used"
    CREDIT_RETURNED = "credit_returned"
    CREDIT_EXPIRED = "credit_expired"
    CREDIT_REVERSED = "credit_reversed"
    DISPUTE = "dispute"
    FEE = "fee"


class LedgerEntry(models.Model):
    """The only source of sales figures: one line per thing that money did. Append-only, held by the database."""

    kind = models.CharField(max_length=20, choices=EntryKind.choices)
    amount_minor = models.BigIntegerField(help_text="Signed minor units: in is positive, out is negative.")
    currency = models.CharField(max_length=3)
    processor = models.CharField(max_length=12)
    processor_object = models.CharField(max_length=120, help_text="The processor's object that this line stands for.")
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="ledger")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="ledger")
    service_id = models.BigIntegerField()
    provider_id = models.BigIntegerField()
    occurred_at = models.DateTimeField(help_text="When the processor says it happened, UTC.")
    practice_day = models.DateField(
        help_text="The day it counts on: the same as a day of the practice's zone, or the first open day after that."
    )
    tax_minor = models.BigIntegerField(default=0, help_text="Tax within the amount, signed as it is.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "processor", "processor_object"], name="ledger_once_per_object"),
            models.CheckConstraint(
                condition=(models.Q(kind__in=["charge", "refund_failed"], amount_minor__gte=0))
                | (models.Q(kind__in=["refund"], amount_minor__lte=0))
                | ~models.Q(kind__in=["charge", "refund", "refund_failed"]),
                name="ledger_sign_fits_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["practice_day", "kind"], name="ledger_day"),
            models.Index(fields=["processor", "occurred_at"], name="ledger_occurred"),
        ]
        triggers = [*APPEND_ONLY, CLOSED_DAYS_STAY]


class ProcessorEvent(models.Model):
    """A webhook as it came: stored first, handled by a job, unique by the vendor's event id."""

    processor = models.CharField(max_length=12)
    event_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=80)
    object_id = models.CharField(max_length=120, blank=True, default="")
    received_at = models.DateTimeField(default=clock.now)
    processed_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="", help_text="Why the last try to handle it failed.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often handling it was tried.")
    note = models.CharField(
        max_length=60, blank=True, default="", help_text="Why it led to nothing: unknown, or of another environment."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["processor", "event_id"], name="processor_event_once")]
        indexes = [
            models.Index(fields=["-id"], name="processor_event_waiting", condition=models.Q(processed_at__isnull=True))
        ]


# Credits, disputes and payouts have files of their own; Django finds models through this one.
import bedside.payments.bank_models  # noqa: E402
import bedside.payments.credit_models  # noqa: E402, F401
