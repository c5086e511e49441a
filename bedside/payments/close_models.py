"""The daily close: what a practice day came to, fixed for good once the day is closed."""

from __future__ import annotations

import pgtrigger
from django.db import models

from bedside.core import clock
from bedside.core.models import APPEND_ONLY

# Closing takes this advisory lock alone; every line of the ledger takes it together with others.
CLOSE_LOCK = 4_210_026

# A line that belongs to a closed day counts on the first open one: closed days never change, corrections have theirs.
# The lock makes a closing wait for lines under way, and lines that come later see the close.
CLOSED_DAYS_STAY = pgtrigger.Trigger(
    name="closed_days_stay",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    declare=[("closed", "date")],
    func=f"""
        PERFORM pg_advisory_xact_lock_shared({CLOSE_LOCK});
        SELECT max(practice_day) INTO closed FROM payments_dailyclose;
        IF NEW.practice_day <= closed THEN
            NEW.practice_day := closed + 1;
        END IF;
        RETURN NEW;
    """,  # noqa: S608  # a number of ours
)


class Figures(models.Model):
    """The figures of a set of ledger lines, minor units. Refunds, fees and disputes are positive when money leaves."""

    gross_minor = models.BigIntegerField(help_text="Money captured, tax included, discounts taken off.")
    refunds_minor = models.BigIntegerField(help_text="Money given back, less refunds that failed.")
    net_minor = models.BigIntegerField(help_text="Gross less refunds.")
    fees_minor = models.BigIntegerField(help_text="What the processor kept.")
    disputes_minor = models.BigIntegerField(help_text="Taken back by banks, less what was won.")
    credits_issued_minor = models.BigIntegerField(help_text="New credits: owed in visits.")
    credits_used_minor = models.BigIntegerField(help_text="Credits spent on visits.")
    tax_minor = models.BigIntegerField(help_text="Tax within net.")
    paid_count = models.PositiveIntegerField(help_text="Appointments with captured money.")
    entries = models.PositiveIntegerField(help_text="Lines of the ledger.")

    class Meta:
        abstract = True


class DailyClose(Figures):
    """One practice day in one currency. Written once after the day is over; never changed."""

    practice_day = models.DateField()
    currency = models.CharField(max_length=3)
    average_minor = models.BigIntegerField(help_text="Average order value: gross per paid appointment.")
    by_kind = models.JSONField(default=dict, help_text="Signed minor units of every kind of ledger line.")
    late_entries = models.PositiveIntegerField(
        default=0, help_text="Lines of earlier days, known only after those were closed."
    )
    closed_at = models.DateTimeField(default=clock.now, help_text="UTC.")

    class Meta:
        ordering = ["-practice_day", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["practice_day", "currency"], name="daily_close_once"),
            models.CheckConstraint(
                condition=models.Q(net_minor=models.F("gross_minor") - models.F("refunds_minor")),
                name="daily_close_net_is_gross_less_refunds",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.practice_day} {self.currency}"


class Dimension(models.TextChoices):
    SERVICE = "service"
    PROVIDER = "provider"


class DailyCloseLine(Figures):
    """The part of one service or one provider in a close. The name is as it was that day."""

    close = models.ForeignKey(DailyClose, on_delete=models.PROTECT, related_name="lines")
    dimension = models.CharField(max_length=8, choices=Dimension.choices)
    subject_id = models.BigIntegerField(help_text="The service's or the provider's id.")
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["dimension", "name", "subject_id"]
        constraints = [
            models.UniqueConstraint(fields=["close", "dimension", "subject_id"], name="daily_close_line_once")
        ]
        triggers = APPEND_ONLY
