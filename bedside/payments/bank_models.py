"""What the processor does with the practice's money apart from payments: disputes and payouts."""

from __future__ import annotations

from django.db import models

from bedside.core import clock
from bedside.core.money import Money
from bedside.payments.models import Payment
from bedside.payments.states import DISPUTE_OVER, DISPUTE_UNANSWERED


class Dispute(models.Model):
    """A patient's bank takes a payment back, or asks about it. One row per dispute of the processor's.

    What it moved is in the ledger (kind ``dispute``, and ``fee``), by the processor's balance transactions.
    """

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    processor = models.CharField(max_length=12)
    dispute_id = models.CharField(max_length=120, help_text="The processor's dispute.")
    status = models.CharField(max_length=30, help_text="Stripe's word: needs_response, under_review, won, lost, ...")
    reason = models.CharField(max_length=60, help_text="The bank's word for why, for example fraudulent.")
    amount_minor = models.PositiveIntegerField(help_text="What is disputed, minor units.")
    currency = models.CharField(max_length=3)
    refundable = models.BooleanField(default=False, help_text="Only asked about: a refund may still end it.")
    due_at = models.DateTimeField(null=True, help_text="Evidence counts until then, UTC.")
    opened_at = models.DateTimeField(help_text="When the bank opened it, UTC.")
    closed_at = models.DateTimeField(null=True, help_text="When we learned how it ended, UTC.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["processor", "dispute_id"], name="dispute_once"),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="dispute_above_zero"),
        ]
        indexes = [models.Index(fields=["-opened_at", "-id"], name="dispute_newest")]

    def __str__(self) -> str:
        return f"dispute {self.pk}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def is_over(self) -> bool:
        return self.status in DISPUTE_OVER

    @property
    def needs_answer(self) -> bool:
        return self.status in DISPUTE_UNANSWERED


class Payout(models.Model):
    """Money on its way from the processor to the practice's bank."""

    processor = models.CharField(max_length=12)
    payout_id = models.CharField(max_length=120, help_text="The processor's payout.")
    amount_minor = models.BigIntegerField(help_text="Minor units; below zero where the processor collects.")
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20, help_text="pending, in_transit, paid, failed or canceled.")
    failure_code = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField(help_text="When the processor made it, UTC.")
    arrives_at = models.DateTimeField(help_text="When the bank should have it, UTC.")
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["processor", "payout_id"], name="payout_once")]

    def __str__(self) -> str:
        return f"payout {self.pk}"
