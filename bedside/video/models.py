"""The meeting that belongs to an appointment."""

from __future__ import annotations

from django.db import models

from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.core.fields import BlindIndexField, EncryptedTextField


class MeetingStatus(models.TextChoices):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


class Meeting(models.Model):
    """One video meeting. The host's start link is never kept: it is fetched fresh at the click (Zoom's expire)."""

    appointment = models.OneToOneField(Appointment, on_delete=models.PROTECT, related_name="meeting")
    status = models.CharField(max_length=8, choices=MeetingStatus.choices, default=MeetingStatus.PENDING)
    meeting_id = models.CharField(max_length=60, blank=True, default="", db_index=True, help_text="The vendor's id.")
    host_id = models.CharField(max_length=120, blank=True, default="", help_text="The vendor's user who hosts it.")
    join_url = EncryptedTextField(blank=True, default="", help_text="The patient's link; sealed.")
    passcode = EncryptedTextField(blank=True, default="")
    error = models.CharField(max_length=200, blank=True, default="")
    patient_waiting_since = models.DateTimeField(null=True)
    host_joined_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)


class VendorToken(models.Model):
    """An access token that all processes share until it ends."""

    vendor = models.CharField(max_length=20, unique=True)
    token = EncryptedTextField(help_text="Sealed.")
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.vendor


class HostUse(models.Model):
    """How often meetings of a host were made or changed on a day (UTC): the service allows about a hundred."""

    host_id = models.CharField(max_length=120)
    day = models.DateField()
    count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host_id", "day"], name="host_use_once_a_day")]

    def __str__(self) -> str:
        return f"{self.host_id} {self.day}"


class GuestPass(models.Model):
    """A link that shows when and where, and nothing else. It follows the visit when it moves."""

    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, related_name="guests", help_text="The visit it was made for."
    )
    token = EncryptedTextField(help_text="The key in the guest's link; sealed.")
    token_index = BlindIndexField(source="token", kind="token", unique=True)
    label = EncryptedTextField(help_text="Who it is for, as the patient calls them; sealed.")
    created_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"guest {self.pk}"
