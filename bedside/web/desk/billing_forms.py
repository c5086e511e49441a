"""Forms for what insurers ask for. Codes are written in any case and with any separators, and kept in one shape."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bedside.clinic.models import Service
from bedside.payments.receipt_models import PROCEDURE, PracticeBilling, ServiceBilling, VisitCodes

ICD_10 = re.compile(r"^[A-TV-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?$")
MOST_DIAGNOSES, MOST_MODIFIERS = 12, 4


class CodesForm(forms.Form):
    """One visit's codes, all optional."""

    procedure_code = forms.CharField(
        label=_("Procedure code"), required=False, max_length=5, help_text=_("CPT or HCPCS, for example 99213.")
    )
    modifiers = forms.CharField(
        label=_("Modifiers"), required=False, max_length=40, help_text=_("Two characters each, for example 95.")
    )
    place_of_service = forms.ChoiceField(
        label=_("Place of service"),
        required=False,
        choices=[
            ("", _("Not given")),
            ("10", _("10: the patient was at home")),
            ("02", _("02: the patient was elsewhere")),
        ],
    )
    diagnoses = forms.CharField(
        label=_("Diagnosis codes"),
        required=False,
        max_length=200,
        help_text=_("ICD-10-CM, separated by spaces; up to twelve. Kept sealed, and never emailed."),
    )

    @classmethod
    def of(cls, codes: VisitCodes | None) -> CodesForm:
        """Filled with what is kept."""
        kept = codes or VisitCodes()
        return cls(initial={name: getattr(kept, name) for name in cls.base_fields})

    def clean_procedure_code(self) -> str:
        code = self.cleaned_data["procedure_code"].strip().upper()
        if code:
            PROCEDURE(code)
        return str(code)

    def clean_modifiers(self) -> str:
        found = _split(self.cleaned_data["modifiers"])
        if len(found) > MOST_MODIFIERS or any(not re.fullmatch(r"[0-9A-Z]{2}", one) for one in found):
            raise forms.ValidationError(_("Up to four modifiers of two letters or digits each, for example 95 GT."))
        return " ".join(found)

    def clean_diagnoses(self) -> str:
        found = [_with_point(one) for one in _split(self.cleaned_data["diagnoses"])]
        wrong = [one for one in found if not ICD_10.match(one)]
        if wrong:
            raise forms.ValidationError(_("%(code)s is no ICD-10-CM code."), params={"code": wrong[0]})
        if len(found) > MOST_DIAGNOSES:
            raise forms.ValidationError(_("An insurer takes twelve diagnosis codes at most."))
        return " ".join(dict.fromkeys(found))


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,;]+", text.upper()) if part]


def _with_point(code: str) -> str:
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 and "." not in code else code


class BillingForm(forms.ModelForm):  # type: ignore[type-arg]
    """The practice's details, and a usual procedure code for each service."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = PracticeBilling
        fields = ("legal_name", "address", "tax_id")
        widgets = {"address": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = dict(ServiceBilling.objects.values_list("service_id", "procedure_code"))
        self.services = list(Service.objects.all())
        for service in self.services:
            self.fields[f"procedure_{service.pk}"] = forms.CharField(
                label=service.name, required=False, max_length=5, initial=usual.get(service.pk, "")
            )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for service in self.services:
            name = f"procedure_{service.pk}"
            values[name] = (values.get(name) or "").strip().upper()
            if values[name]:
                try:
                    PROCEDURE(values[name])
                except forms.ValidationError as error:
                    self.add_error(name, error)
        return values

    @property
    def details(self) -> dict[str, str]:
        return {name: self.cleaned_data[name].strip().replace("\r\n", "\n") for name in self.Meta.fields}

    @property
    def procedures(self) -> dict[int, str]:
        return {service.pk: self.cleaned_data[f"procedure_{service.pk}"] for service in self.services}

    @property
    def detail_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.Meta.fields]

    @property
    def procedure_fields(self) -> list[forms.BoundField]:
        return [self[f"procedure_{service.pk}"] for service in self.services]
