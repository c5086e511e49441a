"""Cancellation policies as versions: each holds from a day on, for one service or for all, and never changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.db import models

from bedside.clinic.policy import Terms
from bedside.core import clock, written
from bedside.core.models import APPEND_ONLY

MOST_HOURS = 24 * 30


class CancellationPolicy(models.Model):
    """One version. For bookings made from ``valid_from`` on, until a later version; what was booked keeps its own."""

    service = models.ForeignKey(
        "clinic.Service",
        null=True,
        on_delete=models.PROTECT,
        related_name="policies",
        help_text="For this service; empty: for every service without one of its own.",
    )
    valid_from = models.DateField(help_text="The first day, in the practice's zone, on which bookings get it.")
    free_hours = models.PositiveSmallIntegerField(help_text="Canceling is free until so many hours before the start.")
    late_percent = models.PositiveSmallIntegerField(default=0, help_text="Percent returned of a later cancellation.")
    no_show_fee_percent = models.PositiveSmallIntegerField(
        default=100, help_text="Percent kept of a visit that the patient missed."
    )
    late_minutes = models.PositiveSmallIntegerField(
        default=15, help_text="Minutes after the start from which a visit counts as missed."
    )
    move_hours = models.PositiveSmallIntegerField(
        default=24, help_text="Patients move their visit online until so many hours before the start."
    )
    max_moves = models.PositiveSmallIntegerField(default=3, help_text="How often a patient may move one visit online.")
    follows_practice = models.BooleanField(
        default=False, help_text="The service has none of its own from this day on: the practice's holds."
    )
    words = models.TextField(blank=True, help_text="More about the policy, in the practice's own words.")
    created_at = models.DateTimeField(default=clock.now, help_text="When it was decided, UTC.")
    created_by_id = models.BigIntegerField(null=True, help_text="The user who decided it.")

    objects: ClassVar[models.Manager[CancellationPolicy]] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(late_percent__lte=100, no_show_fee_percent__lte=100), name="policy_percents"
            ),
            models.CheckConstraint(
                condition=models.Q(free_hours__lte=MOST_HOURS, move_hours__lte=MOST_HOURS, late_minutes__lte=240),
                name="policy_hours",
            ),
            models.CheckConstraint(
                condition=models.Q(follows_practice=False) | models.Q(service__isnull=False),
                name="policy_practice_has_its_own",
            ),
        ]
        indexes = [models.Index(fields=["service", "valid_from", "id"], name="policy_versions")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"policy {self.pk}"

    @property
    def terms(self) -> Terms:
        return Terms(
            free_hours=self.free_hours,
            late_percent=self.late_percent,
            no_show_fee_percent=self.no_show_fee_percent,
            late_minutes=self.late_minutes,
            move_hours=self.move_hours,
            max_moves=self.max_moves,
        )


class InForce:
    """What a booking made at a moment is made under: a version, or what the service itself says where there is none."""

    def __init__(self, policy: CancellationPolicy | None, free_hours: int, words: str) -> None:
        self.policy = policy
        self.terms = policy.terms if policy else default_terms(free_hours)
        self.words = policy.words if policy else words


def default_terms(free_hours: int) -> Terms:
    """Free until then, nothing after; moved as long as it is free."""
    return Terms(free_hours=free_hours, move_hours=free_hours)


def in_force(services: Iterable[models.Model], at: datetime | None = None) -> dict[int, InForce]:
    """By service id, in one query: the service's newest version, else the practice's, else the service's own words."""
    from bedside.clinic.models import Practice

    day = (at or clock.now()).astimezone(ZoneInfo(Practice.current().timezone)).date()
    newest = versions_on(day)
    return {
        service.pk: InForce(
            newest.get(service.pk) or newest.get(None),
            service.free_cancellation_hours,  # type: ignore[attr-defined]
            service.cancellation_policy,  # type: ignore[attr-defined]
        )
        for service in services
    }


def versions_on(day: date) -> dict[int | None, CancellationPolicy]:
    """The version in force on a day, by service id; None is the practice's. Who follows the practice isn't there."""
    valid = written.rows(CancellationPolicy, "WHERE valid_from <= %s ORDER BY valid_from, id", [day])
    newest = {version.service_id: version for version in valid}
    return {service_id: version for service_id, version in newest.items() if not version.follows_practice}


def of_service(service: models.Model, at: datetime | None = None) -> InForce:
    return in_force([service], at)[service.pk]
