"""Who and what: the practice, its providers and their licenses, its services."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from bedside.clinic import places
from bedside.clinic.invitations import ProviderInvitation as ProviderInvitation
from bedside.core import remember, written
from bedside.core.fields import EncryptedTextField
from bedside.core.money import Money
from bedside.core.zones import known_zones


def validate_zone(name: str) -> None:
    """An IANA time zone, for example America/New_York."""
    if name not in known_zones():
        raise ValidationError(_("Use a time zone such as America/New_York."))


def every_language() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


class Practice(models.Model):
    """The practice that runs this Bedside: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=120, help_text="As patients know it.")
    timezone = models.CharField(
        max_length=64, validators=[validate_zone], help_text="Its days and reports follow this."
    )
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217.")
    country = models.CharField(
        max_length=2, default="US", help_text="ISO 3166; first in the phone number's country list."
    )
    phone = models.CharField(max_length=32, blank=True, help_text="The number patients call.")
    email = models.EmailField(blank=True, help_text="Where patients' replies go.")
    about = models.TextField(blank=True, help_text="Two sentences on the services page.")
    hold_minutes = models.PositiveSmallIntegerField(default=35, help_text="How long a chosen time is kept for paying.")
    payment_link_hours = models.PositiveSmallIntegerField(
        default=24, help_text="How long a time booked by phone is kept while its payment link is open."
    )
    quiet_from = models.TimeField(default=time(21), help_text="Texts that can wait are not sent from then on.")
    quiet_until = models.TimeField(default=time(8), help_text="Until then, on the recipient's clock.")
    credit_days = models.PositiveSmallIntegerField(default=365, help_text="How long a credit can be spent.")
    waitlist_offer_minutes = models.PositiveSmallIntegerField(
        default=30, help_text="How long a time that came free is one waiting person's turn."
    )
    join_minutes = models.PositiveSmallIntegerField(
        default=15, help_text="How long before the visit the patient's way in opens."
    )
    default_notice_minutes = models.PositiveIntegerField(
        default=120, help_text="A new service's minimum notice, to start from."
    )
    default_horizon_days = models.PositiveSmallIntegerField(
        default=60, help_text="How far ahead a new service can be booked, to start from."
    )
    default_step_minutes = models.PositiveSmallIntegerField(default=15, help_text="A new service's step to start from.")
    languages = models.JSONField(default=every_language, help_text="Languages that patients may read, by code.")
    sms_consent_words = models.JSONField(
        default=dict, blank=True, help_text="The consent to texts in the practice's own words, by language; or none."
    )
    sms_consent_version = models.CharField(
        max_length=20, blank=True, default="", help_text="Of these words; empty: the house's own."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="practice_one_row"),
            # Stripe's sessions live 30 minutes at least, and a hold must outlast its session.
            models.CheckConstraint(condition=models.Q(hold_minutes__gte=33), name="practice_hold_outlasts_session"),
            models.CheckConstraint(
                condition=models.Q(waitlist_offer_minutes__range=(5, 1440), join_minutes__range=(5, 60)),
                name="practice_times_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(default_step_minutes__range=(5, 720))
                & models.Q(Exact(1440 % models.F("default_step_minutes"), 0))
                & models.Q(default_horizon_days__range=(1, 730))
                & models.Q(default_notice_minutes__lt=models.F("default_horizon_days") * 1440),
                name="practice_defaults_sane",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        remember.forget("practice")

    @classmethod
    def current(cls) -> Practice:
        """The row; before there is one (``./run --empty``), a nameless practice that isn't saved yet."""
        return remember.once("practice", cls._read)

    @classmethod
    def _read(cls) -> Practice:
        return next(iter(written.rows(cls, "WHERE id = 1")), None) or cls(name=str(_("Your practice")), timezone="UTC")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def other_languages(self) -> list[tuple[str, str]]:
        """(code, name) of those besides English."""
        return [(code, name) for code, name in settings.LANGUAGES if code != "en" and code in self.languages]


class Provider(models.Model):
    """Somebody who sees patients."""

    slug = models.SlugField(unique=True, help_text="The name in addresses and in the API.")
    name = models.CharField(max_length=120, help_text="As patients see it, for example Dr. Elena Rivera.")
    title = models.CharField(max_length=80, blank=True, help_text="For example MD, Family medicine.")
    bio = models.TextField(blank=True, help_text="A few sentences for patients.")
    languages = models.JSONField(default=list, help_text="Languages spoken, by name.")
    timezone = models.CharField(max_length=64, validators=[validate_zone], help_text="Working hours are in this zone.")
    email = models.EmailField(help_text="Where appointment emails go.")
    mobile_number = EncryptedTextField(
        blank=True, default="", help_text="E.164; for operational texts. Optional, sealed."
    )
    avatar = models.CharField(max_length=120, blank=True, help_text="A static path of a drawn portrait.")
    active = models.BooleanField(default=True, help_text="Whether patients can book.")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="provider",
        help_text="The account that signs in to the portal.",
    )
    zoom_user_id = models.CharField(max_length=120, blank=True, help_text="The Zoom user who hosts the meetings.")
    zoom_alternative_hosts = models.CharField(
        max_length=300, blank=True, default="", help_text="Zoom users who may start the meetings too, by comma."
    )
    npi = models.CharField(max_length=10, blank=True, default="", help_text="National Provider Identifier, ten digits.")
    version = models.PositiveIntegerField(
        default=1, help_text="Grows with each change; stale forms are told apart by it."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="provider_named"),
            models.CheckConstraint(condition=Q(npi="") | Q(npi__regex=r"^[0-9]{10}$"), name="provider_npi_digits"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class License(models.Model):
    """A provider may see patients who are in this place, until the license's last day."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="licenses", help_text="Whose it is.")
    place = models.CharField(max_length=6, help_text="ISO 3166: US-NY for a state, GB for a whole country.")
    number = models.CharField(max_length=40, blank=True, default="", help_text="As the register has it; optional.")
    expires_on = models.DateField(null=True, blank=True, help_text="Its last day, in the provider's zone; or for good.")

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "place"], name="license_once_per_place"),
            models.CheckConstraint(condition=Q(place__regex=places.PATTERN), name="license_place_code"),
        ]

    def __str__(self) -> str:
        return self.place

    @property
    def place_name(self) -> str:
        return places.name_of(self.place)

    @property
    def ends_at(self) -> datetime | None:
        """The instant at which it no longer holds, aware; None: never."""
        return end_of_day(self.expires_on, self.provider.zone) if self.expires_on else None


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after ``day``."""
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=zone)


