"""The form of a service. It reads what was typed; what makes sense is said once, in flows/facts_checked.py."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from babel.numbers import list_currencies
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.clinic.models import Practice, Provider, ProviderGroup, Service
from bedside.core.money import Money, UnreadableMoney, parse_money
from bedside.flows.catalogue import ServiceFacts
from bedside.web.desk.money_field import amount_typed

COMMON_CURRENCIES = ("USD", "CAD", "EUR", "GBP", "AUD", "NZD", "CHF", "MXN")
WHOLE = gettext_lazy("Use a whole number.")


def minutes(label: Any, help_text: Any = "") -> forms.IntegerField:
    """A whole number; the flow says which."""
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=0,
        max_value=1_000_000,
        error_messages={"required": WHOLE, "invalid": WHOLE, "min_value": WHOLE},
    )


def switch(label: Any) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False)


def _group_word(group: ProviderGroup) -> str:
    return group.name if group.active else _("%(name)s (archived)") % {"name": group.name}


class ServiceForm(forms.Form):
    """``facts`` once it is valid. ``version``: the service's when the form was opened; 0 for a new one."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120, required=False)
    discreet_name = forms.CharField(
        label=gettext_lazy("Name in messages"),
        help_text=gettext_lazy("Emails, texts and the video service use it: nothing that tells a condition."),
        max_length=60,
        required=False,
        initial="Video visit",
    )
    summary = forms.CharField(label=gettext_lazy("One line under the name"), max_length=160, required=False)
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    position = minutes(gettext_lazy("Place in the list"), gettext_lazy("Smaller numbers come first."))
    duration_minutes = minutes(gettext_lazy("Length in minutes"))
    price = forms.CharField(
        label=gettext_lazy("Price"),
        max_length=20,
        error_messages={"required": gettext_lazy("Enter a price, for example 85.00.")},
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    tax_category = forms.CharField(
        label=gettext_lazy("Tax category"),
        help_text=gettext_lazy("As the tax rates name it; empty for the usual one."),
        max_length=40,
        required=False,
    )
    prep_minutes = minutes(gettext_lazy("Minutes kept free before"))
    wrap_minutes = minutes(gettext_lazy("Minutes kept free after"))
    step_minutes = minutes(gettext_lazy("A start every so many minutes"))
    minimum_notice_minutes = minutes(
        gettext_lazy("Minimum notice in minutes"), gettext_lazy("How long before its start a visit can be booked.")
    )
    horizon_days = minutes(gettext_lazy("Bookable so many days ahead"))
    daily_limit = forms.IntegerField(
        label=gettext_lazy("Most per provider and day"),
        help_text=gettext_lazy("Empty for no limit."),
        required=False,
        min_value=0,
        max_value=1_000_000,
        error_messages={"invalid": WHOLE, "min_value": WHOLE},
    )
    asks_location = switch(gettext_lazy("Ask where the patient will be, and offer only who is licensed there"))
    first_reminder_hours = minutes(
        gettext_lazy("First reminder, so many hours before"),
        gettext_lazy("Visits booked later than that get none. Changes hold for visits booked from now on."),
    )
    reminder_24h_email = switch(gettext_lazy("First reminder by email"))
    reminder_24h_sms = switch(gettext_lazy("First reminder by text"))
    last_reminder_minutes = minutes(gettext_lazy("Last reminder, so many minutes before"))
    reminder_1h_email = switch(gettext_lazy("Last reminder by email"))
    reminder_1h_sms = switch(gettext_lazy("Last reminder by text"))
    providers = forms.MultipleChoiceField(
        label=gettext_lazy("Who offers it"), required=False, widget=forms.CheckboxSelectMultiple
    )
    groups = forms.MultipleChoiceField(
        label=gettext_lazy("Groups that patients may choose"), required=False, widget=forms.CheckboxSelectMultiple
    )

    TEXTS = ("name", "discreet_name", "summary", "description", "position")
    NUMBERS = ("duration_minutes", "price", "currency", "tax_category")
    TIMES = (
        "prep_minutes",
        "wrap_minutes",
        "step_minutes",
        "minimum_notice_minutes",
        "horizon_days",
        "daily_limit",
    )
    SWITCHES = ("reminder_24h_email", "reminder_24h_sms", "reminder_1h_email", "reminder_1h_sms")
    REMINDERS = ("first_reminder_hours", *SWITCHES[:2], "last_reminder_minutes", *SWITCHES[2:])

    def __init__(self, practice: Practice, service: Service | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [service.currency] if service else []
        codes = dict.fromkeys([practice.currency, *own, *COMMON_CURRENCIES])
        self._choose("currency", [(code, code) for code in codes if code in list_currencies()])
        offering = service.providers.values_list("pk", flat=True) if service else []
        people = Provider.objects.filter(active=True) | Provider.objects.filter(pk__in=list(offering))
        self._choose("providers", people.order_by("name").values_list("slug", "name"))
        # An archived one stays ticked where it was: restoring it brings it back to its services.
        ticked = service.groups.values_list("pk", flat=True) if service else []
        groups = ProviderGroup.objects.filter(active=True) | ProviderGroup.objects.filter(pk__in=list(ticked))
        self._choose("groups", [(one.slug, _group_word(one)) for one in groups])

    def _choose(self, name: str, choices: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)

    def parts(self, names: tuple[str, ...]) -> list[forms.BoundField]:
        return [self[name] for name in names]

    @property
    def texts(self) -> list[forms.BoundField]:
        return self.parts(self.TEXTS)

    @property
    def numbers(self) -> list[forms.BoundField]:
        return self.parts(self.NUMBERS)

    @property
    def times(self) -> list[forms.BoundField]:
        return self.parts(self.TIMES)

    @property
    def reminders(self) -> list[forms.BoundField]:
        return self.parts(self.REMINDERS)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "price" in values and "currency" in values:
            try:
                values["price_minor"] = parse_money(values["price"], values["currency"]).minor_units
            except UnreadableMoney:
                self.add_error(
                    "price", _("Enter a price in %(code)s, for example 85.00.") % {"code": values["currency"]}
                )
        return values

    @property
    def facts(self) -> ServiceFacts:
        values = dict(self.cleaned_data)
        values["providers"], values["groups"] = frozenset(values["providers"]), frozenset(values["groups"])
        for name in ("name", "discreet_name", "summary", "description", "tax_category"):
            values[name] = values[name].strip()
        return ServiceFacts(**{name: values[name] for name in ServiceFacts.__dataclass_fields__})

    def refuse(self, errors: dict[str, Any]) -> None:
        """What the flow found, beside the fields."""
        for name, message in errors.items():
            self.add_error(name if name in self.fields else None, message)


def typed(facts: ServiceFacts, version: int) -> dict[str, Any]:
    """The facts as the form's initial values."""
    values = asdict(facts)
    price = Money(values.pop("price_minor"), facts.currency)
    return values | {
        "price": amount_typed(price),
        "providers": sorted(facts.providers),
        "groups": sorted(facts.groups),
        "version": version,
    }
