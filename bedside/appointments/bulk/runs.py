"""A bulk run: one action for many appointments, each a row with its own result. Never twice for one row."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from bedside.appointments.models import Appointment
from bedside.core import clock


class Action(models.TextChoices):
    RESEND = "resend"  # the patient's confirmation again
    COMPLETE = "complete"  # the visit took place
    EXPORT = "export"  # keeps which rows were chosen, for the file


class RunStatus(models.TextChoices):
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"  # canceled: what was not done by then is skipped


class ItemStatus(models.TextChoices):
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"  # nothing was to be done: the reason says why
    FAILED = "failed"  # it should have been possible


SETTLED_ONCE = pgtrigger.Trigger(
    name="settled_once",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.Condition("OLD.status <> 'waiting' AND OLD.status IS DISTINCT FROM NEW.status"),
    func="RAISE EXCEPTION 'bulk item % is settled already', OLD.id USING ERRCODE = 'check_violation';",
)


class BulkRun(models.Model):
    """What was asked for, by whom, for how many; ``token`` is the form's own, so that asking twice is one run."""

    token = models.CharField(max_length=64, unique=True, help_text="The form's token: pressing twice is one run.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bulk_runs", help_text="Who asked for it."
    )
    action = models.CharField(max_length=10, choices=Action.choices, help_text="resend, complete or export.")
    filters = models.JSONField(
        default=dict, help_text="The filters that chose the rows, a search only as such; empty: chosen one by one."
    )
    status = models.CharField(
        max_length=10, choices=RunStatus.choices, default=RunStatus.RUNNING, help_text="Where it stands."
    )
    total = models.PositiveIntegerField(default=0, help_text="How many rows it has.")
    handled = models.PositiveIntegerField(default=0, help_text="How many have their result.")
    created_at = models.DateTimeField(default=clock.now, help_text="When it was asked for, UTC.")
    moved_at = models.DateTimeField(default=clock.now, help_text="When the last row got its result, UTC.")
    finished_at = models.DateTimeField(null=True, help_text="When it was over, UTC.")
    canceled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", help_text="Who stopped it."
    )

    objects: ClassVar[models.Manager[BulkRun]] = models.Manager()

    class Meta:
        db_table = "bulk_run"
        constraints = [
            models.CheckConstraint(condition=Q(action__in=Action.values), name="bulk_run_action_known"),
            models.CheckConstraint(
                condition=Q(status="running", finished_at=None)
                | Q(status__in=["finished", "stopped"], finished_at__isnull=False),
                name="bulk_run_over_when",
            ),
            models.CheckConstraint(condition=Q(handled__lte=F("total")), name="bulk_run_handled_within_total"),
            models.CheckConstraint(
                condition=~Q(status="finished") | Q(handled=F("total")), name="bulk_run_finished_has_all"
            ),
            models.CheckConstraint(
                condition=Q(canceled_by=None) | Q(status="stopped"), name="bulk_run_stopped_by_somebody"
            ),
        ]
        indexes = [models.Index(fields=["moved_at"], name="bulk_run_open", condition=Q(status="running"))]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"

    @property
    def is_running(self) -> bool:
        return self.status == RunStatus.RUNNING


class BulkItem(models.Model):
    """One appointment of a run, and what came of it."""

    run = models.ForeignKey(BulkRun, on_delete=models.PROTECT, related_name="items", help_text="The run it is part of.")
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, related_name="+", help_text="The visit that it is about."
    )
    status = models.CharField(
        max_length=8, choices=ItemStatus.choices, default=ItemStatus.WAITING, help_text="What came of it."
    )
    reason = models.CharField(
        max_length=40, blank=True, default="", help_text="Why it was skipped or failed, or how it was done: a code."
    )
    ended_at = models.DateTimeField(null=True, help_text="When it got its result, UTC.")

    appointment_id: int

    objects: ClassVar[models.Manager[BulkItem]] = models.Manager()

    class Meta:
        db_table = "bulk_item"
        constraints = [
            models.UniqueConstraint(fields=["run", "appointment"], name="bulk_item_once"),
            models.CheckConstraint(
                condition=Q(status="waiting", ended_at=None)
                | Q(status__in=["done", "skipped", "failed"], ended_at__isnull=False),
                name="bulk_item_ended_when",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["skipped", "failed"]) | ~Q(reason=""), name="bulk_item_says_why"
            ),
        ]
        indexes = [models.Index(fields=["run", "id"], name="bulk_item_waiting", condition=Q(status="waiting"))]
        triggers = [SETTLED_ONCE]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"
