"""What every room shares: events, audit, alerts, idempotency, rate limits, the sandbox's clock and faults."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models.functions import Now

from bedside.core.fields import EncryptedTextField

APPEND_ONLY = [
    pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
    pgtrigger.Trigger(
        name="no_truncate",
        operation=pgtrigger.Truncate,
        when=pgtrigger.Before,
        level=pgtrigger.Statement,
        func="RAISE EXCEPTION 'append-only: % keeps every row', TG_TABLE_NAME;",
    ),
]


class Event(models.Model):
    """Something that happened: ids only, no personal data. Published in the transaction that caused it."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(
        max_length=60, help_text="The event's name, as SPEC.md spells it, for example AppointmentPaid."
    )
    at = models.DateTimeField(help_text="When it happened, UTC, by the house's clock.")
    ids = models.JSONField(default=dict, help_text="The ids of what it speaks of, by kind.")
    topics = models.JSONField(default=list, help_text="Whom it concerns: appointment:7, provider:2, desk.")
    transaction = models.BigIntegerField(
        db_default=models.Func(
            models.Func(function="pg_current_xact_id", template="%(function)s()::text::bigint"),
            template="%(expressions)s",
            output_field=models.BigIntegerField(),
        ),
        help_text="The writing transaction's id: readers stop before any that is still open, so none is missed.",
    )

    class Meta:
        indexes = [models.Index(fields=["transaction", "id"], name="event_cursor")]
        triggers = APPEND_ONLY


class AuditEntry(models.Model):
    """Who did what to what, with the values before and after. Append-only, held by the database."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(help_text="When, UTC.")
    actor_kind = models.CharField(max_length=12, help_text="patient, admin, provider or system.")
    actor_id = models.BigIntegerField(null=True, help_text="The user's id where somebody was signed in.")
    action = models.CharField(max_length=60, help_text="For example appointment.canceled.")
    subject_kind = models.CharField(max_length=40, help_text="What kind of thing was acted on.")
    subject_id = models.CharField(max_length=40, help_text="Its id.")
    before = models.JSONField(null=True, help_text="The changed values before; contact details are never among them.")
    after = models.JSONField(null=True, help_text="The changed values after.")
    reason = EncryptedTextField(blank=True, default="", help_text="Why, in the actor's words; sealed.")
    request_id = models.CharField(max_length=64, blank=True, default="", help_text="The request or job it came from.")

    class Meta:
        indexes = [models.Index(fields=["subject_kind", "subject_id", "-id"], name="audit_subject")]
        triggers = APPEND_ONLY


class Alert(models.Model):
    """Something a person must look at. One open row per (kind, key)."""

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    message = models.TextField(help_text="What happened and what to do, without contact details.")
    ids = models.JSONField(default=dict)
    raised_at = models.DateTimeField()
    last_raised_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(resolved_at__isnull=True), name="alert_one_open"
            )
        ]


class IdempotencyRecord(models.Model):
    """One answer per (scope, key): a request sent again gets the first one's answer."""

    scope = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status of the answer; null while under way.")
    response = EncryptedTextField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_once")]


class RateBucket(models.Model):
    """A counter for one scope, key and window. Cleaned up nightly."""

    scope = models.CharField(max_length=40)
    key = models.BinaryField(max_length=16)
    window = models.BigIntegerField(help_text="Unix time of the window's start, seconds.")
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key", "window"], name="rate_bucket_once")]


class ClockOffset(models.Model):
    """The sandbox clock: one row, seconds ahead of the machine."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    offset_seconds = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="clock_one_row")]


class Fault(models.Model):
    """A fault armed by name in the sandbox; each use takes one off."""

    name = models.CharField(max_length=60, primary_key=True)
    remaining = models.PositiveIntegerField(default=1)
    armed_at = models.DateTimeField(db_default=Now())


class Tally(models.Model):
    """How often something happened on a practice day. Counts only: nothing tells who it was."""

    day = models.DateField(help_text="The practice's day.")
    what = models.CharField(max_length=20, help_text="What was counted, for example step.times.")
    service_id = models.BigIntegerField(help_text="Of which service.")
    provider_id = models.BigIntegerField(default=0, help_text="With which provider; 0: with anybody.")
    count = models.BigIntegerField(help_text="How often, or the sum.")

    objects: ClassVar[models.Manager[Tally]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "what", "service_id", "provider_id"], name="tally_once_a_day"),
            models.CheckConstraint(condition=models.Q(count__gte=0), name="tally_counts_up"),
        ]
