"""One action for many appointments: what was ticked, or all that match, is confirmed with its count, then begun."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bedside.appointments.bulk.runs import Action
from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.flows import bulk
from bedside.reports import listing
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.export import said_of, used_in
from bedside.web.desk.filters import FilterForm
from bedside.web.desk.tokens import FormToken

# A page's worth, many times over; more are chosen by filters.
MOST_TICKED = 500
SHOWN = 10
QUESTIONS: Mapping[str, Any] = {
    Action.RESEND: gettext_lazy("Send the confirmations again?"),
    Action.COMPLETE: gettext_lazy("Mark these visits completed?"),
    Action.EXPORT: gettext_lazy("Export these appointments?"),
}
# What a press does, and which of the rows are left as they are.
EXPLAINED: Mapping[str, Any] = {
    Action.RESEND: gettext_lazy(
        "Each patient gets the confirmation by email, and by text where texts were agreed to. Visits that are over, "
        "moved, canceled or unpaid are skipped, and so is who was sent one again in the last ten minutes."
    ),
    Action.COMPLETE: gettext_lazy(
        "Nothing is sent. Each can be taken back for a day. Visits that have not begun, or are not paid, are skipped."
    ),
    Action.EXPORT: gettext_lazy("The choice is kept, and the file is made from it when you download it."),
}
BUTTONS: Mapping[str, Any] = {
    Action.RESEND: gettext_lazy("Send again"),
    Action.COMPLETE: gettext_lazy("Mark completed"),
    Action.EXPORT: gettext_lazy("Keep this choice"),
}


class ChosenForm(forms.Form):
    """``action``; ``all`` with ``query`` (the list's filters), or ``code`` for each that was ticked."""

    action = forms.ChoiceField(choices=Action.choices)
    all = forms.BooleanField(required=False)
    query = forms.CharField(required=False, max_length=2000)


class StartForm(ChosenForm):
    """And what was confirmed: ``expected`` rows, once for each ``token``."""

    expected = forms.IntegerField(min_value=0, max_value=10_000_000)
    token = FormToken()


class Chosen:
    """Which rows a sent form means. ``filters_hold`` is False where its filters can't be read."""

    def __init__(self, sent: QueryDict, values: Mapping[str, Any]) -> None:
        self.everything: bool = values["all"]
        self.query: str = values["query"] if self.everything else ""
        self.codes = [] if self.everything else sorted({code[:12] for code in sent.getlist("code")})[: MOST_TICKED + 1]
        asked_for = QueryDict(self.query)
        self.form = FilterForm(asked_for)
        self.filters_hold = self.form.is_valid()
        self.used = used_in(self.form, asked_for)

    def rows(self) -> QuerySet[Appointment]:
        practice = Practice.current()
        if self.everything:
            return listing.appointments(self.form.filters, practice)
        return listing.appointments(listing.Filters(), practice).filter(code__in=self.codes)

    @property
    def problem(self) -> str:
        """Why this is no choice; "" where it is one."""
        if not self.filters_hold:
            return _("These filters don't fit together. Correct them, and choose again.")
        if not self.everything and not self.codes:
            return bulk.NothingChosen().message
        return bulk.TooManyChosen().message if len(self.codes) > MOST_TICKED else ""


@require_POST
@never_cache
@admin_required
def choose(request: HttpRequest) -> HttpResponse:
    """The confirmation page: how many there are, and how many of them can be acted on."""
    form = ChosenForm(request.POST)
    if not form.is_valid():
        return _back(request, bulk.NothingChosen().message)
    chosen = Chosen(request.POST, form.cleaned_data)
    if chosen.problem:
        return _back(request, chosen.problem)
    return _confirm(request, form.cleaned_data["action"], chosen, secrets.token_urlsafe(24))


def _back(request: HttpRequest, why: str) -> HttpResponse:
    """To the list as it was filtered, with the reason."""
    messages.warning(request, why)
    query = QueryDict(request.POST.get("query", "")[:2000]).urlencode()
    return HttpResponseRedirect(f"{reverse('desk:appointments')}{'?' if query else ''}{query}", status=303)


def _confirm(
    request: HttpRequest, action: str, chosen: Chosen, token: str, *, problem: str = "", status: int = 200
) -> HttpResponse:
    found = chosen.rows()
    planned = bulk.plan(action, found)
    context = {
        "area": "appointments",
        "zone": Practice.current().timezone,
        "question": QUESTIONS[action],
        "explained": EXPLAINED[action],
        "button": BUTTONS[action],
        "action": action,
        "chosen": chosen,
        "plan": planned,
        "most": bulk.MOST,
        "too_many": planned.count > bulk.MOST,
        "shown": list(listing.with_people(found)[:SHOWN]),
        "more": max(0, planned.count - SHOWN),
        "token": token,
        "problem": problem,
    }
    return render(request, "desk/bulk_confirm.html", context, status=status)


@require_POST
@never_cache
@admin_required
def start(request: HttpRequest) -> HttpResponse:
    """Begin what was confirmed. Pressing twice leads to the same run."""
    form = StartForm(request.POST)
    if not form.is_valid():
        return _back(request, _("This page is stale. Choose again."))
    said = form.cleaned_data
    chosen = Chosen(request.POST, said)
    if chosen.problem:
        return _back(request, chosen.problem)
    try:
        run = bulk.start(
            action=said["action"],
            found=chosen.rows(),
            expected=said["expected"],
            token=said["token"],
            said=said_of(chosen.used),
            actor=actor_of(request),
        )
    except bulk.NothingChosen as error:
        return _back(request, error.message)
    except (bulk.SelectionChanged, bulk.TooManyChosen) as error:
        return _confirm(request, said["action"], chosen, said["token"], problem=error.message, status=error.status)
    return HttpResponseRedirect(reverse("desk:bulk_run", args=[run.pk]), status=303)
