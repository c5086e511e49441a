"""One day's hours instead of the usual ones, or none."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.flows import availability
from bedside.schedule.errors import ChangedMeanwhile
from bedside.schedule.models import DayOverride
from bedside.schedule.rules import Hours
from bedside.web.availability.editing import back, carry_out, conflict, frame, seen_version
from bedside.web.availability.place import Place
from bedside.web.availability.reading import NotHours, read_hours, write_all
from bedside.web.stale import Difference
from bedside.web.templatetags.when import say_day


class DayForm(forms.Form):
    day = forms.DateField(
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Choose the day.")},
    )
    hours = forms.CharField(
        label=gettext_lazy("Hours on that day"),
        help_text=gettext_lazy("Such as 9:00–12:30, 14:00–17:00. Empty: a day off."),
        max_length=200,
        required=False,
    )

    def clean_hours(self) -> list[Hours]:
        try:
            return read_hours(str(self.cleaned_data["hours"]))
        except NotHours as error:
            said = _("“%(text)s” can't be read as hours. Write them like 9:00–12:30.")
            raise ValidationError(said % {"text": error}) from None


def day(request: HttpRequest, place: Place) -> HttpResponse:
    """The form, then what it would do, then done."""
    posts = request.method == "POST"
    form = DayForm(request.POST if posts and request.POST.get("do") != "edit" else None)
    if posts and request.POST.get("do") == "edit":
        form = DayForm(initial=request.POST.dict())
    if not form.is_bound or not form.is_valid():
        return _page(request, place, form)
    version, fields = seen_version(request), form.cleaned_data

    def edit(preview: bool) -> availability.Change:
        return availability.override_day(
            provider_id=place.provider.pk, **fields, actor=place.actor, version=version, preview=preview
        )

    def show_errors(errors: dict[str, Any]) -> HttpResponse:
        for name, message in errors.items():
            form.add_error(name if name in form.fields else None, message)
        return _page(request, place, form)

    def show_conflict(error: ChangedMeanwhile) -> HttpResponse:
        row = DayOverride.objects.filter(provider=place.provider, day=fields["day"]).first()
        saved = (
            _("The weekly hours") if row is None else _said([(one.start_time, one.end_time) for one in row.hours.all()])
        )
        mine = _said(fields["hours"])
        shown = [] if saved == mine else [Difference(str(form.fields["hours"].label), saved, mine)]
        context = frame(place, form=form, stale=error, differences=shown)
        return render(request, "availability/day.html", context, status=error.status)

    said = _("Change the hours on %(day)s?") if fields["hours"] else _("Take %(day)s off?")
    question = said % {"day": say_day(fields["day"])}
    return carry_out(
        request,
        place,
        edit,
        question=question,
        done=_("The day is saved."),
        show_errors=show_errors,
        show_conflict=show_conflict,
    )


def _said(hours: list[Hours]) -> str:
    return write_all(hours) or _("A day off")


def remove(request: HttpRequest, place: Place, on: str) -> HttpResponse:
    """Asks first: the day follows the weekly hours again."""
    try:
        chosen = date.fromisoformat(on[:10])
    except ValueError:
        raise Http404 from None
    there = DayOverride.objects.filter(provider=place.provider, day=chosen).exists()
    if request.method != "POST":
        if not there:
            raise Http404
        return back(place)
    if not there:
        return conflict(request, place, _("That is gone already: somebody else removed it."))
    version = seen_version(request)

    def edit(preview: bool) -> availability.Change:
        return availability.remove_override(
            provider_id=place.provider.pk, day=chosen, actor=place.actor, version=version, preview=preview
        )

    question = _("Work the usual hours on %(day)s?") % {"day": say_day(chosen)}
    return carry_out(request, place, edit, question=question, done=_("The day follows the weekly hours again."))


def _page(request: HttpRequest, place: Place, form: DayForm) -> HttpResponse:
    return render(request, "availability/day.html", frame(place, form=form), status=422 if form.errors else 200)
