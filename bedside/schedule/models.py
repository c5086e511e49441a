"""When a provider works: the rules as typed, what stands apart from them, the open windows, and calendars out and in.

Days and times of rules are wall-clock ones of the provider's zone, so that they follow the provider who moves.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.expressions import RawSQL

from bedside.clinic.models import Provider
from bedside.core import clock, ids
from bedside.core.fields import BlindIndexField, EncryptedTextField

# Hours as a range of minutes: an end at or before its start is on the next day.
_MINUTES = (
    "int4range({day} + (extract(epoch from start_time) / 60)::int, {day} + (extract(epoch from end_time) / 60)::int"
    " + CASE WHEN end_time <= start_time THEN 1440 ELSE 0 END)"
)
WEEK_MINUTES = RawSQL(_MINUTES.format(day="weekday * 1440"), ())  # noqa: S611 - no values
DAY_MINUTES = RawSQL(_MINUTES.format(day="0"), ())  # noqa: S611 - no values
VALID_DAYS = RawSQL("daterange(valid_from, valid_until, '[]')", ())


class AvailabilityState(models.Model):
    """How far a provider's windows are built, from what, and how often the rules were edited. One row a provider."""

    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, primary_key=True, related_name="availability_state"
    )
    version = models.PositiveIntegerField(default=0, help_text="Grows with each edit; stale forms are told by it.")
    timezone = models.CharField(max_length=64, blank=True, default="", help_text="The zone the windows are built in.")
    built_through = models.DateField(null=True, help_text="Last day that the windows cover; null: never built.")
    built_at = models.DateTimeField(null=True, help_text="When they were last built, UTC.")


class WeeklyRule(models.Model):
    """Working hours on one weekday, wall clock of the provider's zone. ``end_time <= start_time``: past midnight."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="weekly_rules")
    weekday = models.PositiveSmallIntegerField(help_text="0 is Monday.")
    start_time = models.TimeField(help_text="Wall clock, provider's zone.")
    end_time = models.TimeField(help_text="Wall clock, provider's zone; at or before the start: on the next day.")
    valid_from = models.DateField(null=True, blank=True, help_text="First day it holds, or always.")
    valid_until = models.DateField(null=True, blank=True, help_text="Last day it holds, or for good.")
    every_weeks = models.PositiveSmallIntegerField(default=1, help_text="1: each week; 2: every other; …")
    anchor = models.DateField(null=True, blank=True, help_text="A day in a week in which it holds.")
    services = ArrayField(
        models.BigIntegerField(), default=list, blank=True, help_text="Ids of the services it is for; empty: all."
    )
    locations = ArrayField(
        models.CharField(max_length=8),
        default=list,
        blank=True,
        help_text="Where the patient must be, for example US-NY; empty: anywhere.",
    )

    class Meta:
        ordering = ["weekday", "start_time"]
        constraints = [
            models.CheckConstraint(condition=models.Q(weekday__range=(0, 6)), name="rule_weekday"),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_from__isnull=True)
                | models.Q(valid_until__gte=models.F("valid_from")),
                name="rule_valid_range",
            ),
            models.CheckConstraint(
                condition=models.Q(every_weeks=1) | models.Q(every_weeks__range=(2, 52), anchor__isnull=False),
                name="rule_every_weeks",
            ),
            # Rules of certain weeks, services or places may lie over others; flows.availability looks at those.
            ExclusionConstraint(
                name="rule_no_overlap",
                expressions=[("provider", "="), (WEEK_MINUTES, "&&"), (VALID_DAYS, "&&")],
                condition=models.Q(every_weeks=1, services=[], locations=[]),
            ),
        ]


class DayOverride(models.Model):
    """One day's hours instead of what the rules give. Without any ``hours`` it is a day off."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="overrides")
    day = models.DateField(help_text="The provider's day on which the hours begin.")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["provider", "day"], name="override_once_a_day")]


class OverrideHours(models.Model):
    """Hours of an overridden day, wall clock. ``end_time <= start_time``: past midnight."""

    override = models.ForeignKey(DayOverride, on_delete=models.CASCADE, related_name="hours")
    start_time = models.TimeField()
    end_time = models.TimeField()

    class Meta:
        ordering = ["start_time"]
        constraints = [
            ExclusionConstraint(name="override_no_overlap", expressions=[("override", "="), (DAY_MINUTES, "&&")])
        ]


class TimeOff(models.Model):
    """Time in which a provider can't be booked, whatever the rules say: whole days, or from a time to a time."""

    class Kind(models.TextChoices):
        AWAY = "away"
        VACATION = "vacation"
        BLACKOUT = "blackout"

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="time_off")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    first_day = models.DateField(help_text="Provider's day.")
    last_day = models.DateField(help_text="Provider's day, included.")
    start_time = models.TimeField(null=True, blank=True, help_text="On the first day; null: whole days.")
    end_time = models.TimeField(null=True, blank=True, help_text="On the last day; null: whole days.")
    reason = EncryptedTextField(blank=True, default="", help_text="Private; sealed. Never shown to patients.")
    created_at = models.DateTimeField(default=clock.now)

    objects: ClassVar[models.Manager[TimeOff]] = models.Manager()

    class Meta:
        ordering = ["first_day", "start_time"]
        indexes = [models.Index(fields=["provider", "last_day"], name="time_off_provider")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["away", "vacation", "blackout"]), name="time_off_kind_known"
            ),
            models.CheckConstraint(condition=models.Q(last_day__gte=models.F("first_day")), name="time_off_in_order"),
            models.CheckConstraint(
                condition=models.Q(start_time__isnull=True, end_time__isnull=True)
                | models.Q(start_time__isnull=False, end_time__isnull=False),
                name="time_off_both_times",
            ),
            models.CheckConstraint(
                condition=models.Q(start_time__isnull=True)
                | models.Q(last_day__gt=models.F("first_day"))
                | models.Q(end_time__gt=models.F("start_time")),
                name="time_off_ends_after_start",
            ),
        ]


