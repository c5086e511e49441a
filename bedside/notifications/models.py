"""Messages: a row for each, with an idempotency key, written in the transaction that caused it."""

from __future__ import annotations

from django.db import models

from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.core.fields import BlindIndexField, EncryptedTextField
from bedside.notifications.states import NotificationStatus
from bedside.notifications.template_models import TemplateVersion as TemplateVersion


class Channel(models.TextChoices):
    EMAIL = "email"
    SMS = "sms"


class Audience(models.TextChoices):
    PATIENT = "patient"
    PROVIDER = "provider"


class Kind(models.TextChoices):
    CONFIRMATION = "confirmation"
    REMINDER = "reminder"
    RESCHEDULED = "rescheduled"
    CANCELED = "canceled"
    REFUNDED = "refunded"
    PAYMENT_FAILED = "payment_failed"
    PROVIDER_CHANGED = "provider_changed"
    MANUAL = "manual"
    PAYMENT_LINK = "payment_link"
    CREDIT = "credit"
    RECEIPT = "receipt"
    WAITLIST_OFFER = "waitlist_offer"
    INTAKE_REQUEST = "intake_request"


class Notification(models.Model):
    """One message to one person on one channel. Subject, body and address are sealed."""

    # Known where many are written at once (content.gather); else asked for.
    first_text: bool | None = None

    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="notifications")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    variant = models.CharField(max_length=20, blank=True, default="", help_text="Which one of its kind: 24h or 1h.")
    audience = models.CharField(max_length=10, choices=Audience.choices)
    channel = models.CharField(max_length=6, choices=Channel.choices)
    version = models.PositiveSmallIntegerField(default=1, help_text="Asked for again: a new version.")
    idempotency_key = models.CharField(max_length=120, unique=True)
    locale = models.CharField(max_length=12, default="en")
    status = models.CharField(max_length=10, choices=[(s.value, s.value) for s in NotificationStatus], default="queued")
    due_at = models.DateTimeField(help_text="Not to be sent before, UTC.")
    hold_until = models.DateTimeField(
        null=True, help_text="Waits so long for what it should say: the meeting's link. Empty: it doesn't."
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    attempted_at = models.DateTimeField(
        null=True, help_text="When the last try began; before another, the vendor is asked."
    )
    sender = models.IntegerField(null=True, help_text="Which sender has it in hand at the moment; see claims.py.")
    sent_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=40, blank=True, default="")
    error_advice = models.CharField(max_length=300, blank=True, default="")
    vendor_id = models.CharField(max_length=255, blank=True, default="", db_index=True)
    recipient = EncryptedTextField(blank=True, default="", help_text="Address or number it was sent to; sealed.")
    recipient_index = BlindIndexField(source="recipient", kind="email", db_index=True)
    subject = EncryptedTextField(blank=True, default="")
    body = EncryptedTextField(blank=True, default="", help_text="Plain text as sent; sealed.")
    words = EncryptedTextField(blank=True, default="", help_text="What somebody wrote by hand; sealed.")
    requested_by = models.CharField(max_length=12, default="system")
    requested_by_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=sorted(NotificationStatus)), name="notification_status_known"
            )
        ]
        indexes = [
            models.Index(fields=["appointment", "id"], name="notification_history"),
            models.Index(fields=["due_at"], name="notification_queue", condition=models.Q(status="queued")),
            models.Index(
                fields=["channel", "due_at", "id"], name="notification_next", condition=models.Q(status="queued")
            ),
            models.Index(fields=["sender"], name="notification_in_hand", condition=models.Q(sender__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def reference(self) -> str:
        """What the vendor knows the message by, the same at every try. The time keeps it apart after a restore."""
        return f"n{self.pk}-{self.created_at:%Y%m%d%H%M%S}"


class OptOut(models.Model):
    """A number whose owner wants no texts, and how that was said. Ended, not deleted, when they are welcome again."""

    number = EncryptedTextField(help_text="E.164; sealed.")
    number_index = BlindIndexField(source="number", kind="mobile")
    source = models.CharField(max_length=12, help_text="Where it was said: text, page, desk or gateway.")
    at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=12, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["number_index"], condition=models.Q(ended_at=None), name="opt_out_stands_once"
            )
        ]

    def __str__(self) -> str:
        return f"opt-out {self.pk}"


class InboundText(models.Model):
    """What somebody answered to one of our texts, and what we took it to mean."""

    number = EncryptedTextField(help_text="E.164; sealed.")
    number_index = BlindIndexField(source="number", kind="mobile", db_index=True)
    body = EncryptedTextField(help_text="The words; sealed.")
    meaning = models.CharField(max_length=8, help_text="stop, start, help, confirm, call or other.")
    vendor_id = models.CharField(max_length=64, unique=True)
    appointment = models.ForeignKey(
        Appointment,
        null=True,
        on_delete=models.PROTECT,
        related_name="inbound_texts",
        help_text="Its visit.",
    )
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["appointment", "id"], name="inbound_text_history")]

    def __str__(self) -> str:
        return f"inbound text {self.pk}"
