"""Exports at the desk: what, in which form, with the present filters; and who took what so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from bedside.appointments.bulk.models import Export, Layout
from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.flows import export as flow
from bedside.reports.export.tables import TABLES, Active, Days
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.filters import FilterForm
from bedside.web.desk.messages import MessagesForm
from bedside.web.live.tickets import ticket

PER_PAGE = 25
# A search may name people: that there was one is kept, not for whom.
NOT_KEPT = {"q": "[a search]"}


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class DaysForm(forms.Form):
    """``from`` and ``to``: practice days, both included."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from"] = forms.DateField(label=_("From"), required=False, widget=_day())
        self.fields["to"] = forms.DateField(label=_("To"), required=False, widget=_day())

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("from"), values.get("to")
        if first and last and last < first:
            self.add_error("to", _("Choose a last day that isn't before the first."))
        return values

    @property
    def filters(self) -> Days:
        return Days(first=self.cleaned_data["from"], last=self.cleaned_data["to"])


class ActiveForm(forms.Form):
    """``active``: "yes" or "no"; empty: all."""

    active = forms.ChoiceField(
        label=_("Can be booked"), required=False, choices=[("", _("All")), ("yes", _("Yes")), ("no", _("No: archived"))]
    )

    @property
    def filters(self) -> Active:
        said = self.cleaned_data["active"]
        return Active(said == "yes" if said else None)


FORMS: Mapping[str, type[Any]] = {
    "appointments": FilterForm,
    "notifications": MessagesForm,
    "ledger": DaysForm,
    "providers": ActiveForm,
    "services": ActiveForm,
}


class ChoiceForm(forms.Form):
    """``what``, ``layout`` ("csv", or "excel": with a byte order mark) and ``redacted``."""

    what = forms.ChoiceField(
        label=_("What"),
        choices=[(table.key, table.title) for table in TABLES.values()],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what to export."), "invalid_choice": _("Choose what to export.")},
    )
    layout = forms.ChoiceField(
        label=_("Format"),
        required=False,
        choices=[(Layout.CSV, _("CSV")), (Layout.EXCEL, _("CSV for Excel: begins with a byte order mark"))],
        widget=forms.RadioSelect,
        initial=Layout.CSV,
    )
    redacted = forms.BooleanField(
        label=_("Leave out personal values: names, addresses, numbers, reasons and messages. For support."),
        required=False,
    )


@require_safe
@never_cache
@admin_required
def exports(request: HttpRequest) -> HttpResponse:
    """The page. ``?what=appointments&…`` brings along the filters of the list that one comes from."""
    return _page(request)


def _page(request: HttpRequest, choice: ChoiceForm | None = None, asked: Any = None, status: int = 200) -> HttpResponse:
    what = request.GET.get("what", "")
    if asked is None and what in FORMS:
        asked = FORMS[what](request.GET)
    kept = used_in(asked, request.GET)
    done = Export.objects.select_related("user").order_by("-pk")
    context = {
        "area": "exports",
        "live_ticket": ticket("desk"),
        "zone": Practice.current().timezone,
        "choice": choice or ChoiceForm(initial={"what": what or "appointments", "layout": Layout.CSV}),
        "days": DaysForm(request.GET if not kept else None),
        "active": ActiveForm(request.GET if not kept else None),
        "title": TABLES[what].title if what in TABLES else "",
        "what": what,
        "kept": [(name, value, said) for name, value, said in kept],
        "asked": asked,
        "page": Paginator(done, PER_PAGE).get_page(request.GET.get("page")),
    }
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "desk/_exports.html" if part else "desk/exports.html", context, status=status)


def used_in(form: Any, sent: QueryDict) -> list[tuple[str, str, str]]:
    """The filters that are in use: name, value, and both as a person reads them."""
    used = []
    for name, field in form.fields.items() if form is not None else ():
        if value := sent.get(name, ""):
            word = dict(getattr(field, "choices", ())).get(value, value)
            used.append((name, value, f"{field.label}: {word}"))
    return used


def said_of(used: list[tuple[str, str, str]]) -> dict[str, str]:
    """The filters as they may be kept."""
    return {name: NOT_KEPT.get(name, value) for name, value, _said in used}


@require_GET
@never_cache
@admin_required
def download(request: HttpRequest, what: str = "") -> HttpResponse:
    """The file, streamed. What can't be read is said on the page, and nothing is exported."""
    asked_for = QueryDict(mutable=True)
    asked_for.update(request.GET)
    if what:
        asked_for["what"] = what
    choice = ChoiceForm(asked_for)
    if not choice.is_valid():
        return _page(request, choice, status=422)
    chosen = choice.cleaned_data
    asked = FORMS[chosen["what"]](request.GET)
    if not asked.is_valid():
        return _page(request, choice, asked, status=422)
    said = said_of(used_in(asked, request.GET))
    return send(request, filters=asked.filters, said=said, **{**chosen, "layout": chosen["layout"] or Layout.CSV})


def send(request: HttpRequest, *, what: str, layout: str, redacted: bool, **of: Any) -> HttpResponse:
    """The answer that carries the file."""
    _row, pieces = flow.export(what=what, layout=layout, redacted=redacted, actor=actor_of(request), **of)
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8; header=present")
    day = clock.now().astimezone(Practice.current().zone).date().isoformat()
    name = f"{what}-{day}{'-redacted' if redacted else ''}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response  # type: ignore[return-value]
