"""The forms of the patient's pages. What counts as valid is said once, in bedside.flows.details."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from bedside.appointments.errors import ConsentRequired, InvalidDetails
from bedside.clinic.models import Practice
from bedside.flows.details import Consent, PatientDetails, check_details, consent_text
from bedside.web.booking import countries


def _typed(label: Any = "", **attributes: str) -> forms.Field:
    """A field that keeps what was typed as it is: the checks, and their words, are the flow's."""
    return forms.Field(label=label, required=False, widget=forms.TextInput(attrs=attributes))


class DetailsForm(forms.Form):
    """Name, email, mobile with its country, and consent. ``details`` and ``consent`` are there once it is valid."""

    name = _typed(_("Full name"), autocomplete="name", autocapitalize="words")
    email = _typed(_("Email"), autocomplete="email", inputmode="email", autocapitalize="off", spellcheck="false")
    country = forms.Field(required=False)
    mobile = _typed(_("Mobile number"), autocomplete="tel-national", inputmode="tel", type="tel", **{"class": "input"})
    sms_consent = forms.BooleanField(required=False)
    promo_code = _typed(
        _("Promo code"),
        autocapitalize="characters",
        autocomplete="off",
        spellcheck="false",
        maxlength="80",
        form="details",
    )
    credit_code = _typed(
        _("Credit code"),
        autocapitalize="characters",
        autocomplete="off",
        spellcheck="false",
        maxlength="40",
        form="details",
    )

    def __init__(self, practice: Practice, timezone: str, locale: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.practice, self.timezone, self.locale = practice, timezone, locale
        self.details: PatientDetails | None = None
        self.fields["sms_consent"].label = consent_text(practice.name)
        for name in ("name", "email", "mobile", "sms_consent"):
            self.fields[name].widget.attrs["aria-required"] = "true"

    @property
    def chosen_country(self) -> str:
        return countries.checked(str(self["country"].value() or ""), self.practice.country)

    @property
    def countries(self) -> list[countries.Country]:
        return countries.common(self.practice.country, self.chosen_country)

    @property
    def consent(self) -> Consent:
        given = bool(self.cleaned_data.get("sms_consent"))
        return Consent(given=given, text=consent_text(self.practice.name), source="web")

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        try:
            self.details = check_details(
                name=data.get("name"),
                email=data.get("email"),
                mobile=data.get("mobile"),
                country=self.chosen_country,
                timezone=self.timezone,
                locale=self.locale,
            )
        except InvalidDetails as error:
            for field, message in error.errors.items():
                self.add_error(field if field in self.fields else None, message)
        if not data.get("sms_consent"):
            self.add_error("sms_consent", ConsentRequired().message)
        return data


class DaysForm(forms.Form):
    """Which days and parts of the day suit somebody who waits for a time."""

    first_day = forms.DateField(
        label=_("From"),
        widget=forms.DateInput(attrs={"type": "date", "aria-required": "true"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Enter a day.")),
    )
    last_day = forms.DateField(
        label=_("Until"),
        widget=forms.DateInput(attrs={"type": "date", "aria-required": "true"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Enter a day.")),
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        required=False,
        coerce=int,
        choices=[(n, WEEKDAYS[n]) for n in range(7)],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )
    parts = forms.MultipleChoiceField(
        label=_("Parts of the day"),
        required=False,
        choices=[("morning", _("Morning")), ("afternoon", _("Afternoon")), ("evening", _("Evening"))],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )

    @property
    def days(self) -> dict[str, Any]:
        """As `flows.waitlist.Wish` takes them."""
        return {name: self.cleaned_data[name] for name in ("first_day", "last_day", "weekdays", "parts")}

    def complain(self, error: InvalidDetails) -> None:
        for field, message in error.errors.items():
            self.add_error(field if field in self.fields else None, message)


class WaitlistForm(DaysForm, DetailsForm):
    """The same details as for booking, and what suits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["promo_code"]


class CancelForm(forms.Form):
    """Why the visit is canceled: optional, for the practice's eyes."""

    reason = forms.CharField(
        label=_("Why do you cancel?"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    promised = forms.IntegerField(required=False, min_value=0, max_value=10**12)


class LinksForm(forms.Form):
    """The address that visits were booked with."""

    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "aria-required": "true"}),
        error_messages={
            "required": _("Enter the email address that you booked with."),
            "invalid": _("Use an email address such as robin@example.com."),
        },
    )
