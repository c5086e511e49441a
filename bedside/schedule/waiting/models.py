"""The waitlist: who wants an earlier time, and which times they were offered. Contact details are sealed."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from bedside.appointments.models import Appointment
from bedside.clinic.models import Provider, Service, validate_zone
from bedside.core import clock
from bedside.core.fields import BlindIndexField, EncryptedTextField


class EntryStatus(models.TextChoices):
    WAITING = "waiting"
    SERVED = "served"  # took an offer
    LEFT = "left"
    OVER = "over"  # the last day that was asked for is past


class OfferStatus(models.TextChoices):
    OPEN = "open"
    CLAIMED = "claimed"
    LAPSED = "lapsed"  # not answered in time
    LOST = "lost"  # somebody else was quicker, or the time went away
    DECLINED = "declined"


class WaitlistEntry(models.Model):
    """A wish for a time. ``appointment``: the booked visit that is to be moved; without one a new visit is booked."""

    token = EncryptedTextField(help_text="The key in the patient's link; sealed.")
    token_index = BlindIndexField(source="token", kind="token", unique=True)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="waitlist", help_text="For what.")
    provider = models.ForeignKey(
        Provider, null=True, on_delete=models.PROTECT, related_name="waitlist", help_text="With whom; null: anybody."
    )
    appointment = models.ForeignKey(
        Appointment, null=True, on_delete=models.PROTECT, related_name="waitlist", help_text="The visit to be moved."
    )
    patient_name = EncryptedTextField(help_text="Full name; sealed.")
    patient_email = EncryptedTextField(help_text="Email address; sealed.")
    patient_email_index = BlindIndexField(source="patient_email", kind="email")
    patient_mobile = EncryptedTextField(help_text="Mobile number, E.164; sealed.")
    patient_mobile_index = BlindIndexField(source="patient_mobile", kind="mobile")
    patient_timezone = models.CharField(max_length=64, validators=[validate_zone], help_text="Days are this zone's.")
    patient_location = models.CharField(max_length=6, blank=True, default="", help_text="US-NY, GB; empty: not asked.")
    locale = models.CharField(max_length=12, default="en")
    sms_consent_text = models.TextField(blank=True, default="", help_text="The sentence that was agreed to.")
    sms_consent_at = models.DateTimeField(help_text="When, UTC.")
    sms_consent_source = models.CharField(max_length=20, default="web")
    sms_consent_version = models.CharField(max_length=20, blank=True, default="")
    first_day = models.DateField(help_text="The first day that suits.")
    last_day = models.DateField(help_text="The last day that suits.")
    weekdays = models.JSONField(default=list, help_text="Monday is 0; empty: any.")
    parts = models.JSONField(default=list, help_text="morning, afternoon, evening; empty: any.")
    status = models.CharField(max_length=8, choices=EntryStatus.choices, default=EntryStatus.WAITING)
    created_at = models.DateTimeField(default=clock.now, help_text="Its place in the queue, UTC.")
    ended_at = models.DateTimeField(null=True, help_text="When the waiting ended, UTC.")

    objects: ClassVar[models.Manager[WaitlistEntry]] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=EntryStatus.values), name="waitlist_status_known"),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="waitlist_days_in_order"),
            models.CheckConstraint(
                condition=Q(status="waiting", ended_at__isnull=True) | ~Q(status="waiting"), name="waitlist_end_if_over"
            ),
            # Asking again changes the wish, not the place in the queue.
            models.UniqueConstraint(
                fields=["service", "patient_email_index"], condition=Q(status="waiting"), name="waitlist_once_a_service"
            ),
        ]
        indexes = [models.Index(fields=["service", "id"], name="waitlist_queue", condition=Q(status="waiting"))]

    def __str__(self) -> str:
        return f"waitlist {self.pk}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.patient_timezone)


class WaitlistOffer(models.Model):
    """A time offered to one person until ``expires_at``. ``draft`` is what its messages are about; it holds no time."""

    entry = models.ForeignKey(WaitlistEntry, on_delete=models.PROTECT, related_name="offers")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="waitlist_offers")
    start = models.DateTimeField(help_text="The visit's start, UTC.")
    blocked = DateTimeRangeField(help_text="The provider's time that it would take.")
    draft = models.OneToOneField(Appointment, on_delete=models.PROTECT, related_name="waitlist_offer")
    status = models.CharField(max_length=8, choices=OfferStatus.choices, default=OfferStatus.OPEN)
    offered_at = models.DateTimeField(default=clock.now, help_text="UTC.")
    expires_at = models.DateTimeField(help_text="Until when it is this person's turn, UTC.")
    claimed_at = models.DateTimeField(null=True, help_text="UTC.")
    taken = models.ForeignKey(
        Appointment, null=True, on_delete=models.PROTECT, related_name="from_waitlist", help_text="What came of it."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=OfferStatus.values), name="offer_status_known"),
            models.UniqueConstraint(fields=["entry"], condition=Q(status="open"), name="offer_one_open_a_person"),
            # One person at a time: two open offers of one provider never overlap.
            ExclusionConstraint(
                name="offer_one_person_a_time",
                expressions=[("provider", RangeOperators.EQUAL), ("blocked", RangeOperators.OVERLAPS)],
                condition=Q(status="open"),
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="offer_open", condition=Q(status="open"))]

    def __str__(self) -> str:
        return f"offer {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status == OfferStatus.OPEN and clock.now() < self.expires_at
