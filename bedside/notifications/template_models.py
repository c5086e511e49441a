"""Words that an admin wrote in place of the defaults: versions that are only ever added."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from bedside.core import clock
from bedside.core.models import APPEND_ONLY


class TemplateVersion(models.Model):
    """One version of the words for a kind, audience, channel and language. The highest number holds.

    Two who save at once ask for the same number, and the database takes one: there is never a second current version.
    """

    kind = models.CharField(max_length=20, help_text="The kind of message whose words these are.")
    audience = models.CharField(max_length=10, help_text="patient or provider.")
    channel = models.CharField(max_length=6, help_text="email or sms.")
    language = models.CharField(max_length=12, help_text="en or es.")
    number = models.PositiveIntegerField(help_text="Counts up from 1 in its slot; the highest holds.")
    parts = models.JSONField(default=dict, help_text="The words by part; empty: back to the default.")
    created_at = models.DateTimeField(default=clock.now, help_text="When it was saved, UTC.")
    created_by_id = models.BigIntegerField(null=True, help_text="The user who saved it.")

    objects: ClassVar[models.Manager[TemplateVersion]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "audience", "channel", "language", "number"], name="template_version_once"
            ),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="template_version_counts"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"template version {self.pk}"
