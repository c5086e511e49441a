"""Forms for promo codes and tax rates. They read what was typed; whether it holds together is the flow's question."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bedside.clinic.models import Practice, Service
from bedside.clinic.prices.errors import InvalidTerms
from bedside.clinic.prices.models import PromoCode, TaxRate
from bedside.core.money import Money
from bedside.flows import promo_codes, taxes
from bedside.web.desk.money_field import MoneyField, amount_typed

DAY = {"type": "date"}


def _percent(label: Any, help_text: Any, required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        max_digits=9,
        help_text=help_text,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages=dict.fromkeys(
            ("required", "invalid", "max_digits", "max_whole_digits", "max_decimal_places"),
            _("Enter a percentage, for example 8.875."),
        ),
    )


def _day(label: Any, help_text: Any = "", required: bool = False) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Enter a date.")),
    )


def _count(label: Any, help_text: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        help_text=help_text,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": _("Use a whole number, or leave it empty.")},
    )


class TermsForm(forms.Form):
    """Shows a flow's complaints beside their fields."""

    def complain(self, error: InvalidTerms) -> None:
        for field, message in error.errors.items():
            self.add_error(field if field in self.fields else None, message)


class PromoForm(TermsForm):
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    code = forms.CharField(
        label=_("Code"),
        max_length=80,
        help_text=_("What patients type, in upper or lower case. It can't be changed later."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        error_messages={"required": _("Use 2 to 32 letters, digits and dashes, for example WELCOME-10.")},
    )
    percent = _percent(_("Percentage off"), _("For example 10. Leave it empty for an amount."), required=False)
    amount = MoneyField(label=_("Or an amount off"), required=False)
    services = forms.ModelMultipleChoiceField(
        Service.objects.all(),
        label=_("Only for"),
        required=False,
        help_text=_("None chosen: every service."),
        widget=forms.CheckboxSelectMultiple,
    )
    valid_from = _day(_("First day"), _("Both days count, in the practice's time zone."))
    valid_until = _day(_("Last day"))
    limit_total = _count(_("Bookings in all"), _("Empty: as many as you like. Canceled ones give theirs back."))
    limit_per_patient = _count(_("Bookings per patient"), _("A patient is told by email address or mobile number."))
    note = forms.CharField(
        label=_("Note"), required=False, max_length=160, help_text=_("What it is for; patients don't see it.")
    )

    def __init__(self, data: Any = None, promo: PromoCode | None = None) -> None:
        self.promo = promo
        currency = (promo.currency if promo else "") or Practice.current().currency
        super().__init__(data, initial=kept_promo(promo) if promo else None)
        amount = self.fields["amount"]
        assert isinstance(amount, MoneyField)
        amount.currency = currency
        amount.help_text = currency
        if promo:
            del self.fields["code"]

    @property
    def terms(self) -> promo_codes.Terms:
        given = {name: value for name, value in self.cleaned_data.items() if name not in {"code", "version"}}
        return promo_codes.Terms(**given | {"services": list(given["services"])})


def kept_promo(promo: PromoCode) -> dict[str, Any]:
    """As the form's initial values."""
    amount = Money(promo.amount_minor, promo.currency) if promo.amount_minor else None
    return {
        "percent": f"{promo.percent.normalize():f}" if promo.percent is not None else "",
        "amount": amount_typed(amount) if amount else "",
        "services": list(promo.services.values_list("pk", flat=True)),
        "valid_from": promo.valid_from,
        "valid_until": promo.valid_until,
        "limit_total": promo.limit_total,
        "limit_per_patient": promo.limit_per_patient,
        "note": promo.note,
        "version": promo_codes.version_of(promo),
    }


class TaxForm(TermsForm):
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(
        label=_("Name"),
        max_length=40,
        help_text=_("As receipts say it, for example VAT."),
        error_messages={"required": _("Name the tax as receipts should, in at most 40 characters.")},
    )
    percent = _percent(_("Percentage"), _("Up to four digits after the point."))
    inclusive = forms.ChoiceField(
        label=_("Prices"),
        choices=[("", _("Without it: it is added to the price")), ("1", _("With it: the price stays as it is"))],
        required=False,
    )
    category = forms.ChoiceField(
        label=_("Services"), required=False, help_text=_("By the tax category that a service is given in its editor.")
    )
    place = forms.CharField(
        label=_("Patients in"),
        required=False,
        max_length=6,
        help_text=_("US-NY for a state, DE for a country. Empty: everywhere that has no rate of its own."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    valid_from = _day(_("First day"), _("The day of booking counts, in the practice's time zone."), required=True)
    valid_until = _day(_("Last day"), _("Empty: for good."))

    def __init__(self, data: Any = None, rate: TaxRate | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=kept_rate(rate) if rate else initial)
        used = set(Service.objects.values_list("tax_category", flat=True)) | ({rate.category} if rate else set())
        field = self.fields["category"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Of the usual category")), *((name, name) for name in sorted(used - {""}))]

    def clean_place(self) -> str:
        return str(self.cleaned_data["place"]).strip().upper()

    @property
    def terms(self) -> taxes.Terms:
        given = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        return taxes.Terms(**given | {"inclusive": bool(given["inclusive"])})


def kept_rate(rate: TaxRate) -> dict[str, Any]:
    """As the form's initial values."""
    kept = {name: getattr(rate, name) for name in ("name", "category", "place", "valid_from", "valid_until")}
    percent: Decimal = rate.percent
    return (
        kept
        | {"percent": f"{percent.normalize():f}", "inclusive": "1" if rate.inclusive else ""}
        | {"version": taxes.version_of(rate)}
    )
