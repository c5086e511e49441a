"""What changes a price: promo codes and tax rates. Archived instead of deleted: bookings point at them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from bedside.clinic.models import Service
from bedside.core import clock

# ISO 3166: a country (DE), or a state or province where taxes follow those (US-NY).
PLACE = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"

BOTH_DAYS = RangeBoundary(inclusive_lower=True, inclusive_upper=True)


class DateRange(models.Func):
    """Days from the first to the last, both included; an open end is for good."""

    function = "DATERANGE"
    output_field = DateRangeField()


class PromoCode(models.Model):
    """A word for a lower price. Either a part of the price or an amount; its days are the practice's, both included."""

    code = models.CharField(max_length=32, unique=True, help_text="Capital letters, digits and dashes.")
    note = models.CharField(max_length=160, blank=True, default="", help_text="What it is for; patients don't see it.")
    percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, help_text="Taken off the price, up to 100."
    )
    amount_minor = models.PositiveIntegerField(null=True, blank=True, help_text="Taken off the price, minor units.")
    currency = models.CharField(max_length=3, blank=True, default="", help_text="ISO 4217, of an amount.")
    valid_from = models.DateField(null=True, blank=True, help_text="The first day on which it can be used.")
    valid_until = models.DateField(null=True, blank=True, help_text="The last day on which it can be used.")
    services = models.ManyToManyField(
        Service, blank=True, related_name="promo_codes", help_text="Where it applies; none: everywhere."
    )
    limit_total = models.PositiveIntegerField(null=True, blank=True, help_text="Bookings that may use it, in all.")
    limit_per_patient = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Bookings that one patient may use it for, told by email or mobile."
    )
    archived_at = models.DateTimeField(null=True, blank=True, help_text="Since when it can't be used, UTC.")
    created_at = models.DateTimeField(default=clock.now, help_text="UTC.")

    objects: ClassVar[models.Manager[PromoCode]] = models.Manager()

    class Meta:
        ordering: ClassVar[list[Any]] = [F("archived_at").asc(nulls_first=True), "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(code=Upper("code")) & Q(code__regex=r"^[A-Z0-9][A-Z0-9-]{1,31}$"), name="promo_code_shape"
            ),
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=100, amount_minor__isnull=True, currency="")
                | Q(percent__isnull=True, amount_minor__gt=0, currency__regex=r"^[A-Z]{3}$"),
                name="promo_percent_or_amount",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
                name="promo_days_in_order",
            ),
            models.CheckConstraint(
                condition=(Q(limit_total__isnull=True) | Q(limit_total__gte=1))
                & (Q(limit_per_patient__isnull=True) | Q(limit_per_patient__gte=1)),
                name="promo_limits_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def archived(self) -> bool:
        return self.archived_at is not None


class TaxRate(models.Model):
    """A tax on one category of services, for patients in one place, on some days. One rate at most fits a booking."""

    name = models.CharField(max_length=40, help_text="As receipts say it, for example VAT.")
    category = models.CharField(
        max_length=40, blank=True, default="", help_text="The services' tax category; empty: the usual."
    )
    place = models.CharField(
        max_length=6, blank=True, default="", help_text="Where the patient is: US-NY, DE; empty: everywhere else."
    )
    percent = models.DecimalField(max_digits=7, decimal_places=4, help_text="Of the price, for example 8.875.")
    inclusive = models.BooleanField(default=False, help_text="Whether prices hold the tax already; else it is added.")
    valid_from = models.DateField(help_text="Its first day, the practice's; the day of booking counts.")
    valid_until = models.DateField(null=True, blank=True, help_text="Its last day, included; or for good.")
    archived_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        null=True, blank=True, help_text="Since when it is not charged any more, UTC."
    )
    created_at = models.DateTimeField(default=clock.now, help_text="UTC.")

    objects: ClassVar[models.Manager[TaxRate]] = models.Manager()

    class Meta:
        ordering: ClassVar[list[Any]] = [F("archived_at").asc(nulls_first=True), "category", "place", "valid_from"]
        constraints = [
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="tax_percent_sane"),
            models.CheckConstraint(condition=~Q(name=""), name="tax_named"),
            models.CheckConstraint(condition=Q(place="") | Q(place__regex=PLACE), name="tax_place_code"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")), name="tax_days_in_order"
            ),
            ExclusionConstraint(
                name="tax_one_rate_a_day",
                expressions=[
                    ("category", RangeOperators.EQUAL),
                    ("place", RangeOperators.EQUAL),
                    (
                        DateRange("valid_from", "valid_until", BOTH_DAYS),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(archived_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f} %"

    @property
    def archived(self) -> bool:
        return self.archived_at is not None
