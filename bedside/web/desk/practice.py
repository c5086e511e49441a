"""Practice settings: one form; beside what patients would notice stands what changes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from babel.numbers import list_currencies
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.clinic.errors import ChangedMeanwhile, InvalidFacts
from bedside.clinic.models import Practice
from bedside.core.zones import known_zones
from bedside.flows import practice as flow
from bedside.flows.details import consent_text, consent_version
from bedside.flows.practice import PracticeFacts
from bedside.reports import record
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.by_phone_forms import countries
from bedside.web.desk.catalogue_forms import COMMON_CURRENCIES, minutes
from bedside.web.stale import clash

AREA, TAB = "settings", "practice"


def _text(label: Any, length: int, help_text: Any = "", *, rows: int = 0, **attributes: str) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput(attrs=attributes)
    return forms.CharField(label=label, max_length=length, required=False, help_text=help_text, widget=widget)


def _time(label: Any, help_text: Any) -> forms.TimeField:
    wrong = gettext_lazy("Use a time such as 21:00.")
    return forms.TimeField(
        label=label,
        help_text=help_text,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"required": wrong, "invalid": wrong},
    )


class PracticeForm(forms.Form):
    """``facts`` once it is valid. What makes sense is the flow's question."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    name = _text(gettext_lazy("Name"), 120, gettext_lazy("As patients know it: on every page and in every message."))
    about = _text(gettext_lazy("About"), 600, gettext_lazy("Two sentences on the services page."), rows=3)
    email = _text(gettext_lazy("Email"), 254, gettext_lazy("Where patients' questions go."), type="email")
    phone = _text(gettext_lazy("Phone"), 40, gettext_lazy("The number patients call."), type="tel")
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        help_text=gettext_lazy("Whose phone numbers need no country code, and comes first where a country is chosen."),
    )
    timezone = _text(
        gettext_lazy("Time zone"),
        64,
        gettext_lazy("Days of reports, of the daily close and of policies follow it."),
        list="zones",
        autocomplete="off",
    )
    zone_understood = forms.BooleanField(
        label=gettext_lazy("Change the zone: days of reports begin and end at another moment from now on."),
        required=False,
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"), help_text=gettext_lazy("New services are priced in it."), required=False
    )
    languages = forms.MultipleChoiceField(
        label=gettext_lazy("Languages of the patients' pages and messages"),
        choices=settings.LANGUAGES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    quiet_from = _time(gettext_lazy("Quiet from"), gettext_lazy("On the recipient's clock. What can wait, waits."))
    quiet_until = _time(
        gettext_lazy("Quiet until"), gettext_lazy("Answers to what patients do go at once all the same.")
    )
    default_notice_minutes = minutes(
        gettext_lazy("Minimum notice in minutes"), gettext_lazy("How long before its start a visit can be booked.")
    )
    default_horizon_days = minutes(gettext_lazy("Bookable so many days ahead"))
    default_step_minutes = minutes(gettext_lazy("A start every so many minutes"))
    waitlist_offer_minutes = minutes(
        gettext_lazy("Minutes that a free time is one person's turn"),
        gettext_lazy("Then the next on the waitlist is asked."),
    )
    join_minutes = minutes(
        gettext_lazy("Minutes before the visit that the patient can go in"),
        gettext_lazy("Until then the button says when."),
    )
    consent_en = _text(gettext_lazy("In English"), 2000, rows=4)
    consent_es = _text(gettext_lazy("In Spanish"), 2000, rows=4)
    OPTIONAL = ("about", "email", "phone", "consent_en", "consent_es")

    def __init__(self, saved: PracticeFacts, data: Any = None) -> None:
        super().__init__(data, initial=typed(saved))
        self.saved = saved
        country, currency = self.fields["country"], self.fields["currency"]
        assert isinstance(country, forms.ChoiceField)
        assert isinstance(currency, forms.ChoiceField)
        country.choices = countries(saved.country)
        usual = dict.fromkeys((saved.currency, *COMMON_CURRENCIES, *sorted(list_currencies())))
        currency.choices = [(code, code) for code in usual]
        self.currency_is_fixed = flow.currency_is_fixed()
        if self.currency_is_fixed:
            # A field that is switched off keeps what is saved, whatever is sent.
            currency.disabled = True
            currency.help_text = _("Money has moved in this currency, so it stays.")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        zone = values.get("timezone")
        if zone in known_zones() and zone != self.saved.timezone and not values.get("zone_understood"):
            self.add_error("zone_understood", _("Tick this if the zone is meant to change."))
        return values

    @property
    def facts(self) -> PracticeFacts:
        values = {name: one.strip() if isinstance(one, str) else one for name, one in self.cleaned_data.items()}
        del values["version"], values["zone_understood"]
        for name in ("about", "consent_en", "consent_es"):
            values[name] = values[name].replace("\r\n", "\n")
        return PracticeFacts(**values | {"languages": tuple(values["languages"])})


def typed(facts: PracticeFacts) -> dict[str, Any]:
    """As the form's initial values."""
    return asdict(facts) | {"languages": list(facts.languages), "version": facts.version}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def practice(request: HttpRequest) -> HttpResponse:
    saved = flow.facts_of(Practice.current())
    form = PracticeForm(saved, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form)
    try:
        changed = flow.change(version=form.cleaned_data["version"], facts=form.facts, actor=actor_of(request))
    except InvalidFacts as error:
        for name, message in error.errors.items():
            form.add_error(name, message)
        return _page(request, form)
    except ChangedMeanwhile as error:
        return _page(request, form, clash(form, typed(flow.facts_of(Practice.current())), error))
    messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing was saved."))
    return HttpResponseRedirect(reverse("desk:practice"), status=303)


def _page(request: HttpRequest, form: PracticeForm, more: dict[str, Any] | None = None) -> HttpResponse:
    saved = Practice.current()
    context: dict[str, Any] = {
        "area": AREA,
        "tab": TAB,
        "form": form,
        "zones": sorted(known_zones()),
        "house_words": consent_text(saved.name),
        "consent_version": consent_version(),
        "history": record.history(saved),
        "zone": saved.timezone,
        "asks_zone": "zone_understood" in form.errors or form.data.get("zone_understood"),
    }
    status = 409 if more else 422 if form.errors else 200
    return render(request, "desk/practice.html", context | (more or {}), status=status)
