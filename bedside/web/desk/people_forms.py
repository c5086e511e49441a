"""The forms of a provider, with rows of licenses, and of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.clinic import places
from bedside.clinic.models import Provider, ProviderGroup, Service
from bedside.flows.people import LicenseFacts, ProviderFacts

EMPTY_ROWS = 3
MOST_LICENSES = 80


def _text(label: Any, length: int, help_text: Any = "", **attributes: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=length,
        required=False,
        help_text=help_text,
        widget=forms.TextInput(attrs=attributes),
    )


class LicenseForm(forms.Form):
    """One row; without a place it isn't there. A place is typed as its code or its name."""

    place = _text(gettext_lazy("Place"), 60, list="places", autocomplete="off")
    number = _text(gettext_lazy("License number"), 40, autocomplete="off")
    expires_on = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("Use a date such as 2027-06-30, or leave it empty.")},
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        values["place"] = places.find(values.get("place", ""))
        if not values["place"] and (values.get("number") or values.get("expires_on")):
            self.add_error("place", _("Choose the place that this license is for, or clear the row."))
        return values


Licenses = forms.formset_factory(LicenseForm, extra=EMPTY_ROWS, max_num=MOST_LICENSES, absolute_max=MOST_LICENSES + 5)


class ProviderForm(forms.Form):
    """``version``: the provider's when the form was opened; 0 for somebody new. Licenses are in `Licenses`."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)
    name = _text(gettext_lazy("Name"), 120, gettext_lazy("As patients see it, for example Dr. Elena Rivera."))
    title = _text(gettext_lazy("Title"), 80, gettext_lazy("For example MD, Family medicine."))
    bio = forms.CharField(
        label=gettext_lazy("About"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    languages = _text(gettext_lazy("Languages"), 400, gettext_lazy("With commas between them: English, Spanish."))
    email = _text(gettext_lazy("Email"), 254, gettext_lazy("Where news of appointments go."), type="email")
    mobile_number = _text(gettext_lazy("Mobile number"), 40, gettext_lazy("For texts about appointments."), type="tel")
    timezone = _text(
        gettext_lazy("Time zone"), 64, gettext_lazy("Working hours are in this zone."), list="zones", autocomplete="off"
    )
    npi = _text(gettext_lazy("NPI"), 10, gettext_lazy("National Provider Identifier, ten digits."), inputmode="numeric")
    zoom_user_id = _text(gettext_lazy("Zoom user"), 120, gettext_lazy("Who hosts the meetings: an id or an email."))
    services = forms.MultipleChoiceField(
        label=gettext_lazy("Services offered"), required=False, widget=forms.CheckboxSelectMultiple
    )
    OPTIONAL = ("title", "bio", "languages", "mobile_number", "npi", "zoom_user_id")

    def __init__(self, provider: Provider | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = list(provider.services.values_list("pk", flat=True)) if provider else []
        offered = Service.objects.filter(active=True) | Service.objects.filter(pk__in=own)
        field = self.fields["services"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = list(offered.distinct().values_list("slug", "name"))

    def facts(self, licenses: Sequence[dict[str, Any]]) -> ProviderFacts:
        """With the rows of the formset that hold a place."""
        values = {name: value.strip() if isinstance(value, str) else value for name, value in self.cleaned_data.items()}
        del values["version"]
        spoken = (one.strip() for one in values.pop("languages").split(","))
        return ProviderFacts(
            **values | {"services": frozenset(values["services"])},
            languages=tuple(dict.fromkeys(one for one in spoken if one)),
            licenses=tuple(LicenseFacts(**one) for one in licenses),
        )


class GroupForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)
    name = _text(gettext_lazy("Name"), 80, gettext_lazy("As patients see it, for example Physicians."))
    members = forms.MultipleChoiceField(
        label=gettext_lazy("Who belongs to it"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["members"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = list(Provider.objects.order_by("-active", "name").values_list("slug", "name"))


def rows_of(licenses: Any) -> list[tuple[int, dict[str, Any]]]:
    """The filled rows of a valid formset, each with its number."""
    cleaned = ((n, row.cleaned_data) for n, row in enumerate(licenses.forms))
    return [
        (n, {"place": row["place"], "number": (row.get("number") or "").strip(), "expires_on": row.get("expires_on")})
        for n, row in cleaned
        if row.get("place")
    ]


def typed(facts: ProviderFacts, version: int) -> dict[str, Any]:
    """The facts as the form's initial values; licenses apart."""
    values = asdict(facts)
    del values["licenses"]
    return values | {
        "languages": ", ".join(facts.languages),
        "services": sorted(facts.services),
        "version": version,
    }


def typed_group(group: ProviderGroup) -> dict[str, Any]:
    members = sorted(group.providers.values_list("slug", flat=True))
    return {"name": group.name, "members": members, "version": group.version}
