"""What the desk's list and its figures are read from, kept by triggers (``standing_sql``), and the views people save.

The appointment, its payments and the ledger stay the truth. A `Standing` is where an appointment stands among them,
narrow enough for a million to be filtered and sorted; `Takings` are the ledger's sales added up by day. Nothing else
writes them.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from bedside.accounts.models import User
from bedside.appointments.models import Appointment
from bedside.core import clock

FILTERED = ["listed", "service_id", "provider_id", "status", "payment_status", "paid_first", "paid_last"]


class Standing(models.Model):
    """One appointment as the list filters and sorts it. Written in the transaction that changes what it repeats."""

    appointment = models.OneToOneField(
        Appointment, on_delete=models.DO_NOTHING, primary_key=True, related_name="standing"
    )
    start = models.DateTimeField(help_text="UTC.")
    created_at = models.DateTimeField(help_text="UTC.")
    visit_day = models.DateField(help_text="The practice's day on which it starts.")
    service_id = models.BigIntegerField()
    provider_id = models.BigIntegerField()
    status = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    listed = models.BooleanField(default=True, help_text="False: an offer to the waitlist, which is no visit.")
    payment_status = models.CharField(max_length=12, default="", help_text="Of its latest payment; empty: none.")
    paid_minor = models.BigIntegerField(default=0, help_text="Captured by its latest payment, minor units.")
    returned_minor = models.BigIntegerField(default=0, help_text="Given back of that, minor units.")
    paid_first = models.DateTimeField(null=True, help_text="When the first of its payments succeeded, UTC.")
    paid_last = models.DateTimeField(null=True, help_text="When the last of its payments succeeded, UTC.")
    gross_minor = models.BigIntegerField(default=0, help_text="All its ledger's charges, minor units.")
    refunds_minor = models.BigIntegerField(default=0, help_text="All its refunds, less those that failed.")
    charges = models.PositiveIntegerField(default=0, help_text="How many charges its ledger has.")

    lines = ArrayField(models.BigIntegerField(), default=list, help_text="The ledger lines of sales that are counted.")

    class Meta:
        indexes = [
            # Walked in their order, filters and all, without touching the rows: what few of them match is found soon.
            models.Index(fields=["start", "appointment"], include=FILTERED, name="standing_start"),
            models.Index(fields=["created_at", "appointment"], include=FILTERED, name="standing_created"),
            models.Index(fields=["paid_minor", "appointment"], name="standing_paid"),
            models.Index(fields=["provider_id", "start", "appointment"], name="standing_provider"),
            models.Index(fields=["status", "start", "appointment"], name="standing_status"),
            models.Index(fields=["payment_status", "start", "appointment"], name="standing_payment"),
            models.Index(fields=["paid_first"], name="standing_paid_first"),
            models.Index(
                fields=["appointment"],
                name="standing_paid_again",
                condition=models.Q(paid_last__gt=models.F("paid_first")),
            ),
            models.Index(fields=["appointment"], name="standing_paid_twice", condition=models.Q(charges__gt=1)),
        ]


class Basis(models.TextChoices):
    """Which day a line of the ledger is counted on."""

    VISIT = "visit"
    PAYMENT = "payment"


class Takings(models.Model):
    """Ledger lines of sales, added up. Rows of the same key add up too: writers only insert, `takings.fold` merges."""

    basis = models.CharField(max_length=7, choices=Basis.choices)
    day = models.DateField(help_text="The visit's day, or the practice day on which the line counts.")
    service_id = models.BigIntegerField()
    status = models.CharField(max_length=16)
    payment_status = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    gross_minor = models.BigIntegerField()
    refunds_minor = models.BigIntegerField()
    paid = models.IntegerField(help_text="By visits: appointments with a charge. By payments: charges.")
    folded = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["basis", "day"], name="takings_day"),
            models.Index(fields=["id"], name="takings_loose", condition=models.Q(folded=False)),
        ]


class SavedView(models.Model):
    """A name for the filters and the order of a list. Without an owner it is everybody's."""

    owner = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.CharField(
        max_length=600, help_text="As in the address, without the page. No search: it names people."
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="saved_view_name_once", nulls_distinct=False),
            models.CheckConstraint(condition=~models.Q(name=""), name="saved_view_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
