"""The forms of a phone booking: what, with whom and on which day; then who, when exactly, and how it is paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale
from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.appointments.errors import InvalidDetails
from bedside.clinic import places
from bedside.clinic.models import Practice, Provider, Service
from bedside.core import flags
from bedside.core.zones import known_zones
from bedside.flows.book_by_hand import LINK, LONGEST_LINK_HOURS, HowPaid
from bedside.flows.details import Consent, PatientDetails, check_details, consent_text
from bedside.payments.models import Method
from bedside.schedule.openings import Opening
from bedside.web.desk.tokens import FormToken

# The house's sentences for what is missing speak to the patient.
NOT_TYPED = {
    "name": gettext_lazy("Enter the patient's full name, as the provider should greet them."),
    "email": gettext_lazy("Enter the patient's email address: the link is sent there."),
}
WHY = gettext_lazy("Say why, in a few words: whoever looks at this later will ask.")


class WhatForm(forms.Form):
    """Service, provider (anybody), day, and the patient's place where it matters."""

    service = forms.ChoiceField(label=gettext_lazy("Service"))
    provider = forms.ChoiceField(label=gettext_lazy("Provider"), required=False)
    day = forms.DateField(
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), gettext_lazy("Choose a day.")),
    )
    place = forms.ChoiceField(label=gettext_lazy("Where the patient will be"), required=False)

    def __init__(self, services: Sequence[Service], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.services = {one.slug: one for one in services}
        self.fields["service"].choices = [(one.slug, one.name) for one in services]  # type: ignore[attr-defined]
        everyone = Provider.objects.filter(active=True, services__in=services).distinct().order_by("name")
        self.providers = {one.slug: one for one in everyone}
        offered = [("", _("Anybody who is free")), *((one.slug, one.name) for one in everyone)]
        self.fields["provider"].choices = offered  # type: ignore[attr-defined]
        if any(one.asks_location for one in services):
            country = Practice.current().country
            states = [(f"{country}-{code}", name) for code, name in places.STATES.get(country, {}).items()]
            others = [(code, name) for code, name in places.countries().items() if code not in places.STATES]
            self.fields["place"].choices = [("", _("Not asked")), *states, *others]  # type: ignore[attr-defined]
        else:
            del self.fields["place"]

    @property
    def chosen(self) -> tuple[Service, Provider | None, str]:
        data = self.cleaned_data
        return self.services[data["service"]], self.providers.get(data["provider"]), data.get("place", "")


class ByPhoneForm(forms.Form):
    """Who, when and how paid. ``details``, ``begins``, ``whom`` and ``paid`` are there once it is valid."""

    start = forms.CharField(required=False, max_length=80)
    other_start = forms.DateTimeField(
        label=gettext_lazy("Another time"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "300"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": gettext_lazy("Choose a day and a time.")},
    )
    other_provider = forms.ChoiceField(label=gettext_lazy("With"), required=False)
    override_reason = forms.CharField(
        label=gettext_lazy("Why this time"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    name = forms.CharField(label=gettext_lazy("Full name"), required=False, max_length=200)
    email = forms.CharField(label=gettext_lazy("Email"), required=False, max_length=300)
    country = forms.ChoiceField(label=gettext_lazy("Country of the number"), required=False)
    mobile = forms.CharField(label=gettext_lazy("Mobile number"), required=False, max_length=60)
    timezone = forms.ChoiceField(label=gettext_lazy("Patient's time zone"), required=False)
    locale = forms.ChoiceField(label=gettext_lazy("Language of the messages"), required=False)
    consent = forms.BooleanField(required=False)
    promo_code = forms.CharField(label=gettext_lazy("Promo code"), required=False, max_length=80)
    spend_credits = forms.BooleanField(label=gettext_lazy("Spend the patient's credits first"), required=False)
    way = forms.ChoiceField(label=gettext_lazy("Payment"), widget=forms.RadioSelect)
    hours = forms.IntegerField(
        label=gettext_lazy("Keep the time for so many hours"),
        required=False,
        min_value=1,
        max_value=LONGEST_LINK_HOURS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            format_lazy(gettext_lazy("Enter whole hours, from 1 to {most}."), most=LONGEST_LINK_HOURS),
        ),
    )
    reference = forms.CharField(
        label=gettext_lazy("Receipt number, or why it is waived"), required=False, max_length=200
    )
    token = FormToken()

    def __init__(self, practice: Practice, offered: Sequence[Provider], place: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.practice, self.place = practice, place
        self.offered = {one.slug: one for one in offered}
        self.details: PatientDetails | None = None
        self.begins: datetime | None = None
        self.whom: Provider | None = None
        choices: dict[str, list[tuple[str, Any]]] = {
            "other_provider": [("", _("Choose")), *((one.slug, one.name) for one in offered)],
            "country": countries(practice.country),
            "timezone": [(zone, zone.replace("_", " ")) for zone in sorted(known_zones())],
            "locale": [(code, name) for code, name in settings.LANGUAGES if code in practice.languages],
            "way": [(LINK, _("Send a payment link by email and text")), *Method.choices],
        }
        for field, offers in choices.items():
            self.fields[field].choices = offers  # type: ignore[attr-defined]
        self.fields["consent"].label = _("I read this to the patient, who agreed: “%(text)s”") % {
            "text": consent_text(practice.name)
        }
        if not flags.enabled("credits"):
            del self.fields["spend_credits"]
        if not flags.enabled("promo-codes"):
            del self.fields["promo_code"]

    @property
    def consent_given(self) -> Consent:
        text = consent_text(self.practice.name)
        return Consent(given=bool(self.cleaned_data.get("consent")), text=text, source="phone")

    @property
    def overrides(self) -> str:
        """Why a time that isn't offered is taken; "" where it is one of those that are."""
        return str(self.cleaned_data["override_reason"]) if self.cleaned_data.get("other_start") else ""

    @property
    def paid(self) -> HowPaid:
        data = self.cleaned_data
        return HowPaid(data["way"], hours=data.get("hours") or 0, reference=data.get("reference", ""))

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        self._clean_time(data)
        if not data.get("consent"):
            self.add_error("consent", _("Read the sentence to the patient, and tick it once they agree."))
        if data.get("way") == Method.WAIVED and not data.get("reference", "").strip():
            self.add_error("reference", WHY)
        try:
            self.details = check_details(
                name=data.get("name"),
                email=data.get("email"),
                mobile=data.get("mobile"),
                country=data.get("country") or self.practice.country,
                timezone=data.get("timezone") or self.practice.timezone,
                locale=data.get("locale") or "en",
                location=self.place,
            )
        except InvalidDetails as error:
            for field, message in error.errors.items():
                said = message if data.get(field) or field not in NOT_TYPED else NOT_TYPED[field]
                self.add_error(field if field in self.fields else None, said)
        return data

    def _clean_time(self, data: dict[str, Any]) -> None:
        """One that is offered, or another with a reason. The other one wins: it was typed."""
        if data.get("other_start"):
            self.begins = _instant(data["other_start"], self.practice.zone)
            self.whom = self.offered.get(data.get("other_provider", ""))
            if self.begins is None:
                self.add_error("other_start", _("The clocks change then: that time doesn't exist. Choose another."))
            if self.whom is None:
                self.add_error("other_provider", _("Choose with whom."))
            if not data.get("override_reason", "").strip():
                self.add_error("override_reason", WHY)
            return
        begins, _bar, slug = data.get("start", "").partition("|")
        self.begins, self.whom = _read(begins), self.offered.get(slug)
        if "other_start" in self.errors:
            return
        if self.begins is None or self.whom is None:
            self.add_error("start", _("Choose a time."))


def time_code(opening: Opening) -> str:
    """An opening as the form sends it."""
    return f"{opening.start.astimezone(UTC):%Y-%m-%dT%H:%MZ}|{opening.provider.slug}"


def _read(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _instant(typed: datetime, zone: ZoneInfo) -> datetime | None:
    """A wall-clock time of the zone as an instant; None where the clocks jump over it."""
    local = typed.replace(tzinfo=zone)
    instant = local.astimezone(UTC)
    return instant if instant.astimezone(zone).replace(tzinfo=None) == typed.replace(tzinfo=None) else None


@lru_cache(maxsize=4)
def countries(first: str) -> list[tuple[str, str]]:
    """Countries with their dialing codes by name, the practice's first."""
    names = Locale("en").territories
    known = sorted((names.get(region, region), region) for region in phonenumbers.SUPPORTED_REGIONS)
    known.sort(key=lambda pair: pair[1] != first)
    return [(region, f"{name} +{phonenumbers.country_code_for_region(region)}") for name, region in known]
