"""The query that the list, its export and its summary bar share."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from bedside.appointments.states import Status
from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.payments.states import PaymentStatus
from bedside.reports.listing import PAYMENT, VISIT, Filters, providers, services
from bedside.reports.pages import SORTS, USUAL
from bedside.reports.spans import LONGEST_YEARS, SPANS, span_of
from bedside.web.templatetags.ui import status_word


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


SPAN_WORDS = {
    "today": _("Today"),
    "tomorrow": _("Tomorrow"),
    "week": _("This week"),
    "month": _("This month"),
    "quarter": _("This quarter"),
    "year": _("This year"),
    "7days": _("Last 7 days"),
    "30days": _("Last 30 days"),
}
assert set(SPAN_WORDS) == set(SPANS)
SORT_WORDS = {
    "-start": _("Latest visit first"),
    "start": _("Earliest visit first"),
    "-created": _("Newest booking first"),
    "created": _("Oldest booking first"),
    "-paid": _("Most paid first"),
    "paid": _("Least paid first"),
}
assert set(SORT_WORDS) == set(SORTS)
SIZES = ("25", "50", "100")


class FilterForm(forms.Form):
    """``from`` and ``to`` or ``period``, ``date``, ``service``, ``provider``, ``payment_status``, ``status``, ``q``."""

    period = forms.ChoiceField(label=_("Period"), required=False, choices=[("", ""), *SPAN_WORDS.items()])
    q = forms.CharField(label=_("Search"), required=False, max_length=254, widget=forms.HiddenInput)
    date = forms.ChoiceField(label=_("Day of"), required=False, choices=[(VISIT, _("Visit")), (PAYMENT, _("Payment"))])
    service = forms.ChoiceField(label=_("Service"), required=False)
    provider = forms.ChoiceField(label=_("Provider"), required=False)
    payment_status = forms.ChoiceField(label=_("Payment"), required=False)
    status = forms.ChoiceField(label=_("Appointment"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # "from" is no name that Python lets a class have.
        self.fields["from"] = forms.DateField(label=_("From"), required=False, widget=_day())
        self.fields["to"] = forms.DateField(label=_("To"), required=False, widget=_day())
        self._offer("service", _("All services"), [one[1:] for one in services()])
        self._offer("provider", _("All providers"), [one[1:] for one in providers()])
        self._offer("payment_status", _("Any payment"), ((one.value, status_word(one.value)) for one in PaymentStatus))
        self._offer("status", _("Any status"), ((one.value, status_word(one.value)) for one in Status))
        self.order_fields(["period", "from", "to", "date", "service", "provider", "payment_status", "status", "q"])

    def _offer(self, name: str, nothing: object, choices: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", nothing), *choices]
        field.error_messages["invalid_choice"] = _("There is none of this name. Choose one of the list.")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("from"), values.get("to")
        if first and last and last < first:
            self.add_error("to", _("Choose a last day that isn't before the first."))
        elif first and last and last.year - first.year > LONGEST_YEARS:
            self.add_error("to", _("Choose ten years at most."))
        for name, day in (("from", first), ("to", last)):
            if day and not date(1971, 1, 1) <= day <= date(9000, 1, 1):
                self.add_error(name, _("Choose a day of our times."))
        return values

    @property
    def span(self) -> str:
        """The period by name that holds; chosen days go before it."""
        values = self.cleaned_data
        return "" if values.get("from") or values.get("to") else values.get("period") or ""

    @property
    def filters(self) -> Filters:
        """What was asked for; ask `is_valid` first."""
        values = self.cleaned_data
        first, last = values["from"], values["to"]
        if self.span:
            period = span_of(self.span, clock.now().astimezone(Practice.current().zone).date())
            first, last = period.first, period.last
        return Filters(
            first=first,
            last=last,
            date=values["date"] or VISIT,
            service=values["service"],
            provider=values["provider"],
            payment_status=values["payment_status"],
            status=values["status"],
            q=values["q"],
        )


class ListForm(FilterForm):
    """The same with the order of the rows and how many a page holds."""

    sort = forms.ChoiceField(label=_("Sort"), required=False, choices=list(SORT_WORDS.items()), initial=USUAL)
    rows = forms.ChoiceField(label=_("Rows"), required=False, choices=[(one, one) for one in SIZES])

    @property
    def order(self) -> str:
        return self.cleaned_data["sort"] or USUAL

    @property
    def size(self) -> int:
        return int(self.cleaned_data["rows"] or SIZES[0])

    @property
    def query(self) -> str:
        """What a saved view keeps: everything but the page and the search, which names people; in one spelling."""
        usual = {"date": VISIT, "sort": USUAL, "rows": SIZES[0]}
        asked = {name: str(self.data.get(name, "")) for name in self.fields if name != "q"}
        if self.span == "":
            asked.pop("period")
        return urlencode({name: value for name, value in sorted(asked.items()) if value and value != usual.get(name)})
