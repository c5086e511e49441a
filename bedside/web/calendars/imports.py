"""The import form and what is said of each imported calendar."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.clinic.models import Provider
from bedside.core import clock
from bedside.flows.imports import MAX_ADDRESS
from bedside.schedule.models import ExternalCalendar


class ImportForm(forms.Form):
    url = forms.CharField(
        label=gettext_lazy("Calendar address"),
        max_length=MAX_ADDRESS,
        help_text=gettext_lazy("Its private iCalendar address (.ics); at Google the secret address in iCal format."),
        error_messages={
            "required": gettext_lazy("Paste the calendar's address."),
            "max_length": gettext_lazy("That address is too long."),
        },
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("What you call it here, for example Family."),
        error_messages={"required": gettext_lazy("Give it a name.")},
    )


def calendars_of(provider: Provider) -> list[Any]:
    """With ``blocks`` (busy times to come), ``key`` and ``trouble``: what is wrong, in words, or nothing."""
    upcoming = Count("busy_blocks", filter=Q(busy_blocks__end__gt=clock.now()))
    # The address is sealed, often a key in itself, and not shown: it isn't opened here.
    mine = ExternalCalendar.objects.filter(provider=provider).defer("url")
    found = list(mine.annotate(blocks=upcoming).order_by("pk"))
    for calendar in found:
        calendar.trouble = trouble_with(calendar)  # type: ignore[attr-defined]
        calendar.key = str(calendar.pk)  # type: ignore[attr-defined]
    return found


def trouble_with(calendar: ExternalCalendar) -> str:
    """Why the last try failed and what to do, or what was left out. Empty when all is well."""
    if calendar.error:
        return str(TROUBLES.get(calendar.error) or _server_said(calendar.error))
    if calendar.note:
        return _("Some of its events could not be read and are left out.")
    return ""


def _server_said(code: str) -> str:
    if code in {"http-401", "http-403", "http-404", "http-410"}:
        return _("The address opens nothing any more. Copy the present one from the calendar's settings.")
    return _("The calendar's server answered with an error. It is tried again by itself.")


TROUBLES = {
    "bad-address": gettext_lazy("The address leads to something that can't be read. Check it and add it again."),
    "private-address": gettext_lazy("The address leads into a private network, which is not read."),
    "unknown-host": gettext_lazy("No server of that name was found. Check the address."),
    "unreachable": gettext_lazy("The calendar's server can't be reached. It is tried again by itself."),
    "tls": gettext_lazy("The calendar's server has no valid certificate, so it is not trusted."),
    "too-slow": gettext_lazy("The calendar's server took too long. It is tried again by itself."),
    "too-large": gettext_lazy("The calendar is larger than 5 MB. Share a smaller one."),
    "too-many-redirects": gettext_lazy("The address leads from one place to the next without end."),
    "bad-answer": gettext_lazy("The calendar's server answered something that can't be understood."),
    "not-a-calendar": gettext_lazy("What is at this address is no calendar. Look for the address that ends in .ics."),
    "malformed": gettext_lazy("The calendar is damaged and can't be read."),
    "too-many-events": gettext_lazy("The calendar has more than 10,000 events. Share a smaller one."),
    "repeats-too-often": gettext_lazy("One of its events repeats every few minutes or seconds. Mend or delete it."),
    "too-complex": gettext_lazy("Working out the calendar's repetitions takes too long. Share a simpler one."),
}
