"""What the sales pages are asked for, from the address: ``period``, ``from``, ``to``, ``service``, ``provider``."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bedside.clinic.models import Practice, Provider, Service
from bedside.core import clock
from bedside.reports.overview import Asked
from bedside.reports.periods import LONGEST, USUAL, period_of

WORDS = {
    "today": _("Today"),
    "7days": _("Last 7 days"),
    "30days": _("Last 30 days"),
    "month": _("This month"),
    "quarter": _("This quarter"),
    "custom": _("Chosen days"),
}


class SalesForm(forms.Form):
    """Every field may be left out. Days without a period mean chosen days."""

    period = forms.ChoiceField(label=_("Period"), required=False, choices=[("", ""), *WORDS.items()])
    service = forms.ChoiceField(label=_("Service"), required=False)
    provider = forms.ChoiceField(label=_("Provider"), required=False)

    def __init__(self, data: Any, practice: Practice) -> None:
        super().__init__(data)
        self.practice = practice
        self.today = clock.now().astimezone(practice.zone).date()
        for name, label in (("from", _("From")), ("to", _("To"))):
            self.fields[name] = forms.DateField(label=label, required=False)
        self._services = {slug: (pk, name) for pk, slug, name in Service.objects.values_list("pk", "slug", "name")}
        people = Provider.objects.order_by("name").values_list("pk", "slug", "name")
        self._providers = {slug: (pk, name) for pk, slug, name in people}
        self._offer("service", _("All services"), self._services)
        self._offer("provider", _("All providers"), self._providers)
        self.order_fields(["period", "from", "to", "service", "provider"])

    def _offer(self, name: str, nothing: Any, found: dict[str, tuple[int, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", nothing), *((slug, word) for slug, (_pk, word) in found.items())]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("from"), values.get("to")
        if first and last and last < first:
            self.add_error("to", _("Choose a last day that isn't before the first."))
        elif first and (last or max(self.today, first)) - first > LONGEST:
            self.add_error("from", _("Choose three years at most."))
        for name, day in (("from", first), ("to", last)):
            if day and not date(1971, 1, 1) <= day <= date(9000, 1, 1):
                self.add_error(name, _("Choose a day of our times."))
        return values

    @property
    def preset(self) -> str:
        values = self.cleaned_data
        if values.get("from") or values.get("to"):
            return "custom"
        chosen = values.get("period") or USUAL
        return USUAL if chosen == "custom" else str(chosen)

    @property
    def asked(self) -> Asked:
        """What was asked for; ask `is_valid` first."""
        values = self.cleaned_data
        period, before = period_of(self.preset, self.today, values.get("from"), values.get("to"))
        return Asked(
            period=period,
            before=before,
            service_id=self._services.get(values["service"], (None, ""))[0],
            provider_id=self._providers.get(values["provider"], (None, ""))[0],
        )

    @property
    def presets(self) -> list[tuple[str, Any]]:
        """The spans that have a name, as links; chosen days have fields."""
        return [(value, word) for value, word in WORDS.items() if value != "custom"]

    @property
    def shown(self) -> str:
        """Which preset holds; empty where the filters make no sense."""
        return self.preset if self.is_valid() else ""