class ProviderGroup(models.Model):
    """Some providers under one name, for example Spanish-speaking doctors: patients may choose any of them."""

    slug = models.SlugField(unique=True, help_text="The name in addresses.")
    name = models.CharField(max_length=80, unique=True, help_text="As patients see it.")
    providers = models.ManyToManyField(Provider, related_name="groups", blank=True, help_text="Who belongs to it.")
    active = models.BooleanField(default=True, help_text="Archived groups aren't offered to patients.")
    version = models.PositiveIntegerField(
        default=1, help_text="Grows with each change; stale forms are told apart by it."
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="group_named")]

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """A kind of visit that patients can book."""

    slug = models.SlugField(unique=True, help_text="The name in addresses and in the API.")
    name = models.CharField(max_length=120, help_text="As patients see it on the site.")
    discreet_name = models.CharField(
        max_length=60,
        default="Video visit",
        help_text="What messages and the video service call it: nothing that tells a condition.",
    )
    summary = models.CharField(max_length=160, blank=True, help_text="One line under the name.")
    description = models.TextField(blank=True, help_text="What the visit is for and how it goes.")
    duration_minutes = models.PositiveSmallIntegerField(help_text="Length of the visit; a multiple of five.")
    price_minor = models.PositiveIntegerField(help_text="Price in minor units (cents).")
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217.")
    prep_minutes = models.PositiveSmallIntegerField(default=0, help_text="Kept free before the visit.")
    wrap_minutes = models.PositiveSmallIntegerField(default=0, help_text="Kept free after the visit.")
    step_minutes = models.PositiveSmallIntegerField(default=15, help_text="Starts are offered every so many minutes.")
    minimum_notice_minutes = models.PositiveIntegerField(
        default=120, help_text="How long before its start a visit can be booked."
    )
    horizon_days = models.PositiveSmallIntegerField(default=60, help_text="How far ahead visits can be booked.")
    free_cancellation_hours = models.PositiveSmallIntegerField(
        default=24, help_text="Free until so many hours before the start."
    )
    cancellation_policy = models.TextField(blank=True, help_text="The policy in words, shown to patients.")
    daily_limit = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Most visits of this kind per provider and day of the provider's zone; or any."
    )
    tax_category = models.CharField(
        max_length=40, blank=True, default="", help_text="What kind of good it is to the tax rules; empty: the usual."
    )
    asks_location = models.BooleanField(
        default=False, help_text="Whether patients say where they will be, and see only who is licensed there."
    )
    first_reminder_hours = models.PositiveSmallIntegerField(
        default=24, help_text="The first reminder goes out so many hours before the visit."
    )
    last_reminder_minutes = models.PositiveSmallIntegerField(
        default=60, help_text="The last reminder goes out so many minutes before the visit."
    )
    reminder_24h_email = models.BooleanField(default=True, help_text="Whether the first reminder goes by email.")
    reminder_24h_sms = models.BooleanField(default=True, help_text="Whether the first reminder goes by text.")
    reminder_1h_email = models.BooleanField(default=True, help_text="Whether the last reminder goes by email.")
    reminder_1h_sms = models.BooleanField(default=True, help_text="Whether the last reminder goes by text.")
    active = models.BooleanField(default=True, help_text="Whether patients can book it.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the services page.")
    providers = models.ManyToManyField(Provider, related_name="services", help_text="Who offers it.")
    groups = models.ManyToManyField(
        ProviderGroup, related_name="services", blank=True, help_text="Groups that patients may choose among."
    )
    version = models.PositiveIntegerField(
        default=1, help_text="Grows with each change; stale forms are told apart by it."
    )

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name="") & ~Q(discreet_name=""), name="service_named"),
            models.CheckConstraint(
                condition=Q(duration_minutes__range=(5, 720)) & Q(Exact(F("duration_minutes") % 5, 0)),
                name="service_length_sane",
            ),
            # Steps of which a whole number fills the day.
            models.CheckConstraint(
                condition=Q(step_minutes__range=(5, 720)) & Q(Exact(1440 % F("step_minutes"), 0)),
                name="service_step_divides_the_day",
            ),
            models.CheckConstraint(
                condition=Q(prep_minutes__lte=240, wrap_minutes__lte=240), name="service_buffers_sane"
            ),
            models.CheckConstraint(condition=Q(price_minor__lte=99_999_999), name="service_price_sane"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="service_currency_code"),
            models.CheckConstraint(condition=Q(horizon_days__range=(1, 730)), name="service_horizon_sane"),
            models.CheckConstraint(
                condition=Q(minimum_notice_minutes__lt=F("horizon_days") * 1440), name="service_notice_within_horizon"
            ),
            models.CheckConstraint(
                condition=Q(daily_limit__isnull=True) | Q(daily_limit__gte=1), name="service_daily_limit_positive"
            ),
            models.CheckConstraint(
                condition=Q(
                    first_reminder_hours__range=(2, 336),
                    last_reminder_minutes__range=(10, 1440),
                    last_reminder_minutes__lt=F("first_reminder_hours") * 60,
                ),
                name="service_reminders_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.duration_minutes)

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    def reminds(self, variant: str, channel: str) -> bool:
        """Whether the reminder ``variant`` ("24h": the first, "1h": the last) goes out by ``channel``."""
        return bool(getattr(self, f"reminder_{variant}_{channel}"))

    @property
    def reminder_leads(self) -> dict[str, timedelta]:
        """How long before the visit each reminder goes out, by variant. The variants' names are those of the usual."""
        return {
            "24h": timedelta(hours=self.first_reminder_hours),
            "1h": timedelta(minutes=self.last_reminder_minutes),
        }
