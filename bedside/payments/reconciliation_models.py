"""Reconciliation: each comparison of the ledger with the processor, and what did not match."""

from __future__ import annotations

from django.db import models

from bedside.core import clock
from bedside.core.fields import EncryptedTextField


class RunStatus(models.TextChoices):
    RUNNING = "running"
    BALANCED = "balanced"
    MISMATCHED = "mismatched"
    FAILED = "failed"


class ReconciliationRun(models.Model):
    """One comparison over some practice days, both included. Amounts are minor units, signed, of one currency."""

    processor = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    first = models.DateField()
    last = models.DateField()
    status = models.CharField(max_length=12, choices=RunStatus.choices, default=RunStatus.RUNNING)
    started_at = models.DateTimeField(default=clock.now, help_text="UTC.")
    finished_at = models.DateTimeField(null=True, help_text="UTC.")
    asked_by = models.CharField(max_length=12, default="system", help_text="admin or system.")
    asked_by_id = models.BigIntegerField(null=True)
    matched = models.PositiveIntegerField(default=0, help_text="Objects that agree in amount and state.")
    missing_here = models.PositiveIntegerField(default=0)
    missing_there = models.PositiveIntegerField(default=0)
    different = models.PositiveIntegerField(default=0, help_text="Known to both, with another amount or state.")
    explained = models.PositiveIntegerField(default=0, help_text="Mismatches that somebody had looked into before.")
    ours_minor = models.BigIntegerField(default=0, help_text="What the ledger says moved at the processor.")
    theirs_minor = models.BigIntegerField(default=0, help_text="What the processor says moved.")
    fees_minor = models.BigIntegerField(default=0, help_text="Fees by the processor's books, positive.")
    payouts_minor = models.BigIntegerField(default=0, help_text="Sent to the practice's bank in these days.")
    payout_count = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=60, blank=True, default="", help_text="Why it could not be finished.")

    class Meta:
        indexes = [models.Index(fields=["-id"], name="reconciliation_newest")]
        constraints = [
            models.CheckConstraint(condition=models.Q(last__gte=models.F("first")), name="reconciliation_days_in_order")
        ]

    def __str__(self) -> str:
        return f"reconciliation {self.pk}"

    @property
    def difference_minor(self) -> int:
        return self.ours_minor - self.theirs_minor


class MismatchKind(models.TextChoices):
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT = "amount"
    STATE = "state"
    PARTS = "parts"


class Mismatch(models.Model):
    """One object on which the ledger and the processor disagree. One open row per object, seen again by later runs."""

    run = models.ForeignKey(ReconciliationRun, on_delete=models.PROTECT, related_name="mismatches")
    kind = models.CharField(max_length=14, choices=MismatchKind.choices)
    processor = models.CharField(max_length=12)
    what = models.CharField(max_length=10, help_text="charge, refund, dispute, fee or payout.")
    object_id = models.CharField(max_length=120, help_text="The processor's object.")
    currency = models.CharField(max_length=3)
    ours_minor = models.BigIntegerField(
        null=True, help_text="By the ledger or the payouts here, signed; null: unknown here."
    )
    theirs_minor = models.BigIntegerField(null=True, help_text="By the processor, signed; null: unknown there.")
    theirs_state = models.CharField(max_length=20, blank=True, default="", help_text="The processor's word.")
    occurred_at = models.DateTimeField(help_text="When, by whoever knows it, UTC.")
    payment = models.ForeignKey("payments.Payment", null=True, on_delete=models.PROTECT, related_name="mismatches")
    first_seen_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(
        max_length=12, blank=True, default="", help_text="admin, or system: it agreed later."
    )
    resolved_by_id = models.BigIntegerField(null=True)
    note = EncryptedTextField(blank=True, default="", help_text="What somebody found out; sealed.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["processor", "what", "object_id"],
                condition=models.Q(resolved_at__isnull=True),
                name="mismatch_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(ours_minor__isnull=False) | models.Q(theirs_minor__isnull=False),
                name="mismatch_known_to_somebody",
            ),
        ]
        indexes = [models.Index(fields=["processor", "what", "object_id"], name="mismatch_object")]

    def __str__(self) -> str:
        return f"mismatch {self.pk}"


class ProcessorObject(models.Model):
    """What the processor listed, laid down while a run compares it, then thrown away."""

    run_id = models.BigIntegerField()
    what = models.CharField(max_length=10)
    object_id = models.CharField(max_length=120)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=20)
    at = models.DateTimeField()
    reference = models.CharField(max_length=120)

    class Meta:
        indexes = [models.Index(fields=["run_id", "what", "object_id"], name="processor_object_of_run")]
