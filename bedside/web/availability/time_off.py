"""Time off: days away, vacations, and blocked times with a private reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.flows import availability
from bedside.schedule.models import TimeOff
from bedside.schedule.validation import LONGEST_REASON
from bedside.web.availability.editing import back, carry_out, conflict, frame, seen_version
from bedside.web.availability.overview import KINDS, say_time_off
from bedside.web.availability.place import Place


class TimeOffForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=list(KINDS.items()),
    )
    first_day = forms.DateField(
        label=gettext_lazy("First day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Choose the first day.")},
    )
    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        help_text=gettext_lazy("Empty: one day."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    start_time = forms.TimeField(
        label=gettext_lazy("From"),
        help_text=gettext_lazy("Empty: whole days."),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    end_time = forms.TimeField(
        label=gettext_lazy("To"),
        help_text=gettext_lazy("On the last day."),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Private: kept sealed, never shown to patients, not in the activity log."),
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


def time_off(request: HttpRequest, place: Place) -> HttpResponse:
    """The form, then what it would do, then done."""
    posts = request.method == "POST"
    form = TimeOffForm(request.POST if posts and request.POST.get("do") != "edit" else None)
    if posts and request.POST.get("do") == "edit":
        form = TimeOffForm(initial=request.POST.dict())
    if not form.is_bound or not form.is_valid():
        return _page(request, place, form)
    version, fields = seen_version(request), dict(form.cleaned_data)
    fields["last_day"] = fields["last_day"] or fields["first_day"]

    def edit(preview: bool) -> availability.Change:
        return availability.add_time_off(
            provider_id=place.provider.pk, **fields, actor=place.actor, version=version, preview=preview
        )

    def show_errors(errors: dict[str, Any]) -> HttpResponse:
        for name, message in errors.items():
            form.add_error(name if name in form.fields else None, message)
        return _page(request, place, form)

    question = _("Take this time off?")
    return carry_out(request, place, edit, question=question, done=_("The time off is saved."), show_errors=show_errors)


def remove(request: HttpRequest, place: Place, time_off_id: int) -> HttpResponse:
    """Asks first: patients can book that time again."""
    row = TimeOff.objects.filter(provider=place.provider, pk=time_off_id).first()
    if request.method != "POST":
        if row is None:
            raise Http404
        return back(place)
    if row is None:
        return conflict(request, place, _("That is gone already: somebody else removed it."))
    version = seen_version(request)

    def edit(preview: bool) -> availability.Change:
        return availability.remove_time_off(
            provider_id=place.provider.pk,
            time_off_id=time_off_id,
            actor=place.actor,
            version=version,
            preview=preview,
        )

    question = _("Work again on %(days)s?") % {"days": say_time_off(row)}
    return carry_out(request, place, edit, question=question, done=_("The time off is removed."))


def _page(request: HttpRequest, place: Place, form: TimeOffForm) -> HttpResponse:
    context = frame(place, form=form)
    return render(request, "availability/time_off.html", context, status=422 if form.errors else 200)
