"""What a provider may change about themselves; the rest is the practice's."""

from __future__ import annotations

from typing import Any

import phonenumbers
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.appointments.errors import InvalidDetails
from bedside.clinic.models import Practice, Provider
from bedside.core.zones import known_zones
from bedside.flows import profile as profiles
from bedside.web.access import actor_of, provider_required
from bedside.web.portal.visits import provider_of
from bedside.web.templatetags.when import zone_name


class ProfileForm(forms.Form):
    """What is typed; what counts as valid is said by the flow."""

    mobile = forms.CharField(
        label=gettext_lazy("Mobile number"),
        help_text=gettext_lazy("For texts about your visits. With + and the country's code, or as dialled at home."),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    timezone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Your working hours keep their times of day when it changes. Booked visits don't move."),
        error_messages={"invalid_choice": gettext_lazy("Choose a time zone from the list.")},
    )

    def __init__(self, present: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = {present, *(zone for zone in known_zones() if "/" in zone and not zone.startswith(OLD))}
        self.fields["timezone"].choices = [(zone, zone_name(zone)) for zone in sorted(zones)]  # type: ignore[attr-defined]


# Names that are kept for old programs, or that nobody lives in.
OLD = ("Etc/", "US/", "SystemV/", "posix/", "right/", "Brazil/", "Canada/", "Chile/", "Mexico/", "Antarctica/")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@provider_required
def profile(request: HttpRequest) -> HttpResponse:
    """The page; a mistake is said beside its field and changes nothing."""
    provider = provider_of(request)
    country = _country_of(provider)
    initial = {"mobile": provider.mobile_number, "timezone": provider.timezone}
    form = ProfileForm(provider.timezone, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            profiles.change(
                provider_id=provider.pk,
                mobile=form.cleaned_data["mobile"],
                country=_country_typed(form.cleaned_data["mobile"]) or country,
                timezone=form.cleaned_data["timezone"],
                actor=actor_of(request),
            )
        except InvalidDetails as error:
            for field, said in error.errors.items():
                form.add_error(field, said)
        else:
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("portal:profile"), status=303)
    context = {"area": "profile", "provider": provider, "zone": provider.timezone, "form": form}
    return render(request, "portal/profile.html", context, status=422 if form.errors else 200)


def _country_of(provider: Provider) -> str:
    """Of the present number, else of the practice."""
    return _country_typed(provider.mobile_number) or Practice.current().country


def _country_typed(text: str) -> str:
    """What an international number says for itself, or nothing."""
    if not text.strip().startswith("+"):
        return ""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(
        number.country_code or 0
    )
