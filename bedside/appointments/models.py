"""The appointment: what was agreed, for whom, when, and the constraint that makes double booking impossible."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from bedside.appointments.states import HOLDS_TIME, MOVES, Status, check_move
from bedside.clinic import places
from bedside.clinic.models import Provider, Service, validate_zone
from bedside.clinic.policy import Terms
from bedside.clinic.policy_models import CancellationPolicy, default_terms
from bedside.clinic.prices.models import PromoCode
from bedside.core import clock, ids
from bedside.core.fields import BlindIndexField, EncryptedTextField
from bedside.core.money import Money


class Source(models.TextChoices):
    WEB = "web"
    API = "api"
    DESK = "desk"
    DEMO = "demo"


# The table of moves is the truth in the database too, whoever writes.
_ALLOWED = ", ".join(f"'{before}>{after}'" for before in sorted(MOVES) for after in sorted(MOVES[before]))
ONLY_ALLOWED_MOVES = pgtrigger.Trigger(
    name="only_allowed_moves",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.Condition("OLD.status IS DISTINCT FROM NEW.status"),
    func=f"""
        IF (OLD.status || '>' || NEW.status) NOT IN ({_ALLOWED}) THEN
            RAISE EXCEPTION 'appointment %: % -> % is not an allowed move', OLD.id, OLD.status, NEW.status
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)


