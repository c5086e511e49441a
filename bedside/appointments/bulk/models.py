"""What is done to many rows at once, and what left the house as a file."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from bedside.core import clock


class Layout(models.TextChoices):
    """Both are UTF-8 and RFC 4180; Excel reads UTF-8 only where the file begins with a byte order mark."""

    CSV = "csv"
    EXCEL = "excel"


class ExportStatus(models.TextChoices):
    UNDER_WAY = "under_way"
    WHOLE = "whole"
    BROKEN_OFF = "broken_off"  # the browser went away, or it failed


class Export(models.Model):
    """A file that somebody took out: what, with which filters, how many rows. The file itself is not kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exports", help_text="Who took it."
    )
    what = models.CharField(max_length=20, help_text="Which table: appointments, providers, services, ...")
    layout = models.CharField(max_length=8, choices=Layout.choices, help_text="csv, or excel: with a byte order mark.")
    redacted = models.BooleanField(help_text="Whether personal values were left out.")
    filters = models.JSONField(
        default=dict, help_text="The filters by name; of a search only that there was one, since it may name people."
    )
    status = models.CharField(
        max_length=12, choices=ExportStatus.choices, default=ExportStatus.UNDER_WAY, help_text="How it went."
    )
    rows = models.PositiveIntegerField(null=True, help_text="How many rows were handed out; empty while under way.")
    started_at = models.DateTimeField(default=clock.now, help_text="When it was asked for, UTC.")
    ended_at = models.DateTimeField(null=True, help_text="When the last row was handed out, UTC.")

    objects: ClassVar[models.Manager[Export]] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ExportStatus.values), name="export_status_known"),
            models.CheckConstraint(condition=Q(layout__in=Layout.values), name="export_layout_known"),
            models.CheckConstraint(
                condition=Q(status="under_way", rows=None, ended_at=None)
                | (~Q(status="under_way") & Q(rows__isnull=False, ended_at__isnull=False)),
                name="export_ended_has_rows",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.pk}"


# Bulk runs have a file of their own; Django finds models through this one.
import bedside.appointments.bulk.runs  # noqa: E402, F401
