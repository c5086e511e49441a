"""The days on which the practice is closed: added by hand or for a country, taken away again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.core.errors import NotFound
from bedside.flows import holidays as flow
from bedside.schedule.errors import InvalidAvailability
from bedside.schedule.models import Holiday
from bedside.web.access import actor_of, admin_required
from bedside.web.templatetags.when import say_day


class DayForm(forms.Form):
    day = forms.DateField(
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Choose the day.")},
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=flow.LONGEST_NAME,
        error_messages={"required": gettext_lazy("Give it a name.")},
    )


class CountryForm(forms.Form):
    country = forms.CharField(
        label=gettext_lazy("Country"),
        help_text=gettext_lazy("A code such as US or GB, or of a part of one: US-NY."),
        max_length=6,
        error_messages={"required": gettext_lazy("Say which country.")},
    )
    year = forms.IntegerField(label=gettext_lazy("Year"), error_messages={"required": gettext_lazy("Say which year.")})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def holidays(request: HttpRequest) -> HttpResponse:
    """The list and two forms; posting shows what is booked on these days first, then closes them."""
    if request.method != "POST":
        return _page(request)
    adds = request.POST.get("kind") != "country"
    form = DayForm(request.POST, prefix="day") if adds else CountryForm(request.POST, prefix="country")
    saves = request.POST.get("do") == "save"
    closing = None
    if form.is_valid():
        act = flow.add if adds else flow.import_country
        try:
            closing = act(**form.cleaned_data, actor=actor_of(request), preview=not saves)
        except InvalidAvailability as error:
            for name, message in error.errors.items():
                form.add_error(name if name in form.fields else None, message)
    if closing is None:
        return _page(request, form, status=422)
    if not closing.days:
        return _page(request, said=_("All of that year's public holidays ahead are closed already."))
    if saves:
        messages.success(request, _("The practice is closed then. Open times follow in a moment."))
        return HttpResponseRedirect(reverse("desk:holidays"), status=303)
    context = {
        "area": "people",
        "days": [{"said": say_day(row.day), "name": row.name} for row in closing.days],
        "visits": closing.outside,
        "fields": [(name, value) for name, value in request.POST.items() if name not in {"do", "csrfmiddlewaretoken"}],
    }
    return render(request, "desk/holidays_preview.html", context)


@require_POST
@never_cache
@admin_required
def remove(request: HttpRequest, holiday_id: int) -> HttpResponse:
    """Open again on that day; it can be closed again as easily, so nothing is asked."""
    try:
        flow.remove(holiday_id=holiday_id, actor=actor_of(request))
        messages.success(request, _("The practice works on that day again. Open times follow in a moment."))
    except NotFound:
        messages.info(request, _("That holiday is gone already."))
    return HttpResponseRedirect(reverse("desk:holidays"), status=303)


def _page(request: HttpRequest, form: forms.Form | None = None, *, said: str = "", status: int = 200) -> HttpResponse:
    practice = Practice.current()
    today = clock.now().astimezone(practice.zone).date()
    context: dict[str, Any] = {
        "area": "people",
        "said": said,
        "holidays": [{"row": row, "said": say_day(row.day)} for row in Holiday.objects.filter(day__gte=today)],
        "day_form": form if isinstance(form, DayForm) else DayForm(prefix="day"),
        "country_form": form
        if isinstance(form, CountryForm)
        else CountryForm(prefix="country", initial={"country": practice.country, "year": today.year + 1}),
    }
    return render(request, "desk/holidays.html", context, status=status)