class Holiday(models.Model):
    """A day on which the whole practice is closed: each provider's own day of that date."""

    day = models.DateField(unique=True)
    name = models.CharField(max_length=80)
    country = models.CharField(max_length=8, blank=True, default="", help_text="Imported for: US or US-NY; or by hand.")

    class Meta:
        ordering = ["day"]


class OpenWindow(models.Model):
    """An unbroken stretch in which a provider works, UTC, booked or not. Derived from the rules; rebuilt by a job.

    Windows of different limits may overlap: a visit uses all that are for its service and its patient's place.
    """

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="open_windows")
    start = models.DateTimeField()
    end = models.DateTimeField()
    services = ArrayField(
        models.BigIntegerField(), default=list, blank=True, help_text="Ids of the services it is for; empty: all."
    )
    locations = ArrayField(
        models.CharField(max_length=8), default=list, blank=True, help_text="Patient's places; empty: anywhere."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "start", "services", "locations"], name="window_once"),
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="window_ends_after_start"),
        ]


class CalendarFeed(models.Model):
    """The address at which a provider's calendar program reads the provider's visits. Whoever knows it can read it."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="calendar_feeds")
    token = EncryptedTextField(help_text="The key in the feed's address; sealed.")
    token_index = BlindIndexField(source="token", kind="calendar-feed", unique=True)
    patient_names = models.BooleanField(default=False, help_text="Whether the practice lets it name patients.")
    created_at = models.DateTimeField(default=clock.now, help_text="When it was made, UTC.")
    changed_at = models.DateTimeField(default=clock.now, help_text="When its settings last changed, UTC.")
    read_at = models.DateTimeField(null=True, help_text="When a calendar program last asked, to the hour, UTC.")
    revoked_at = models.DateTimeField(null=True, help_text="From when on the address opens nothing, UTC.")

    objects: ClassVar[models.Manager[CalendarFeed]] = models.Manager()
    provider_id: int

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider"], condition=models.Q(revoked_at__isnull=True), name="feed_one_open_per_provider"
            )
        ]

    @property
    def url(self) -> str:
        return f"{settings.PUBLIC_URL}/calendars/{self.token}.ics"

    @staticmethod
    def new_token() -> str:
        """40 letters and digits: an address is pasted, not typed."""
        return ids.new_token(40)


class ExternalCalendar(models.Model):
    """A calendar elsewhere whose busy times close a provider's openings. Read again and again by a job."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="external_calendars")
    name = models.CharField(max_length=60, help_text="What the provider calls it.")
    url = EncryptedTextField(help_text="Its address, often a key in itself; sealed.")
    url_index = BlindIndexField(source="url", kind="calendar-url")
    etag = models.CharField(max_length=200, blank=True, default="", help_text="The server's mark of what we have.")
    last_modified = models.CharField(max_length=60, blank=True, default="", help_text="The server's date of it.")
    digest = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 of what we have.")
    added_at = models.DateTimeField(default=clock.now, help_text="UTC.")
    fetched_at = models.DateTimeField(null=True, help_text="When it was last read with success, UTC.")
    tried_at = models.DateTimeField(null=True, help_text="When it was last tried, UTC.")
    next_try_at = models.DateTimeField(default=clock.now, help_text="When it is read next, UTC.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="Tries in a row that failed.")
    error = models.CharField(max_length=40, blank=True, default="", help_text="The code of the last failure, or empty.")
    note = models.CharField(max_length=40, blank=True, default="", help_text="What was left out though it was read.")

    objects: ClassVar[models.Manager[ExternalCalendar]] = models.Manager()
    provider_id: int

    class Meta:
        ordering = ["provider", "pk"]
        constraints = [models.UniqueConstraint(fields=["provider", "url_index"], name="external_calendar_once")]
        indexes = [models.Index(fields=["next_try_at"], name="external_calendar_due")]


class BusyBlock(models.Model):
    """A stretch in which a calendar elsewhere says that the provider is busy, UTC, whole minutes. Derived."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="busy_blocks")
    calendar = models.ForeignKey(ExternalCalendar, on_delete=models.CASCADE, related_name="busy_blocks")
    start = models.DateTimeField()
    end = models.DateTimeField()

    objects: ClassVar[models.Manager[BusyBlock]] = models.Manager()
    provider_id: int

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calendar", "start"], name="busy_block_once"),
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="busy_block_ends_after_start"),
        ]
        indexes = [models.Index(fields=["provider", "end"], include=["start"], name="busy_block_provider_end")]