class Appointment(models.Model):
    """One visit, from the moment its time is held. Instants are UTC."""

    token = EncryptedTextField(help_text="The key in the patient's link; sealed.")
    token_index = BlindIndexField(source="token", kind="token", unique=True)
    code = models.CharField(
        max_length=12, unique=True, default=ids.new_code, help_text="The reference said on the phone."
    )
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, related_name="appointments", help_text="What was booked."
    )
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="appointments", help_text="With whom."
    )
    start = models.DateTimeField(help_text="When the visit begins, UTC.")
    end = models.DateTimeField(help_text="When the visit ends, UTC.")
    blocked = DateTimeRangeField(
        help_text="Prep buffer + visit + wrap buffer: the provider's time that is taken, [start, end)."
    )
    status = models.CharField(
        max_length=16, choices=[(s.value, s.value) for s in Status], help_text="Its state; see states.py."
    )
    hold_expires_at = models.DateTimeField(null=True, help_text="Until when an unpaid time is kept.")
    hold_key = models.BinaryField(max_length=16, null=True, help_text="Keyed hash of the browser that holds the time.")
    hold_address = models.BinaryField(
        max_length=16, null=True, help_text="Keyed hash of the network address that it was booked from."
    )
    attention = models.CharField(
        max_length=200, blank=True, default="", help_text="A note to the desk, without contact details."
    )

    patient_name = EncryptedTextField(help_text="Full name; sealed.")
    patient_email = EncryptedTextField(help_text="Email address; sealed.")
    patient_email_index = BlindIndexField(source="patient_email", kind="email")
    patient_mobile = EncryptedTextField(help_text="Mobile number, E.164; sealed.")
    patient_mobile_index = BlindIndexField(source="patient_mobile", kind="mobile")
    patient_name_index = BlindIndexField(source="patient_name", kind="name")
    patient_timezone = models.CharField(
        max_length=64, validators=[validate_zone], help_text="The zone the patient reads times in."
    )
    patient_location = models.CharField(
        max_length=6, blank=True, default="", help_text="Where the patient will be: US-NY, GB; empty: not asked."
    )
    locale = models.CharField(max_length=12, default="en", help_text="The language of the patient's messages.")

    price_minor = models.PositiveIntegerField(
        help_text="What the visit cost when booked, minor units: after the discount, tax included."
    )
    discount_amount = models.PositiveIntegerField(default=0, help_text="Taken off by the promo code, minor units.")
    promo_code = models.ForeignKey(
        PromoCode, null=True, on_delete=models.PROTECT, related_name="appointments", help_text="The code that was used."
    )
    tax_amount = models.PositiveIntegerField(default=0, help_text="Tax, minor units; part of the price.")
    tax_inclusive = models.BooleanField(
        default=False, help_text="Whether the list price held the tax; else it was added to it."
    )
    tax_name = models.CharField(max_length=40, blank=True, default="", help_text="The tax, as receipts say it.")
    currency = models.CharField(max_length=3, help_text="ISO 4217.")
    free_cancellation_hours = models.PositiveSmallIntegerField(
        help_text="The policy when booked: free until so many hours before."
    )
    policy = models.ForeignKey(
        CancellationPolicy,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The version of the policy in force when booked; empty: the two fields beside it say all.",
    )
    cancellation_policy = models.TextField(blank=True, help_text="The policy in words when booked.")

    sms_consent = models.BooleanField(default=False, help_text="Whether texts were agreed to.")
    sms_consent_text = models.TextField(blank=True, help_text="The sentence that was agreed to.")
    sms_consent_at = models.DateTimeField(null=True, help_text="When, UTC.")
    sms_consent_source = models.CharField(max_length=20, blank=True, help_text="Where: web, api or phone.")
    sms_consent_taken_by = models.BigIntegerField(
        null=True, help_text="The user who heard it, where it was given by phone."
    )
    sms_consent_version = models.CharField(max_length=20, blank=True, help_text="Version of the sentence.")

    sms_consent_withdrawn_at = models.DateTimeField(null=True, help_text="When texts were refused after all, UTC.")
    patient_confirmed_at = models.DateTimeField(null=True, help_text="When the patient confirmed by text, UTC.")

    source = models.CharField(max_length=8, choices=Source.choices, default=Source.WEB, help_text="How it was booked.")
    rescheduled_from = models.OneToOneField(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="rescheduled_to",
        help_text="The appointment it replaces.",
    )
    patient_moves = models.PositiveSmallIntegerField(
        default=0, help_text="How often the patient has moved this visit, its whole chain counted."
    )
    cancellation_reason = EncryptedTextField(blank=True, default="", help_text="Why it was canceled; sealed.")
    canceled_by = models.CharField(
        max_length=12, blank=True, default="", help_text="patient, admin, provider or system."
    )
    canceled_at = models.DateTimeField(null=True, help_text="When, UTC.")
    canceled_for_patient = models.BooleanField(
        default=False, help_text="Whether the desk canceled because the patient asked for it."
    )
    concluded_at = models.DateTimeField(null=True, help_text="When it was marked completed or missed, UTC.")
    paid_at = models.DateTimeField(null=True, help_text="When the payment was known to have succeeded, UTC.")
    created_at = models.DateTimeField(default=clock.now, help_text="When the time was taken, UTC.")
    updated_at = models.DateTimeField(default=clock.now, help_text="When the row last changed, UTC.")
    version = models.PositiveIntegerField(
        default=1, help_text="Grows with each change; stale forms are told apart by it."
    )

    objects: ClassVar[models.Manager[Appointment]] = models.Manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="appointment_no_double_booking",
                expressions=[("provider", RangeOperators.EQUAL), ("blocked", RangeOperators.OVERLAPS)],
                condition=models.Q(status__in=sorted(HOLDS_TIME)),
            ),
            models.CheckConstraint(condition=models.Q(status__in=sorted(Status)), name="appointment_status_known"),
            models.CheckConstraint(
                condition=models.Q(discount_amount=0) | models.Q(promo_code__isnull=False),
                name="appointment_discount_has_code",
            ),
            models.CheckConstraint(
                condition=models.Q(tax_amount__lte=models.F("price_minor")), name="appointment_tax_within_price"
            ),
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="appointment_ends_after_start"),
            models.CheckConstraint(
                condition=models.Q(blocked__contains=models.F("start")), name="appointment_blocks_its_own_time"
            ),
            models.CheckConstraint(
                condition=~models.Q(status="pending_payment") | models.Q(hold_expires_at__isnull=False),
                name="appointment_pending_has_expiry",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="canceled") | models.Q(canceled_at__isnull=False),
                name="appointment_canceled_when",
            ),
            models.CheckConstraint(
                condition=models.Q(patient_location="") | models.Q(patient_location__regex=places.PATTERN),
                name="appointment_location_code",
            ),
        ]
        triggers = [ONLY_ALLOWED_MOVES]
        indexes = [
            # A month of a hundred providers is read from this index alone, without touching twenty thousand wide rows.
            models.Index(
                fields=["provider", "start"],
                include=["blocked", "status", "hold_expires_at", "hold_key"],
                name="appointment_provider_start",
            ),
            # When somebody was last given a visit: the fair choice asks it of each who might have the next.
            models.Index(
                fields=["provider", "-created_at"],
                name="appointment_last_given",
                condition=models.Q(status__in=sorted(HOLDS_TIME)),
            ),
            models.Index(fields=["-start", "-id"], name="appointment_by_start"),
            models.Index(
                fields=["hold_expires_at"], name="appointment_open_holds", condition=models.Q(status="pending_payment")
            ),
            models.Index(fields=["patient_email_index"], name="appointment_email"),
            models.Index(fields=["patient_mobile_index"], name="appointment_mobile"),
            models.Index(fields=["patient_name_index"], name="appointment_name"),
            GistIndex(fields=["blocked"], name="appointment_blocked"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def minutes(self) -> int:
        """Its own length, whatever the service's is by now."""
        return int((self.end - self.start).total_seconds() // 60)

    @property
    def patient_location_name(self) -> str:
        return places.name_of(self.patient_location) if self.patient_location else ""

    @property
    def list_price(self) -> Money:
        """The service's price when booked, before the discount and an added tax."""
        added = 0 if self.tax_inclusive else self.tax_amount
        return Money(self.price_minor - added + self.discount_amount, self.currency)

    @property
    def terms(self) -> Terms:
        """The policy that was agreed to when booking."""
        return self.policy.terms if self.policy else default_terms(self.free_cancellation_hours)

    @property
    def patient_zone(self) -> ZoneInfo:
        return ZoneInfo(self.patient_timezone)

    @property
    def hold_is_open(self) -> bool:
        return self.status == Status.PENDING_PAYMENT and bool(
            self.hold_expires_at and self.hold_expires_at > clock.now()
        )

    @property
    def payment(self):  # type: ignore[no-untyped-def]  # payments is a room above
        """The latest payment, or None."""
        return self.payments.order_by("-id").first()

    def move_to(self, status: Status) -> Status:
        """Change the state by the table of moves; returns the one before. The caller saves, under the row's lock."""
        before = Status(self.status)
        self.status = check_move(before, status)
        self.updated_at = clock.now()
        self.version += 1
        return before

    @staticmethod
    def block(service: Service, start: datetime) -> DateTimeTZRange:
        """The provider's time that a visit starting then takes: prep, visit, wrap."""
        from datetime import timedelta

        return DateTimeTZRange(
            start - timedelta(minutes=service.prep_minutes),
            start + service.duration + timedelta(minutes=service.wrap_minutes),
        )
